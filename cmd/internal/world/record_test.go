package world

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/config"
	"ferry/sandbox/vault"
)

// histories is where what Ferry has stored is kept, so that every later version shows that it still reads it.
const histories = "../../../events/testdata/history"

// recorded are the stories whose stream is kept, each from a world of its own. A new kind of fact, or a new way to an end,
// gets a new name here; those that are there are never recorded again.
func recorded() map[string]func(*world) {
	cell := func(name, caller string) func(*world) {
		return func(w *world) {
			for _, t := range troubles() {
				for _, c := range callers() {
					if t.name == name && c.name == caller {
						w.suffers(t.of(c), c)
						return
					}
				}
			}
			w.t.Fatalf("no %s with %s", name, caller)
		}
	}
	return map[string]func(*world){
		"2026-11-committed": func(w *world) { w.begin(); w.play() },
		"2026-11-denied":    func(w *world) { w.judges("ben", "deny", "denied by ben") },
		"2026-11-withdrawn": func(w *world) { w.judges("ana", "withdraw", "withdrawn by ana") },
		"2026-11-expired":   func(w *world) { w.asks(); pass(20 * time.Minute); w.sees("expired") },
		"2026-11-cancelled": func(w *world) {
			w.asks()
			w.presses("ben", "Approve", "[ Commit ]")
			w.says("ana", "cancel", "cancelled")
		},
		"2026-11-journey":        func(w *world) { w.begin(); w.drill(1); w.away(1); w.home(1) },
		"2026-11-attention":      cell("5xx before the work", "change"),
		"2026-11-adopted":        cell("lost answer", "failover"),
		"2026-11-late":           cell("late", "failover"),
		"2026-11-throttled":      cell("throttled", "failover"),
		"2026-11-job-failed":     cell("job fails", "failover"),
		"2026-11-job-warned":     cell("job warns", "failover"),
		"2026-11-commit-refused": cell("not allowed", "commit"),
		"2026-11-portal-first":   cell("portal was faster", "commit"),
		"2026-11-plan":           recordedPlan,
		"2026-11-plan-failed-vm": func(w *world) {
			w.begin()
			w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "vm-y", Kind: vault.JobFails, Code: "28031", Message: "No quota.", Causes: "Quota.", Action: "Raise it."})
			w.types("ana", "/failover plan plan-shop", "[ Approve ]")
			w.presses("ben", "Approve", "awaiting commit")
			w.presses("ben", "Commit", "failed: vm-y")
		},
		"2026-11-refused": func(w *world) {
			w.asks()
			w.typed("eve", "/failover vm-x")
			w.types("ana", "/failover vm-x", "vm-x is already under way")
			w.types("ana", "/failover vm-nobody", "vm-nobody")
			w.says("ana", "approve", "may not")
		},
		"2026-11-commit-asked": func(w *world) {
			w.asks()
			w.presses("ben", "Approve", "[ Commit ]")
			w.says("ana", "commit", "commit asked for by")
			w.presses("ben", "Commit", ": committed")
		},
		"2026-11-checked": func(w *world) {
			w.checks = map[string]config.Check{"vm-x": {TCP: "10.2.0.6:22"}}
			w.begin()
			w.overTo("vm-x", "no answer, which is no pass")
			pass(5 * time.Hour) // a reminder
			w.presses("ben", "Commit", ": committed")
		},
		"2026-11-lapsed": func(w *world) {
			w.asks()
			w.dies("journal.append")
			w.press("ben", "Approve")
			pass(10 * time.Second)
			w.nobody(6 * time.Hour)
			w.presses("ben", "Approve", "awaiting commit")
		},
		"2026-11-break-glass": func(w *world) { w.glass(w.t) },
		"2026-11-frozen":      func(w *world) { w.frozen() },
		"2026-11-group":       recordedGroup,
		"2026-11-resized": func(w *world) { // the vault does not take the first change
			w.configure = otherSizes
			w.begin()
			w.noRoom()
			w.vault.Fault(vault.Fault{Operation: "update", Kind: vault.JobFails, Code: "1", Message: "The size is not available."})
			w.types("ana", "/failover vm-x latest", "[ Approve ]")
			w.presses("ben", "Approve", "vm-x as "+otherSize)
		},
		"2026-11-taken-over": func(w *world) {
			w.start(&point{seam: "journal.append", nth: 5, after: true})
			w.play()
		},
	}
}

func recordedPlan(w *world) {
	w.begin()
	w.types("ana", "/failover plan plan-shop latest-processed", "[ Approve ]")
	w.presses("ben", "Approve", "awaiting commit")
	w.presses("ben", "Commit", ": committed")
	w.opens("ana", "Reprotect", "vm-x, vm-y, sql-01")
	w.submits("ana", "Reason", "the region is back", "reprotect of")
	w.presses("ben", "Approve", "vm-x: protected")
}

// recordedGroup has everything that people do with many VMs: one fails and is tried again, they hold and resume, and leave one out.
func recordedGroup(w *world) {
	w.groups = shop()
	w.begin()
	w.vault.Fault(vault.Fault{Operation: "unplannedFailover", VM: "sql-01", Kind: vault.JobFails, Code: "28031", Message: "A policy denies it.", Causes: "A policy.", Action: "Exempt it."})
	w.types("ana", "/failover group shop latest-processed", "[ Approve ]")
	w.presses("ben", "Approve", "1 failed")
	id := w.id()
	w.typed("ana", "/failover retry "+id)
	w.typed("ana", "/failover hold "+id+" --reason waits")
	pass(10 * time.Minute)
	w.typed("ana", "/failover resume "+id)
	pass(10 * time.Minute)
	w.typed("ana", "/failover skip "+id+" vm-y")
	w.presses("ben", "Commit", "committed")
}

func (w *world) asks() { w.begin(); w.types("ana", "/failover vm-x", "awaiting approval") }

func (w *world) judges(who, verb, want string) { w.asks(); w.says(who, verb, want) }

// says types a verb with the id of the newest card's operation.
func (w *world) says(who, verb, want string) {
	w.t.Helper()
	w.types(who, "/failover "+verb+" "+w.id(), want)
}

// id is the operation of the newest card.
func (w *world) id() string { return regexp.MustCompile(`op-[a-z2-7]{8}`).FindString(w.card("")) }

// With UPDATE_HISTORIES=1 the stories that have no record yet get one. A record is never changed: it is what some version
// of Ferry wrote, and that does not change any more.
func TestRecordHistories(t *testing.T) {
	if os.Getenv("UPDATE_HISTORIES") == "" {
		t.Skip("UPDATE_HISTORIES=1 records what is missing")
	}
	for name, story := range recorded() {
		path := filepath.Join(histories, name+".jsonl")
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var lines []byte
			bubble(t, func(w *world) {
				story(w)
				w.stop()
				lines = w.stream()
			})
			if t.Failed() {
				return
			}
			if err := os.WriteFile(path, lines, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// stream is what the embedded server of a stopped process has stored: a line for each message of the stream.
func (w *world) stream() []byte {
	w.t.Helper()
	withoutAccounts(filepath.Join(w.dir, "nats"))
	s, err := server.NewServer(&server.Options{ServerName: "ferry", DontListen: true, JetStream: true, StoreDir: filepath.Join(w.dir, "nats"), NoSigs: true, NoLog: true})
	if err != nil {
		w.t.Fatal(err)
	}
	s.Start()
	defer func() { s.Shutdown(); s.WaitForShutdown() }()
	if !s.ReadyForConnections(10 * time.Second) {
		w.t.Fatal("the store does not open")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		w.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.lines(js)
}

func (w *world) lines(js jetstream.JetStream) []byte {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	stream, err := js.Stream(ctx, "FERRY")
	if err != nil {
		w.t.Fatal(err)
	}
	var all []byte
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		m, err := stream.GetMsg(ctx, seq)
		if err != nil {
			w.t.Fatal(err)
		}
		line, err := json.Marshal(struct {
			Seq     uint64          `json:"seq"`
			Subject string          `json:"subject"`
			Header  nats.Header     `json:"header"`
			Data    json.RawMessage `json:"data"`
		}{m.Sequence, m.Subject, m.Header, m.Data})
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(append(all, line...), '\n')
	}
	return all
}
