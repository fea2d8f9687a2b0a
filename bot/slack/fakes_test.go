package slack_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
)

// commands is a store with an executor behind it.
type commands struct {
	mu      sync.Mutex
	stored  []failover.Command // each message id once
	tries   int
	store   func(ctx context.Context, try int) error // what a try comes to; nil: it works
	decide  func(cmd failover.Command) (failover.Operation, failover.Answer)
	silent  time.Duration // how long after the storing the executor decides
	arrived map[string]time.Time
	changed chan struct{} // closed and renewed when something is stored
}

func newCommands() *commands {
	return &commands{
		arrived: map[string]time.Time{}, changed: make(chan struct{}),
		decide: func(cmd failover.Command) (failover.Operation, failover.Answer) {
			return operation(cmd.Op, 1, requested()), failover.Answer{Did: failover.DidRequest}
		},
	}
}

func (c *commands) Store(ctx context.Context, cmd failover.Command) error {
	c.mu.Lock()
	c.tries++
	try, store := c.tries, c.store
	c.mu.Unlock()
	if store != nil {
		if err := store(ctx, try); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, again := c.arrived[cmd.MessageID]; !again {
		c.arrived[cmd.MessageID] = time.Now()
		c.stored = append(c.stored, cmd)
		close(c.changed)
		c.changed = make(chan struct{})
	}
	return nil
}

func (c *commands) all() []failover.Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]failover.Command(nil), c.stored...)
}

func (c *commands) find(id string) (cmd failover.Command, at time.Time, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range c.stored {
		if cmd.MessageID == id {
			return cmd, c.arrived[id].Add(c.silent), c.changed
		}
	}
	return failover.Command{}, time.Time{}, c.changed
}

func (c *commands) Decision(ctx context.Context, id string) (failover.Operation, failover.Answer, error) {
	for {
		cmd, at, changed := c.find(id)
		var due <-chan time.Time
		if cmd.MessageID != "" {
			if wait := time.Until(at); wait > 0 {
				due = time.After(wait)
			} else {
				if no := cmd.By.Standing.Barred(); cmd.By.Standing != "" {
					return failover.Operation{}, failover.Answer{Refused: no}, nil
				}
				op, answer := c.decide(cmd)
				return op, answer, nil
			}
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
			return failover.Operation{}, failover.Answer{}, ctx.Err()
		}
	}
}

type reads struct {
	err     error
	refused *failover.Refusal
	slow    time.Duration            // of Azure
	slowFor map[string]time.Duration // and for one VM
	names   []string                 // of VMs besides vm-x
	op      *failover.Operation
	found   map[failover.OpID]failover.Operation // for their ids
	open    func() []failover.Operation          // what is open; nil: one that waits

	mu    sync.Mutex
	asked []string // of Points and Review
}

func (r *reads) note(asked string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, asked)
}

func (r *reads) Points(ctx context.Context, vm, key string) (failover.PointList, *failover.Refusal, error) {
	r.note(vm + key)
	name := cmp.Or(vm, "vm-x")
	select {
	case <-time.After(max(r.slow, r.slowFor[name])):
	case <-ctx.Done():
		return failover.PointList{}, failover.AzureSilent(), nil
	}
	at := time.Now().UTC()
	list := failover.PointList{Item: failover.Item{Key: "4f1c", Name: name, Vault: "v", State: failover.StateProtected}, Name: name, At: at}
	for i := range 60 {
		id := fmt.Sprintf("/x/recoveryPoints/6c2f0a52-0000-0000-0000-%012d", i)
		list.Points = append(list.Points, failover.RecoveryPoint{ID: id, Time: at.Add(-time.Duration(i) * 5 * time.Minute)})
	}
	return list, r.refused, r.err
}

func (r *reads) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	list, refusal, err := r.Points(ctx, "", "")
	job := failover.Job{Scenario: "UnplannedFailover", State: failover.JobInProgress, Target: "vm-y", StartedAt: list.At}
	return failover.JobList{Jobs: []failover.VaultJob{{Job: job}}, At: list.At, Since: list.At.Add(-failover.JobsWithin)}, refusal, err
}

func (r *reads) Forecast(_ context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	return failover.Forecast{What: of.Group + of.Plan + of.VMs, VMs: 3, Expected: failover.Expected{Seconds: 600, P95: 1200, RTO: 900}}, r.refused, r.err
}

func (r *reads) Debt(context.Context) (failover.DebtList, error) {
	return failover.DebtList{Debts: []failover.Debt{{Name: "vm-x", Vault: "v", Typed: "vm-x", Kind: failover.Uncommitted, Owner: failover.Actor{ID: "U0ANA"}}}, At: time.Now()}, r.err
}

func (r *reads) Readiness(context.Context) (failover.ReadinessList, error) {
	held := failover.Concern{Kind: failover.ConcernHeld, Why: "vm-x is held by op-aaaaaaaa.", Next: "To see it, type /failover status op-aaaaaaaa."}
	return failover.ReadinessList{At: time.Now(), Items: []failover.ReadyItem{{Name: "vm-x", Vault: "v", Readiness: failover.NotReady, Concerns: []failover.Concern{held}}}}, r.err
}

func (r *reads) Review(ctx context.Context, vm string, op failover.OpID) (failover.Review, *failover.Refusal, error) {
	r.note(vm + string(op))
	select {
	case <-time.After(r.slow):
	case <-ctx.Done():
		return failover.Review{}, failover.AzureSilent(), nil
	}
	return failover.Review{
		Item: failover.Item{Name: "vm-x"}, Name: "vm-x", Seen: "reprotect-1a2b3c4d", At: time.Now(),
		Reversal: &failover.Reversal{From: "north", To: "west", ResourceGroup: "/x/rg-shop", Disks: []failover.ReversalDisk{{Name: "vm-x-os", Bytes: 127 << 30, Type: "Premium_LRS", Cache: "/x/cachen"}}, Creates: []string{"replica disk vm-x-os-ASRReplica"}},
	}, r.refused, r.err
}

func (r *reads) Report(_ context.Context, op failover.OpID) (failover.Report, bool, error) {
	return failover.Report{Operation: operation(op, 1, story()...), TargetRTO: 3600}, op != "op-zzzzzzzz", r.err
}

func (r *reads) Newest(context.Context) ([]failover.Operation, error) {
	return []failover.Operation{operation("op-zzzzzzzz", 20, requested()).Brief(), operation("op-aaaaaaaa", 1, story()...).Brief()}, r.err
}

func (r *reads) Status(_ context.Context, ref string) (failover.Found, error) {
	if op, known := r.found[failover.OpID(ref)]; known {
		return failover.Found{Operations: []failover.Operation{op}}, r.err
	}
	if ref == "" && r.open != nil {
		return failover.Found{Operations: r.open()}, r.err
	}
	if r.op != nil {
		return failover.Found{Operations: []failover.Operation{*r.op}}, r.err
	}
	return failover.Found{Operations: []failover.Operation{operation("op-aaaaaaaa", 1, requested())}}, r.err
}

func (r *reads) Inventory(ctx context.Context) (failover.Inventory, error) {
	if r.err != nil { // nobody is there to say no
		<-ctx.Done()
	}
	inv := failover.Inventory{At: time.Now()}
	for _, name := range append([]string{"vm-x"}, r.names...) {
		inv.Items = append(inv.Items, failover.Item{Name: name, Vault: "v", State: failover.StateProtected, Allowed: []string{"UnplannedFailover", "TestFailover"}, TestState: "None"})
	}
	return inv, r.err
}

// feed delivers what is published, once.
type feed struct {
	out chan *update

	mu    sync.Mutex
	acked []uint64
}

func newFeed() *feed { return &feed{out: make(chan *update, 1000)} }

type update struct {
	op   failover.Operation
	feed *feed
}

func (f *feed) publish(ops ...failover.Operation) {
	for _, op := range ops {
		f.out <- &update{op, f}
	}
}

func (f *feed) Next(ctx context.Context) (slack.Update, error) {
	select {
	case u := <-f.out:
		return u, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *feed) acks() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.acked)
}

func (u *update) Operation() failover.Operation { return u.op }

func (u *update) Ack() error {
	u.feed.mu.Lock()
	defer u.feed.mu.Unlock()
	u.feed.acked = append(u.feed.acked, u.op.Seq)
	return nil
}

// refs is a store with compare-and-set.
type refs struct {
	mu   sync.Mutex
	refs map[failover.OpID]slack.Ref
	rev  uint64
}

func newRefs() *refs { return &refs{refs: map[failover.OpID]slack.Ref{}} }

func (r *refs) Get(_ context.Context, op failover.OpID) (slack.Ref, error) { return r.of(op), nil }

func (r *refs) of(op failover.OpID) slack.Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refs[op]
}

func (r *refs) Put(_ context.Context, op failover.OpID, ref slack.Ref) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refs[op].Rev != ref.Rev {
		return errors.New("wrong last revision")
	}
	r.rev++
	ref.Rev, ref.Notices = r.rev, maps.Clone(ref.Notices)
	r.refs[op] = ref
	return nil
}

// operation folds facts; the sequence of the first is given and the others follow.
func operation(id failover.OpID, seq uint64, facts ...failover.Fact) failover.Operation {
	var op failover.Operation
	at := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	for i, f := range facts {
		if r, ok := f.(failover.Requested); ok {
			r.Op = id
			f = r
		}
		op = failover.Evolve(op, failover.Record{Fact: f, At: at.Add(time.Duration(i) * time.Second), Seq: seq + uint64(i)})
	}
	return op
}

func requested() failover.Requested {
	rule := failover.Rule{May: []string{"operator"}, Approvers: []string{"approver"}, Approvals: 1}
	item := failover.Item{Key: "k", Name: "vm-x", Vault: "v", From: "west", To: "north", State: failover.StateProtected}
	return failover.Requested{
		Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA", Name: "ana"},
		Plan:    failover.Plan{Rule: rule, CommitBy: rule},
		Targets: []failover.Target{{Item: item, Phase: failover.AwaitingApproval}},
	}
}

// story is the whole life of an operation that is approved, runs and is ended.
func story() []failover.Fact {
	return []failover.Fact{
		requested(),
		failover.GateOpened{Gate: failover.ClassFailover},
		failover.StepStarted{Target: "k", Kind: failover.StepFailover, Attempt: 1},
		failover.StepAccepted{Target: "k", Kind: failover.StepFailover, JobID: "job"},
		failover.StepDone{Target: "k", Kind: failover.StepFailover},
		failover.Finished{Phase: failover.Cancelled, Note: "Ended by ben."},
	}
}

// chapters are the states of an operation after each of the first n facts of its story.
func chapters(id failover.OpID, seq uint64, n int) []failover.Operation {
	var ops []failover.Operation
	for i := range n {
		ops = append(ops, operation(id, seq, story()[:i+1]...))
	}
	return ops
}

// members is a store in which the newest reading wins.
type members struct {
	mu   sync.Mutex
	puts []failover.Membership
}

func (m *members) PutMembers(_ context.Context, read failover.Membership) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.puts = append(m.puts, read)
	return nil
}

func (m *members) Members(context.Context) (failover.Membership, error) { return m.newest(), nil }

func (m *members) newest() failover.Membership {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.puts) == 0 {
		return failover.Membership{}
	}
	return m.puts[len(m.puts)-1]
}
