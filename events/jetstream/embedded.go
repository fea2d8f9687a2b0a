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

// clientFiles are where the terminal finds the embedded server, its audit commands, and the services behind checks.
func clientFiles() map[string]string {
	return map[string]string{RoleCLI: "client.json", RoleAuditor: "auditor.json", RoleCheck: "check.json"}
}

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
	server     *server.Server
	lock       *os.File
	identities []rights
	seeds      map[string]string // account -> nkey seed
	errors     chan struct{}     // holds one: the server has logged an error
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
	return startEmbedded(setting{dir, listen, maxStore, append(shared(), terminalRights(LocalIdentity)), embeddedConf, log})
}

// embeddedConf has the same words as the shipped configuration: what holds for one holds for the other.
func embeddedConf(identities []rights, keys map[string]string) string {
	return accountsConf(identities, func(r rights) string { return keys[r.account] }, "")
}

// setting is how an embedded server is started.
type setting struct {
	dir        string
	listen     bool
	maxStore   int64
	identities []rights
	conf       func(identities []rights, keys map[string]string) string // keys by account
	log        *slog.Logger
}

func startEmbedded(with setting) (*Embedded, error) {
	dir := with.dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	if err := closeDir(dir, with.log); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &Embedded{lock: lock, identities: with.identities, seeds: map[string]string{}, errors: make(chan struct{}, 1)}
	if err := e.start(with); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if !with.listen {
		return e, nil
	}
	for role, name := range clientFiles() {
		if err := writeClientFile(dir, name, ClientFile{URL: e.server.ClientURL(), Seed: e.Options(role).Seed}); err != nil {
			return nil, errors.Join(err, e.Stop())
		}
	}
	return e, nil
}

// closeDir keeps others out of a data directory that was there already: its keys and its store are as good as all rights.
func closeDir(dir string, log *slog.Logger) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("looking at the data directory: %w", err)
	}
	was := info.Mode().Perm()
	if was&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder has to be entered
		return fmt.Errorf("others may look into the data directory %s (%v), and that cannot be changed: %w; make it 0700, or name another data_dir", dir, was, err)
	}
	log.Warn("others could look into the data directory; now only its owner can", slog.String("data_dir", dir), slog.String("was", was.String()),
		slog.String("hint", "when others use this host, take it that they have read what is stored there"))
	return nil
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

func (e *Embedded) start(with setting) error {
	keys, err := e.drawKeys()
	if err != nil {
		return err
	}
	store := filepath.Join(with.dir, "nats")
	if err := moveStore(store); err != nil {
		return err
	}
	opts := &server.Options{}
	if err := opts.ProcessConfigString(with.conf(with.identities, keys)); err != nil {
		return fmt.Errorf("configuring the embedded NATS server: %w", err)
	}
	opts.ServerName, opts.Host, opts.Port, opts.DontListen = "ferry", "127.0.0.1", server.RANDOM_PORT, !with.listen
	opts.JetStream, opts.StoreDir, opts.SyncAlways = true, store, true // survives a power cut, not only a crash
	opts.JetStreamMaxMemory, opts.JetStreamMaxStore = 64<<20, with.maxStore
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("configuring the embedded NATS server: %w", err)
	}
	s.SetLogger(serverLog{with.log, e.complain}, false, false)
	s.Start()
	e.server = s
	if !s.ReadyForConnections(readyWithin) {
		s.Shutdown()
		return fmt.Errorf("the embedded NATS server was not ready within %s", readyWithin)
	}
	return nil
}

// moveStore takes over the store of a version that knew no accounts.
func moveStore(store string) error {
	old, now := filepath.Join(store, "jetstream", "$G"), filepath.Join(store, "jetstream", storeAccount)
	if _, err := os.Stat(filepath.Join(old, "streams", events.Stream)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.Rename(old, now); err != nil {
		return fmt.Errorf("taking over the store of an earlier version: %w", err)
	}
	return nil
}

// drawKeys draws a key for each identity, anew at each start, and gives the public ones.
func (e *Embedded) drawKeys() (map[string]string, error) {
	public := map[string]string{}
	for _, r := range e.identities {
		pair, err := nkeys.CreateUser()
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		seed, err := pair.Seed()
		if err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		if public[r.account], err = pair.PublicKey(); err != nil {
			return nil, fmt.Errorf("drawing a key: %w", err)
		}
		e.seeds[r.account] = string(seed)
	}
	return public, nil
}

// Options say how a role of this process reaches the server.
func (e *Embedded) Options(role string) Options {
	o := Options{InProcess: e, Name: role}
	for _, r := range e.identities {
		if r.role == role {
			o.Seed = e.seeds[r.account]
		}
	}
	if role == RoleCLI {
		o.Identity = LocalIdentity
	}
	return o
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
	// Written aside and renamed: a reader never sees half a file, and an old file's wider rights are not kept. Nor is a file
	// that stood aside already: whoever could write here before may have it open, or have led it elsewhere.
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// ReadClientFile finds the embedded server of a data directory, for a terminal or an auditor.
func ReadClientFile(dir, role string) (ClientFile, error) {
	var c ClientFile
	clientFile := clientFiles()[role]
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
