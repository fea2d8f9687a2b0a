package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// record is the stream, decoded and folded.
type record struct {
	commands map[string]failover.Command // by message id
	facts    []told
	ops      map[failover.OpID]failover.Operation
	messages int
}

// told is a fact and where it stands.
type told struct {
	failover.Record
	op     failover.OpID
	stored time.Time
}

// embedded reads the store of a data directory that nobody uses.
func (o *outside) embedded() record {
	o.Helper()
	server, err := jetstream.StartEmbedded(o.config.DataDir, false, slog.New(slog.DiscardHandler))
	if err != nil {
		o.Fatal(err)
	}
	defer func() { _ = server.Stop() }()
	pair, err := nkeys.FromSeed([]byte(server.Options(jetstream.RoleExecutor).Seed))
	if err != nil {
		o.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		o.Fatal(err)
	}
	nc, err := nats.Connect("", nats.InProcessServer(server), nats.Nkey(public, pair.Sign), nats.CustomInboxPrefix("_INBOX_executor"))
	if err != nil {
		o.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		o.Fatal(err)
	}
	return read(o.Context(), o.kit, js)
}

// read decodes every message of the stream from the first to the last, and folds the facts.
func read(ctx context.Context, k *kit, js natsjs.JetStream) record {
	k.Helper()
	r := record{commands: map[string]failover.Command{}, ops: map[failover.OpID]failover.Operation{}}
	stream, err := js.Stream(ctx, events.Stream)
	if err != nil {
		k.Fatal(err)
	}
	last := stream.CachedInfo().State.LastSeq
	for seq := uint64(1); seq <= last; seq++ {
		raw, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			k.Errorf("message %d of %d is missing", seq, last)
			continue
		}
		if err != nil {
			k.Fatal(err)
		}
		m := events.Message{Subject: raw.Subject, Header: events.Header(raw.Header), Data: raw.Data, Seq: seq}
		if err := r.add(m, raw.Time); err != nil {
			k.Errorf("message %d on %s: %v", seq, m.Subject, err)
		}
	}
	return r
}

func (r *record) add(m events.Message, stored time.Time) error {
	r.messages++
	id := failover.OpID(events.LastToken(m.Subject))
	switch kind := strings.Split(m.Subject, ".")[1]; kind {
	case "command":
		cmd, err := events.DecodeCommand(m)
		r.commands[cmd.MessageID] = cmd
		return err
	case "op":
		fact, err := events.DecodeFact(m)
		if err != nil {
			return err
		}
		r.facts = append(r.facts, told{fact, id, stored})
		op := r.ops[id]
		op.ID = id
		r.ops[id] = failover.Evolve(op, fact)
		return nil
	case "target":
		_, err := events.DecodeHold(m)
		return err
	case "drive":
		_, err := events.DecodeDrive(m)
		return err
	default:
		return fmt.Errorf("an unknown kind %q", kind)
	}
}

// suffix is how the name of a process ends in the facts.
func suffix(p *proc) string { return fmt.Sprintf("-%d", p.pid()) }
