package jetstream_test

import (
	"bufio"
	"context"
	"fmt"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// publishRaw stores a message whose header is nothing that a client library would write.
func (l *lab) publishRaw(subject, header string) {
	l.Helper()
	conn, err := l.InProcessConn()
	if err != nil {
		l.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	said := bufio.NewReader(conn)
	for _, line := range []string{"", `CONNECT {"verbose":true,"headers":true,"protocol":1}`, fmt.Sprintf("HPUB %s %d %d\r\n%s", subject, len(header), len(header), header)} {
		if line != "" { // first the server speaks
			if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
				l.Fatal(err)
			}
		}
		if _, err := said.ReadString('\n'); err != nil {
			l.Fatal(err)
		}
	}
}

// Whoever may ask for something may write headers that read like the server's word that there is nothing to do. Such a message
// is taken off the queue like anything else that is no command, and keeps nobody waiting.
func TestAMessageThatPosesAsTheServer(t *testing.T) {
	for _, header := range []string{
		"Status: 404\r\n", "Status: 408\r\n", "Status: 409\r\nDescription: Consumer Deleted\r\n", "Status: 503\r\n", "Status: 100\r\n", "Status: 7\r\n", "no header\r\n",
	} {
		t.Run(header, func(t *testing.T) {
			bubble(t, func(l *lab) {
				c := l.client("a", nil)
				for range 20 {
					l.publishRaw("ferry.command.cli-eve.op-aaaaaaaa", "NATS/1.0\r\n"+header+"\r\n")
				}
				l.submit(c, "m1")
				decided := time.Duration(-1)
				began := time.Now()
				l.loop(func(ctx context.Context) error {
					return c.Commands(ctx, 4, func(context.Context, failover.Command) error {
						decided = time.Since(began)
						return nil
					})
				})
				pass(time.Minute)
				if decided != 0 {
					t.Errorf("what came behind them was decided after %s", decided)
				}
				consumer, err := jetstream.Raw(c).Consumer(l.ctx, events.Stream, "decide")
				if err != nil {
					t.Fatal(err)
				}
				info, err := consumer.Info(l.ctx)
				if err != nil || info.NumAckPending != 0 || info.NumPending != 0 {
					t.Errorf("%+v, %v", info, err)
				}
			})
		})
	}
}
