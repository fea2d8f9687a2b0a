package terminal_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ferry/events"
	"ferry/failover"
)

// The examples of docs/terminal.md have every field that a script may find, and no other.
func TestDocumentedJSON(t *testing.T) {
	t.Parallel()
	type list struct {
		V      int                  `json:"v"`
		Items  []events.ListItem    `json:"items"`
		Groups []failover.GroupLine `json:"groups"`
		Frozen []events.Frozen      `json:"frozen"`
	}
	type open struct {
		V          int                 `json:"v"`
		Operations []events.Status     `json:"operations"`
		Foreign    []events.ForeignJob `json:"foreign_jobs"`
		Frozen     []events.Frozen     `json:"frozen"`
	}
	type refused struct {
		V       int               `json:"v"`
		ID      failover.OpID     `json:"id"`
		Refused *failover.Refusal `json:"refused"`
	}
	page, err := os.ReadFile("../../../docs/terminal.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)\n### (.*?)\n.*?```json\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	into := []any{&events.Status{}, &open{}, &list{}, &events.Points{}, &events.Jobs{}, &events.Debt{}, &events.Report{}, &events.Readiness{}, &events.Forecast{}, &refused{}}
	if len(examples) != len(into) {
		t.Fatalf("%d examples, want %d", len(examples), len(into))
	}
	for i, example := range examples {
		decoder := json.NewDecoder(strings.NewReader(example[2]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into[i]); err != nil {
			t.Errorf("%s: %v", example[1], err)
			continue
		}
		again, err := json.Marshal(into[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded(t, []byte(example[2])), decoded(t, again)); diff != "" {
			t.Errorf("%s: -documented +written: %s", example[1], diff)
		}
	}
}

func decoded(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
