package events_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/failover"
)

// someMessages are as different as they come: plain, with markup, foreign bytes, no header, a header with two values.
func someMessages() []events.Message {
	return []events.Message{
		{Subject: "ferry.command.slack.op-aaaaaaaa", Header: events.Header{"ce-id": {"1"}}, Data: []byte(`{"reason":"a < b & c \u2028"}`)},
		{Subject: "ferry.op.op-aaaaaaaa", Header: events.Header{"ce-id": {"2"}, "x": {"a", "b"}}, Data: []byte(`{}`)},
		{Subject: "ferry.op.op-bbbbbbbb", Data: []byte("\xff\xfe")},
		{Subject: "ferry.op.op-bbbbbbbb", Header: events.Header{"h\xff": {"\xfe", ""}}},
		{Subject: "ferry.target.1", Header: events.Header{"ce-id": {"5"}}, Data: []byte(`{"op":""}`)},
	}
}

func exported(t *testing.T, op failover.OpID, want func(events.Message) bool) ([]byte, events.Chain) {
	t.Helper()
	var file bytes.Buffer
	out := events.NewExport(&file, op)
	chain := events.Chain{}
	for i, m := range someMessages() {
		m.Seq = uint64(i + 1)
		stored := time.Date(2026, 11, 25, 9, 0, i, i*1000, time.UTC)
		chain = chain.Add(m, stored)
		if err := out.Add(m, stored, want(m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.End(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), chain
}

func everything(events.Message) bool { return true }

func TestExportIsVerifiedAlone(t *testing.T) {
	t.Parallel()
	file, chain := exported(t, "", everything)
	found, err := events.VerifyExport(bytes.NewReader(file), chain)
	if err != nil || found.Messages != 5 || found.Head != chain || found.Operation != "" || found.At.IsZero() {
		t.Errorf("got %+v, %v", found, err)
	}
	part, _ := exported(t, "op-aaaaaaaa", func(m events.Message) bool {
		return strings.HasSuffix(m.Subject, "aaaaaaaa") || m.Subject == "ferry.target.1"
	})
	found, err = events.VerifyExport(bytes.NewReader(part), chain)
	if err != nil || found.Messages != 3 || found.Operation != "op-aaaaaaaa" {
		t.Errorf("got %+v, %v", found, err)
	}
	empty, _ := exported(t, "op-cccccccc", func(events.Message) bool { return false })
	if found, err := events.VerifyExport(bytes.NewReader(empty)); err != nil || found.Messages != 0 {
		t.Errorf("got %+v, %v", found, err)
	}
}

// Whichever byte of an export is changed, and to whatever, it is noticed, on the line where it stands.
func TestEveryChangedByteIsLocated(t *testing.T) {
	t.Parallel()
	whole, _ := exported(t, "", everything)
	part, _ := exported(t, "op-aaaaaaaa", func(m events.Message) bool {
		return strings.HasSuffix(m.Subject, "aaaaaaaa") || m.Subject == "ferry.target.1"
	})
	for _, file := range [][]byte{whole, part} {
		for i := range file {
			for _, by := range []byte{1, 2, 16, 32, 128} {
				changed := bytes.Clone(file)
				changed[i] ^= by
				_, err := events.VerifyExport(bytes.NewReader(changed))
				line := bytes.Count(file[:i], []byte("\n")) + 1
				if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: ", line)) {
					t.Fatalf("byte %d of line %d (%q) changed by %d: %v", i, line, file[i], by, err)
				}
			}
		}
	}
}

// What is missing from an export, or was put into it, is noticed wherever it is.
func TestMissingLinesAreNoticed(t *testing.T) {
	t.Parallel()
	file, chain := exported(t, "", everything)
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		without := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		twice := bytes.Join(append(append([][]byte{}, lines[:i+1]...), lines[i:]...), nil)
		for name, file := range map[string][]byte{"without": without, "twice": twice} {
			if _, err := events.VerifyExport(bytes.NewReader(file)); err == nil {
				t.Errorf("%s line %d: nothing is wrong", name, i+1)
			}
		}
	}
	for n := range file {
		if _, err := events.VerifyExport(bytes.NewReader(file[:n])); err == nil {
			t.Fatalf("cut off after %d bytes: nothing is wrong", n)
		}
	}
	part, _ := exported(t, "op-aaaaaaaa", func(m events.Message) bool { return m.Seq == 1 })
	forged := chain
	forged.Sum[0]++
	if _, err := events.VerifyExport(bytes.NewReader(part), forged); err == nil || !strings.Contains(err.Error(), "changed: the head") {
		t.Errorf("a part against another head: %v", err)
	}
	later := chain
	later.Seq++
	if _, err := events.VerifyExport(bytes.NewReader(file), later); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("against a later head: %v", err)
	}
	other := chain
	other.Sum[0]++
	if _, err := events.VerifyExport(bytes.NewReader(file), other); err == nil || !strings.Contains(err.Error(), "line 5: changed") {
		t.Errorf("against another head: %v", err)
	}
}

func TestParseChain(t *testing.T) {
	t.Parallel()
	_, chain := exported(t, "", everything)
	if got, err := events.ParseChain(chain.String()); err != nil || got != chain {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "5", ":", "x:" + strings.Repeat("0", 64), "5:00", "5:" + strings.Repeat("g", 64)} {
		if _, err := events.ParseChain(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
