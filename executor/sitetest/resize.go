package sitetest

import (
	"net/http"
	"reflect"
	"strings"
	"time"

	"ferry/failover"
)

const otherSize = "Standard_E4s_v5"

// anotherSize is used by the next failover, and nothing else of the item changes.
func anotherSize(w world) {
	before := w.item(w.VM)
	call := failover.Call{Kind: failover.StepResize, Item: before, ClientRequestID: firstID, Size: otherSize}
	accepted := w.begin(call)
	if running := w.item(w.VM); running.JobID != accepted.JobID || running.Size != before.Size || failover.Legal(failover.StepFailover, running) == nil {
		w.Errorf("while the size changes: %+v", running)
	}
	call.ClientRequestID = secondID
	w.refusal(call, failover.RefusedBySite)
	if j := w.ended(accepted.JobID); j.State != failover.JobSucceeded || j.Target != w.VM || !strings.HasPrefix(j.ActivityID, firstID) {
		w.Errorf("job %+v", j)
	}
	after := w.again(before)
	want := before
	want.Size, want.RPO = otherSize, after.RPO
	if before.Size == "" || !reflect.DeepEqual(after, want) || w.item(w.VM).Size != otherSize {
		w.Errorf("with another size\n%+v, before\n%+v", after, before)
	}
	w.begin(call) // the same size once more
	if calls := w.Calls(); len(calls) != 3 || !calls[2].Accepted || calls[2].Size != otherSize {
		w.Errorf("calls %+v", calls)
	}
	w.wait(time.Minute)
	w.do(failover.StepFailover)
	call.Item = w.item(w.VM)
	if w.refusal(call, failover.RefusedBySite); call.Item.Size != otherSize {
		w.Errorf("failed over as %+v", call.Item)
	}
}

func troubledResize(w world) {
	before := w.item(w.VM)
	call := failover.Call{Kind: failover.StepResize, Item: before, ClientRequestID: firstID, Size: otherSize}
	w.Throttle(failover.StepResize, 90*time.Second)
	if e := w.refusal(call, failover.Retry); e.After != 90*time.Second {
		w.Errorf("after %s", e.After)
	}
	w.wait(90 * time.Second)
	w.Break(failover.StepResize, http.StatusServiceUnavailable)
	w.refusal(call, failover.Unknown)
	if n := w.accepted(); n != 0 {
		w.Errorf("%d calls were accepted of those turned away", n)
	}
	fault := aFault()
	w.FailJob(failover.StepResize, fault)
	if j := w.ended(w.begin(call).JobID); j.State != failover.JobFailed || len(j.Errors) != 1 || j.Errors[0] != fault || w.again(before).Size != before.Size {
		w.Errorf("job %+v, and the size is %s", j, w.again(before).Size)
	}
	w.LoseAnswer(failover.StepResize)
	since := time.Now()
	w.refusal(call, failover.Unknown)
	if n := w.accepted(); n != 2 {
		w.Errorf("%d calls were accepted, want the one that failed and the one that was lost", n)
	}
	lost := w.item(w.VM).JobID
	if j := w.ended(lost); j.State != failover.JobSucceeded || !strings.HasPrefix(j.ActivityID, firstID) || j.StartedAt.Before(since) || w.again(before).Size != otherSize {
		w.Errorf("job %+v, and the size is %s", j, w.again(before).Size)
	}
	call.Size = ""
	w.refusal(call, failover.RefusedBySite)
	call.Size = otherSize
	w.Restrict() // that role has no right to it
	w.refusal(call, failover.RefusedBySite)
}
