package executor

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/failover"
)

// The inventory is kept with the time of its reading, and not while Azure is silent: its age has to show.
func TestInventoryIsKept(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		stop := b.start(e)
		pass(time.Second)
		b.vault.add("vm-z")
		pass(inventoryEvery)
		b.vault.change(func(v *vault) { v.trouble = silent() })
		asked := time.Now()
		pass(10 * inventoryEvery)
		stop()
		last := n.saved[len(n.saved)-1]
		if len(n.saved[0].Items) != 2 || len(last.Items) != 3 || last.At.After(asked) {
			t.Errorf("%d items, then %d of %s", len(n.saved[0].Items), len(last.Items), last.At)
		}
	})
}

// A VM that is newer than the last list is found; an unknown one is looked for once more, and then refused.
func TestNameIsResolvedAfterARefresh(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.must(e, b.command(failover.VerbFailover, ana, "vm-x"))
		b.vault.add("vm-z")
		pass(time.Second)
		b.must(e, b.command(failover.VerbFailover, ana, "vm-z"))
		pass(time.Second)
		if r := b.decide(e, b.command(failover.VerbFailover, ana, "vm-w")); r == nil || r.Kind != failover.UnknownName {
			t.Errorf("got %v", r)
		}
		if b.vault.lists != 3 {
			t.Errorf("%d lists, want one for each name that was new", b.vault.lists)
		}
	})
}

// One vault of several does not answer: a bare name may have its twin there and is refused, vault/name goes on.
func TestOneVaultDoesNotAnswer(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.trouble, b.vault.part = silent(), true
		r := b.decide(e, b.command(failover.VerbFailover, ana, "vm-x"))
		if r == nil || r.Kind != failover.Unavailable || !strings.Contains(r.Hint, "type v/vm-x") {
			t.Errorf("got %v", r)
		}
		b.must(e, b.command(failover.VerbFailover, ana, "v/vm-x"))
	})
}

// A slow Azure that then fails is asked by one for all who wait, not by each in turn.
func TestOneListForAllWhoWait(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		b.vault.trouble, b.vault.late = silent(), 20*time.Second
		begun := time.Now()
		var asking sync.WaitGroup
		for range decideSlots {
			asking.Go(func() {
				if _, err := e.list(b.Context(), 0); err == nil {
					t.Error("no error")
				}
			})
			pass(time.Millisecond)
		}
		asking.Wait()
		if b.vault.lists > 2 || time.Since(begun) > time.Minute {
			t.Errorf("%d lists in %s", b.vault.lists, time.Since(begun))
		}
	})
}

// A commit in the portal closes the gate of an operation that nobody drives, also from a list that lacks a vault.
func TestPortalCommitIsNoticed(t *testing.T) {
	bubble(t, func(b *bench) {
		e, _ := b.executor("one")
		other, _ := b.executor("two")
		id := b.failedOver(e)
		stop1, stop2 := b.start(e), b.start(other)
		pass(time.Hour)
		b.phase(id, failover.AwaitingCommit)
		b.vault.change(func(v *vault) { v.trouble, v.part = errors.New("the other vault is away"), true })
		b.vault.set("vm-x", func(i *failover.Item) { i.State = failover.StateCommitted })
		pass(inventoryEvery + time.Second)
		op := b.phase(id, failover.Succeeded)
		if op.Note != "Committed outside Ferry." || b.stream.count(id, "finished") != 1 {
			t.Errorf("%q", op.Note)
		}
		b.holder("")
		b.calls(1, 0)
		stop1()
		stop2()
	})
}

// What the board shows is too old: the guard refuses, and nothing is said that is not so.
func TestPortalCommitOnAnOldBoard(t *testing.T) {
	bubble(t, func(b *bench) {
		e, n := b.executor("one")
		id := b.failedOver(e)
		n.behind = map[failover.OpID]failover.Operation{id: b.stream.load(id)}
		b.must(e, b.press(failover.VerbCancel, ana, id))
		b.vault.set("vm-x", func(i *failover.Item) { i.State = failover.StateCommitted })
		items, err := b.vault.Items(b.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.notice(b.Context(), failover.Inventory{Items: items, At: time.Now()})
		b.phase(id, failover.Cancelled)
	})
}
