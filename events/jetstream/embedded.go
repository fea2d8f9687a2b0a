package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"ferry/events"
)

// The identities of the embedded server. "local" is whoever may read the data directory.
const (
	RoleBot      = "bot"
	RoleExecutor = "executor"
	RoleCLI      = "cli"
	// RoleCheck is of whoever answers for the checks of VMs, a program that is not Ferry.
	RoleCheck = "check"
)

// clientFile is where the terminal finds the embedded server, checkFile where the services behind checks do.
const (
	clientFile = "client.json"
	checkFile  = "check.json"
)

// answerWithin is how long the service behind a check may take; nobody waits longer.
const answerWithin = 10 * time.Second

// readyWithin is how long the embedded server may take to start; a large store is read first.
const readyWithin = 30 * time.Second

// maxStore is how many bytes the embedded server keeps: some ten million facts.
const maxStore = 16 << 30

// ErrLocked says that another process uses the data directory: two servers on one store lose data silently.
var ErrLocked = errors.New("another ferry process is running on this data directory; end it first, or name another data_dir." +
	" Several processes work together on a NATS server of their own: nats.url")

// Embedded is a NATS server within the process, on loopback only.
type Embedded struct {
	server *server.Server
	lock   *os.File
	seeds  map[string]string // role -> nkey seed
	errors chan struct{}     // holds one: the server has logged an error
}

// ClientFile is what a terminal needs to reach an embedded server, or a service that answers for checks.
type ClientFile struct {
	URL  string `json:"url"`
	Seed string `json:"seed"` // nkey of the identity: cli:local, or the one that may answer on ferrysvc.check.>
}

// StartEmbedded starts a server whose store is in dir. With listen it takes a random port of 127.0.0.1 and writes
// client.json and check.json there, readable by their owner only; without, it is reachable in the process only.
// What the server complains about goes to log.
func StartEmbedded(dir string, listen bool, log *slog.Logger) (*Embedded, error) {
	return startEmbedded(dir, listen, maxStore, log)
}

func startEmbedded(dir string, listen bool, maxStore int64, log *slog.Logger) (*Embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &Embedded{lock: lock, seeds: map[string]string{}, errors: make(chan struct{}, 1)}
	if err := e.start(dir, listen, maxStore, log); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if !listen {
		return e, nil
	}
	for name, role := range map[string]string{clientFile: RoleCLI, checkFile: RoleCheck} {
		if err := writeClientFile(dir, name, ClientFile{URL: e.server.ClientURL(), Seed: e.seeds[role]}); err != nil {
			return nil, errors.Join(err, e.Stop())
		}
	}
	return e, nil
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, ErrLocked), f.Close())
	}
	return f, nil
}

func (e *Embedded) start(dir string, listen bool, maxStore int64, log *slog.Logger) error {
	users, err := e.users()
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "ferry", Host: "127.0.0.1", Port: server.RANDOM_PORT, DontListen: !listen,
		JetStream: true, StoreDir: filepath.Join(dir, "nats"), SyncAlways: true, // survives a power cut, not only a crash
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: maxStore,
		NoSigs: true, NoLog: true, Nkeys: users,
	})
	if err != nil {
		return fmt.Errorf("configuring the embedded NATS server: %w", err)
	}
	s.SetLogger(serverLog{log, e.complain}, false, false)
	s.Start()
	e.server = s
	if !s.ReadyForConnections(readyWithin) {
		s.Shutdown()
		return fmt.Errorf("the embedded NATS server was not ready within %s", readyWithin)
	}
	return nil
}

// users draws a key for each role and gives it its rights: a terminal cannot write facts, a bot cannot either, and nobody
// but an executor can speak for the journal.
func (e *Embedded) users() ([]*server.NkeyUser, error) {
	var users []*server.NkeyUser
	for role, may := range permissions() {
		pair, err := nkeys.CreateUser()
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		seed, err := pair.Seed()
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		e.seeds[role] = string(seed)
		users = append(users, &server.NkeyUser{Nkey: public, Permissions: may})
	}
	return users, nil
}

func permissions() map[string]*server.Permissions {
	// Facts are read through a consumer: a core subscription also sees writes that lost their guard.
	noCore := []string{"ferry.>"}
	return map[string]*server.Permissions{
		RoleExecutor: {
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX_executor.>", "ferrysvc.>", "$SRV.>"}, Deny: noCore},
		},
		RoleBot: {
			Publish:   &server.SubjectPermission{Allow: botPublishes()},
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX_bot.>", "ferrysvc.>", "$SRV.>"}, Deny: noCore},
		},
		RoleCLI: {
			Publish:   &server.SubjectPermission{Allow: []string{"ferry.command.cli-local.*", "ferrysvc.>"}},
			Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX_cli.>"}},
		},
		RoleCheck: {
			Publish:   &server.SubjectPermission{Deny: []string{">"}}, // but for an answer
			Subscribe: &server.SubjectPermission{Allow: []string{events.CheckSubject(">")}},
			Response:  &server.ResponsePermission{MaxMsgs: 1, Expires: answerWithin},
		},
	}
}

// botPublishes lists the subjects of a bot beside an executor, which sets everything up: it asks for Slack users, reads the
// stream and its own queue and bucket, and answers reads. A wider right to $JS.API would let it store facts: a server
// publishes for whoever makes streams and consumers.
func botPublishes() []string {
	bucket, members := "KV_"+bucketMessages, "KV_"+bucketMembers
	return []string{
		"ferry.command.slack.*", "ferrysvc.>", "_INBOX_cli.>", "_INBOX_bot.>",
		"$JS.API.STREAM.INFO." + events.Stream, "$JS.API.STREAM.MSG.GET." + events.Stream,
		"$JS.API.CONSUMER.INFO." + events.Stream + "." + consumerAnnounce,
		"$JS.API.CONSUMER.MSG.NEXT." + events.Stream + "." + consumerAnnounce,
		"$JS.API.CONSUMER.UNPIN." + events.Stream + "." + consumerAnnounce,
		"$JS.ACK." + events.Stream + "." + consumerAnnounce + ".>", "$JS.ACK.*.*." + events.Stream + "." + consumerAnnounce + ".>",
		"$JS.API.STREAM.INFO." + bucket, "$JS.API.DIRECT.GET." + bucket + ".>", "$KV." + bucketMessages + ".>",
		"$JS.API.STREAM.INFO." + members, "$JS.API.DIRECT.GET." + members + ".>", "$KV." + bucketMembers + "." + membersKey,
	}
}

// Options say how a role of this process reaches the server.
func (e *Embedded) Options(role string) Options {
	return Options{InProcess: e, Seed: e.seeds[role], Name: role}
}

// InProcessConn connects without a socket.
func (e *Embedded) InProcessConn() (net.Conn, error) { return e.server.InProcessConn() }

func (e *Embedded) complain() {
	select {
	case e.errors <- struct{}{}:
	default:
	}
}

// Watch waits until the server keeps nothing more, which only room on the disk and a new start end, and returns why; nil
// when ctx ends. Up to then nothing that was confirmed is lost, and what could not be stored was not confirmed.
func (e *Embedded) Watch(ctx context.Context) error {
	for {
		select {
		case <-e.errors:
		case <-ctx.Done():
			return nil
		}
		if err := e.health(); err != nil {
			return fmt.Errorf("it stores nothing more: %w", err)
		}
	}
}

// health says why the server cannot store.
func (e *Embedded) health() error {
	if h := e.server.Healthz(nil); h.Error != "" {
		return fmt.Errorf("%s; make room on the disk of data_dir, then start ferry again", h.Error)
	}
	js, err := e.server.Jsz(nil)
	switch {
	case err != nil:
		return err
	case js.Disabled:
		return errors.New("JetStream has shut down; see what it logged, make the disk of data_dir writable, then start ferry again")
	case js.Store > uint64(max(0, js.Config.MaxStore)):
		return fmt.Errorf("its limit of %d bytes is reached; a NATS server of its own (nats.url) can keep more", js.Config.MaxStore)
	}
	return nil
}

// Stop shuts the server down and lets the data directory go.
func (e *Embedded) Stop() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	return e.lock.Close()
}

func writeClientFile(dir, name string, c ClientFile) error {
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	path := filepath.Join(dir, name)
	// Written aside and renamed: a reader never sees half a file, and an old file's wider rights are not kept.
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// ReadClientFile finds the embedded server of a data directory.
func ReadClientFile(dir string) (ClientFile, error) {
	var c ClientFile
	data, err := os.ReadFile(filepath.Join(dir, clientFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("no ferry has run with the data directory %s", dir)
	}
	if err != nil {
		return c, fmt.Errorf("reading %s: %w", clientFile, err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("reading %s: %w", clientFile, err)
	}
	return c, nil
}
