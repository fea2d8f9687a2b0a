// Package executor takes commands, decides them, acts on Azure, records what happened and resumes after a crash.
//
// It owns the loops: deciding commands, driving operations step by step, waking those that the clock decides, and keeping
// the inventory. It refuses to know what is legal or what comes next (failover), NATS (it declares the small interfaces
// that events/jetstream satisfies) and Azure's wire (Site). Before each mutating call it appends an intent that only the
// driver of that moment can win; after a lost answer it looks before it acts.
//
// An Executor runs once; any number of them, in any number of processes, may work on the same journal.
package executor

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ferry/failover"
)

// Journal is the record of operations. Append is a compare-and-set on op.Seq and on the holds' sequences.
type Journal interface {
	Load(ctx context.Context, id failover.OpID) (failover.Operation, error)
	Holder(ctx context.Context, key string) (failover.Hold, error)
	Append(ctx context.Context, op failover.Operation, b failover.Batch) (failover.Operation, error)
}

// Queue hands out stored commands and operations that have work, each until it is acknowledged by a nil answer.
type Queue interface {
	Commands(ctx context.Context, slots int, handle func(context.Context, failover.Command) error) error
	Drives(ctx context.Context, slots int, handle func(context.Context, failover.OpID, uint64) error) error
}

// Answers is which commands have been decided, as far as the board has read.
type Answers interface {
	Answered(messageID string) bool
	// CatchUp waits until everything is on the board that was stored when it was called.
	CatchUp(ctx context.Context) error
}

// Board is what is open, as folded so far: to wait on, never to decide on.
type Board interface {
	Listing
	Ready() <-chan struct{}
	Changes() <-chan struct{}
	Moved(ctx context.Context, id failover.OpID, after uint64) (failover.Operation, error)
	Answers
}

// Listing is what stands on a board: what is open, what ever was asked for, and the requests for many VMs that are being
// written, or were left so.
type Listing interface {
	Open() []failover.Operation
	All() []failover.Operation
	Drafts() []failover.Operation
}

// Shelf keeps the inventory for those who show it, and for the tags in it.
type Shelf interface {
	// Inventory is what was stored last, the zero inventory when nothing was.
	Inventory(ctx context.Context) (failover.Inventory, error)
	SaveInventory(ctx context.Context, inv failover.Inventory) error
}

// Groups tells who is in Slack's user groups, as it was last read; the zero membership when it never was.
type Groups interface {
	Members(ctx context.Context) (failover.Membership, error)
}

// Options are what an executor works with.
type Options struct {
	Name    string // of this process, in the facts
	Journal Journal
	Queue   Queue
	Board   Board
	Shelf   Shelf
	Site    Site
	Policy  failover.Policy
	// Fleets are the groups of VMs that one command may fail over together, by name.
	Fleets map[string]failover.Group
	// Sizes are those in which a VM may be made where a region has no capacity for its own, by that.
	Sizes map[string][]string
	// Groups tells who is in Slack's user groups; nil: nobody knows.
	Groups Groups
	// RTO is targets.rto, which forecasts are held to; 0: none.
	RTO time.Duration
	// Networks are the ARM ids of the isolated networks; a drill may use no other.
	Networks []string
	// Checks is how a VM is asked after a failover whether it works, nil for those that are not; Prober asks.
	Checks func(item failover.Item) *failover.Check
	Prober Prober
	// CheckNames are those of all checks, to tell of one that asks about no VM.
	CheckNames []string
	// Seam is where a test cuts the process around a call to Azure; nil: just do.
	Seam func(name string, do func() error) error
	Log  *slog.Logger
	// Clock is the time that all processes share; nil is this host's.
	Clock Clock
}

// Clock tells the time that decisions are made by and facts are dated with.
type Clock interface {
	Now() time.Time
	// Era changes when that time has jumped: what was timed before is no measure then.
	Era() int
	// Jumped says, for people, that the time has jumped since a moment; empty when it has not.
	Jumped(since time.Time) string
}

// hostClock is the time of this host.
type hostClock struct{}

// Now goes as the host's clock is set.
func (hostClock) Now() time.Time { return time.Now() }

// Era does not change: a jump goes unnoticed.
func (hostClock) Era() int { return 0 }

// Jumped is empty, as Era does not change.
func (hostClock) Jumped(time.Time) string { return "" }

const (
	decideSlots = 16
	driveSlots  = 1000
	// inventoryEvery is the pace of the vault-wide list while nobody waits for it.
	inventoryEvery = 30 * time.Second
	// wakeWithin is how long the clock is trusted before it is looked at anew: it may be set meanwhile.
	wakeWithin = 10 * time.Minute
	// conflictPause is how long whoever lost a guard rests before looking again.
	conflictPause = 20 * time.Millisecond
)

// Executor is one process's share of the work.
type Executor struct {
	Options
	items   itemCache
	running jobCache
	pace    *pace
	moved   chan struct{} // full when an operation has come as far as it goes: the inventory is older than that
}

// New makes an executor; Run starts it.
func New(o Options) *Executor {
	if o.Seam == nil {
		o.Seam = func(_ string, do func() error) error { return do() }
	}
	if o.Clock == nil {
		o.Clock = hostClock{}
	}
	pace := newPace(o.Clock.Now, o.Site)
	pace.crowds = func(since time.Time) map[string]int { return failover.CrowdsSince(o.Board.All(), since, o.Clock.Now()) }
	if o.Policy.ByTags() || failover.GoesByTags(o.Fleets) {
		o.Site = &tagKeeper{Site: o.Site, last: map[string]map[string]string{}}
	}
	return &Executor{Options: o, items: itemCache{reading: make(chan struct{}, 1)}, running: jobCache{reading: make(chan struct{}, 1)}, pace: pace, moved: make(chan struct{}, 1)}
}

// Run works until ctx ends, and returns when everything it started has ended. It is an error only when a loop broke.
func (e *Executor) Run(ctx context.Context) error {
	select {
	case <-e.Board.Ready():
	case <-ctx.Done():
		return nil
	}
	e.recall(ctx)
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context) error{
		func(ctx context.Context) error { return e.Queue.Commands(ctx, decideSlots, e.decide) },
		func(ctx context.Context) error { return e.Queue.Drives(ctx, driveSlots, e.drive) },
		e.wake, e.watch,
	} {
		loops.Go(func() {
			if err := loop(work); err != nil {
				cancel(err)
			}
		})
	}
	<-work.Done()
	loops.Wait()
	if cause := context.Cause(work); cause != context.Cause(ctx) { //nolint:errorlint // the caller's own cause, whatever it is, is no failure
		return cause
	}
	return nil
}

// now is the shared time.
func (e *Executor) now() time.Time { return e.Clock.Now() }

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
