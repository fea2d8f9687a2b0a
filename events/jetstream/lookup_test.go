package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// slowAzure answers after a while.
type slowAzure struct {
	takes   time.Duration
	refused *failover.Refusal
	reads   atomic.Int64
}

func (a *slowAzure) Points(ctx context.Context, typed, key string) (failover.PointList, *failover.Refusal, error) {
	if err := a.wait(ctx); err != nil {
		return failover.PointList{}, nil, err
	}
	list := failover.PointList{Name: typed + key, At: time.Now(), Points: []failover.RecoveryPoint{{ID: "p"}}}
	return list, a.refused, nil
}

func (a *slowAzure) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	list := failover.JobList{At: time.Now()}
	for n := range 1002 {
		at := list.At.Add(-time.Duration(n) * time.Second)
		list.Jobs = append(list.Jobs, failover.VaultJob{Job: failover.Job{ID: fmt.Sprint("/jobs/", n), State: failover.JobSucceeded, StartedAt: at, EndedAt: at, Target: strings.Repeat("v", 64)}})
	}
	return list, a.refused, a.wait(ctx)
}

func (a *slowAzure) Review(ctx context.Context, typed string, op failover.OpID) (failover.Review, *failover.Refusal, error) {
	return failover.Review{Name: typed + string(op), Reversal: &failover.Reversal{From: "north"}, Seen: "s"}, a.refused, a.wait(ctx)
}

func (a *slowAzure) Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	return failover.Forecast{What: of.VMs, VMs: 1, Expected: failover.Expected{Seconds: 240, P95: 720}}, a.refused, a.wait(ctx)
}

func (a *slowAzure) wait(ctx context.Context) error {
	a.reads.Add(1)
	select {
	case <-time.After(a.takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestReviewService(t *testing.T) {
	bubble(t, func(l *lab) {
		azure := &slowAzure{takes: 5 * time.Second}
		l.azure = azure
		asks, _, _ := l.serving()
		for _, req := range []events.ReviewRequest{{VM: "op-aaaaaaaa"}, {Op: "op-aaaaaaaa"}} {
			review, refusal, err := asks.Review(l.ctx, req)
			if err != nil || refusal != nil || review.Name != "op-aaaaaaaa" || review.Reversal.From != "north" || review.Seen != "s" {
				t.Errorf("got %+v, %v, %v", review, refusal, err)
			}
		}
		if n := azure.reads.Load(); n != 2 {
			t.Errorf("%d readings of Azure, want one for each question", n)
		}
		azure.refused = failover.Refuse(failover.WrongState, "Commit it first.", "vm-1 waits for its commit.")
		pass(time.Minute)
		if _, refusal, err := asks.Review(l.ctx, events.ReviewRequest{VM: "vm-1"}); err != nil || refusal == nil || refusal.Hint != "Commit it first." {
			t.Errorf("refused: %v, %v", refusal, err)
		}
	})
}

func TestPointsService(t *testing.T) {
	bubble(t, func(l *lab) {
		azure := &slowAzure{}
		l.azure = azure
		asks, _, _ := l.serving()
		for _, req := range []events.PointsRequest{{VM: "vm-1"}, {Key: "vm-1"}} {
			list, refusal, err := asks.Points(l.ctx, req)
			if err != nil || refusal != nil || list.Name != "vm-1" || len(list.Points) != 1 {
				t.Errorf("got %+v, %v, %v", list, refusal, err)
			}
		}
		pass(time.Minute)
		azure.refused = failover.Refuse(failover.UnknownName, "Near names: vm-1.", "No VM.")
		if _, refusal, err := asks.Points(l.ctx, events.PointsRequest{VM: "vm-1"}); err != nil || refusal == nil || *refusal != *azure.refused {
			t.Errorf("got %v, %v", refusal, err)
		}
	})
}

// A region that fails makes Azure slow: the answer is waited for, Azure is asked once for all who want it, and nobody is
// told that no executor is there.
func TestSlowAzure(t *testing.T) {
	bubble(t, func(l *lab) {
		azure := &slowAzure{takes: 7 * time.Second}
		l.azure = azure
		asks, _, _ := l.serving()
		began := time.Now()
		answers := make(chan error, 3)
		for range cap(answers) {
			go func() {
				_, refusal, err := asks.Points(l.ctx, events.PointsRequest{VM: "vm-1"})
				if refusal != nil {
					err = refusal
				}
				answers <- err
			}()
		}
		for range cap(answers) {
			if err := <-answers; err != nil || time.Since(began) != azure.takes {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		}
		if n := azure.reads.Load(); n != 1 {
			t.Errorf("Azure was read %d times, want once", n)
		}
	})
}

func TestAzureThatNeverAnswers(t *testing.T) {
	bubble(t, func(l *lab) {
		l.azure = &slowAzure{takes: time.Hour}
		asks, _, stop := l.serving()
		for _, patience := range []time.Duration{5 * time.Second, time.Minute} {
			ctx, cancel := context.WithTimeout(l.ctx, patience)
			began := time.Now()
			_, refusal, err := asks.Points(ctx, events.PointsRequest{VM: "vm-1"})
			if err != nil || refusal == nil || refusal.Kind != failover.Unavailable || time.Since(began) > 21*time.Second {
				t.Errorf("after %s: %v, %v", time.Since(began), refusal, err)
			}
			cancel()
		}
		go func() { _, _, _ = asks.Points(l.ctx, events.PointsRequest{VM: "vm-2"}) }()
		pass(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("stopping took %s", took)
		}
		pass(5 * time.Second)
	})
}

// A bot serves what it knows, and not what needs Azure.
func TestNoExecutorForAzure(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, _, _ := l.serving()
		began := time.Now()
		if _, refusal, err := asks.Points(l.ctx, events.PointsRequest{VM: "vm-1"}); !errors.Is(err, jetstream.ErrNoAnswer) || refusal != nil || time.Since(began) > 2500*time.Millisecond {
			t.Errorf("after %s: %v, %v", time.Since(began), refusal, err)
		}
		if _, err := asks.Status(l.ctx, ""); err != nil {
			t.Error(err)
		}
	})
}

// Many jobs still fit an answer: the oldest are counted instead.
func TestJobsService(t *testing.T) {
	bubble(t, func(l *lab) {
		azure := &slowAzure{}
		l.azure = azure
		asks, j, _ := l.serving()
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		l.append(j, op, failover.Batch{At: time.Now(), Facts: []failover.Fact{
			failover.StepStarted{Target: "1", Kind: failover.StepFailover, Attempt: 1},
			failover.StepAccepted{Target: "1", Kind: failover.StepFailover, JobID: "/JOBS/7"},
		}})
		pass(time.Second)
		list, refusal, err := asks.Jobs(l.ctx)
		if err != nil || refusal != nil || len(list.Jobs) != 1000 || list.LeftOut != 2 || list.Jobs[7].Op != opA || list.Jobs[8].Op != "" {
			t.Errorf("got %d jobs, %d left out, %v, %v", len(list.Jobs), list.LeftOut, refusal, err)
		}
		pass(time.Minute)
		azure.refused = failover.AzureSilent()
		if _, refusal, err := asks.Jobs(l.ctx); err != nil || refusal == nil {
			t.Errorf("got %v, %v", refusal, err)
		}
	})
}
