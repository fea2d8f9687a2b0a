package vault_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// played asks the world's own surface, as the page does.
func (w *world) played(method, path, body string) answer {
	w.Helper()
	recorder := httptest.NewRecorder()
	w.vault.World().ServeHTTP(recorder, httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body)))
	got := answer{status: recorder.Code, text: recorder.Body.String()}
	_ = json.Unmarshal(recorder.Body.Bytes(), &got.body) // a refusal of the request is text
	return got
}

func (w *world) state() map[string]any {
	w.Helper()
	return w.played(http.MethodGet, "/state", "").body
}

func (w *world) plays(path, body string) {
	w.Helper()
	if got := w.played(http.MethodPost, path, body); dig(w.T, got.body, "ok") != true {
		w.Fatalf("POST %s %s: %d %s", path, body, got.status, got.text)
	}
}

func TestWorldShowsAFailover(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		if vm := dig(w.T, w.state(), "vms", 0); dig(w.T, vm, "runs_in") != "West Europe" || dig(w.T, vm, "portal") != "unplannedFailover" || dig(w.T, vm, "replicating") != true {
			w.Errorf("at first %v", vm)
		}
		w.plays("/portal", `{"vm": "vm-x", "operation": "unplannedFailover"}`)
		pause(35 * time.Second)
		job := dig(w.T, w.state(), "jobs", 0)
		if done := dig(w.T, job, "done"); done != 0.25 || dig(w.T, job, "end") != nil {
			w.Errorf("after a quarter %v", job)
		}
		for i, want := range []string{"Completed", "InProgress", "NotStarted", "NotStarted", "NotStarted"} {
			if got := dig(w.T, job, "tasks", i, "state"); got != want {
				w.Errorf("task %d is %v, want %s", i, got, want)
			}
		}
		pause(105 * time.Second)
		state := w.state()
		if vm := dig(w.T, state, "vms", 0); dig(w.T, vm, "runs_in") != "North Europe" || dig(w.T, vm, "portal") != "failoverCommit" {
			w.Errorf("in the end %v", vm)
		}
		if call := dig(w.T, state, "ledger", 0); dig(w.T, call, "source") != "portal" || dig(w.T, call, "accepted") != true {
			w.Errorf("the ledger says %v", call)
		}
	})
}

func TestWorldRefuses(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		for _, row := range []struct {
			path, body string
			status     int
		}{
			{"/portal", `{"vm": "vm-x", "operation": "failoverCommit"}`, 200},
			{"/portal", `{"vm": "no", "operation": "unplannedFailover"}`, 200},
			{"/fault", `{"kind": "earthquake"}`, 200},
			{"/fault", `{"kind": "throttle", "operation": "nosuchrequest"}`, 200},
			{"/clock", `{"speed": 0}`, 200},
			{"/jobs", `{"median_seconds": 300, "p95_seconds": 30}`, 200},
			{"/jobs", `{"median_seconds": 300, "p95_seconds": 900, "own": 2}`, 200},
			{"/clock", `{"sped": 1}`, 400},
			{"/clock", `speed=1`, 400},
		} {
			if got := w.played(http.MethodPost, row.path, row.body); got.status != row.status || strings.Contains(got.text, `"ok":true`) {
				w.Errorf("%s %s: %d %s", row.path, row.body, got.status, got.text)
			}
		}
		if got := w.played(http.MethodGet, "/clock", ""); got.status != http.StatusMethodNotAllowed {
			w.Errorf("a GET that would act: %d", got.status)
		}
	})
}

func TestWorldFaults(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.plays("/fault", `{"kind": "throttle", "operation": "unplannedFailover", "times": 2, "retry_after_seconds": 300}`)
		if got := w.post(w.vm("vm-x").ID, "unplannedFailover", latest("Required")); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "300" {
			w.Errorf("%d, Retry-After %s", got.status, got.header.Get("Retry-After"))
		}
		if left := dig(w.T, w.state(), "faults", 0, "times"); left != 1.0 {
			w.Errorf("%v times left", left)
		}
		w.plays("/clear", `{}`)
		armed := `{"kind":"job-fails","operation":"unplannedFailover","vm":"vm-x","size":"Standard_D2s_v5","times":-1,"for_seconds":600,"share":1,"seed":3,"status":500,"retry_after_seconds":5,"delay_seconds":2,` +
			`"portal":"failoverCommit","code":"28031","message":"no cores","causes":"quota","action":"raise it"}`
		w.plays("/fault", armed)
		_, job := w.failOver(latest("NotRequired"))
		pause(90 * time.Second)
		if got := dig(w.T, w.get(job).body, "properties", "errors", 0, "serviceErrorDetails"); dig(w.T, got, "recommendedAction") != "raise it" {
			w.Errorf("the job fails with %v", got)
		}
		if got := w.played(http.MethodGet, "/state", "").text; !strings.Contains(got, armed) {
			w.Errorf("the state shows %s, want %s", got, armed)
		}
	})
}

func TestWorldJobs(t *testing.T) {
	bubble(t, vault.Options{VMs: 2}, func(w *world) {
		w.plays("/jobs", `{"at_once": 1, "median_seconds": 300, "p95_seconds": 300}`)
		w.start("vm-x")
		_, waits := w.start("vm-y")
		pause(5*time.Minute + time.Second)
		if _, task := w.jobState(waits); task == "" || w.vm("vm-x").Active != "Recovery" {
			w.Errorf("after five minutes vm-x is %+v, and vm-y at %q", w.vm("vm-x"), task)
		}
	})
}

func TestPauseStopsTheWorldAndNothingElse(t *testing.T) {
	bubble(t, vault.Options{Speed: 10}, func(w *world) {
		_, job := w.failOver(latest("Required"))
		pause(7 * time.Second) // half of the job
		w.plays("/clock", `{"paused": true}`)
		before := dig(w.T, w.get(job).body, "properties", "startTime")
		pause(time.Hour)
		if got := dig(w.T, w.get(job).body, "properties"); dig(w.T, got, "state") != "InProgress" || dig(w.T, got, "startTime") != before {
			w.Errorf("an hour of pause later %v", got)
		}
		second := w.post(w.vm("vm-y").ID, "unplannedFailover", latest("Required"))
		if second.status != http.StatusAccepted || second.header.Get("Retry-After") != "3" {
			w.Errorf("during the pause: %d, Retry-After %s", second.status, second.header.Get("Retry-After"))
		}
		if clock := dig(w.T, w.state(), "clock"); dig(w.T, clock, "paused") != true || dig(w.T, clock, "speed") != 10.0 {
			w.Errorf("the clock says %v", clock)
		}
		w.plays("/clock", `{"paused": false}`)
		pause(8 * time.Second)
		if got := dig(w.T, w.get(job).body, "properties", "state"); got != "Succeeded" {
			w.Errorf("after the pause the job is %v", got)
		}
	})
}

func TestSourceDown(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		w.plays("/source", `{"down": true}`)
		newest := w.vm("vm-x").NewestPoint
		pause(time.Hour)
		if got := w.vm("vm-x").NewestPoint; !got.Equal(newest) {
			w.Errorf("a point of %s, made while the source was down", got)
		}
		if got := dig(w.T, w.get(w.vm("vm-x").ID).body, "properties", "replicationHealth"); got != "Critical" {
			w.Errorf("health %v", got)
		}
		_, job := w.failOver(latest("Required"))
		pause(140 * time.Second)
		full := w.get(job).body
		if got := dig(w.T, full, "properties", "stateDescription"); got != "PartiallySucceeded" {
			w.Errorf("the job is %v: the shutdown could not work", got)
		}
		checkUsed(w, full, newest.Format(time.RFC3339))
		w.plays("/source", `{"down": false}`)
		pause(10 * time.Minute)
		if age := time.Since(w.vm("vm-y").NewestPoint); age > 5*time.Minute {
			w.Errorf("back for 10 minutes, and the newest point is %s old", age)
		}
		if !w.vm("vm-x").NewestPoint.Equal(newest) {
			w.Errorf("vm-x is failed over and got a point of %s", w.vm("vm-x").NewestPoint)
		}
	})
}
