package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// serving is a process that answers reads, and a client that asks.
func (l *lab) serving() (asks *jetstream.Client, j *jetstream.Journal, stop func()) {
	c := l.client("executor", nil)
	b := l.board(c)
	up := make(chan struct{})
	stop = l.loop(func(ctx context.Context) error {
		return c.Serve(ctx, jetstream.Sources{Board: b, Azure: l.azure, Policy: l.policy}, "1.2.3", func() { close(up) })
	})
	<-up
	return l.client("cli", nil), jetstream.NewJournal(c), stop
}

func TestStatusService(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, j, _ := l.serving()
		if found, err := asks.Status(l.ctx, ""); err != nil || len(found.Operations)+len(found.Foreign) != 0 {
			t.Errorf("got %+v, %v", found, err)
		}
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		pass(time.Second)
		for ref, want := range map[string]int{"": 1, string(opA): 1, "vm-1": 1, "vm-2": 0, string(opB): 0} {
			found, err := asks.Status(l.ctx, ref)
			ops := found.Operations
			if err != nil || len(ops) != want || want == 1 && ops[0].Seq != op.Seq {
				t.Errorf("%q: got %+v, %v", ref, ops, err)
			}
		}
	})
}

func TestListService(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, j, _ := l.serving()
		if inv, err := asks.List(l.ctx); err != nil || len(inv.Items) != 0 {
			t.Errorf("got %+v, %v", inv, err)
		}
		if err := l.client("other", nil).SaveInventory(l.ctx, failover.Inventory{Items: []failover.Item{{Key: "1", Name: "vm-1"}}, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		pass(time.Second)
		inv, err := asks.List(l.ctx)
		if err != nil || len(inv.Items) != 1 || inv.Items[0].Name != "vm-1" || inv.Holders["1"] != opA {
			t.Errorf("got %+v, %v", inv, err)
		}
	})
}

// What runs in Azure without Ferry is told by status and list, and what Ferry has started is not; the debt comes from the
// same inventory.
func TestForeignJobsAndDebt(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, j, _ := l.serving()
		inv := failover.Inventory{At: time.Now(), Items: []failover.Item{
			{Key: "1", Name: "vm-1", Vault: "v", JobID: "/jobs/ONE", Scenario: "UnplannedFailover", State: failover.StateCommitPending},
			{Key: "2", Name: "vm-2", Vault: "v", JobID: "/jobs/two", Scenario: "UnplannedFailover"},
		}}
		if err := l.client("other", nil).SaveInventory(l.ctx, inv); err != nil {
			t.Fatal(err)
		}
		op := l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"}))
		l.append(j, op, failover.Batch{At: time.Now(), Facts: []failover.Fact{
			failover.StepStarted{Target: "1", Kind: failover.StepFailover, Attempt: 1},
			failover.StepAccepted{Target: "1", Kind: failover.StepFailover, JobID: "/jobs/one"},
		}})
		pass(time.Second)
		for ref, want := range map[string]int{"": 1, "vm-1": 0, "VM-2": 1, "v/vm-2": 1, string(opA): 0} {
			if found, err := asks.Status(l.ctx, ref); err != nil || len(found.Foreign) != want || want == 1 && found.Foreign[0].Key != "2" {
				t.Errorf("%q: got %+v, %v", ref, found.Foreign, err)
			}
		}
		if got, err := asks.List(l.ctx); err != nil || len(got.Foreign) != 1 || got.Foreign[0] != "2" {
			t.Errorf("got %+v, %v", got, err)
		}
		debt, err := asks.Debt(l.ctx)
		if err != nil || len(debt.Debts) != 1 || debt.Debts[0].Op != opA || debt.Debts[0].Owner != op.RequestedBy || !debt.At.Equal(inv.At) {
			t.Errorf("got %+v, %v", debt, err)
		}
		report, known, err := asks.Report(l.ctx, opA)
		if err != nil || !known || report.Operation.ID != opA || len(report.Operation.Targets[0].Steps) != 1 || len(report.Owed) != 1 || report.Owed[0].Kind != failover.Uncommitted {
			t.Errorf("got %+v, %v, %v", report, known, err)
		}
		if _, known, err := asks.Report(l.ctx, "op-zzzzzzzz"); known || err != nil {
			t.Errorf("a report of nothing: %v, %v", known, err)
		}
		newest, err := asks.Newest(l.ctx)
		if err != nil || len(newest) != 1 || newest[0].ID != opA || len(newest[0].Targets) != 1 || len(newest[0].Targets[0].Steps) != 0 || newest[0].Answers != nil {
			t.Errorf("newest are %+v, %v", newest, err)
		}
	})
}

func TestWatchService(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, j, _ := l.serving()
		began := time.Now()
		if _, ok, err := asks.Watch(l.ctx, events.WatchRequest{Op: opA}); ok || err != nil || time.Since(began) != events.WatchFor {
			t.Errorf("after %s: %v, %v", time.Since(began), ok, err)
		}
		time.AfterFunc(time.Second, func() { l.append(j, failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"})) })
		began = time.Now()
		op, ok, err := asks.Watch(l.ctx, events.WatchRequest{Command: "ask-" + string(opA)})
		if err != nil || !ok || op.ID != opA || time.Since(began) != time.Second {
			t.Errorf("after %s: %+v, %v, %v", time.Since(began), op, ok, err)
		}
		began = time.Now()
		if got, ok, err := asks.Watch(l.ctx, events.WatchRequest{Op: opA}); err != nil || !ok || got.Seq != op.Seq || time.Since(began) != 0 {
			t.Errorf("after %s: %+v, %v, %v", time.Since(began), got, ok, err)
		}
		if _, ok, err := asks.Watch(l.ctx, events.WatchRequest{Op: opA, After: op.Seq}); ok || err != nil {
			t.Errorf("nothing moved: %v, %v", ok, err)
		}
	})
}

// Who watches is told whether it waits for them, by the policy of who serves.
func TestWatchSaysWhoseTurnItIs(t *testing.T) {
	bubble(t, func(l *lab) {
		l.policy = failover.Policy{Roles: map[string][]string{"approver": {"cli:local"}}}
		asks, j, _ := l.serving()
		b := requested(opA, failover.Hold{Key: "1"})
		req, _ := b.Facts[0].(failover.Requested)
		req.Plan.Rule = failover.Rule{Approvals: 1, Approvers: []string{"approver"}}
		b.Facts = []failover.Fact{req}
		l.append(j, failover.Operation{ID: opA}, b)
		pass(time.Second)
		for who, want := range map[string]bool{"cli:local": true, "cli:other": false, "": false} {
			if got, ok, err := asks.Watch(l.ctx, events.WatchRequest{Op: opA, As: who}); err != nil || !ok || got.Yours != want {
				t.Errorf("%q: %+v, %v, %v", who, got.Yours, ok, err)
			}
		}
	})
}

// A watch that waits holds up nobody, and ends with the service.
func TestWatchesRunBesideEachOther(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, _, stop := l.serving()
		for range 20 {
			go func() { _, _, _ = asks.Watch(l.ctx, events.WatchRequest{Op: opB}) }()
		}
		pass(100 * time.Millisecond)
		began := time.Now()
		if _, err := asks.Status(l.ctx, ""); err != nil || time.Since(began) != 0 {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		stop()
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("stopping took %s", took)
		}
		pass(5 * time.Second)
	})
}

// Whoever may look may ask any number of times; what is too much waits its turn, and holds up no reads of another kind.
func TestAFloodOfReads(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, _, _ := l.serving()
		nc := jetstream.RawConn(asks)
		answers, err := nc.SubscribeSync(nc.NewRespInbox())
		if err != nil {
			t.Fatal(err)
		}
		for range 7000 {
			if err := nc.PublishRequest(events.ServiceWatch, answers.Subject, []byte(`{"op":"op-bbbbbbbb"}`)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if _, err := asks.Status(l.ctx, ""); err != nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		for _, want := range []int{5000, 7000} {
			pass(events.WatchFor + 100*time.Millisecond)
			if n, _, err := answers.Pending(); n != want || err != nil {
				t.Errorf("%d answers, want %d; %v", n, want, err)
			}
		}
	})
}

func TestNobodyAnswers(t *testing.T) {
	bubble(t, func(l *lab) {
		asks, _, stop := l.serving()
		stop()
		pass(time.Second) // it drains
		began := time.Now()
		if _, err := asks.Status(l.ctx, ""); !errors.Is(err, jetstream.ErrNoAnswer) || time.Since(began) > time.Second {
			t.Errorf("nobody serves: after %s: %v", time.Since(began), err)
		}
		l.stop()
		pass(time.Second)
		began = time.Now()
		if _, err := asks.List(l.ctx); !errors.Is(err, jetstream.ErrNoAnswer) || time.Since(began) > 2500*time.Millisecond {
			t.Errorf("the server is away: after %s: %v", time.Since(began), err)
		}
	})
}

// What does not fit a message is an error that says so; silence would mean that nobody is up.
func TestAnAnswerThatIsTooLarge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := func() string {
		text := make([]byte, 500_000)
		for i := range text {
			text[i] = byte('!' + random.IntN(90))
		}
		return string(text)
	}
	tests := map[string]struct {
		why  func() string
		fits bool
	}{
		"compressed it fits":     {func() string { return strings.Repeat("x", 500_000) }, true},
		"it does not compressed": {noise, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				asks, j, _ := l.serving()
				for i := range 3 {
					id := failover.OpIDOf("big", i)
					b := requested(id, failover.Hold{Key: string(id)})
					b.Facts = append(b.Facts, failover.Stuck{Target: string(id), Why: test.why()})
					l.append(j, failover.Operation{ID: id}, b)
				}
				pass(time.Second)
				got, err := asks.Status(l.ctx, "")
				if (err == nil) != test.fits || errors.Is(err, jetstream.ErrNoAnswer) || test.fits && len(got.Operations) != 3 {
					t.Errorf("got %d, %v", len(got.Operations), err)
				}
				// Who does not say that it reads compressed replies gets none.
				m, err := jetstream.RawConn(asks).Request(events.ServiceStatus, nil, 5*time.Second)
				if err != nil || m.Header.Get("Content-Encoding") != "" || m.Header.Get("Nats-Service-Error") == "" {
					t.Errorf("a plain request got %v, %v", m.Header, err)
				}
			})
		})
	}
}

// An inventory of a thousand VMs is kept and read as it is.
func TestALargeInventory(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		var inv failover.Inventory
		for i := range 2000 {
			inv.Items = append(inv.Items, failover.Item{Key: fmt.Sprint(i), Name: fmt.Sprint("vm-", i), ID: strings.Repeat("/subscriptions/x", 40)})
		}
		if err := c.SaveInventory(l.ctx, inv); err != nil {
			t.Fatal(err)
		}
		got, err := c.Inventory(l.ctx)
		if err != nil || len(got.Items) != 2000 || got.Items[1999].Name != "vm-1999" {
			t.Errorf("got %d items, %v", len(got.Items), err)
		}
	})
}

func TestMessagesBucket(t *testing.T) {
	bubble(t, func(l *lab) {
		m, err := l.client("bot", nil).OpenMessages(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if value, rev, err := m.Get(l.ctx, opA); value != nil || rev != 0 || err != nil {
			t.Errorf("got %q, %d, %v", value, rev, err)
		}
		rev, err := m.Put(l.ctx, opA, []byte("one"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Put(l.ctx, opA, []byte("two"), 0); !errors.Is(err, failover.ErrConflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		if _, err := m.Put(l.ctx, opA, []byte("three"), rev); err != nil {
			t.Error(err)
		}
		if _, err := m.Put(l.ctx, opA, []byte("four"), rev); !errors.Is(err, failover.ErrConflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		if value, _, err := m.Get(l.ctx, opA); string(value) != "three" || err != nil {
			t.Errorf("got %q, %v", value, err)
		}
	})
}
