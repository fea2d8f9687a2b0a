package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestJobFailsAndWarns(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		fault := vault.Fault{
			Operation: "unplannedFailover", Kind: vault.JobFails,
			Code: "28031", Message: "no cores", Causes: "quota", Action: "raise it",
		}
		w.vault.Fault(fault)
		fault.Kind = vault.JobWarns
		w.vault.Fault(fault)

		before := len(w.get(w.vm("vm-x").ID + "/recoveryPoints").body["value"].([]any))
		first, job := w.failOver(latest("NotRequired"))
		pause(62 * time.Second)
		w.matches("job_failed", w.get(job).body, job)
		status := w.do(http.MethodGet, first.header.Get("Azure-AsyncOperation"), "")
		w.matches("status_failed", status.body, job)
		if got := len(w.get(w.vm("vm-x").ID + "/recoveryPoints").body["value"].([]any)); got != before {
			w.Errorf("%d points after the failed failover, before %d", got, before)
		}

		stopped := w.vm("vm-x").NewestPoint
		pause(10 * time.Minute)
		if got := w.vm("vm-x").NewestPoint; !got.After(stopped) {
			w.Error("no new points after the failed failover")
		}

		_, job = w.failOver(latest("Required"))
		pause(140 * time.Second)
		w.matches("job_warned", w.get(job).body, job)
		if got := w.vm("vm-x").ProtectionState; got != "UnplannedFailoverCommitPendingStatesBegin" {
			w.Errorf("after a warning: %s", got)
		}
	})
}

func TestJobInforms(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobInforms, Code: "150225", Message: "links are left"})
		_, job := w.failOver(latest("NotRequired"))
		pause(90 * time.Second)
		p := dig(w.T, w.get(job).body, "properties")
		if dig(w.T, p, "state") != "Succeeded" || dig(w.T, p, "stateDescription") != "CompletedWithInformation" ||
			dig(w.T, p, "errors", 0, "errorLevel") != "Info" || dig(w.T, p, "errors", 0, "serviceErrorDetails", "code") != "150225" {
			w.Errorf("the job says %v", p)
		}
		if w.vm("vm-x").Active != "Recovery" {
			w.Error("the failover had no effect")
		}
	})
}

func TestStuckInInitialReplication(t *testing.T) {
	bubble(t, vault.Options{InitialReplication: map[string]time.Duration{"vm-x": 100 * time.Minute, "vm-y": 100 * time.Minute}}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.Stuck, VM: "vm-x", Delay: 24 * time.Hour})
		w.vault.Fault(vault.Fault{Kind: vault.Stuck, VM: "vm-y"})
		for _, operation := range []string{"unplannedFailover", "failoverCommit", "switchprotection"} {
			for _, vm := range []string{"vm-x", "vm-y"} {
				if err := w.vault.Portal(vm, operation); err != nil {
					w.Fatal(err)
				}
			}
			pause(510 * time.Second)
		}
		for _, step := range []struct {
			after   time.Duration
			vm      string
			percent any
			state   string
		}{
			{30 * time.Minute, "vm-x", 30.0, "InitialReplicationInProgress"},
			{10 * time.Minute, "vm-x", 34.0, "InitialReplicationInProgress"},
			{23 * time.Hour, "vm-x", 34.0, "InitialReplicationInProgress"},
			{time.Hour, "vm-x", 40.0, "InitialReplicationInProgress"},
			{70 * time.Minute, "vm-x", nil, "Protected"},
			{1000 * time.Hour, "vm-y", 34.0, "InitialReplicationInProgress"},
		} {
			pause(step.after)
			w.token = w.fetchToken()
			p := dig(w.T, w.get(w.vm(step.vm).ID).body, "properties")
			if got := dig(w.T, p, "providerSpecificDetails", "monitoringPercentageCompletion"); got != step.percent || dig(w.T, p, "protectionState") != step.state {
				w.Errorf("%s: %v at %v %%, want %v at %v", step.vm, dig(w.T, p, "protectionState"), got, step.state, step.percent)
			}
		}
	})
}

func TestJobVanishes(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobVanishes, Operation: "unplannedFailover", Delay: time.Minute})
		first, job := w.failOver(latest("Required"))
		list := job[:strings.LastIndexByte(job, '/')]
		pause(time.Minute - time.Second)
		w.get(job)
		pause(time.Second)
		for _, path := range []string{job, first.header.Get("Azure-AsyncOperation"), first.header.Get("Location")} {
			if got := w.do(http.MethodGet, withVersion(path), ""); got.status != http.StatusNotFound {
				w.Errorf("%.120s: %d", path, got.status)
			}
		}
		if left := dig(w.T, w.get(list).body, "value").([]any); len(left) != 0 {
			w.Errorf("the list has %v", left)
		}
		if got := dig(w.T, w.get(w.vm("vm-x").ID).body, "properties", "currentScenario", "jobId"); got != job {
			w.Errorf("currentScenario names %v", got)
		}
		pause(80 * time.Second)
		if got := w.vm("vm-x").ProtectionState; got != "UnplannedFailoverCommitPendingStatesBegin" {
			w.Errorf("the work went on to %s", got)
		}
	})
}
