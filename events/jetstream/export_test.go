package jetstream

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// RawConn is the connection under a client: a test attacks with it.
func RawConn(c *Client) *nats.Conn { return c.nc }

// Raw is JetStream under a client.
func Raw(c *Client) jetstream.JetStream { return c.js }

// StartSmall starts an embedded server that keeps so many bytes.
func StartSmall(dir string, bytes int64, log *slog.Logger) (*Embedded, error) {
	return startEmbedded(setting{dir, false, bytes, shared(), embeddedConf, log})
}

// Ben is a second terminal, of the servers below.
const Ben = "cli-ben"

// Layout is how the identities of a server are told apart.
type Layout func(identities []rights, keys map[string]string) string

// Layouts are the one that is used, and two to attack: in the one everybody has their rights and all live in the stream's
// account, in the other everybody may do everything.
func Layouts() map[string]Layout {
	return map[string]Layout{
		"accounts": embeddedConf,
		"one account": func(identities []rights, keys map[string]string) string {
			return oneAccount(identities, func(r rights) string {
				r.asks, r.publishes = nil, append(r.publishes, r.asks...) // nothing is set aside within one account
				return userConf(r, keys[r.account])
			})
		},
		"open": func(identities []rights, keys map[string]string) string {
			return oneAccount(identities, func(r rights) string { return "{nkey: " + keys[r.account] + "}" })
		},
	}
}

func oneAccount(identities []rights, user func(rights) string) string {
	users := ""
	for _, r := range identities {
		users += user(r) + "\n"
	}
	return "accounts { " + storeAccount + " { jetstream: enabled, users: [" + users + "] } }"
}

// StartLayout starts an embedded server of a layout that knows ben too.
func StartLayout(dir string, layout Layout, log *slog.Logger) (*Embedded, error) {
	ben := terminalRights("ben")
	ben.role = Ben
	return startEmbedded(setting{dir, true, maxStore, append(shared(), terminalRights(LocalIdentity), ben), layout, log})
}

// BenOptions are those of ben's terminal.
func (e *Embedded) BenOptions() Options {
	o := e.Options(Ben)
	o.Name, o.Identity = RoleCLI, "ben"
	return o
}

// Lag has the bucket read from a server that knows of no later write.
func Lag(ctx context.Context, m *Messages, key string) {
	entry, err := m.kv.Get(ctx, key)
	m.kv = lagging{m.kv, entry, err}
}

type lagging struct {
	jetstream.KeyValue
	entry jetstream.KeyValueEntry
	err   error
}

func (l lagging) Get(context.Context, string) (jetstream.KeyValueEntry, error) { return l.entry, l.err }

// ClockOf makes a clock of anything that tells the time.
func ClockOf(read func(context.Context) (time.Time, error), wall func() time.Time) *Clock {
	return newClock(read, wall, slog.New(slog.DiscardHandler))
}
