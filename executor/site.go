package executor

import (
	"context"
	"time"

	"ferry/failover"
)

// Site is Azure as the executor needs it: vaults with replicated items. Every error is a *failover.SiteError, or the
// context's. Implementations are safe for concurrent use.
type Site interface {
	ItemReader
	JobReader
	ReversalReader
	PlanReader
	// Begin makes one mutating call, once: an implementation never retries it. Unknown means that it may have been accepted.
	Begin(ctx context.Context, call failover.Call) (failover.Accepted, error)
}

// ItemReader reads replicated items.
type ItemReader interface {
	// Items lists every replicated item of every vault, without JobID where the list does not carry it. As with Item, Tags are
	// nil where they could not be read.
	Items(ctx context.Context) ([]failover.Item, error)
	// Item reads one item as it is now. The item given names it by VaultID and ID.
	Item(ctx context.Context, item failover.Item) (failover.Item, error)
	// Points lists the recovery points of an item in no particular order.
	Points(ctx context.Context, item failover.Item) ([]failover.RecoveryPoint, error)
}

// JobReader reads jobs.
type JobReader interface {
	// Job reads one job whole, by its ARM id.
	Job(ctx context.Context, id string) (failover.Job, error)
	// JobsSince reads every job on an item that started at or after a time, each one whole.
	JobsSince(ctx context.Context, item failover.Item, since time.Time) ([]failover.Job, error)
	// Jobs lists every job of every vault that runs, or has ended at or after a time, none of them whole. As with Items, the
	// jobs that could be read come with the error.
	Jobs(ctx context.Context, since time.Time) ([]failover.Job, error)
}

// ReversalReader reads what the way back needs and leaves.
type ReversalReader interface {
	// Reversal reads what a reprotect of an item would use and create. What is missing for one is RefusedBySite with the code
	// failover.CodePrerequisite.
	Reversal(ctx context.Context, item failover.Item) (failover.Reversal, error)
	// Leftovers lists what a failback has left of an item in the region that it came from. Nothing is changed.
	Leftovers(ctx context.Context, item failover.Item) ([]failover.Leftover, error)
}

// PlanReader reads recovery plans.
type PlanReader interface {
	// Plans lists the recovery plans of every vault; their groups may be missing.
	Plans(ctx context.Context) ([]failover.RecoveryPlan, error)
	// Plan reads one recovery plan whole, by its ARM id.
	Plan(ctx context.Context, id string) (failover.RecoveryPlan, error)
}

// Budgeted is a site that keeps its calls within what Azure takes, and tells what is left.
type Budgeted interface {
	Budgets() []failover.Budget
}

// Prober asks a VM whether it works. It always answers: that nobody answered is an outcome, too.
type Prober interface {
	Probe(ctx context.Context, check failover.Check) failover.CheckResult
}
