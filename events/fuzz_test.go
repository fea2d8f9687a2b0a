package events_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/failover"
)

// kept are messages that Ferry has stored: the first of each type and command in the histories.
func kept(f *testing.F, subject string) []events.Message {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(corpus, "*.jsonl"))
	if err != nil || len(files) == 0 {
		f.Fatal("no histories: ", err)
	}
	var all []events.Message
	seen := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var m struct {
				Subject string          `json:"subject"`
				Seq     uint64          `json:"seq"`
				Header  events.Header   `json:"header"`
				Data    json.RawMessage `json:"data"`
			}
			var of struct {
				Verb string `json:"verb"`
			}
			if err := json.Unmarshal(line, &m); err != nil {
				f.Fatal(file, err)
			}
			_ = json.Unmarshal(m.Data, &of) // many have none
			kind := m.Header.Get("ce-type") + of.Verb
			if strings.HasPrefix(m.Subject, subject) && !seen[kind] {
				seen[kind] = true
				all = append(all, events.Message{Subject: m.Subject, Header: m.Header, Data: m.Data, Seq: m.Seq})
			}
		}
	}
	if len(all) == 0 {
		f.Fatal("no messages on ", subject)
	}
	return all
}

// add has each message as a seed: its subject, its header as lines, and its data.
func add(f *testing.F, all []events.Message) {
	f.Helper()
	for _, m := range all {
		var header strings.Builder
		for name, values := range m.Header {
			for _, v := range values {
				fmt.Fprintf(&header, "%s: %s\n", name, v)
			}
		}
		f.Add(m.Subject, header.String(), m.Data)
	}
}

func parsed(subject, header string, data []byte) events.Message {
	m := events.Message{Subject: subject, Header: events.Header{}, Data: data, Seq: 7}
	lines := bufio.NewScanner(strings.NewReader(header))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			m.Header[name] = append(m.Header[name], value)
		}
	}
	return m
}

// FuzzFact: whatever stands on an operation's subject is refused, or read, and then it is written as it was read.
func FuzzFact(f *testing.F) {
	add(f, kept(f, "ferry.op."))
	f.Fuzz(func(t *testing.T, subject, header string, data []byte) {
		m := parsed(subject, header, data)
		read, err := events.DecodeFact(m)
		if err != nil || read.At.UTC().Year() > 9999 || read.At.UTC().Year() < 0 { // RFC 3339 ends there; no server's clock goes so far
			return
		}
		op := failover.OpID(events.LastToken(subject))
		once, err := events.EncodeFact(op, "id", read)
		if err != nil {
			t.Fatalf("is read and cannot be written: %+v: %v", read, err)
		}
		once.Seq = m.Seq
		again, err := events.DecodeFact(once)
		if err != nil {
			t.Fatalf("is read once only: %+v: %v", read, err)
		}
		twice, err := events.EncodeFact(op, "id", again)
		if err != nil || !bytes.Equal(once.Data, twice.Data) || again.Command != read.Command || again.More != read.More || !again.At.Equal(read.At) || again.Seq != read.Seq {
			t.Errorf("is read as %+v, then as %+v (%v)\n%s\n%s", read, again, err, once.Data, twice.Data)
		}
		_ = failover.Evolve(failover.Evolve(failover.Operation{}, read), again)
	})
}

// FuzzStoredCommand: whatever stands on a command's subject is refused, or says who asked and survives being stored again.
func FuzzStoredCommand(f *testing.F) {
	all := kept(f, "ferry.command.")
	add(f, all)
	data := string(all[0].Data)
	for _, forged := range []struct{ subject, data string }{ // what the search would have to guess in two places
		{"ferry.command.slack.op-x", data},
		{"ferry.command.cli-.op-aaaaaaaa", data},
		{"ferry.command.cli-local.op-aaaaaaaa", data},
		{"ferry.command.other.op-aaaaaaaa", data},
		{"ferry.command.slack.op-aaaaaaaa", strings.Replace(data, "U0ANA", "cli:local", 1)},
		{"ferry.command.slack.op-aaaaaaaa", strings.Replace(data, `"by":{`, `"by":{"person":"ben",`, 1)},
	} {
		m := events.Message{Subject: forged.subject, Header: maps.Clone(all[0].Header), Data: []byte(forged.data)}
		m.Header["ce-subject"] = []string{events.LastToken(forged.subject)}
		add(f, []events.Message{m})
	}
	f.Fuzz(func(t *testing.T, subject, header string, data []byte) {
		read, err := events.DecodeCommand(parsed(subject, header, data))
		if err != nil {
			return
		}
		parts := strings.Split(subject, ".")
		if len(parts) != 4 || read.By.ID == "" || read.By.Person != "" || !failover.IsOpID(string(read.Op)) || strings.HasPrefix(read.By.ID, "cli:") != strings.HasPrefix(parts[2], "cli-") {
			t.Errorf("on %s: %+v", subject, read)
		}
		once, err := events.EncodeCommand(parts[2], read)
		if err != nil {
			t.Fatalf("is read and cannot be written: %+v: %v", read, err)
		}
		again, err := events.DecodeCommand(once)
		if err != nil {
			t.Fatalf("is read once only: %+v: %v", read, err)
		}
		twice, err := events.EncodeCommand(parts[2], again)
		if err != nil || !bytes.Equal(once.Data, twice.Data) || again.MessageID != read.MessageID {
			t.Errorf("%s\n%s (%v)", once.Data, twice.Data, err)
		}
	})
}

// FuzzHold: whatever stands on a target's subject, only what names an operation takes it, and only what Ferry wrote lets it go.
func FuzzHold(f *testing.F) {
	add(f, slices.Concat(kept(f, "ferry.target."), kept(f, "ferry.drive.")))
	f.Fuzz(func(t *testing.T, subject, header string, data []byte) {
		m := parsed(subject, header, data)
		_, _ = events.DecodeDrive(m)
		read, err := events.DecodeHold(m)
		if err != nil {
			return
		}
		once, err := events.EncodeHold(read, "id", time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		once.Seq = m.Seq
		again, err := events.DecodeHold(once)
		if err != nil || again != read {
			t.Errorf("is read as %+v, then as %+v (%v)", read, again, err)
		}
	})
}

// FuzzExport: whatever is in a file that claims to be a record, it is verified or refused.
func FuzzExport(f *testing.F) {
	var whole bytes.Buffer
	out := events.NewExport(&whole, "")
	for i, m := range kept(f, "ferry.") {
		m.Seq = uint64(i) + 1
		if err := out.Add(m, time.Unix(int64(i), 0), true); err != nil {
			f.Fatal(err)
		}
	}
	if err := out.End(); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := events.VerifyExport(bytes.NewReader(data))
		if err == nil && len(data) == 0 {
			t.Errorf("nothing is verified as %+v", read)
		}
		if c, err := events.ParseChain(strings.TrimSpace(string(data))); err == nil {
			if again, err := events.ParseChain(c.String()); err != nil || again != c {
				t.Errorf("%s is read as %s (%v)", c, again, err)
			}
		}
	})
}
