package vault_test

import (
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestHomeDownOnTheWayBack(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "initial replication"))
		pause(20 * time.Minute)
		m := newTraveller(w, "vm-x")
		before := m.detail("monitoringPercentageCompletion")
		w.vault.SourceDown(true)
		pause(5 * time.Hour)
		if got := m.detail("monitoringPercentageCompletion"); got != before || m.property("replicationHealth") != "Critical" {
			w.Errorf("%v %% after 5 hours without the region, %v %% before", got, before)
		}
		w.vault.SourceDown(false)
		if got := m.detail("monitoringPercentageCompletion"); got != before {
			w.Errorf("%v %% when the region is back, %v %% before", got, before)
		}
		pause(33 * time.Minute)
		m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover")

		w.vault.SourceDown(true)
		newest := w.vm("vm-x").NewestPoint
		w.failsInto(m, "testFailover", drillBody, "28031")
		w.failsInto(m, "unplannedFailover", latest("Required"), "28031")
		m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover")
		if !w.vm("vm-x").NewestPoint.Equal(newest) {
			w.Errorf("a point of %s, made while the region was down", w.vm("vm-x").NewestPoint)
		}
		w.vault.SourceDown(false)
		pause(10 * time.Minute)
		if age := time.Since(w.vm("vm-x").NewestPoint); age > 5*time.Minute {
			w.Errorf("back for 10 minutes, and the newest point is %s old", age)
		}
	})
}

// failsInto runs an operation whose job fails because its region is down.
func (w *world) failsInto(m *traveller, operation, body, code string) {
	w.Helper()
	job := m.post(m.id, operation, body).header.Get("X-Ms-Request-Id")
	pause(failoverTakes)
	full := w.get(job).body
	if dig(w.T, full, "properties", "state") != "Failed" || dig(w.T, full, "properties", "errors", 0, "serviceErrorDetails", "code") != code {
		w.Errorf("%s: the job is %v", operation, full["properties"])
	}
}

// A region that comes back while a job that leaves the replication alone runs has its VMs replicated again.
func TestRegionIsBackDuringAJob(t *testing.T) {
	for _, operation := range []string{"testFailover", "update Standard_E4s_v5"} {
		bubble(t, vault.Options{VMs: 1}, func(w *world) {
			w.vault.SourceDown(true)
			if err := w.vault.Portal("vm-x", operation); err != nil {
				w.Fatal(err)
			}
			w.vault.SourceDown(false)
			pause(10 * time.Minute)
			if age := time.Since(w.vm("vm-x").NewestPoint); age > 5*time.Minute {
				w.Errorf("%s: back for 10 minutes, and the newest point is %s old", operation, age)
			}
		})
	}
}

func TestReprotectIntoARegionThatIsDown(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "committed"))
		w.vault.SourceDown(true)
		job := w.tries("switchprotection").header.Get("X-Ms-Request-Id")
		pause(510 * time.Second)
		full := w.get(job).body
		if dig(w.T, full, "properties", "errors", 0, "serviceErrorDetails", "code") != "150253" {
			w.Errorf("the job is %v", full["properties"])
		}
		if got := w.vm("vm-x").ProtectionState; got != "UnplannedFailoverCommitted" {
			w.Errorf("the VM is %s", got)
		}
	})
}

func TestWorldShowsTheWholeLife(t *testing.T) {
	type row struct {
		drill, runs, portal string
		reversed, over      bool
		percent             any
	}
	want := map[string]row{
		"protected":               {"", "West Europe", "unplannedFailover", false, false, nil},
		"drill open":              {"vm-x-test", "West Europe", "testFailoverCleanup", false, false, nil},
		"failed over":             {"", "North Europe", "failoverCommit", false, true, nil},
		"committed":               {"", "North Europe", "switchprotection", false, true, nil},
		"initial replication":     {"", "North Europe", "", true, false, 0.0},
		"protected the other way": {"", "North Europe", "unplannedFailover", true, false, nil},
	}
	for state, want := range want {
		bubble(t, vault.Options{VMs: 1}, func(w *world) {
			w.reach(named(w, state))
			vm := dig(w.T, w.state(), "vms", 0).(map[string]any)
			got := row{vm["drill"].(string), vm["runs_in"].(string), vm["portal"].(string), vm["reversed"].(bool), vm["failed_over"].(bool), vm["percent"]}
			if got != want {
				w.Errorf("%s: %+v, want %+v", state, got, want)
			}
		})
	}
}

func TestInitialReplicationAsTold(t *testing.T) {
	o := vault.Options{VMs: 1, InitialReplication: map[string]time.Duration{"vm-x": 6 * time.Hour}, CrashConsistentOnly: true}
	bubble(t, o, func(w *world) {
		w.reach(named(w, "initial replication"))
		pause(3 * time.Hour)
		m := newTraveller(w, "vm-x")
		if got := m.detail("monitoringPercentageCompletion"); got != 50.0 {
			w.Errorf("%v %% after half of the time", got)
		}
		pause(4 * time.Hour)
		for _, p := range w.get(m.id + "/recoveryPoints").body["value"].([]any) {
			if kind := dig(w.T, p, "properties", "recoveryPointType"); kind != "CrashConsistent" {
				w.Errorf("a point is %v", kind)
			}
		}
	})
}

func TestFabricOfARegionThatIsDown(t *testing.T) {
	for normal, want := range map[bool]string{false: "Critical", true: "Normal"} {
		bubble(t, vault.Options{VMs: 1, Guesses: vault.Guesses{FabricsStayNormal: normal}}, func(w *world) {
			fabric := func(i int) any {
				path := strings.Split(w.vm("vm-x").ID, "/replicationFabrics/")[0] + "/replicationFabrics"
				return dig(w.T, w.get(path).body, "value", i, "properties", "health")
			}
			w.vault.SourceDown(true)
			if fabric(0) != want || fabric(1) != "Normal" {
				w.Errorf("health %v and %v, want %s and Normal", fabric(0), fabric(1), want)
			}
			w.vault.SourceDown(false)
			if fabric(0) != "Normal" {
				w.Errorf("health %v when the region is back", fabric(0))
			}
		})
	}
}

func TestStatesToWhichNothingLeads(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		for _, state := range []string{"UnprotectedStatesBegin", "NeverSeen"} {
			if err := w.vault.Show("vm-x", state); err != nil {
				w.Fatal(err)
			}
			pause(time.Hour)
			newTraveller(w, "vm-x").expect(state, "Primary", "DisableProtection")
			if got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required")); got.status != 409 {
				w.Errorf("a failover in the state %s: %d", state, got.status)
			}
		}
		if w.vault.Show("vm-z", "Protected") == nil {
			w.Error("an unknown VM is no error")
		}
	})
}
