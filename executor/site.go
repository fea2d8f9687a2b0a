package executor

import (
	"context"
	"time"

	"ferry/failover"
)

// Site is Azure as the executor needs it: vaults with replicated items. Every error is a *failover.SiteError, or the
// context's. Implementations are safe for concurrent use.
type Site interface {
	// Items lists every replicated item of every vault, without JobID where the list does not carry it.
	Items(ctx context.Context) ([]failover.Item, error)
	// Item reads one item as it is now. The item given names it by VaultID and ID.
	Item(ctx context.Context, item failover.Item) (failover.Item, error)
	// Points lists the recovery points of an item in no particular order.
	Points(ctx context.Context, item failover.Item) ([]failover.RecoveryPoint, error)
	// Begin makes one mutating call, once: an implementation never retries it. Unknown means that it may have been accepted.
	Begin(ctx context.Context, call failover.Call) (failover.Accepted, error)
	// Job reads one job whole, by its ARM id.
	Job(ctx context.Context, id string) (failover.Job, error)
	// JobsSince reads every job on an item that started at or after a time, each one whole.
	JobsSince(ctx context.Context, item failover.Item, since time.Time) ([]failover.Job, error)
}
