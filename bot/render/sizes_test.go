package render_test

import (
	"strings"
	"testing"
	"time"

	"ferry/bot/render"
	"ferry/failover"
)

// sizedRequest may be made in other sizes.
func sizedRequest() failover.Requested {
	req := requested()
	req.Targets[0].Item.Size = "Standard_D4s_v5"
	req.Plan.Sizes = map[string][]string{"Standard_D4s_v5": {"Standard_D4as_v5", "Standard_D8s_v5"}}
	return req
}

// noRoom is such a failover whose job found no capacity.
func noRoom() story {
	s := ask(sizedRequest()).then(40*time.Second,
		failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassFailover},
		failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1}, failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "/job/1"})
	return s.then(time.Minute, failover.StepDelayed{Target: key, Kind: failover.StepFailover, Until: s.now.Add(time.Minute), Fault: failover.Fault{
		Capacity: "Standard_D4s_v5", Message: "Azure has no capacity in North Europe for Standard_D4s_v5. The VM could not be made.", Action: "Tried again as Standard_D4as_v5.",
	}})
}

// sized are failovers that find no capacity for a VM's own size.
func sized() map[string]story {
	asked := noRoom().then(time.Second, failover.StepStarted{Target: key, Kind: failover.StepResize, Attempt: 1, Size: "Standard_D4as_v5"})
	named := asked.then(10*time.Second, failover.StepAccepted{Target: key, Kind: failover.StepResize, JobID: "/job/2"}, failover.StepDone{Target: key, Kind: failover.StepResize})
	again := named.then(time.Second, failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 2}, failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "/job/3"})
	return map[string]story{
		"sizes_asked":    ask(sizedRequest()),
		"sizes_none":     noRoom(),
		"sizes_changing": asked,
		"sizes_refused":  asked.then(time.Second, failover.StepFailed{Target: key, Kind: failover.StepResize, Fault: failover.Fault{Message: "The size is not available in North Europe."}}),
		"sizes_up":       again.then(time.Minute, failover.StepDone{Target: key, Kind: failover.StepFailover, PointUsed: start().Add(-2 * time.Second)}, failover.Parked{}),
		"sizes_unsure":   asked.then(time.Minute, failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben. The VM stays as it is in Azure."}),
		"sizes_left":     named.then(time.Minute, failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben. The VM stays as it is in Azure."}),
	}
}

// In which other sizes VMs may be made is said as long as one of them is to be made.
func TestSizesThatAreAhead(t *testing.T) {
	req := fleetOf(2)
	req.Targets[0].Item.Size, req.Targets[1].Item.Size = "Standard_D4s_v5", "Standard_B2s"
	req.Plan.Sizes = map[string][]string{"Standard_D4s_v5": {"Standard_D8s_v5"}}
	s := ask(req)
	says := func(want bool) {
		t.Helper()
		if text := render.CardText(s.op, s.now); strings.Contains(text, "Where there is no capacity: Standard_D8s_v5 instead of Standard_D4s_v5") != want {
			t.Errorf("want it said: %v\n%s", want, text)
		}
	}
	says(true)
	s = s.then(time.Minute, failover.Decided{Gate: failover.ClassFailover, By: ben(), Approve: true}, failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}).started(0, 2, failover.StepFailover)
	says(true)
	s = s.moved(0, 1, failover.StepFailover, none)
	says(false)
}
