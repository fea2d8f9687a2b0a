package vault_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// jobAction posts to a job.
func (w *world) jobAction(job, action, body string) answer {
	w.Helper()
	return w.do(http.MethodPost, job+"/"+action+apiVersion, body)
}

func TestCancelledFailoverEndsReplication(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		m := newTraveller(w, "vm-x")
		_, job := w.failOver(latest("Required"))
		pause(60 * time.Second)
		got := w.jobAction(job, "cancel", "")
		if got.status != http.StatusAccepted {
			w.Fatalf("%d %s", got.status, got.text)
		}
		control := got.header.Get("X-Ms-Request-Id")
		if state := dig(w.T, w.get(job).body, "properties", "state"); state != "Cancelling" || control == job {
			w.Errorf("the job is %v at once", state)
		}
		if again := w.jobAction(job, "cancel", ""); again.status != http.StatusConflict {
			w.Errorf("cancelled twice: %d", again.status)
		}
		pause(4 * time.Second)
		cancelled := w.get(job).body
		if dig(w.T, cancelled, "properties", "state") != "Cancelled" || dig(w.T, cancelled, "properties", "endTime") != "2000-01-01T00:01:04Z" {
			w.Errorf("the job is %v", cancelled["properties"])
		}
		for i, want := range []string{"Completed", "Completed", "Cancelled", "NotStarted", "NotStarted"} {
			if got := dig(w.T, cancelled, "properties", "tasks", i, "stateDescription"); got != want {
				w.Errorf("task %d is %v, want %s", i, got, want)
			}
		}
		if got := w.do(http.MethodGet, got.header.Get("Location"), ""); dig(w.T, got.body, "id") != job {
			w.Errorf("the result of a cancel is %s", got.text)
		}
		newest := w.vm("vm-x").NewestPoint
		w.vault.SourceDown(true)
		w.vault.SourceDown(false)
		pause(time.Hour)
		m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover")
		if !w.vm("vm-x").NewestPoint.Equal(newest) || m.property("replicationHealth") != "Critical" {
			w.Errorf("an hour later there is a point of %s", w.vm("vm-x").NewestPoint)
		}
		m.does("unplannedFailover", latest("Required"), failoverTakes)
	})
}

func TestCancelledReprotectStaysCommitted(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "reprotecting"))
		job := w.get(w.vm("vm-x").ID).body
		id := dig(w.T, job, "properties", "currentScenario", "jobId").(string)
		inner := dig(w.T, w.get(id).body, "properties", "tasks", 4, "groupTaskCustomDetails", "childTasks", 0, "customDetails", "jobTask", "jobId").(string)
		if got := w.jobAction(inner, "cancel", ""); got.status != http.StatusConflict {
			w.Errorf("the inner job alone: %d", got.status)
		}
		w.jobAction(id, "cancel", "")
		pause(time.Hour)
		for _, id := range []string{id, inner} {
			if state := dig(w.T, w.get(id).body, "properties", "state"); state != "Cancelled" {
				w.Errorf("%s is %v", id, state)
			}
		}
		if got := w.vm("vm-x"); got.ProtectionState != "UnplannedFailoverCommitted" || got.PrimaryRegion != "West Europe" {
			w.Errorf("the VM is %+v", got)
		}
	})
}

func TestRestartAndResume(t *testing.T) {
	bubble(t, vault.Options{VMs: 1, Guesses: vault.Guesses{FailedJobsRestart: true}}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.JobFails})
		_, job := w.failOver(latest("NotRequired"))
		if got := w.jobAction(job, "restart", ""); got.status != http.StatusConflict {
			w.Errorf("restart of a running job: %d", got.status)
		}
		pause(failoverTakes)
		if got := w.jobAction(job, "resume", `{"properties":{"comments":""}}`); got.status != http.StatusConflict {
			w.Errorf("resume of a job that does not wait: %d", got.status)
		}
		m := newTraveller(w, "vm-x")
		again := m.follows(w.jobAction(job, "restart", ""), failoverTakes-shutdownTakes)
		if dig(w.T, again, "id") == job || w.vm("vm-x").Active != "Recovery" {
			w.Errorf("restarted as %v", again)
		}
	})
}

func TestFailedJobsMayBeFinal(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "unplannedFailover", Kind: vault.JobFails})
		_, job := w.failOver(latest("NotRequired"))
		pause(failoverTakes)
		if got := w.jobAction(job, "restart", ""); got.status != http.StatusConflict {
			w.Errorf("restart that is not listed: %d", got.status)
		}
	})
}

func TestFilters(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, Groups: map[string][]string{"pair": {"vm-x", "vm-y"}}}, func(w *world) {
		if err := w.vault.Portal("sql-01", "unplannedFailover"); err != nil {
			w.Fatal(err)
		}
		pause(10 * time.Minute)
		if err := w.vault.Portal("sql-01", "failoverCommit"); err != nil {
			w.Fatal(err)
		}
		root, _, _ := strings.Cut(w.vm("vm-x").ID, "/replicationFabrics")
		for filter, want := range map[string]int{
			"replicationJobs?": 2, "replicationJobs?JobStatus eq 'InProgress'": 1,
			"replicationJobs?StartTime eq '2000-01-01T00:05:00Z' and EndTime eq '2000-01-01T01:00:00Z'": 1,
			"replicationJobs?StartTime eq '1999-12-31 23:00:00Z'":                                       2,
			"replicationJobs?EndTime eq '1/1/2000 12:05:00 AM'":                                         1,
			"replicationJobs?StartTime eq 'yesterday'":                                                  -1,
			"replicationJobs?state eq 'Failed'":                                                         -1,
			"replicationProtectedItems?InstanceType eq 'A2A' AND SourceFabricLocation eq 'West Europe'": 3,
			"replicationProtectedItems?SourceFabricLocation eq 'North Europe'":                          0,
			"replicationProtectedItems?MultiVmGroupCreateOption eq 'UserSpecified'":                     2,
			"replicationProtectedItems?InstanceType = 'A2A'":                                            -1,
		} {
			list, query, _ := strings.Cut(filter, "?")
			got := w.do(http.MethodGet, root+"/"+list+apiVersion+"&"+url.Values{"$filter": {query}}.Encode(), "")
			value, _ := got.body["value"].([]any)
			if want < 0 != (got.status == http.StatusBadRequest) || want >= 0 && len(value) != want {
				w.Errorf("%s: %d with %d entries, want %d", filter, got.status, len(value), want)
			}
		}
	})
}

func TestConsistencyGroup(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, Groups: map[string][]string{"pair": {"vm-x", "vm-y"}}}, func(w *world) {
		x, y := newTraveller(w, "vm-x"), newTraveller(w, "vm-y")
		if got := x.post(x.id, "unplannedFailover", latest("Required")); got.status != http.StatusConflict || !strings.Contains(got.text, "pair") {
			w.Errorf("%d %s", got.status, got.text)
		}
		if err := w.vault.Portal("vm-x", "unplannedFailover"); err == nil {
			w.Error("the portal fails one VM of a group over")
		}
		if x.detail("multiVmGroupId") != y.detail("multiVmGroupId") || x.detail("multiVmGroupCreateOption") != "UserSpecified" || x.detail("multiVmGroupName") != "pair" {
			w.Errorf("group %v", x.detail("multiVmGroupName"))
		}
		if !w.vm("vm-x").NewestPoint.Equal(w.vm("vm-y").NewestPoint) {
			w.Error("the VMs' points are not of the same moment")
		}
		point := dig(w.T, w.get(x.id+"/recoveryPoints").body, "value", 0, "properties", "providerSpecificDetails")
		if got := dig(w.T, point, "recoveryPointSyncType"); got != "MultiVmSyncRecoveryPoint" {
			w.Errorf("recoveryPointSyncType %v", got)
		}
		x.does("testFailover", drillBody, 180*time.Second)
	})
}
