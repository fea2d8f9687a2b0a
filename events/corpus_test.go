package events_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ferry/events"
	"ferry/failover"
)

// corpus has what versions of Ferry have left in the stream, one story a file, and beside each to what it folds. Files are
// added, by `make histories`, and never changed; sums shows that.
const (
	corpus = "testdata/history"
	sums   = corpus + "/SHA256SUMS"
)

// outcome is to what a story folds. Keys may be added; a record is held to those that it has.
type outcome struct {
	Operations map[failover.OpID]operation `json:"operations"`
	Holds      map[string]failover.OpID    `json:"holds"` // what is held at the end
	Commands   int                         `json:"commands"`
	Drives     int                         `json:"drives"`
}

type operation struct {
	Verb      failover.Verb  `json:"verb"`
	Phase     failover.Phase `json:"phase"`
	By        string         `json:"by"`
	Reason    string         `json:"reason"`
	Note      string         `json:"note"`
	Seq       uint64         `json:"seq"`
	Parked    bool           `json:"parked"`
	Executor  string         `json:"executor"`
	Reminders int            `json:"reminders"`
	Decisions []string       `json:"decisions"`
	Targets   []target       `json:"targets"`
	Answers   map[string]int `json:"answers"`
}

type target struct {
	Name   string         `json:"name"`
	Key    string         `json:"key"`
	Phase  failover.Phase `json:"phase"`
	Error  string         `json:"error"`
	Point  string         `json:"point"`
	Checks []string       `json:"checks"`
	Steps  []string       `json:"steps"`
}

// Every version must read what any version has stored, and fold it to the same.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(corpus + "/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			got := outcomeOf(t, stored(t, file))
			golden := strings.TrimSuffix(file, ".jsonl") + ".golden"
			data, err := os.ReadFile(golden)
			if errors.Is(err, fs.ErrNotExist) && recording() {
				data = []byte(indented(t, got) + "\n")
				err = os.WriteFile(golden, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			var want, have any
			if err := errors.Join(json.Unmarshal(data, &want), json.Unmarshal([]byte(indented(t, got)), &have)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, known(want, have)); diff != "" {
				t.Errorf("folds to something else than it did (-then +now):\n%s", diff)
			}
		})
	}
}

func recording() bool { return os.Getenv("UPDATE_HISTORIES") != "" }

// known leaves out of what a story folds to the keys that its record has not.
func known(record, have any) any {
	switch old := record.(type) {
	case map[string]any:
		now, ok := have.(map[string]any)
		if !ok {
			return have
		}
		now = maps.Clone(now)
		for key := range now {
			if _, ok := old[key]; !ok {
				delete(now, key)
				continue
			}
			now[key] = known(old[key], now[key])
		}
		return now
	case []any:
		now, ok := have.([]any)
		if !ok || len(now) != len(old) {
			return have
		}
		all := []any{}
		for i := range now {
			all = append(all, known(old[i], now[i]))
		}
		return all
	}
	return have
}

// stored reads a story, a message a line.
func stored(t *testing.T, file string) []events.Message {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []events.Message
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 2<<20)
	for lines.Scan() {
		var m struct {
			Subject string          `json:"subject"`
			Seq     uint64          `json:"seq"`
			Header  events.Header   `json:"header"`
			Data    json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		all = append(all, events.Message{Subject: m.Subject, Header: m.Header, Data: m.Data, Seq: m.Seq})
	}
	if lines.Err() != nil || len(all) == 0 {
		t.Fatalf("%d messages, %v", len(all), lines.Err())
	}
	return all
}

// outcomeOf reads all messages in order.
func outcomeOf(t *testing.T, all []events.Message) outcome {
	t.Helper()
	out := outcome{Operations: map[failover.OpID]operation{}, Holds: map[string]failover.OpID{}}
	folded := map[failover.OpID]failover.Operation{}
	for _, m := range all {
		var err error
		switch kind, _, _ := strings.Cut(strings.TrimPrefix(m.Subject, "ferry."), "."); kind {
		case "command":
			_, err = events.DecodeCommand(m)
			out.Commands++
		case "drive":
			_, err = events.DecodeDrive(m)
			out.Drives++
		case "target":
			var hold failover.Hold
			hold, err = events.DecodeHold(m)
			out.Holds[hold.Key] = hold.Op
		case "op":
			var record failover.Record
			record, err = events.DecodeFact(m)
			id := failover.OpID(events.LastToken(m.Subject))
			folded[id] = failover.Evolve(folded[id], record)
		}
		if err != nil {
			t.Error(err)
		}
	}
	maps.DeleteFunc(out.Holds, func(_ string, op failover.OpID) bool { return op == "" })
	for id, op := range folded {
		out.Operations[id] = operationOf(op)
	}
	return out
}

func operationOf(op failover.Operation) operation {
	o := operation{
		Verb: op.Verb, Phase: op.Phase, By: op.RequestedBy.ID, Reason: op.Reason, Note: op.Note, Seq: op.Seq, Parked: op.Parked,
		Executor: op.Executor, Reminders: op.Reminders, Answers: map[string]int{},
	}
	for _, d := range op.Decisions {
		o.Decisions = append(o.Decisions, fmt.Sprintf("%s %s by %s: %v", d.Gate, d.Step, d.By.ID, d.Approve))
	}
	for _, a := range op.Answers {
		answer := string(a.Did)
		if a.Refused != nil {
			answer = "refused: " + string(a.Refused.Kind)
		}
		o.Answers[answer]++
	}
	for _, t := range op.Targets {
		line := target{Name: t.Item.Name, Key: t.Item.Key, Phase: t.Phase, Point: t.PointUsed.UTC().Format("2006-01-02T15:04:05Z")}
		if t.Error != nil {
			line.Error = t.Error.Code + " " + t.Error.Message
		}
		for _, c := range t.Checked {
			line.Checks = append(line.Checks, string(c.Outcome))
		}
		for _, s := range t.Steps {
			line.Steps = append(line.Steps, fmt.Sprintf("%s %d %s job=%v", s.Kind, s.Attempt, s.State, s.JobID != ""))
		}
		o.Targets = append(o.Targets, line)
	}
	return o
}

// What was recorded is not touched afterwards.
func TestCorpusIsNotRewritten(t *testing.T) {
	files, err := filepath.Glob(corpus + "/*.[jg]*")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile(sums)
	if err != nil && !recording() {
		t.Fatal(err)
	}
	have := map[string]string{}
	for line := range strings.Lines(string(listed)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		have[name] = sum
	}
	var lines []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, hash := filepath.Base(file), sha256.Sum256(data)
		sum := hex.EncodeToString(hash[:])
		switch old, ok := have[name]; {
		case !ok && !recording():
			t.Errorf("%s is not in %s: make histories adds it", name, sums)
		case ok && old != sum:
			t.Errorf("%s was changed: what a version of Ferry has stored does not change", name)
		}
		delete(have, name)
		lines = append(lines, sum+"  "+name+"\n")
	}
	for name := range have {
		t.Errorf("%s is gone", name)
	}
	if recording() && !t.Failed() {
		slices.Sort(lines)
		if err := os.WriteFile(sums, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
