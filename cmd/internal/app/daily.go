package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"ferry/bot/render"
	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
)

// daily gives the newest time of the day's hour that is not after another time.
func daily(at config.Digest) func(now time.Time) time.Time {
	zone, err := time.LoadLocation(at.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	hour, err := time.Parse("15:04", at.Hour)
	if err != nil { // the configuration was checked
		hour = time.Time{}
	}
	return func(now time.Time) time.Time {
		local := now.In(zone)
		due := time.Date(local.Year(), local.Month(), local.Day(), hour.Hour(), hour.Minute(), 0, 0, zone)
		if due.After(now) {
			due = time.Date(local.Year(), local.Month(), local.Day()-1, hour.Hour(), hour.Minute(), 0, 0, zone)
		}
		return due
	}
}

// heads gives the bot the head of the audit.
type heads struct{ client *jetstream.Client }

// Head is as the executors have kept it: some seconds behind the stream.
func (h heads) Head(ctx context.Context) (render.Head, error) {
	chain, err := h.client.AuditHead(ctx)
	return render.Head{Messages: chain.Seq, Text: chain.String()}, err
}

// writeHeads appends the head of the audit to a file, once a day, until ctx ends.
func writeHeads(ctx context.Context, path string, due func(time.Time) time.Time, now func() time.Time, from heads, log *slog.Logger) error {
	for ctx.Err() == nil {
		at := now()
		wait := due(due(at).Add(36 * time.Hour)).Sub(at)
		if err := writeHead(ctx, path, due(at), at, from); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the head of the audit is not written to audit.file yet; trying again", slog.Any("error", err))
			wait = time.Minute
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return nil
}

// writeHead appends the head that was due, unless the file has one of since then. A line is the time of now and the head: a process
// that was down when it was due must not say that the head is as old as that.
func writeHead(ctx context.Context, path string, due, now time.Time, from heads) error {
	written, torn, err := lastWritten(path)
	if err != nil || !written.Before(due) {
		return err
	}
	head, err := from.Head(ctx)
	if err != nil || head.Messages == 0 {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening audit.file: %w", err)
	}
	line := now.UTC().Format(time.RFC3339) + " " + head.Text + "\n"
	if torn {
		line = "\n" + line
	}
	_, err = io.WriteString(f, line)
	return errors.Join(err, f.Sync(), f.Close())
}

// lastWritten is the time on the last whole line of the file, zero when there is none. Behind it may be a torn one, which a full
// disk or a power cut leaves.
func lastWritten(path string) (last time.Time, torn bool, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return last, false, nil
	}
	if err != nil {
		return last, false, fmt.Errorf("reading audit.file: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		torn = !strings.HasSuffix(line, "\n")
		word, head, _ := strings.Cut(strings.TrimSpace(line), " ")
		at, err := time.Parse(time.RFC3339, word)
		if _, bad := events.ParseChain(head); err == nil && bad == nil && !torn {
			last = at
		}
	}
	return last, torn, nil
}
