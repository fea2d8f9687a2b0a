package executor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// on runs a function once, around the append of a fact of a type.
func on(typ string, do func()) func(failover.Operation, failover.Batch) {
	done := false
	return func(_ failover.Operation, b failover.Batch) {
		if !done && len(b.Facts) > 0 && b.Facts[0].Type() == typ {
			done = true
			do()
		}
	}
}

// claim is another executor taking an operation over on the same work message.
func (b *bench) claim(id failover.OpID) {
	b.Helper()
	op := b.stream.load(id)
	b.tell(op, failover.Claimed{Executor: "two", Drive: op.Drive})
}

func (b *bench) tell(op failover.Operation, facts ...failover.Fact) {
	b.Helper()
	if _, err := b.stream.append(op, failover.Batch{At: time.Now(), Facts: facts}); err != nil {
		b.Fatal(err)
	}
}

// Whoever loses the guard of the intent makes no call: here a cancel was first.
func TestLostGuardMakesNoCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		other, _ := b.executor("two")
		id := b.approved(e)
		n.before = on("step_started", func() { b.must(other, b.press(failover.VerbCancel, ana, id)) })
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.Cancelled)
		if b.vault.sent() != 0 || !strings.Contains(op.Note, "Nothing was started") {
			t.Errorf("%d calls, note %q", b.vault.sent(), op.Note)
		}
		b.holder("")
	})
}

// The other order: the intent is stored, and a cancel is refused.
func TestCancelAfterTheIntentIsRefused(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		other, _ := b.executor("two")
		id := b.approved(e)
		n.after = on("step_started", func() {
			if r := b.decide(other, b.press(failover.VerbCancel, ana, id)); r == nil || r.Kind != failover.WrongState {
				t.Errorf("got %v", r)
			}
		})
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
	})
}

func TestSupersededBeforeTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		n.before = on("step_started", func() { b.claim(id) })
		if err := b.drive(e, id); !errors.Is(err, failover.ErrSuperseded) {
			t.Errorf("the message is the other's: %v", err)
		}
		if b.vault.sent() != 0 {
			t.Error("a driver that was superseded called Azure")
		}
	})
}

// Superseded while the call is in flight: its outcome is known only here, so it is recorded; then the driver stops, and
// the message is left to the other.
func TestSupersededDuringTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.onCall = func(failover.Call) { b.claim(id) }
		if err := b.drive(e, id); !errors.Is(err, failover.ErrSuperseded) {
			t.Errorf("got %v", err)
		}
		op := b.phase(id, failover.Running)
		if s := op.Targets[0].Step(failover.StepFailover); s.State != failover.StateAccepted || s.JobID != "/jobs/1" || s.Adopted {
			t.Errorf("the outcome is lost: %+v", s)
		}
		if b.stream.count(id, "observed") != 0 {
			t.Error("it went on after it had been superseded")
		}
	})
}

// When the other has found out meanwhile, there is nothing to add.
func TestSupersededAndFoundOut(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.onCall = func(failover.Call) {
			b.claim(id)
			b.tell(b.stream.load(id), failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: "/jobs/1", Adopted: true})
		}
		if err := b.drive(e, id); !errors.Is(err, failover.ErrSuperseded) {
			t.Errorf("got %v", err)
		}
		if n := b.stream.count(id, "step_accepted"); n != 1 {
			t.Errorf("%d outcomes of one call", n)
		}
	})
}

// In the queue, too: what was superseded is neither acknowledged nor brought back.
func TestSupersededMessageIsLeftAlone(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.onCall = func(failover.Call) { b.claim(id) }
		stop := b.start(e)
		pass(10 * time.Minute)
		if m := b.stream.work(id); m.left != 1 || m.acked != 0 || m.nak != 0 {
			t.Errorf("got %+v", m)
		}
		stop()
	})
}

func TestStaleWorkMessage(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.failedOver(e)
		old := b.stream.work(id)
		b.must(e, b.press(failover.VerbCommit, ben, id))
		b.claimOn(id, b.stream.work(id).seq)
		before := b.stream.load(id).Seq
		if err := e.drive(b.Context(), id, old.seq); err != nil || b.stream.load(id).Seq != before {
			t.Errorf("a message that is older than the claim does nothing and is acknowledged: %v", err)
		}
		b.calls(1, 0)
	})
}

func (b *bench) claimOn(id failover.OpID, drive uint64) {
	b.tell(b.stream.load(id), failover.Claimed{Executor: "two", Drive: drive})
}

// A work message is not acknowledged because of what a leader shows that was cut off: that would strand the operation.
func TestStaleReadDoesNotStrandAnOperation(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.failedOver(e)
		parked := b.stream.load(id)
		b.must(e, b.press(failover.VerbCommit, ben, id))
		n.shown = &parked
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.Succeeded)
		b.calls(1, 1)
	})
}

// The process dies between the intent and the call: another one looks, waits until the call cannot arrive any more, and
// makes it. One is accepted.
func TestCrashBeforeTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		e.Seam = func(string, func() error) error { n.die(); return errDead }
		if err := b.drive(e, id); !errors.Is(err, errDead) {
			t.Errorf("got %v", err)
		}
		begun := time.Now()
		other, _ := b.executor("two")
		if err := b.drive(other, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
		if b.vault.at[0].Sub(begun) < failover.ActAgainAfter || b.stream.count(id, "step_unknown") != 1 {
			t.Errorf("called again after %s; the doubt was told %d times", b.vault.at[0].Sub(begun), b.stream.count(id, "step_unknown"))
		}
		if s := op.Targets[0].Step(failover.StepFailover); s.Attempt != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// It dies after the call: another one finds the job by its id, at once, and calls nothing.
func TestCrashAfterTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		e.Seam = func(_ string, do func() error) error { _ = do(); n.die(); return errDead }
		if err := b.drive(e, id); !errors.Is(err, errDead) {
			t.Errorf("got %v", err)
		}
		other, _ := b.executor("two")
		if err := b.drive(other, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.AwaitingCommit)
		if s := op.Targets[0].Step(failover.StepFailover); !s.Adopted || s.JobID != "/jobs/1" || b.vault.sent() != 1 {
			t.Errorf("%d calls, %+v", b.vault.sent(), s)
		}
	})
}

// Told to stop between the intent and the call, it does not call any more and says so: the next one need not wait.
func TestStoppedBeforeTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		ctx, cancel := context.WithCancel(b.Context())
		n.after = on("step_started", cancel)
		if err := e.drive(ctx, id, b.stream.work(id).seq); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if s := b.stream.load(id).Targets[0].Step(failover.StepFailover); b.vault.sent() != 0 || s.State != failover.StateDelayed {
			t.Errorf("%d calls, %+v", b.vault.sent(), s)
		}
		begun := time.Now()
		other, _ := b.executor("two")
		if err := b.drive(other, id); err != nil {
			t.Error(err)
		}
		b.calls(1, 0)
		if waited := b.vault.at[0].Sub(begun); waited > time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

// A process that was frozen between its intent and its call does not call: another one may have.
func TestFrozenBeforeTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		n.after = on("step_started", func() { pass(10 * time.Minute) })
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.calls(1, 0)
		if call := b.vault.calls[0]; b.vault.sent() != 1 || call.ClientRequestID != failover.ClientRequestID(id, key, failover.StepFailover, 2) {
			t.Errorf("%d calls, the first with %s", b.vault.sent(), call.ClientRequestID)
		}
	})
}

// The call in flight when the process is told to stop is let end, and its outcome stored.
func TestStoppedDuringTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		ctx, cancel := context.WithCancel(b.Context())
		b.vault.onCall = func(failover.Call) { cancel(); pass(59 * time.Second) }
		if err := e.drive(ctx, id, b.stream.work(id).seq); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if s := b.stream.load(id).Targets[0].Step(failover.StepFailover); s.JobID != "/jobs/1" {
			t.Errorf("%+v", s)
		}
	})
}

func TestLostAnswerIsAdopted(t *testing.T) {
	for name, arrives := range map[string]time.Duration{"before the search": time.Nanosecond, "after some searches": 95 * time.Second} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, _ := b.executor("one")
				id := b.approved(e)
				b.vault.script = []reply{{err: lost(), arrives: arrives}}
				if err := b.drive(e, id); err != nil {
					t.Error(err)
				}
				op := b.phase(id, failover.AwaitingCommit)
				if s := op.Targets[0].Step(failover.StepFailover); b.vault.sent() != 1 || !s.Adopted || b.stream.count(id, "step_unknown") != 1 {
					t.Errorf("%d calls, %+v", b.vault.sent(), s)
				}
			})
		})
	}
}

// The call arrives so late that the second was made before, and is refused because of it: that is no failure.
func TestLateArrivalIsNotTakenForAFailure(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.script = []reply{{err: lost(), arrives: failover.ActAgainAfter + 4*time.Second}, {err: refused("409", "another operation runs")}}
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
		if b.stream.count(id, "step_failed") != 0 || b.vault.sent() != 2 {
			t.Errorf("%d calls", b.vault.sent())
		}
	})
}

// A lost call and a refused one, and no job: nobody knows, so a person looks, and the VM stays held.
func TestRefusedAfterALostAnswer(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.script = []reply{{err: lost()}, {err: refused("403", "not allowed")}}
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.NeedsAttention)
		b.holder(id)
		if f := op.Targets[0].Error; f == nil || !strings.Contains(f.Message, "not allowed") {
			t.Errorf("%+v", f)
		}
		b.must(e, b.press(failover.VerbCancel, ana, id))
		b.holder("")
	})
}

func TestThrottled(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		busy := &failover.SiteError{Kind: failover.Retry, After: 90 * time.Second, Fault: failover.Fault{Code: "429", Message: "too many requests"}}
		b.vault.script = []reply{{err: busy}, {err: silent()}, {err: silent()}}
		begun := time.Now()
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		b.phase(id, failover.AwaitingCommit)
		b.calls(1, 0)
		// 90 s as Azure said, then 20 s and 40 s by itself.
		if waited := b.vault.at[0].Sub(begun); b.vault.sent() != 4 || waited != 150*time.Second {
			t.Errorf("%d calls, accepted after %s", b.vault.sent(), waited)
		}
	})
}

// What was seen before a call is not what the next one rests on, however soon that is.
func TestLooksAgainAfterAThrottle(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.approved(e)
		b.vault.script = []reply{{err: silent()}}
		n.after = on("step_delayed", func() {
			b.vault.set("vm-x", func(i *failover.Item) { i.State = failover.StateCommitPending })
		})
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		if op := b.phase(id, failover.Failed); b.vault.sent() != 1 || !strings.Contains(op.Targets[0].Error.Message, "already been failed over") {
			t.Errorf("%d calls, %+v", b.vault.sent(), op.Targets[0].Error)
		}
	})
}

func TestRefusedBySite(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.script = []reply{{err: refused("ScopeLocked", "the resource is locked")}}
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.Failed)
		if f := op.Targets[0].Error; f == nil || f.Message != "the resource is locked" || f.Action == "" {
			t.Errorf("without its cause: %+v", f)
		}
		b.holder("")
	})
}

func TestFailedJob(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.script = []reply{{fails: true}}
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		if f := b.phase(id, failover.Failed).Targets[0].Error; f == nil || f.Code != "28031" || f.Cause == "" || f.Action == "" {
			t.Errorf("without its cause: %+v", f)
		}
		b.holder("")
	})
}

// An acceptance without a job's name is looked for, not followed into nothing.
func TestAcceptedWithoutAJob(t *testing.T) {
	fact := outcome(failover.Act{Intent: failover.StepStarted{Target: key, Kind: failover.StepFailover}}, failover.Accepted{}, nil, time.Now())
	if _, ok := fact.(failover.StepUnknown); !ok {
		t.Errorf("got %#v", fact)
	}
}

// The press comes at the moment at which the driver parks. In either order it is driven, once.
func TestPressWhileParking(t *testing.T) {
	for _, order := range []string{"before", "after"} {
		t.Run(order, func(t *testing.T) {
			bubble(t, func(b *bench) {
				e, n := b.executor("one")
				other, _ := b.executor("two")
				id := b.approved(e)
				hook := on("parked", func() { b.must(other, b.press(failover.VerbCommit, ben, id)) })
				if order == "before" {
					n.before = hook
				} else {
					n.after = hook
				}
				stop := b.start(e)
				b.until(id, failover.Succeeded)
				b.calls(1, 1)
				b.holder("")
				pass(time.Minute)
				stop()
				if n := b.stream.works(id); n != map[string]int{"before": 1, "after": 2}[order] {
					t.Errorf("%d work messages: only what nobody drives needs another", n)
				}
			})
		})
	}
}

// The driver dies between parking and the acknowledgement, and the press comes before the message does again.
func TestWorkMessageAgainAfterParking(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.failedOver(e)
		old := b.stream.work(id)
		b.must(e, b.press(failover.VerbCommit, ben, id))
		for _, seq := range []uint64{old.seq, b.stream.work(id).seq, old.seq} {
			if err := e.drive(b.Context(), id, seq); err != nil {
				t.Error(err)
			}
		}
		b.phase(id, failover.Succeeded)
		b.calls(1, 1)
	})
}

// A failover that somebody made in the portal after the approval is not made again.
func TestFailedOverInThePortalMeanwhile(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.set("vm-x", func(i *failover.Item) { i.State = failover.StateCommitPending })
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		op := b.phase(id, failover.Failed)
		if b.vault.sent() != 0 || !strings.Contains(op.Targets[0].Error.Message, "already been failed over") {
			t.Errorf("%d calls, %+v", b.vault.sent(), op.Targets[0].Error)
		}
	})
}

// A commit in the portal between the look and the call: Azure refuses ours, and the gate is closed as somebody else's.
func TestCommittedInThePortalUnderTheDriver(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.failedOver(e)
		n.after = on("step_started", func() {
			b.vault.set("vm-x", func(i *failover.Item) { i.State, i.Allowed = failover.StateCommitted, nil })
		})
		stop := b.start(e)
		b.stream.submit(b.press(failover.VerbCommit, ben, id))
		op := b.until(id, failover.Succeeded)
		b.calls(1, 0)
		if op.Note != "Committed outside Ferry." || op.Targets[0].Error != nil {
			t.Errorf("%q %+v", op.Note, op.Targets[0].Error)
		}
		stop()
	})
}

// The item is gone before the call: that is told as it is, and the VM let go.
func TestVanishedItem(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.change(func(v *vault) { v.gone = true })
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		if op := b.phase(id, failover.Failed); op.Targets[0].Error.Message != "vm-x is gone" || b.vault.sent() != 0 {
			t.Errorf("%+v", op.Targets[0].Error)
		}
		b.holder("")
	})
}

// It is gone while the failover runs: nobody says done or failed, and a person has to look.
func TestVanishedItemAfterTheCall(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		b.vault.onCall = func(failover.Call) { b.vault.change(func(v *vault) { v.gone = true }) }
		if err := b.drive(e, id); err != nil {
			t.Error(err)
		}
		if op := b.phase(id, failover.NeedsAttention); !strings.Contains(op.Targets[0].Error.Message, "vm-x is gone") {
			t.Errorf("%+v", op.Targets[0].Error)
		}
		b.holder(id)
	})
}

// Azure is silent for an hour in the middle of it: that is told, nothing is abandoned, and no second call is made.
func TestSilenceOfAzure(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		id := b.approved(e)
		stop := b.start(e)
		pass(time.Minute)
		b.vault.change(func(v *vault) { v.trouble = silent() })
		pass(time.Hour)
		if p := b.phase(id, failover.Running).Targets[0].Progress; !strings.Contains(p, "Azure does not answer since 2000-01-01 00:01 UTC") {
			t.Errorf("progress %q", p)
		}
		b.vault.change(func(v *vault) { v.trouble = nil })
		b.until(id, failover.AwaitingCommit)
		b.calls(1, 0)
		if n := b.stream.count(id, "observed"); n > 5 {
			t.Errorf("%d words about one silence", n)
		}
		stop()
	})
}

// A board that lags only delays; one that is ahead of the journal's leader does not make the driver turn in a circle.
func TestBoardOutOfStep(t *testing.T) {
	for _, ahead := range []bool{false, true} {
		bubble(t, func(b *bench) {
			e, n := b.executor("one")
			id := b.approved(e)
			n.behind = map[failover.OpID]failover.Operation{}
			if ahead {
				n.behind[id] = failover.Operation{ID: id, Seq: 1 << 40}
			}
			if err := b.drive(e, id); err != nil {
				t.Error(err)
			}
			b.phase(id, failover.AwaitingCommit)
			b.calls(1, 0)
			if n.loads > 300 {
				t.Errorf("ahead %v: %d loads for one failover of %s", ahead, n.loads, jobLasts)
			}
		})
	}
}

// Only the holder's own journal lets go.
func TestSomebodyElsesHoldIsKept(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		cmd := b.command(failover.VerbFailover, ana, "vm-x")
		b.must(e, cmd)
		b.stream.holds[key] = failover.Hold{Key: key, Op: "op-zzzzzzzz", Seq: b.stream.next()}
		b.must(e, b.press(failover.VerbDeny, ben, cmd.Op))
		b.phase(cmd.Op, failover.Denied)
		b.holder("op-zzzzzzzz")
	})
}
