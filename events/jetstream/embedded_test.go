package jetstream_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// embedded starts the server that `ferry up` starts, with its stream.
func embedded(t *testing.T, dir string) (*jetstream.Embedded, *jetstream.Client) {
	t.Helper()
	e, err := jetstream.StartEmbedded(dir, true, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	executor := connect(t, e.Options(jetstream.RoleExecutor))
	if err := executor.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e, executor
}

func connect(t *testing.T, o jetstream.Options) *jetstream.Client {
	t.Helper()
	o.Log = logger(t)
	c, err := jetstream.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// terminal connects as a terminal does: over TCP, with what stands in the data directory.
func terminal(t *testing.T, dir string) *jetstream.Client {
	t.Helper()
	f, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI)
	if err != nil {
		t.Fatal(err)
	}
	return connect(t, jetstream.Options{URL: f.URL, Seed: f.Seed, Name: jetstream.RoleCLI, Identity: jetstream.LocalIdentity})
}

func TestClientFile(t *testing.T) {
	realTime(t)
	dir := filepath.Join(t.TempDir(), "deep", "data")
	if _, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	embedded(t, dir)
	for name, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "client.json"): 0o600, filepath.Join(dir, "lock"): 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	f, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI)
	if err != nil || !strings.HasPrefix(f.URL, "nats://127.0.0.1:") {
		t.Errorf("got %q, %v", f.URL, err)
	}
	if nc, err := nats.Connect(f.URL); err == nil {
		nc.Close()
		t.Error("anybody may connect")
	}
}

func TestClientFileDoesNotKeepWiderRights(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "client.json")
	if err := os.WriteFile(name, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	embedded(t, dir)
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Who could write to the folder before has left a file, or a link, where the keys are written first.
func TestKeysAreNotWrittenWhereSomebodyElseLooks(t *testing.T) {
	realTime(t)
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	if err := os.WriteFile(filepath.Join(dir, "client.json.new"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(filepath.Join(dir, "client.json.new"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Close() }()
	if err := os.Symlink(elsewhere, filepath.Join(dir, "auditor.json.new")); err != nil {
		t.Fatal(err)
	}
	embedded(t, dir)
	if seen, err := io.ReadAll(open); err != nil || len(seen) > 0 {
		t.Errorf("an open file shows %q, %v", seen, err)
	}
	if seen, err := os.ReadFile(elsewhere); err == nil {
		t.Errorf("a link shows %q", seen)
	}
	for _, name := range []string{"client.json", "auditor.json"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// A folder that others may look into is closed, and that is said: they may have had a look.
func TestWideDataDirectoryIsClosed(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	for wide, said := range map[os.FileMode]bool{0o755: true, 0o710: true, 0o700: false} {
		if err := os.Chmod(dir, wide); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		e, err := jetstream.StartEmbedded(dir, true, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 || strings.Contains(log.String(), "now only its owner can") != said {
			t.Errorf("%v: now %v, %v, %s", wide, info.Mode(), err, log.String())
		}
	}
}

// The keys change with each start, and are readable by their owner only; nobody reaches the server from another host.
func TestKeysOfTheEmbeddedServer(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	seen := map[string]bool{}
	for range 2 {
		e, err := jetstream.StartEmbedded(dir, true, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"client.json", "auditor.json", "check.json"} {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			info, err2 := os.Stat(path)
			if err != nil || err2 != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v %v", name, info.Mode(), err, err2)
			}
			if !strings.Contains(string(data), "nats://127.0.0.1:") || seen[string(data)] {
				t.Errorf("%s: %s", name, data)
			}
			seen[string(data)] = true
		}
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestOneServerForADirectory(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	first, err := jetstream.StartEmbedded(dir, false, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.StartEmbedded(dir, true, logger(t)); !errors.Is(err, jetstream.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	again, err := jetstream.StartEmbedded(dir, false, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Stop(); err != nil {
		t.Error(err)
	}
}

func TestUnreachableServerTellsNobodyItsAddress(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	e, err := jetstream.StartEmbedded(dir, false, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.ReadClientFile(dir, jetstream.RoleCLI); err == nil {
		t.Error("there is a client.json")
	}
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}

func TestARestartKeepsEverything(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	for i := range 3 {
		e, err := jetstream.StartEmbedded(dir, true, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		c := connect(t, e.Options(jetstream.RoleExecutor))
		if err := c.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := terminal(t, dir).Submit(t.Context(), "cli-local", command("the same")); err != nil {
			t.Fatalf("life %d: %v", i, err)
		}
		if n := last(t, c); n != 1 {
			t.Fatalf("life %d: %d stored", i, n)
		}
		c.Close()
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// attempt publishes something and tells whether the server refused it.
func attempt(t *testing.T, c *jetstream.Client, subject string, subscribe bool) (refused bool) {
	t.Helper()
	conn := jetstream.RawConn(c)
	denied := make(chan error, 1)
	conn.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err })
	if subscribe {
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
	} else if err := conn.PublishRequest(subject, conn.NewRespInbox(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := conn.FlushTimeout(5 * time.Second); err != nil { // a refusal comes before the pong
		t.Fatal(err)
	}
	select {
	case err := <-denied:
		return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+subject+`"`)
	case <-time.After(100 * time.Millisecond):
		return false
	}
}

func TestPermissions(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	e, executor := embedded(t, dir)
	cli, bot, check := terminal(t, dir), connect(t, e.Options(jetstream.RoleBot)), connect(t, e.Options(jetstream.RoleCheck))
	auditor := connect(t, e.Options(jetstream.RoleAuditor))
	tests := []struct {
		who       *jetstream.Client
		subject   string
		subscribe bool
		may       bool
	}{
		// A terminal asks as itself, and reads by the services.
		{who: cli, subject: "ferry.command.cli-local.op-aaaaaaaa", may: true},
		{who: cli, subject: "ferrysvc.status", may: true},
		{who: cli, subject: "ferry.command.slack.op-aaaaaaaa"},
		{who: cli, subject: "ferry.command.cli-eve.op-aaaaaaaa"},
		{who: cli, subject: "ferry.op.op-aaaaaaaa"},
		{who: cli, subject: "ferry.target.1"},
		{who: cli, subject: "ferry.drive.op-aaaaaaaa"},
		{who: cli, subject: "$JS.API.STREAM.DELETE.FERRY"},
		{who: cli, subject: "$JS.API.STREAM.MSG.GET.FERRY"},
		{who: cli, subject: "$JS.API.STREAM.INFO.FERRY"},
		{who: cli, subject: "$JS.API.CONSUMER.CREATE.FERRY.x"},
		{who: cli, subject: "$JS.API.CONSUMER.MSG.NEXT.FERRY.drive"},
		{who: cli, subject: "$JS.ACK.FERRY.drive.1.1.1.1.0"},
		{who: cli, subject: "$KV.ferry-messages.op-aaaaaaaa"},
		{who: cli, subject: "$KV.ferry-inventory.items"},
		{who: cli, subject: "$KV.ferry_members.groups"},
		{who: cli, subject: "ferry.>", subscribe: true},
		{who: cli, subject: ">", subscribe: true},
		{who: cli, subject: "_INBOX_bot.>", subscribe: true},
		{who: cli, subject: "ferrysvc.status", subscribe: true},
		// A bot asks for Slack users, and writes nothing else into the stream.
		{who: bot, subject: "ferry.command.slack.op-aaaaaaaa", may: true},
		{who: bot, subject: "$KV.ferry-messages.op-aaaaaaaa", may: true},
		{who: bot, subject: "$KV.ferry_members.groups", may: true},
		{who: bot, subject: "$JS.API.STREAM.MSG.GET.FERRY", may: true},
		{who: bot, subject: "ferry.command.cli-local.op-aaaaaaaa"},
		{who: bot, subject: "ferry.op.op-aaaaaaaa"},
		{who: bot, subject: "ferry.target.1"},
		{who: bot, subject: "ferry.drive.op-aaaaaaaa"},
		{who: bot, subject: "$KV.ferry-inventory.items"},
		{who: bot, subject: "$JS.API.STREAM.DELETE.FERRY"},
		{who: bot, subject: "$JS.API.STREAM.UPDATE.FERRY"},
		{who: bot, subject: "$JS.API.STREAM.CREATE.X"},
		{who: bot, subject: "$JS.API.CONSUMER.CREATE.KV_ferry-messages.x"},
		{who: bot, subject: "$JS.API.CONSUMER.DELETE.FERRY.drive"},
		{who: bot, subject: "$JS.API.CONSUMER.MSG.NEXT.FERRY.drive"},
		{who: bot, subject: "$JS.ACK.FERRY.drive.1.1.1.1.0"},
		{who: bot, subject: "ferry.op.*", subscribe: true},
		{who: bot, subject: "_INBOX_executor.>", subscribe: true},
		// Who answers for checks does nothing else.
		{who: check, subject: "ferrysvc.check.vm-x", subscribe: true, may: true},
		{who: check, subject: "ferrysvc.status", subscribe: true},
		{who: check, subject: "ferrysvc.>", subscribe: true},
		{who: check, subject: "_INBOX_executor.>", subscribe: true},
		{who: check, subject: "_INBOX_executor.x"},
		{who: check, subject: "ferrysvc.status"},
		{who: check, subject: "ferry.command.cli-local.op-aaaaaaaa"},
		{who: check, subject: "$JS.API.STREAM.INFO.FERRY"},
		// Facts are read through a consumer: a core subscription also sees writes that lost their guard.
		{who: executor, subject: "ferry.op.*", subscribe: true},
		{who: executor, subject: "ferry.op.op-aaaaaaaa", may: true},
		// It speaks for nobody, deletes nothing, and leaves to the bot what is the bot's.
		{who: executor, subject: "ferry.command.slack.op-aaaaaaaa"},
		{who: executor, subject: "ferry.command.cli-local.op-aaaaaaaa"},
		{who: executor, subject: "$JS.API.STREAM.DELETE.FERRY"},
		{who: executor, subject: "$JS.API.STREAM.PURGE.FERRY"},
		{who: executor, subject: "$JS.API.STREAM.MSG.DELETE.FERRY"},
		{who: executor, subject: "$JS.API.STREAM.RESTORE.FERRY"},
		{who: executor, subject: "$JS.API.CONSUMER.DELETE.FERRY.drive"},
		{who: executor, subject: "$JS.API.CONSUMER.MSG.NEXT.FERRY.announce"},
		{who: executor, subject: "$JS.API.STREAM.CREATE.X"},
		{who: executor, subject: "$KV.ferry-messages.op-aaaaaaaa"},
		{who: executor, subject: "$KV.ferry_members.groups"},
		{who: executor, subject: "_INBOX_bot.x"},
		{who: executor, subject: "_INBOX_bot.>", subscribe: true},
		// An auditor reads.
		{who: auditor, subject: "$JS.API.CONSUMER.CREATE.FERRY.x"},
		{who: auditor, subject: "$KV.ferry-audit.head"},
		{who: auditor, subject: "ferrysvc.status"},
	}
	for _, test := range tests {
		if refused := attempt(t, test.who, test.subject, test.subscribe); refused == test.may {
			t.Errorf("%s on %s (subscribe: %v): refused %v", jetstream.RawConn(test.who).Opts.Name, test.subject, test.subscribe, refused)
		}
	}
}

// Everything that a bot does beside an executor works with the rights that it has.
func TestABotsRightsAreEnough(t *testing.T) {
	realTime(t)
	e, executor := embedded(t, t.TempDir())
	bot := connect(t, e.Options(jetstream.RoleBot))
	if err := bot.Present(t.Context()); err != nil {
		t.Error(err)
	}
	if err := bot.Submit(t.Context(), events.SourceSlack, command("m1")); err != nil {
		t.Error(err)
	}
	messages, err := bot.OpenMessages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := messages.Put(t.Context(), opA, []byte("x"), 0); err != nil {
		t.Error(err)
	}
	if value, _, err := messages.Get(t.Context(), opA); err != nil || string(value) != "x" {
		t.Errorf("got %q, %v", value, err)
	}
	if err := bot.PutMembers(t.Context(), failover.Membership{Groups: map[string][]string{"S1": {"U1"}}, At: time.Now()}); err != nil {
		t.Error(err)
	}
	if m, err := bot.Members(t.Context()); err != nil || len(m.Groups["S1"]) != 1 {
		t.Errorf("got %+v, %v", m, err)
	}
	feed, err := bot.OpenAnnouncements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.NewJournal(executor).Append(t.Context(), failover.Operation{ID: opA}, claimed("x")); err != nil {
		t.Fatal(err)
	}
	next, err := feed.Next(t.Context())
	if err != nil || next.Operation.Executor != "x" {
		t.Fatalf("got %+v, %v", next.Operation, err)
	}
	if err := next.Ack(t.Context()); err != nil {
		t.Error(err)
	}
	if err := feed.HandOver(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := bot.Inventory(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server publishes its answer for whoever asked: with a reply subject, rights to ask become rights to store, on a server
// whose identities share the stream's account. What gets into the stream that way must change nothing.
func TestAnswersAreNoFacts(t *testing.T) {
	realTime(t)
	e, err := jetstream.StartLayout(t.TempDir(), jetstream.Layouts()["one account"], logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop() })
	executor := connect(t, e.Options(jetstream.RoleExecutor))
	if err := executor.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	cli, bot := jetstream.RawConn(connect(t, e.Options(jetstream.RoleCLI))), jetstream.RawConn(connect(t, e.Options(jetstream.RoleBot)))
	j := jetstream.NewJournal(executor)
	if _, err := j.Append(t.Context(), failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"})); err != nil {
		t.Fatal(err)
	}
	bucketKey := "$KV.ferry-messages.attack"
	fact, err := events.EncodeFact(opA, "forged", failover.Record{Fact: failover.Finished{Phase: failover.Succeeded}, At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	forged := &nats.Msg{Subject: bucketKey, Header: nats.Header(fact.Header), Data: fact.Data}
	if _, err := bot.RequestMsg(forged, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	for _, attack := range []struct {
		by             *nats.Conn
		subject, reply string
	}{
		{cli, "ferry.command.cli-local.op-bbbbbbbb", "ferry.target.1"},
		{bot, "$JS.API.DIRECT.GET.KV_ferry-messages." + bucketKey, "ferry.op.op-aaaaaaaa"},
	} {
		if err := attack.by.PublishRequest(attack.subject, attack.reply, nil); err != nil {
			t.Fatal(err)
		}
	}
	// A batch of four, the terminal's command, and two answers where they do not belong.
	for n := 0; n < 100 && last(t, executor) < 7; n++ {
		pass(20 * time.Millisecond)
	}
	if n := last(t, executor); n != 7 {
		t.Fatalf("%d stored: the attacks do not work any more", n)
	}
	if got, err := j.Load(t.Context(), opA); err != nil || got.Phase != failover.Running {
		t.Errorf("folds to %s, %v", got.Phase, err)
	}
	if hold, err := j.Holder(t.Context(), "1"); err != nil || hold.Op != opA {
		t.Errorf("held by %+v, %v", hold, err)
	}
}

// last is the last sequence of the stream.
func last(t *testing.T, c *jetstream.Client) uint64 {
	t.Helper()
	js, err := natsjs.New(jetstream.RawConn(c))
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), events.Stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// A publish that NATS does not permit is told as that at once, never as stored, as a lost race, or as silence.
func TestDeniedIsToldAtOnce(t *testing.T) {
	dir := t.TempDir()
	forget()
	synctest.Test(t, func(t *testing.T) {
		e, err := jetstream.StartEmbedded(dir, false, logger(t))
		if err != nil {
			t.Fatal(err)
		}
		executor := connect(t, e.Options(jetstream.RoleExecutor))
		if err := executor.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		bot := jetstream.NewJournal(connect(t, e.Options(jetstream.RoleBot)))
		for within, batch := range map[time.Duration]failover.Batch{
			100 * time.Millisecond: claimed("the bot"),
			3 * time.Second:        requested(opA, failover.Hold{Key: "1"}), // the first of several messages is waited for
		} {
			batch.At = time.Now()
			_, err := bot.Append(t.Context(), failover.Operation{ID: opA}, batch)
			if denied, ok := errors.AsType[*jetstream.DeniedError](err); !ok || denied.Subject != events.OpSubject(opA) || time.Since(batch.At) > within {
				t.Errorf("got %v after %s", err, time.Since(batch.At))
			}
		}
		if op, err := jetstream.NewJournal(executor).Load(t.Context(), opA); err != nil || op.Seq != 0 {
			t.Errorf("stored: %+v, %v", op, err)
		}
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
}
