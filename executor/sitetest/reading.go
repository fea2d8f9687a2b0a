package sitetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"ferry/failover"
)

func itemsAreKnownByKey(w world) {
	items, err := w.Site.Items(w.Context())
	if err != nil {
		w.Fatalf("Items: %v", err)
	}
	keys := map[string]string{}
	for _, it := range items {
		if other, taken := keys[it.Key]; taken {
			w.Errorf("%s and %s have one key", it.Name, other)
		}
		keys[it.Key] = it.Name
	}
	item := w.item(w.VM)
	checkIdle(w, item)
	for _, spelling := range []func(string) string{strings.ToLower, strings.ToUpper} {
		twisted := item
		twisted.ID = spelling(item.ID)
		got := w.again(twisted)
		if got.Key != item.Key || got.Name != item.Name || got.VaultID != item.VaultID {
			w.Errorf("asked as %s: %s %s, want %s %s", twisted.ID, got.Key, got.Name, item.Key, item.Name)
		}
	}
}

func checkIdle(w world, item failover.Item) {
	w.Helper()
	if item.State != failover.StateProtected || item.JobID != "" || item.Scenario != "" {
		w.Errorf("idle item: state %q, job %q, scenario %q", item.State, item.JobID, item.Scenario)
	}
	if refusal := failover.Legal(failover.StepFailover, item); refusal != nil {
		w.Errorf("a failover of an idle item is refused: %v", refusal)
	}
	if item.From == "" || item.To == "" || item.From == item.To || item.Active != item.From {
		w.Errorf("regions: from %q to %q, active %q", item.From, item.To, item.Active)
	}
	if item.ID == "" || item.Key == "" || item.Vault == "" || item.VaultID == "" || item.ResourceGroup == "" {
		w.Errorf("incomplete: %+v", item)
	}
}

func pointsAreComplete(w world) {
	points, err := w.Site.Points(w.Context(), w.item(w.VM))
	if err != nil {
		w.Fatalf("Points: %v", err)
	}
	if len(points) == 0 {
		w.Fatal("no points")
	}
	seen := map[string]bool{}
	for _, p := range points {
		if p.ID == "" || p.Time.IsZero() || p.Time.After(time.Now()) || seen[p.ID] {
			w.Errorf("point %+v is incomplete, of the future or listed twice", p)
		}
		seen[p.ID] = true
	}
}

func missingIsRefused(w world) {
	item := w.item(w.VM)
	gone := item
	gone.ID += "x"
	_, err := w.Site.Item(w.Context(), gone)
	w.siteError(err, failover.RefusedBySite)
	_, err = w.Site.Points(w.Context(), gone)
	w.siteError(err, failover.RefusedBySite)
	w.refusal(failover.Call{Kind: failover.StepFailover, Item: gone, ClientRequestID: firstID}, failover.RefusedBySite)
	nowhere := item
	nowhere.ID = "vm-x"
	_, err = w.Site.Item(w.Context(), nowhere)
	w.siteError(err, failover.RefusedBySite)
	_, err = w.Site.Job(w.Context(), "")
	w.siteError(err, failover.RefusedBySite)
	w.refusal(failover.Call{Kind: "dance", Item: item, ClientRequestID: firstID}, failover.RefusedBySite)
	if n := w.accepted(); n != 0 {
		w.Errorf("%d calls were accepted", n)
	}
}

func cancelledContext(w world) {
	call := w.call(failover.StepFailover)
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	if _, err := w.Site.Items(ctx); !errors.Is(err, context.Canceled) {
		w.Errorf("Items: %v, want the context's error", err)
	}
	if _, err := w.Site.Begin(ctx, call); !errors.Is(err, context.Canceled) {
		w.Errorf("Begin: %v, want the context's error", err)
	}
	if n := w.accepted(); n != 0 {
		w.Errorf("%d calls were accepted", n)
	}
}

func readsInParallel(w world) {
	item := w.item(w.VM)
	var reading sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			_, errItem := w.Site.Item(w.Context(), item)
			_, errPoints := w.Site.Points(w.Context(), item)
			_, errJobs := w.Site.JobsSince(w.Context(), item, time.Now())
			if err := errors.Join(errItem, errPoints, errJobs); err != nil {
				w.Error(err)
			}
		})
	}
	reading.Wait()
	if n := len(w.Calls()); n != 0 {
		w.Errorf("reading made %d mutating calls", n)
	}
}

// jobsAreListed: each job with what people have to know of it, until it ended before the time asked for.
func jobsAreListed(w world) {
	begun := time.Now()
	if jobs := w.jobs(begun); len(jobs) != 0 {
		w.Fatalf("jobs of an idle vault: %+v", jobs)
	}
	accepted := w.begin(w.call(failover.StepFailover))
	check := func(since time.Time, running bool) {
		w.Helper()
		jobs := w.jobs(since)
		if len(jobs) != 1 {
			w.Fatalf("%d jobs, want one: %+v", len(jobs), jobs)
		}
		j := jobs[0]
		if j.ID != accepted.JobID || j.Running() != running || j.EndedAt.IsZero() != running || j.StartedAt.IsZero() {
			w.Errorf("job %+v, want %s, running: %v", j, accepted.JobID, running)
		}
		if item := w.item(w.VM); j.Target != item.Name || j.Vault != item.Vault || j.Scenario == "" {
			w.Errorf("job %+v is of %s in %s", j, item.Name, item.Vault)
		}
	}
	check(begun, true)
	check(begun.Add(time.Hour), true) // also when asked for ended jobs of later only
	ended := w.ended(accepted.JobID)
	check(ended.EndedAt, false)
	if jobs := w.jobs(ended.EndedAt.Add(time.Minute)); len(jobs) != 0 {
		w.Errorf("a job that ended before: %+v", jobs)
	}
}

func (w world) jobs(since time.Time) []failover.Job {
	w.Helper()
	jobs, err := w.Site.Jobs(w.Context(), since)
	if err != nil {
		w.Fatalf("Jobs: %v", err)
	}
	return jobs
}
