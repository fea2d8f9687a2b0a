package jetstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// attack is what somebody with a stolen key may try. It reports what it got to see; what it changed is seen in the store.
type attack struct {
	by string
	do func(*stage, *nats.Conn) (seen bool)
	// replies is an attack by the server's own answers: it works wherever the stream's account is shared, whatever the
	// permissions say.
	replies bool
}

// stage is a server with a story on it, and a connection of each identity.
type stage struct {
	*testing.T
	as       map[string]*nats.Conn
	executor *jetstream.Client
	before   string // the state at first
}

// everybody but the executor, which keeps the stream.
func outsiders() []string {
	return []string{jetstream.RoleBot, jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleAuditor, jetstream.RoleCheck}
}

func attacks() map[string]attack {
	all := map[string]attack{}
	publish := func(name, subject, body string, by ...string) {
		for _, who := range by {
			all[who+" "+name] = attack{by: who, do: func(s *stage, c *nats.Conn) bool { return s.publish(c, subject, body) }}
		}
	}
	look := func(name, subject, body string, by ...string) {
		for _, who := range by {
			all[who+" "+name] = attack{by: who, do: func(s *stage, c *nats.Conn) bool {
				m, err := s.ask(c, subject, body)
				return err == nil && m.Header.Get("Status") == "" && !strings.Contains(string(m.Data), `"error"`)
			}}
		}
	}
	everybody := outsiders()
	publish("stores a fact", "ferry.op.op-aaaaaaaa", `{}`, everybody...)
	publish("takes a VM", "ferry.target.1", `{}`, everybody...)
	publish("has an executor work", "ferry.drive.op-aaaaaaaa", `{}`, everybody...)
	publish("asks as ben's terminal", "ferry.command.cli-ben.op-aaaaaaaa", `{}`, everybody...)
	publish("asks as a Slack user", "ferry.command.slack.op-aaaaaaaa", `{}`, jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleAuditor, jetstream.RoleCheck)
	publish("asks as the local terminal", "ferry.command.cli-local.op-aaaaaaaa", `{}`, jetstream.RoleBot, jetstream.RoleViewer, jetstream.RoleAuditor, jetstream.RoleCheck)
	publish("asks as itself", "ferry.command.cli-viewer.op-aaaaaaaa", `{}`, jetstream.RoleViewer)
	publish("deletes the stream", "$JS.API.STREAM.DELETE.FERRY", "", everybody...)
	publish("lets the stream forget", "$JS.API.STREAM.UPDATE.FERRY", forgetful(), everybody...)
	publish("deletes a queue", "$JS.API.CONSUMER.DELETE.FERRY.drive", "", everybody...)
	publish("changes the inventory", "$KV.ferry-inventory.items", "x", everybody...)
	publish("changes the audit", "$KV.ferry-audit.head", "x", everybody...)
	publish("changes who is in a group", "$KV.ferry_members.groups", "x", jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleAuditor, jetstream.RoleCheck)
	publish("changes what is posted", "$KV.ferry-messages.op-aaaaaaaa", "x", jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleAuditor, jetstream.RoleCheck)
	look("takes a work message", "$JS.API.CONSUMER.MSG.NEXT.FERRY.drive", `{"batch":1,"no_wait":true}`, everybody...)
	look("takes a command", "$JS.API.CONSUMER.MSG.NEXT.FERRY.decide", `{"batch":1,"no_wait":true}`, everybody...)
	look("reads the stream", "$JS.API.STREAM.MSG.GET.FERRY", `{"seq":1}`, jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleCheck)
	look("reads the audit's bucket", "$JS.API.DIRECT.GET.KV_ferry-audit.$KV.ferry-audit.head", "", jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleCheck)
	look("has the stream copied", "$JS.API.STREAM.SNAPSHOT.FERRY", `{"deliver_subject":"x"}`, everybody...)
	look("asks a check in an executor's place", "ferrysvc.check.vm-x", `{}`, jetstream.RoleBot, jetstream.RoleCLI, jetstream.RoleViewer, jetstream.RoleAuditor)
	for _, who := range everybody {
		all[who+" reads an executor's answers"] = attack{by: who, do: eavesdrop("_INBOX_executor.>")}
		all[who+" reads a terminal's answers"] = attack{by: who, do: eavesdrop("_INBOX_cli.ben.>")}
		all[who+" listens to what is published"] = attack{by: who, do: listenTo("ferry.>")}
		all[who+" listens to everything"] = attack{by: who, do: listenTo(">")}
		all[who+" answers in an executor's place"] = attack{by: who, do: impersonate}
	}
	for _, who := range everybody {
		all[who+" has a stream of its own store facts"] = attack{by: who, do: func(s *stage, c *nats.Conn) bool {
			s.publish(c, "$JS.API.STREAM.CREATE.X", `{"name":"X","subjects":["x.*"],"retention":"limits","storage":"memory","num_replicas":1,"republish":{"src":"x.*","dest":"ferry.op.{{wildcard(1)}}"}}`)
			pass(20 * time.Millisecond)
			return s.publish(c, "x.op-aaaaaaaa", `{}`)
		}}
	}
	deputies(all)
	return all
}

// deputies are attacks by what others answer: the reply subject of a request is not checked by a server.
func deputies(all map[string]attack) {
	none := []byte(`{"batch":1,"no_wait":true}`) // the answer is empty, as a request to delete is
	next := "$JS.API.CONSUMER.MSG.NEXT.FERRY.announce"
	for name, reply := range map[string]string{"the stream": "$JS.API.STREAM.DELETE.FERRY", "a queue": "$JS.API.CONSUMER.DELETE.FERRY.drive"} {
		all["bot has a server's answer delete "+name] = attack{by: jetstream.RoleBot, replies: true, do: func(s *stage, c *nats.Conn) bool {
			return s.send(c, next, reply, nats.Header{}, none)
		}}
		all["cli has a server's answer delete "+name] = attack{by: jetstream.RoleCLI, replies: true, do: func(s *stage, c *nats.Conn) bool {
			return s.send(c, "ferry.command.cli-local.op-cccccccc", reply, nats.Header{"Nats-Batch-Id": {"b"}, "Nats-Batch-Sequence": {"1"}}, nil)
		}}
	}
	all["cli has an executor's answer stored"] = attack{by: jetstream.RoleCLI, replies: true, do: func(s *stage, c *nats.Conn) bool {
		return s.send(c, events.ServiceStatus, "ferry.drive.op-aaaaaaaa", nats.Header{}, nil)
	}}
	all["bot has a forged fact stored"] = attack{by: jetstream.RoleBot, replies: true, do: func(s *stage, c *nats.Conn) bool {
		fact, err := events.EncodeFact(opA, "forged", failover.Record{Fact: failover.Finished{Phase: failover.Succeeded}, At: time.Now()})
		if err != nil {
			s.Fatal(err)
		}
		if _, err := c.RequestMsg(&nats.Msg{Subject: "$KV.ferry-messages.attack", Header: nats.Header(fact.Header), Data: fact.Data}, 5*time.Second); err != nil {
			s.Fatal(err)
		}
		return s.send(c, "$JS.API.DIRECT.GET.KV_ferry-messages.$KV.ferry-messages.attack", "ferry.op.op-aaaaaaaa", nats.Header{}, nil)
	}}
}

func forgetful() string {
	return `{"name":"FERRY","subjects":["ferry.command.*.*","ferry.op.*","ferry.target.*","ferry.drive.*"],"retention":"limits","storage":"file","discard":"new",
"num_replicas":1,"max_age":0,"duplicate_window":86400000000000,"allow_atomic":true,"deny_delete":true,"deny_purge":true,"description":"forged","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_msgs_per_subject":1}`
}

// ask waits for an answer until the server refuses the request.
func (s *stage) ask(c *nats.Conn, subject, body string) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
	defer cancel()
	c.SetErrorHandler(func(*nats.Conn, *nats.Subscription, error) { cancel() })
	return c.RequestWithContext(ctx, subject, []byte(body))
}

func (s *stage) publish(c *nats.Conn, subject, body string) bool {
	return s.send(c, subject, c.NewRespInbox(), nats.Header{}, []byte(body))
}

func (s *stage) send(c *nats.Conn, subject, reply string, h nats.Header, body []byte) bool {
	if err := c.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Header: h, Data: body}); err != nil {
		s.Fatal(err)
	}
	s.flush(c)
	return false
}

func (s *stage) flush(c *nats.Conn) {
	if err := c.FlushTimeout(5 * time.Second); err != nil {
		s.Fatal(err)
	}
}

// eavesdrop listens where an executor, and a terminal, get their answers.
func eavesdrop(subject string) func(*stage, *nats.Conn) bool {
	return func(s *stage, c *nats.Conn) bool {
		return s.hears(c, subject, func() {
			if _, err := jetstream.RawConn(s.executor).Request("$JS.API.STREAM.INFO.FERRY", nil, 5*time.Second); err != nil {
				s.Error(err)
			}
			ben := s.as["ben"]
			_, _ = ben.Request(events.ServiceStatus, nil, time.Second)
		})
	}
}

// listenTo listens while a fact is stored.
func listenTo(subject string) func(*stage, *nats.Conn) bool {
	return func(s *stage, c *nats.Conn) bool {
		return s.hears(c, subject, func() {
			// A write that loses its guard: whoever hears it takes for true what never happened.
			_, err := jetstream.NewJournal(s.executor).Append(s.Context(), failover.Operation{ID: opA}, claimed("lost"))
			if !errors.Is(err, failover.ErrConflict) {
				s.Error(err)
			}
		})
	}
}

func (s *stage) hears(c *nats.Conn, subject string, meanwhile func()) bool {
	sub, err := c.SubscribeSync(subject)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	s.flush(c)
	meanwhile()
	s.flush(c) // what was to be heard is here by now
	m, err := sub.NextMsg(10 * time.Millisecond)
	return err == nil && !strings.HasPrefix(m.Subject, c.Opts.InboxPrefix)
}

// impersonate answers ben's terminal.
func impersonate(s *stage, c *nats.Conn) bool {
	sub, err := c.QueueSubscribe(events.ServiceList, "q", func(m *nats.Msg) { _ = m.Respond([]byte("lies")) })
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	s.flush(c)
	for range 20 { // the executor answers as well
		m, err := s.as["ben"].Request(events.ServiceList, nil, 5*time.Second)
		if err == nil && string(m.Data) == "lies" {
			return true
		}
	}
	return false
}

// state is all that an attack could change.
func (s *stage) state() string {
	js, err := natsjs.New(jetstream.RawConn(s.executor))
	if err != nil {
		s.Fatal(err)
	}
	stream, err := js.Stream(s.Context(), events.Stream)
	if err != nil {
		return err.Error()
	}
	info := stream.CachedInfo()
	config, err := json.Marshal(info.Config)
	if err != nil {
		s.Fatal(err)
	}
	consumers := []string{}
	for _, name := range []string{"announce", "decide", "drive"} {
		if _, err := js.Consumer(s.Context(), events.Stream, name); err == nil {
			consumers = append(consumers, name)
		}
	}
	said := fmt.Sprint(info.State.FirstSeq, info.State.LastSeq, string(config), consumers)
	for _, at := range [][2]string{{"ferry-inventory", "items"}, {"ferry-audit", "head"}, {"ferry_members", "groups"}, {"ferry-messages", "op-aaaaaaaa"}} {
		if kv, err := js.KeyValue(s.Context(), at[0]); err == nil {
			if e, err := kv.Get(s.Context(), at[1]); err == nil {
				said += fmt.Sprint(at, e.Revision(), string(e.Value()))
			}
		}
	}
	return said
}

// succeeds plays one attack and tells whether it got anywhere within a time.
func (s *stage) succeeds(a attack, within time.Duration) bool {
	if a.do(s, s.as[a.by]) {
		return true
	}
	for end := time.Now().Add(within); s.state() == s.before; pass(10 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// embeddedStage is one on an embedded server.
func embeddedStage(t *testing.T, layout jetstream.Layout) *stage {
	t.Helper()
	e, err := jetstream.StartLayout(t.TempDir(), layout, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop() })
	return setStage(t, e.OptionsOf)
}

// setStage stores an operation, and opens a connection for everybody.
func setStage(t *testing.T, options func(role string) jetstream.Options) *stage {
	t.Helper()
	s := &stage{T: t, as: map[string]*nats.Conn{}, executor: connect(t, options(jetstream.RoleExecutor))}
	cli := connect(t, options(jetstream.RoleCLI))
	s.as[jetstream.RoleCLI] = jetstream.RawConn(cli)
	for _, role := range outsiders() {
		if s.as[role] == nil {
			s.as[role] = jetstream.RawConn(connect(t, options(role)))
		}
		s.as[role].SetErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}) // a refusal
	}
	s.as["ben"] = jetstream.RawConn(connect(t, options(jetstream.Ben)))
	until(t, "stream", func() bool { return s.executor.Ensure(t.Context()) == nil }) // a cluster takes a moment to know itself
	if _, err := jetstream.NewJournal(s.executor).Append(t.Context(), failover.Operation{ID: opA}, requested(opA, failover.Hold{Key: "1"})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.as[jetstream.RoleCheck].Subscribe("ferrysvc.check.vm-x", func(m *nats.Msg) { _ = m.Respond([]byte(`{"ok":true}`)) }); err != nil {
		t.Fatal(err)
	}
	s.flush(s.as[jetstream.RoleCheck])
	if err := cli.Submit(t.Context(), "cli-local", command("m1")); err != nil {
		t.Fatal(err)
	}
	if _, err := jetstream.RawConn(s.executor).Request("$KV.ferry-audit.head", []byte("{}"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	serving := make(chan struct{})
	go func() {
		from := jetstream.Sources{Board: jetstream.NewBoard(s.executor)}
		_ = s.executor.Serve(t.Context(), from, "0.0.0", func() { close(serving) })
	}()
	<-serving
	s.before = s.state()
	return s
}

// withstands plays every attack and wants none to get anywhere.
func (s *stage) withstands() {
	for what, a := range attacks() {
		if s.succeeds(a, 20*time.Millisecond) {
			s.Errorf("%s", what)
		}
	}
	pass(2 * time.Second)
	if now := s.state(); now != s.before {
		s.Errorf("after all the state is\n%s\nbefore it was\n%s", now, s.before)
	}
}

func TestAttacksOnTheEmbeddedServer(t *testing.T) {
	realTime(t)
	embeddedStage(t, jetstream.Layouts()["accounts"]).withstands()
}

// Every attack works on a server that lets everybody do everything. Attacks by what others answer work with the rights that
// are given out too, where all share the stream's account: that is what the accounts are for.
func TestAttacksWorkWhereNothingStopsThem(t *testing.T) {
	realTime(t)
	for _, name := range []string{"open", "one account"} {
		t.Run(name, func(t *testing.T) {
			played := map[string]bool{}
			for what, a := range attacks() {
				_, what, _ = strings.Cut(what, " ")
				if name == "one account" && !a.replies || name == "open" && played[what] { // there everybody may do it
					continue
				}
				played[what] = true
				if !embeddedStage(t, jetstream.Layouts()[name]).succeeds(a, 2*time.Second) {
					t.Errorf("%s %s: does not work any more", a.by, what)
				}
			}
		})
	}
}
