package app

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/events/jetstream"
)

// The hour is that of the place, also where a day has 23 or 25 hours.
func TestDaily(t *testing.T) {
	t.Parallel()
	due := daily(config.Digest{Hour: "09:00", TimeZone: "Europe/Paris"})
	for now, want := range map[string]string{
		"2026-11-25T07:59:59Z": "2026-11-24T08:00:00Z",
		"2026-11-25T08:00:00Z": "2026-11-25T08:00:00Z",
		"2026-03-29T06:59:59Z": "2026-03-28T08:00:00Z", // the clocks go forward at one
		"2026-03-29T12:00:00Z": "2026-03-29T07:00:00Z",
		"2026-10-25T12:00:00Z": "2026-10-25T08:00:00Z",
		"2027-01-01T00:00:00Z": "2026-12-31T08:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := due(at).UTC().Format(time.RFC3339); got != want {
			t.Errorf("at %s: %s, want %s", now, got, want)
		}
	}
}

// A file gets one line a day, whatever stands in it already and however often the process starts.
func TestHeadsInAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "heads.txt")
	embedded, err := jetstream.StartEmbedded(filepath.Join(dir, "data"), false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Stop() })
	as := func(role string) *jetstream.Client {
		o := embedded.Options(role)
		o.Log = slog.New(slog.DiscardHandler)
		c, err := jetstream.Connect(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	executor := as(jetstream.RoleExecutor)
	if err := executor.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	late := time.Duration(0)
	write := func() string {
		if err := writeHead(t.Context(), path, due, due.Add(late), heads{executor}); err != nil {
			t.Error(err)
		}
		data, _ := os.ReadFile(path) // not there: nothing was written
		return string(data)
	}
	if said := write(); said != "" {
		t.Errorf("a head of nothing: %q", said)
	}
	if err := as(jetstream.RoleBot).Submit(t.Context(), "slack", aCommand()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	looks := 0
	changed := func() <-chan struct{} {
		if looks++; looks > 1 { // one is enough
			stop()
		}
		now := make(chan struct{})
		close(now)
		return now
	}
	if err := executor.KeepAudit(ctx, changed); err != nil {
		t.Fatal(err)
	}
	first := write()
	head, err := executor.AuditHead(t.Context())
	if err != nil || first != "2026-11-25T09:00:00Z "+head.String()+"\n" || write() != first {
		t.Errorf("got %q, %v", first, err)
	}
	due, late = due.AddDate(0, 0, 1), 8*time.Hour
	if second, said := write(), "2026-11-26T17:00:00Z "+head.String()+"\n"; second != first+said {
		t.Errorf("after a day, eight hours late: %q, want another line %q", second, said)
	}
	late = 0
	// A line that was torn is no head: that day's is written once more, on a line of its own.
	due = due.AddDate(0, 0, 1)
	whole := write()
	for _, torn := range []int{1, 30, len(first) / 2} {
		if err := os.Truncate(path, int64(len(whole)-torn)); err != nil {
			t.Fatal(err)
		}
		again := strings.Split(write(), "\n")
		if len(again) != 5 || again[3] != "2026-11-27T09:00:00Z "+head.String() || again[4] != "" {
			t.Errorf("torn by %d: %q", torn, again)
		}
		if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeHead(t.Context(), filepath.Join(dir, "none", "heads.txt"), due, due, heads{executor}); err == nil {
		t.Error("a folder that is not there")
	}
}
