package app

import (
	"context"
	"errors"
	"net"

	"ferry/events"
	"ferry/events/jetstream"
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
func VerifyAudit(ctx context.Context, o Options) (events.Verdict, error) {
	to := jetstream.Options{URL: o.Config.NATS.URL, Creds: o.Config.NATS.Creds, Name: jetstream.RoleExecutor, Replicas: o.Config.NATS.Replicas, Log: o.Log}
	if o.Dial != nil {
		to.Dial = func(network, address string) (net.Conn, error) { return o.Dial(ctx, network, address) }
	}
	client, err := jetstream.Connect(to)
	if err != nil {
		return events.Verdict{}, err
	}
	defer client.Close()
	return client.VerifyAudit(ctx)
}
