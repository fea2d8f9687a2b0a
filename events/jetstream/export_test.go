package jetstream

import (
	"context"
	"log/slog"
	"strings"
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

// OptionsOf are those of a role, or of ben's terminal.
func (e *Embedded) OptionsOf(role string) Options {
	o := e.Options(role)
	if role == Ben {
		o.Name, o.Identity = RoleCLI, "ben"
	}
	return o
}

// Shipped are the generated files of deploy/nats.
func Shipped() map[string]string {
	const note = "# Generated from events/jetstream/permissions.go, do not edit: UPDATE_GOLDEN=1 go test -run TestShipped ./events/jetstream\n"
	key := func(r rights) string { return "$" + strings.ToUpper(r.role) + "_KEY" }
	return map[string]string{
		"accounts.conf":    note + "# Keys stand in keys.conf, terminals in terminals.conf; README.md says how both are made.\n\ninclude \"keys.conf\"\n\n" + accountsConf(shared(), key, "  include \"terminals.conf\"\n"),
		"terminal.conf.in": note + "# The account of one person: put a name for NAME and the public key for KEY, and append it to terminals.conf.\n\n" + accountConf(terminalRights("NAME"), "KEY", nil),
	}
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
