package sitetest

import (
	"errors"
	"testing"
	"time"

	"ferry/failover"
)

const (
	firstID  = "98057eb0-c6ca-8b02-b55b-6e294bfa1c41"
	secondID = "5f0c8a52-1b1f-8b53-8f0a-0a4b7a0a9d11"
)

// world is a harness with the words in which the questions are written.
type world struct {
	*testing.T
	Harness
}

// item finds a VM in the list.
func (w world) item(name string) failover.Item {
	w.Helper()
	items, err := w.Site.Items(w.Context())
	if err != nil {
		w.Fatalf("Items: %v", err)
	}
	for _, it := range items {
		if it.Name == name {
			return it
		}
	}
	w.Fatalf("Items: no %s among %d", name, len(items))
	return failover.Item{}
}

// again reads an item as it is now.
func (w world) again(item failover.Item) failover.Item {
	w.Helper()
	now, err := w.Site.Item(w.Context(), item)
	if err != nil {
		w.Fatalf("Item: %v", err)
	}
	return now
}

// call is a failover to the latest point without a shutdown.
func (w world) call(kind failover.StepKind) failover.Call {
	w.Helper()
	return failover.Call{Kind: kind, Item: w.item(w.VM), ClientRequestID: firstID}
}

func (w world) begin(call failover.Call) failover.Accepted {
	w.Helper()
	accepted, err := w.Site.Begin(w.Context(), call)
	if err != nil {
		w.Fatalf("Begin %s: %v", call.Kind, err)
	}
	return accepted
}

// refusal begins a call that is not to be accepted, and returns why.
func (w world) refusal(call failover.Call, want failover.SiteErrorKind) failover.SiteError {
	w.Helper()
	accepted, err := w.Site.Begin(w.Context(), call)
	if err == nil {
		w.Fatalf("Begin %s was accepted as %s, want %s", call.Kind, accepted.JobID, want)
	}
	return w.siteError(err, want)
}

func (w world) siteError(err error, want failover.SiteErrorKind) failover.SiteError {
	w.Helper()
	e, ok := errors.AsType[*failover.SiteError](err)
	if !ok {
		w.Fatalf("error %T %v, want a *failover.SiteError", err, err)
	}
	if e.Kind != want {
		w.Errorf("error kind %s (%v), want %s", e.Kind, e, want)
	}
	if e.Fault.Message == "" {
		w.Error("an error without a message")
	}
	return *e
}

func (w world) job(id string) failover.Job {
	w.Helper()
	j, err := w.Site.Job(w.Context(), id)
	if err != nil {
		w.Fatalf("Job: %v", err)
	}
	return j
}

// ended waits in the bubble's time until a job has ended.
func (w world) ended(id string) failover.Job {
	w.Helper()
	for range 1000 {
		j := w.job(id)
		switch j.State {
		case failover.JobSucceeded, failover.JobFailed, failover.JobCancelled:
			return j
		case failover.JobNotStarted, failover.JobInProgress, failover.JobSuspended, failover.JobOther:
		}
		w.wait(20 * time.Second)
	}
	w.Fatalf("job %s never ended", id)
	return failover.Job{}
}

func (w world) wait(d time.Duration) {
	w.Helper()
	select {
	case <-time.After(d):
	case <-w.Context().Done():
		w.Fatal(w.Context().Err())
	}
}

func (w world) jobsSince(since time.Time) []failover.Job {
	w.Helper()
	jobs, err := w.Site.JobsSince(w.Context(), w.item(w.VM), since)
	if err != nil {
		w.Fatalf("JobsSince: %v", err)
	}
	return jobs
}

// accepted counts the accepted calls.
func (w world) accepted() int {
	n := 0
	for _, c := range w.Calls() {
		if c.Accepted {
			n++
		}
	}
	return n
}
