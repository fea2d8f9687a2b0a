package app

import (
	"context"
	"errors"

	"ferry/events/jetstream"
)

// VerifyAudit reads the whole stream of a started executor and compares it with the hash that is kept of it; the error says
// what is wrong.
func (a *App) VerifyAudit(ctx context.Context) error {
	if a.auditor == nil {
		return errors.New("only an executor may read the whole stream")
	}
	return verify(ctx, a.auditor)
}

// VerifyAudit does the same with an external NATS server, whether Ferry runs there or not.
func VerifyAudit(ctx context.Context, o Options) error {
	client, err := jetstream.Connect(jetstream.Options{
		URL: o.Config.NATS.URL, Creds: o.Config.NATS.Creds, Name: jetstream.RoleExecutor, Replicas: o.Config.NATS.Replicas, Dial: o.Dial, Log: o.Log,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	return verify(ctx, client)
}

func verify(ctx context.Context, client *jetstream.Client) error {
	verdict, err := client.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	return verdict.Err()
}
