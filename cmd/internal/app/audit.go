package app

import (
	"context"
	"errors"
	"net"

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
	to := jetstream.Options{URL: o.Config.NATS.URL, Creds: o.Config.NATS.Creds, Name: jetstream.RoleExecutor, Replicas: o.Config.NATS.Replicas, Log: o.Log}
	if o.Dial != nil {
		to.Dial = func(network, address string) (net.Conn, error) { return o.Dial(ctx, network, address) }
	}
	client, err := jetstream.Connect(to)
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
