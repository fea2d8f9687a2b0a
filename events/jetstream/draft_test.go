package jetstream_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"ferry/events/jetstream"
	"ferry/failover"
)

// drafted writes a request for three VMs in parts, as one for a thousand is.
func (l *lab) drafted(j *jetstream.Journal, id failover.OpID, keys ...string) failover.Operation {
	l.Helper()
	request := failover.Requested{Op: id, Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA"}}
	for _, key := range keys {
		request.Targets = append(request.Targets, failover.Target{Item: failover.Item{Key: key, Name: "vm-" + key, Vault: "vault-dr"}, Phase: failover.AwaitingApproval})
	}
	op := l.append(j, failover.Operation{ID: id}, failover.Batch{Command: "ask-" + string(id), Facts: failover.DraftOf(request), More: true})
	takes := []failover.Hold{{Key: keys[0], Op: id}, {Key: keys[1], Op: id}}
	return l.append(j, op, failover.Batch{Command: "ask-" + string(id), Facts: []failover.Fact{failover.Taken{Held: 2}}, Take: takes, More: true})
}

// A draft is on nobody's board before it is accepted, and holds.
func TestDraft(t *testing.T) {
	bubble(t, func(l *lab) {
		c := l.client("a", nil)
		j, b := jetstream.NewJournal(c), l.board(c)
		op := l.drafted(j, opA, "1", "2", "3")
		pass(time.Second)
		if b.Get(opA).Exists() || b.Answered("ask-"+string(opA)) || len(b.Drafts()) != 1 || l.holder(j, "1").Op != opA || l.holder(j, "3").Op != "" {
			t.Errorf("on the board: %+v, %d drafts", b.Get(opA), len(b.Drafts()))
		}
		if got := l.load(jetstream.NewJournal(l.client("b", nil)), opA); got.Draft == nil || got.Draft.Held != 2 || got.Seq != op.Seq {
			t.Errorf("read as %+v", got)
		}
		if _, err := j.Append(l.ctx, failover.Operation{ID: opB}, requested(opB, failover.Hold{Key: "2"})); !errors.Is(err, failover.ErrConflict) {
			t.Errorf("taken twice: %v", err)
		}
		l.append(j, op, failover.Batch{Command: "ask-" + string(opA), Facts: []failover.Fact{failover.DraftAccepted{}, failover.GateOpened{Gate: failover.ClassFailover}}, Take: []failover.Hold{{Key: "3", Op: opA}}, Drive: true})
		pass(time.Second)
		if got := b.Get(opA); got.Phase != failover.Running || len(got.Targets) != 3 || len(b.Drafts()) != 0 || !b.Answered("ask-"+string(opA)) {
			t.Errorf("on the board: %+v", got)
		}
	})
}

// The parts of a request are recorded here: the stories of whole processes have none with so few VMs.
func TestRecordDraft(t *testing.T) {
	const path = "../testdata/history/2026-11-draft.jsonl"
	if _, err := os.Stat(path); os.Getenv("UPDATE_HISTORIES") == "" || !errors.Is(err, fs.ErrNotExist) {
		t.Skip("UPDATE_HISTORIES=1 records it if it is missing")
	}
	var all []byte
	bubble(t, func(l *lab) {
		j := jetstream.NewJournal(l.client("a", nil))
		op := l.drafted(j, opA, "1", "2", "3")
		op = l.append(j, op, failover.Batch{Command: "ask-" + string(opA), Facts: []failover.Fact{failover.DraftAccepted{}}, Take: []failover.Hold{{Key: "3", Op: opA}}})
		l.append(j, op, failover.Batch{Facts: []failover.Fact{failover.Decided{Gate: failover.ClassFailover, Step: failover.StepFailover, By: failover.Actor{ID: "U0BEN"}, Approve: true}}})
		left := l.drafted(j, opB, "4", "5", "6")
		l.append(j, left, failover.Batch{Facts: []failover.Fact{failover.Abandoned{}}, Release: []failover.Hold{{Key: "4", Seq: l.holder(j, "4").Seq}, {Key: "5", Seq: l.holder(j, "5").Seq}}})
		for _, m := range l.stored(">") {
			line, err := json.Marshal(map[string]any{"seq": m.Seq, "subject": m.Subject, "header": m.Header, "data": json.RawMessage(m.Data)})
			if err != nil {
				t.Fatal(err)
			}
			all = append(append(all, line...), '\n')
		}
	})
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
}
