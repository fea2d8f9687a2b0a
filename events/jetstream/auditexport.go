package jetstream

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// ErrNothing says that the record has nothing about an operation.
var ErrNothing = errors.New("nothing is recorded about it")

// ExportAudit writes the record as JSON Lines, see [events.Export]; all of it, or what is about one operation:
// ErrNothing when there is none.
func (c *Client) ExportAudit(ctx context.Context, w io.Writer, op failover.OpID) error {
	ctx, done := c.denials.watch(ctx, "")
	return done(c.exportAudit(ctx, w, op))
}

func (c *Client) exportAudit(ctx context.Context, w io.Writer, op failover.OpID) error {
	last, err := c.lastSeq(ctx)
	if err != nil {
		return err
	}
	about := about{op: op}
	if op != "" {
		if about.commands, err = c.commandsOf(ctx, op); err != nil {
			return err
		}
	}
	out, nothing := events.NewExport(w, op), op != ""
	for seq := uint64(1); seq <= last; seq++ {
		m, stored, err := c.stored(ctx, seq)
		if err != nil {
			return fmt.Errorf("reading message %d: %w; ferry audit verify says more", seq, err)
		}
		want := op == "" || about.is(m)
		if err := out.Add(m, stored, want); err != nil {
			return err
		}
		nothing = nothing && !want
	}
	if nothing {
		return ErrNothing
	}
	return out.End()
}

// commandsOf are the message ids of the commands that were decided on an operation, whatever they named.
func (c *Client) commandsOf(ctx context.Context, op failover.OpID) (map[string]bool, error) {
	ids := map[string]bool{}
	for seq := uint64(0); ; {
		m, err := c.next(ctx, events.OpSubject(op), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		seq = m.Seq
		if record, err := events.DecodeFact(m); err == nil && record.Command != "" {
			ids[record.Command] = true
		}
	}
}

// about tells what is about an operation: its facts and work, the commands that named it or were decided on it, and the taking
// and letting go of its VMs.
type about struct {
	op       failover.OpID
	commands map[string]bool
	held     map[string]bool // by key
}

func (a *about) is(m events.Message) bool {
	if events.LastToken(m.Subject) == string(a.op) || a.commands[m.ID()] {
		return true
	}
	hold, err := events.DecodeHold(m)
	if err != nil {
		return false
	}
	ours := hold.Op == a.op || hold.Op == "" && a.held[hold.Key]
	if a.held == nil {
		a.held = map[string]bool{}
	}
	a.held[hold.Key] = hold.Op == a.op
	return ours
}
