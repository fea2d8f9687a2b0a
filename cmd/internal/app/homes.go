package app

import (
	"context"
	"slices"
	"time"

	"ferry/bot/render"
	"ferry/events/jetstream"
	"ferry/failover"
)

// homeWithin bounds each reading for the Home tabs.
const homeWithin = time.Second

// homes reads what Home tabs are made of, in a bot. Its fields belong to the goroutine that publishes.
type homes struct {
	client        *jetstream.Client
	board         *jetstream.Board
	policy        func() failover.Policy // as of now
	rpo           time.Duration
	name, version string

	inventory failover.Inventory // as it was read last
}

// Changes gives a channel that is closed when an operation has changed.
func (h *homes) Changes() <-chan struct{} { return h.board.Changes() }

// Overview takes the operations from the board, and everything else from what the executors have stored.
func (h *homes) Overview(ctx context.Context) render.Overview {
	ctx, cancel := context.WithTimeout(ctx, homeWithin)
	defer cancel()
	o := render.Overview{Health: render.Health{Bot: h.name, Version: h.version}}
	if inv, err := h.client.Inventory(ctx); err == nil {
		h.inventory, o.Health.NATS = inv, true
		o.Health.Executor = h.client.ExecutorAnswers(ctx) == nil
	}
	o.Policy = h.policy()
	all := h.board.All()
	o.Debt, o.Readiness = failover.Debts(h.inventory, all), h.inventory.Readiness(all, o.Policy, h.rpo)
	o.Operations = shown(all)
	return o
}

// homeOver is how many operations that are over a Home tab may tell of, beside those that somebody still has to review.
const homeOver = 30

// shown leaves out what no Home tab shows: all operations are oldest first.
func shown(all []failover.Operation) []failover.Operation {
	over := 0
	all = slices.Clone(all)
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(op failover.Operation) bool {
		if !op.Phase.Final() || op.Unreviewed() {
			return false
		}
		over++
		return over > homeOver
	})
}
