package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestReprotectJob(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "committed"))
		m := newTraveller(w, "vm-x")
		started := m.post(containerOf(m.id), "switchprotection", m.switchBody())
		job := started.header.Get("X-Ms-Request-Id")
		location := started.header.Get("Location")
		if !strings.HasPrefix(location, host+containerOf(m.id)+"/operationresults/") {
			w.Errorf("Location %.300s", location)
		}
		list := strings.TrimSuffix(job, "/"+lastOf(job))
		before := len(w.get(list).body["value"].([]any))
		pause(60 * time.Second)
		full := w.get(job).body
		w.matches("job_reprotect_running", full, job)
		inner := dig(w.T, full, "properties", "tasks", 4, "groupTaskCustomDetails", "childTasks", 0, "customDetails", "jobTask", "jobId").(string)
		if got := w.get(inner).body; dig(w.T, got, "properties", "scenarioName") != "EnableDr" || dig(w.T, got, "properties", "state") != "InProgress" {
			w.Errorf("the inner job is %v", got)
		}
		if after := len(w.get(list).body["value"].([]any)); after != before+1 {
			w.Errorf("%d jobs, then %d: the inner one is a job like others", before, after)
		}
		if got := m.property("currentScenario", "jobId"); got != job || m.property("protectionState") != "UnplannedFailoverCommitted" {
			w.Errorf("currentScenario is %v", m.property("currentScenario"))
		}
		pause(450 * time.Second)
		if got := w.do(http.MethodGet, location, ""); got.status != http.StatusOK || dig(w.T, got.body, "id") != containerOf(m.id) {
			w.Errorf("Location answers %d %s", got.status, got.text)
		}
		w.matches("job_reprotect_done", w.get(job).body, job)
		m.id = dig(w.T, w.get(job).body, "properties", "customDetails", "newReplicationProtectedItemId").(string)
		pause(20 * time.Minute)
		w.matches("item_seeding", w.get(m.id).body, job)
	})
}

func TestReprotectWithoutMapping(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "committed"))
		w.vault.SetReverseMapped(false)
		got := w.tries("switchprotection")
		if got.status != http.StatusBadRequest || dig(w.T, got.body, "error", "code") != "ProtectionContainerMappingNotFound" {
			w.Errorf("%d %s", got.status, got.text)
		}
		w.vault.SetReverseMapped(true)
		if got := w.tries("switchprotection"); got.status != http.StatusAccepted {
			w.Errorf("%d %s", got.status, got.text)
		}
	})
}

func TestFailedReprotectChangesNothing(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "committed"))
		w.vault.Fault(vault.Fault{Operation: "switchprotection", Kind: vault.JobFails, Code: "150253"})
		m := newTraveller(w, "vm-x")
		before := w.get(m.id).text
		job := w.tries("switchprotection").header.Get("X-Ms-Request-Id")
		pause(510 * time.Second)
		if after := w.get(m.id).text; after != before {
			w.Errorf("the item is %s, was %s", after, before)
		}
		full := dig(w.T, w.get(job).body, "properties")
		if dig(w.T, full, "state") != "Failed" || dig(w.T, full, "customDetails", "newReplicationProtectedItemId") != nil {
			w.Errorf("the job is %v", full)
		}
	})
}

func TestReprotectMayCommit(t *testing.T) {
	bubble(t, vault.Options{VMs: 1, Guesses: vault.Guesses{SwitchCommits: true}}, func(w *world) {
		w.reach(named(w, "failed over"))
		m := newTraveller(w, "vm-x")
		job := m.follows(w.tries("switchprotection"), 518*time.Second)
		if got := dig(w.T, job, "properties", "tasks", 1, "stateDescription"); got != "Completed" {
			w.Errorf("the commit in the reprotect is %v", got)
		}
	})
}

func TestChangeOfThePoint(t *testing.T) {
	bubble(t, vault.Options{VMs: 2, Guesses: vault.Guesses{ChangeScenario: "ChangePit"}}, func(w *world) {
		w.reach(named(w, "failed over"))
		m := newTraveller(w, "vm-x")
		machine := m.detail("recoveryFabricObjectId").(string)
		first := dig(w.T, w.get(machine).body, "properties", "timeCreated")
		before := m.property("failoverRecoveryPointId")

		theirs := w.vm("vm-y").ID + "/recoveryPoints/" + lastOf(before.(string))
		failed := m.post(m.id, "applyRecoveryPoint", changeTo(theirs)).header.Get("X-Ms-Request-Id")
		pause(90 * time.Second)
		if got := w.get(failed).body; dig(w.T, got, "properties", "errors", 0, "serviceErrorDetails", "code") != "BookmarkNotFound" {
			w.Errorf("with the point of another VM %v", got)
		}
		if got := m.property("failoverRecoveryPointId"); got != before {
			w.Errorf("a failed change leaves %v, was %v", got, before)
		}

		var point, oldest string // not by place: the point that the failover made has a random name
		for _, p := range m.get(m.id + "/recoveryPoints").body["value"].([]any) {
			if at := dig(w.T, p, "properties", "recoveryPointTime").(string); oldest == "" || at < oldest {
				point, oldest = dig(w.T, p, "id").(string), at
			}
		}
		job := m.does("applyRecoveryPoint", changeTo(point), 112*time.Second)
		w.matches("job_change", job, dig(w.T, job, "id").(string))
		if got := dig(w.T, w.get(machine).body, "properties", "timeCreated"); got == first {
			w.Error("the VM was not made anew")
		}
	})
}
