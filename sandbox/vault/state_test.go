package vault_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestPointUsed(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.Log("NotRequired: the newest existing point, no matter that latest was asked for")
		newest := w.vm("vm-x").NewestPoint
		_, job := w.failOver(latest("NotRequired"))
		tasks := dig(w.T, w.get(job).body, "properties", "tasks")
		if got := dig(w.T, tasks, 1, "stateDescription"); got != "NotStarted" {
			w.Errorf("shutdown is %v before its turn", got)
		}
		pause(84 * time.Second)
		full := w.get(job).body
		checkUsed(w, full, newest.Format(time.RFC3339))
		for i, want := range []string{"Completed", "Skipped", "Skipped", "Completed", "Completed"} {
			if got := dig(w.T, full, "properties", "tasks", i, "stateDescription"); got != want {
				w.Errorf("task %d is %v, want %s", i, got, want)
			}
		}
		if got := dig(w.T, full, "properties", "endTime"); got != "2000-01-01T00:01:24Z" {
			w.Errorf("endTime %v, want 84 s: skipped tasks take no time", got)
		}
	})
}

func checkUsed(w *world, job map[string]any, at string) {
	w.Helper()
	used := dig(w.T, job, "properties", "customDetails", "protectedItemDetails", 0)
	if got := dig(w.T, used, "recoveryPointTime"); got != at {
		w.Errorf("recoveryPointTime %v, want %s", got, at)
	}
	id := dig(w.T, w.get(w.vm("vm-x").ID).body, "properties", "failoverRecoveryPointId").(string)
	if !strings.HasSuffix(id, "/recoveryPoints/"+dig(w.T, used, "recoveryPointId").(string)) {
		w.Errorf("failoverRecoveryPointId %s, job says %v", id, used)
	}
	if strings.Contains(id, container) {
		w.Errorf("failoverRecoveryPointId %s names the container instead of its GUID", id)
	}
}

func TestExplicitPoint(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		point := dig(w.T, w.get(w.vm("vm-x").ID+"/recoveryPoints").body, "value", 0)
		id := dig(w.T, point, "id").(string)
		if got := w.get(id).body; dig(w.T, got, "id") != id {
			w.Errorf("GET of the point: %v", got)
		}
		_, job := w.failOver(toPoint(strings.ToLower(id)))
		pause(84 * time.Second)
		checkUsed(w, w.get(job).body, dig(w.T, point, "properties", "recoveryPointTime").(string))
	})
}

func TestPointsOfOthersFailTheJob(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		mine, other := w.vm("vm-x").ID, w.vm("vm-y").ID
		theirs := dig(w.T, w.get(other+"/recoveryPoints").body, "value", 0, "id").(string)
		name := dig(w.T, w.get(mine+"/recoveryPoints").body, "value", 0, "name").(string)
		for _, id := range []string{theirs, other + "/recoveryPoints/" + name, name} {
			failsWithoutPoint(w, id)
		}
	})
}

func failsWithoutPoint(w *world, id string) {
	w.Helper()
	_, job := w.failOver(toPoint(id))
	pause(62 * time.Second)
	full := w.get(job).body
	if got := dig(w.T, full, "properties", "state"); got != "Failed" {
		w.Fatalf("state %v with point %s", got, id)
	}
	e := dig(w.T, full, "properties", "errors", 0, "serviceErrorDetails")
	if dig(w.T, e, "code") != "BookmarkNotFound" || dig(w.T, e, "possibleCauses") == "" || dig(w.T, e, "recommendedAction") == "" {
		w.Errorf("error %v", e)
	}
	if got := w.vm("vm-x"); got.ProtectionState != "Protected" || got.Job != "" {
		w.Errorf("item %+v, want protected and idle again", got)
	}
}

func TestRecoveryPoints(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		points := w.get(id + "/recoveryPoints").body["value"].([]any)
		recent, consistent := 0, 0
		for _, p := range points {
			at, err := time.Parse(time.RFC3339, dig(w.T, p, "properties", "recoveryPointTime").(string))
			if err != nil {
				w.Fatal(err)
			}
			if time.Since(at) <= 2*time.Hour {
				recent++
			}
			if dig(w.T, p, "properties", "recoveryPointType") == "ApplicationConsistent" {
				consistent++
			}
		}
		if recent != 24 || len(points)-recent != 22 || consistent != 24 {
			w.Errorf("%d points in 2 hours, %d older, %d application-consistent; want 24, 22 and 24", recent, len(points)-recent, consistent)
		}
		before := w.vm("vm-x").NewestPoint
		pause(5 * time.Minute)
		if got := w.vm("vm-x").NewestPoint.Sub(before); got != 5*time.Minute {
			w.Errorf("the newest point moved by %s in 5 minutes", got)
		}
	})
}

func TestRPOFreezesWithReplication(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		rpo := func() float64 {
			return dig(w.T, w.get(id).body, "properties", "providerSpecificDetails", "rpoInSeconds").(float64)
		}
		if got, want := rpo(), time.Since(w.vm("vm-x").NewestPoint).Seconds(); got != want {
			w.Errorf("rpoInSeconds %v, want %v", got, want)
		}
		frozen := rpo()
		w.failOver(latest("Required"))
		pause(time.Hour)
		if got := rpo(); got != frozen {
			w.Errorf("rpoInSeconds %v an hour after the failover, want %v", got, frozen)
		}
	})
}

func TestConflicts(t *testing.T) {
	bubble(t, vault.Options{ConflictStatus: http.StatusBadRequest, ConflictCode: "150999"}, func(w *world) {
		id := w.vm("vm-x").ID
		conflicts := func(when, operation, body string) {
			w.Helper()
			got := w.post(id, operation, body)
			if got.status != http.StatusBadRequest || dig(w.T, got.body, "error", "code") != "150999" {
				w.Errorf("%s %s: %d %s", operation, when, got.status, got.text)
			}
		}
		conflicts("of a protected VM", "failoverCommit", "")
		w.failOver(latest("Required"))
		conflicts("of a running failover", "unplannedFailover", latest("Required"))
		conflicts("of a running failover", "failoverCommit", "")
		pause(140 * time.Second)
		conflicts("after a failover", "unplannedFailover", latest("Required"))
		if got := accepted(w); len(got) != 1 {
			w.Errorf("%d calls accepted", len(got))
		}
		if n := len(w.vault.Ledger()); n != 5 {
			w.Errorf("the ledger has %d calls, want refused ones too", n)
		}
	})
}

func accepted(w *world) []vault.Call {
	var calls []vault.Call
	for _, c := range w.vault.Ledger() {
		if c.Accepted {
			calls = append(calls, c)
		}
	}
	return calls
}

func TestWrongBodies(t *testing.T) {
	bodies := map[string]string{
		"empty": "", "no properties": "{}",
		"direction": strings.Replace(latest("Required"), "PrimaryToRecovery", "RecoveryToPrimary", 1),
		"source":    latest("Maybe"),
		"provider":  strings.Replace(latest("Required"), "A2A", "InMageRcm", 1),
	}
	bubble(t, vault.Options{}, func(w *world) {
		for name, body := range bodies {
			if got := w.post(w.vm("vm-x").ID, "unplannedFailover", body); got.status != http.StatusBadRequest {
				w.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		if got := accepted(w); len(got) != 0 {
			w.Errorf("accepted %v", got)
		}
	})
}

func TestPortal(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		if err := w.vault.Portal("vm-x", "failoverCommit"); !errors.Is(err, vault.ErrNotAllowed) {
			w.Errorf("commit of a protected VM: %v", err)
		}
		if err := w.vault.Portal("vm-x", "unplannedFailover"); err != nil {
			w.Fatal(err)
		}
		if w.vault.Portal("vm-z", "unplannedFailover") == nil {
			w.Error("an unknown VM is no error")
		}
		calls := accepted(w)
		if len(calls) != 1 || calls[0].Source != vault.SourcePortal || calls[0].JobID != w.vm("vm-x").Job {
			w.Errorf("ledger %+v", calls)
		}
		jobs := w.vault.Jobs()
		if len(jobs) != 1 || jobs[0].Task != "Prerequisites check for failover" || !jobs[0].End.IsZero() {
			w.Errorf("jobs %+v", jobs)
		}
		pause(140 * time.Second)
		if jobs := w.vault.Jobs(); jobs[0].State != "Succeeded" || jobs[0].End.Sub(jobs[0].Start) != 140*time.Second {
			w.Errorf("jobs %+v", jobs)
		}
	})
}

func TestLedgerKeepsTheCall(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		_, job := w.failOver(latest("Required"))
		got := w.vault.Ledger()[0]
		if got.VM != "vm-x" || got.ItemID != w.vm("vm-x").ID || got.ClientRequestID != requestID || got.Status != 202 ||
			!strings.HasSuffix(job, got.JobID) || string(got.Body) != latest("Required") || got.Source != vault.SourceAPI {
			w.Errorf("ledger %+v", got)
		}
	})
}
