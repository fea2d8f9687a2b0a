package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// stream is everything that was stored, read as any other program may, and folded anew.
type stream struct {
	messages []events.Message
	records  map[failover.OpID][]failover.Record
	commands map[string]failover.Command // by message id
	ops      map[failover.OpID]failover.Operation
	board    map[failover.OpID]failover.Operation // the same, as Ferry's own board folds it
	faults   []string                             // what could not be read
}

// readStream reads the store when no process of Ferry uses it any more.
func (w *world) readStream() (*stream, error) {
	n := w.nats
	if n == nil {
		n = newNATS(w, "nats") // where the embedded server has its store
		n.start()
		defer n.stop()
	}
	s := &stream{
		records: map[failover.OpID][]failover.Record{}, commands: map[string]failover.Command{},
		ops: map[failover.OpID]failover.Operation{}, board: map[failover.OpID]failover.Operation{},
	}
	if err := s.read(w.t.Context(), n); err != nil {
		return nil, err
	}
	return s, s.readBoard(w, n)
}

func (s *stream) read(ctx context.Context, n *natsServer) error {
	nc, err := nats.Connect("", nats.InProcessServer(past{n}))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		return err
	}
	stored, err := js.Stream(ctx, events.Stream)
	if err != nil {
		return err
	}
	state := stored.CachedInfo().State
	if state.Msgs > 0 && (state.FirstSeq != 1 || state.NumDeleted != 0 || state.Msgs != state.LastSeq) {
		s.faults = append(s.faults, fmt.Sprintf("the stream has gaps: %+v", state))
	}
	for seq := uint64(1); seq <= state.LastSeq; seq++ {
		m, err := stored.GetMsg(ctx, seq)
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.fold(events.Message{Subject: m.Subject, Header: events.Header(m.Header), Data: m.Data, Seq: m.Sequence})
	}
	return nil
}

func (s *stream) fold(m events.Message) {
	s.messages = append(s.messages, m)
	id := failover.OpID(events.LastToken(m.Subject))
	var err error
	switch m.Subject {
	case events.OpSubject(id):
		var record failover.Record
		if record, err = events.DecodeFact(m); err == nil {
			s.records[id] = append(s.records[id], record)
			op := s.ops[id]
			op.ID = id
			s.ops[id] = failover.Evolve(op, record)
		}
	case events.CommandSubject(events.SourceSlack, id):
		var cmd failover.Command
		if cmd, err = events.DecodeCommand(m); err == nil {
			s.commands[cmd.MessageID] = cmd
		}
	case events.TargetSubject(string(id)):
		_, err = events.DecodeHold(m)
	case events.DriveSubject(id):
		_, err = events.DecodeDrive(m)
	default:
		err = errors.New("no subject of Ferry's")
	}
	if err != nil {
		s.faults = append(s.faults, fmt.Sprintf("message %d on %s: %v", m.Seq, m.Subject, err))
	}
}

func (s *stream) readBoard(w *world, n *natsServer) error {
	client, err := jetstream.Connect(jetstream.Options{InProcess: past{n}, Name: "auditor", Log: w.log})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(w.t.Context())
	board, ended := jetstream.NewBoard(client), make(chan error, 1)
	go func() { ended <- board.Run(ctx) }()
	select {
	case <-board.Ready():
	case err := <-ended:
		cancel()
		return err
	}
	for id := range s.ops {
		s.board[id] = board.Get(id)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// same compares two operations as people and programs see them.
func same(a, b failover.Operation) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
