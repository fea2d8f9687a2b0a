package events_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"ferry/events"
	"ferry/failover"
)

// history is one operation as some version of Ferry left it in the stream.
type history struct {
	Phase    failover.Phase `json:"phase"` // to which it has to fold for ever
	Targets  int            `json:"targets"`
	Answers  int            `json:"answers"` // commands that were decided
	Messages []struct {
		Subject string          `json:"subject"`
		Seq     uint64          `json:"seq"`
		Header  events.Header   `json:"header"`
		Data    json.RawMessage `json:"data"`
	} `json:"messages"`
}

// Every future version must read what is stored: files are added to testdata/history and never changed.
func TestHistoryStaysReadable(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "history", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no history: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var h history
			if err := json.Unmarshal(data, &h); err != nil {
				t.Fatal(err)
			}
			replay(t, h)
		})
	}
}

func replay(t *testing.T, h history) {
	t.Helper()
	var op failover.Operation
	for _, m := range h.Messages {
		record, err := events.DecodeFact(events.Message{Subject: m.Subject, Header: m.Header, Data: m.Data, Seq: m.Seq})
		if err != nil {
			t.Fatal(err)
		}
		op = failover.Evolve(op, record)
	}
	last := h.Messages[len(h.Messages)-1]
	if op.Phase != h.Phase || len(op.Targets) != h.Targets || len(op.Answers) != h.Answers || op.Seq != last.Seq {
		t.Errorf("folds to %s with %d targets, %d answers, sequence %d; want %s, %d, %d, %d",
			op.Phase, len(op.Targets), len(op.Answers), op.Seq, h.Phase, h.Targets, h.Answers, last.Seq)
	}
	if got := events.LastToken(last.Subject); got != string(op.ID) {
		t.Errorf("is called %s on the subject of %s", op.ID, got)
	}
}
