package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// VerifyAudit reads the whole stream of a started executor and compares it with the hash that is kept of it. What is wrong with
// the stream says the verdict; the error, that it could not be read.
func (a *App) VerifyAudit(ctx context.Context) (events.Verdict, error) {
	if a.auditor == nil {
		return events.Verdict{}, errors.New("only an executor may read the whole stream")
	}
	return a.auditor.VerifyAudit(ctx)
}

// VerifyAudit does the same with an external NATS server, whether Ferry runs there or not.
func VerifyAudit(ctx context.Context, o Options, known ...events.Chain) (events.Verdict, error) {
	to, err := New(o).natsAs(jetstream.RoleAuditor)
	if err != nil {
		return events.Verdict{}, err
	}
	client, err := jetstream.Connect(to)
	if err != nil {
		return events.Verdict{}, err
	}
	defer client.Close()
	return client.VerifyAudit(ctx, known...)
}

// ErrNothing says that the record has nothing about an operation.
var ErrNothing = jetstream.ErrNothing

// Auditor reads every message of the stream, to verify and to export it; it changes nothing.
type Auditor struct{ nats *jetstream.Client }

// NewAuditor connects to the server that the configuration names, or to the embedded one of its data directory.
func NewAuditor(cfg config.Config, embedded bool, log *slog.Logger) (*Auditor, error) {
	client, err := connectAs(cfg, jetstream.RoleAuditor, embedded, log)
	if err != nil {
		return nil, err
	}
	return &Auditor{client}, nil
}

// Close ends the connection.
func (a *Auditor) Close() { a.nats.Close() }

// Verify compares the stream with the hash that is kept of it, and with heads that were kept elsewhere.
func (a *Auditor) Verify(ctx context.Context, known ...events.Chain) (events.Verdict, error) {
	v, err := a.nats.VerifyAudit(ctx, known...)
	return v, hinted(err)
}

// Export writes the record, or what of it is about one operation: ErrNothing when there is none.
func (a *Auditor) Export(ctx context.Context, w io.Writer, op failover.OpID) error {
	err := a.nats.ExportAudit(ctx, w, op)
	if errors.Is(err, ErrNothing) {
		return err
	}
	return hinted(err)
}

func hinted(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading the record: %w; it takes the key of an auditor, nats.nkey", err)
}
