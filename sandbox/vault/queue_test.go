package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func (w *world) jobState(id string) (state, task string) {
	w.Helper()
	for _, j := range w.vault.Jobs() {
		if strings.HasSuffix(id, j.ID) {
			state, task = j.State, j.Task
		}
	}
	return state, task
}

func TestJobsWaitForTheirTurn(t *testing.T) {
	bubble(t, vault.Options{VMs: 5, JobsAtOnce: 2}, func(w *world) {
		vms := []string{"vm-x", "vm-y", "sql-01", "sql-02", "app-01"}
		jobs := map[string]string{}
		for i, vm := range vms {
			got := w.post(w.vm(vm).ID, "unplannedFailover", latest("Required"))
			jobs[vm] = got.header.Get("X-Ms-Request-Id")
			if i < 4 {
				pause(10 * time.Second)
			}
		}
		waiting := dig(w.T, w.get(jobs["sql-01"]).body, "properties")
		if dig(w.T, waiting, "state") != "InProgress" || dig(w.T, waiting, "startTime") != "2000-01-01T00:00:20Z" {
			w.Errorf("the third job is %v", waiting)
		}
		for _, task := range dig(w.T, waiting, "tasks").([]any) {
			if dig(w.T, task, "state") != "NotStarted" || dig(w.T, task, "startTime") != "0001-01-01T00:00:00" {
				w.Errorf("a task of the third job is %v", task)
			}
		}
		if got := w.vm("sql-01"); got.Job == "" || time.Since(got.NewestPoint) > 5*time.Minute {
			w.Errorf("the third item is %+v", got)
		}
		// vm-x ends at 140 s, vm-y at 150 s; sql-01 and sql-02 follow them, and app-01 follows sql-01 at 280 s.
		pause(380 * time.Second) // nothing looks in between: at 420 s
		for vm, end := range map[string]int{"vm-x": 140, "vm-y": 150, "sql-01": 280, "sql-02": 290, "app-01": 420} {
			p := dig(w.T, w.get(jobs[vm]).body, "properties")
			at, _ := time.Parse(time.RFC3339, dig(w.T, p, "endTime").(string))
			if got := int(at.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Seconds()); got != end {
				w.Errorf("%s ended after %d s, want %d", vm, got, end)
			}
			used := dig(w.T, p, "customDetails", "protectedItemDetails", 0, "recoveryPointTime").(string)
			if made, _ := time.Parse(time.RFC3339, used); at.Sub(made) != 62*time.Second {
				w.Errorf("%s used a point of %s and ended at %s", vm, used, at)
			}
		}
	})
}

func TestCancelledWhileItWaits(t *testing.T) {
	bubble(t, vault.Options{VMs: 3, JobsAtOnce: 1}, func(w *world) {
		jobs := make([]string, 0, 3)
		for _, vm := range []string{"vm-x", "vm-y", "sql-01"} {
			jobs = append(jobs, w.post(w.vm(vm).ID, "unplannedFailover", latest("Required")).header.Get("X-Ms-Request-Id"))
		}
		if got := w.post(jobs[1], "cancel", ""); got.status != http.StatusAccepted {
			w.Fatalf("cancel: %d %s", got.status, got.text)
		}
		pause(10 * time.Second)
		if state, _ := w.jobState(jobs[1]); state != "Cancelled" || w.vm("vm-y").Job != "" {
			w.Errorf("vm-y: %s, %+v", state, w.vm("vm-y"))
		}
		pause(140 * time.Second)
		if state, task := w.jobState(jobs[2]); state != "InProgress" || task == "" {
			w.Errorf("sql-01 is %s at %q, want it to have taken its turn", state, task)
		}
		replicating := func() {
			w.Helper()
			pause(20 * time.Minute)
			if age := time.Since(w.vm("vm-y").NewestPoint); age > 5*time.Minute {
				w.Errorf("the newest point of vm-y is %s old", age)
			}
		}
		replicating()
		w.vault.SourceDown(true)
		w.vault.SourceDown(false)
		replicating()
	})
}
