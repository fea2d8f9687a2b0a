package events

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/failover"
)

const op = failover.OpID("op-7f3kq2mz")

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC) }

// fill gives every field below a value one that is not zero, so that a field that gets lost on the wire is seen.
func fill(v reflect.Value, seed *int) {
	*seed++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(noon().Add(time.Duration(*seed) * time.Second)))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*seed))
	case reflect.Uint64:
		v.SetUint(uint64(*seed))
	case reflect.Float64:
		v.SetFloat(float64(*seed) / 4)
	case reflect.String:
		v.SetString(strings.Repeat("<é", 2) + string(rune('a'+*seed%26)))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), seed)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), seed)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, seed)
		fill(value, seed)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, seed)
		}
	default:
		panic("no fact has had a " + v.Kind().String() + " so far: teach fill")
	}
}

func filled(t *testing.T, p failover.Fact) failover.Fact {
	t.Helper()
	v, seed := reflect.New(reflect.TypeOf(p)).Elem(), 0
	fill(v, &seed)
	fact, ok := reflect.TypeAssert[failover.Fact](v)
	if !ok {
		t.Fatalf("%T is no fact", p)
	}
	return fact
}

func TestFactsSurviveTheWire(t *testing.T) {
	t.Parallel()
	for _, p := range prototypes() {
		t.Run(p.Type(), func(t *testing.T) {
			t.Parallel()
			for _, want := range []failover.Record{
				{Fact: filled(t, p), At: noon(), Command: "m1", More: true},
				{Fact: p, At: noon()},
			} {
				m, err := EncodeFact(op, "id-1", want)
				if err != nil {
					t.Fatal(err)
				}
				m.Seq, want.Seq = 42, 42
				got, err := DecodeFact(m)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("lost on the wire (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A version that knows no changes of size must stop at one, and this one reads what was written before they had a type of their own.
func TestChangesOfSizeHaveTheirVersion(t *testing.T) {
	t.Parallel()
	want := failover.StepStarted{Target: "k", Kind: failover.StepResize, Attempt: 1, Size: "Standard_D4as_v5"}
	m, err := EncodeFact(op, "id-1", failover.Record{Fact: want, At: noon()})
	if got := m.Header.Get(headerType); err != nil || got == factType(failover.StepStarted{}) {
		t.Errorf("%s, %v", got, err)
	}
	for _, typ := range []string{m.Header.Get(headerType), factType(failover.StepStarted{})} {
		m.Header[headerType] = []string{typ}
		if got, err := DecodeFact(m); err != nil || !cmp.Equal(got.Fact, failover.Fact(want)) {
			t.Errorf("%s: %+v, %v", typ, got.Fact, err)
		}
	}
}

// A fact that the codec does not know can be written and never be read again.
func TestEveryFactHasAPrototype(t *testing.T) {
	t.Parallel()
	var known []string
	for _, p := range prototypes() {
		known = append(known, reflect.TypeOf(p).Name())
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../failover/fact.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "fact" || f.Recv == nil {
			continue
		}
		if name, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
			declared = append(declared, name.Name)
		}
	}
	slices.Sort(known)
	slices.Sort(declared)
	if len(declared) == 0 || !slices.Equal(known, declared) {
		t.Errorf("prototypes has %v\nfailover declares %v", known, declared)
	}
}

func TestFactsAreCloudEvents(t *testing.T) {
	t.Parallel()
	m, err := EncodeFact(op, "id-1", failover.Record{Fact: failover.Parked{}, At: noon().In(time.FixedZone("", 3600)), Command: "m1", More: true})
	if err != nil {
		t.Fatal(err)
	}
	want := Message{Subject: "ferry.op.op-7f3kq2mz", Data: []byte("{}"), Header: Header{
		"Nats-Msg-Id": {"id-1"}, "ce-id": {"id-1"}, "ce-specversion": {"1.0"}, "ce-source": {"ferry"}, "ce-subject": {"op-7f3kq2mz"},
		"ce-type": {"ferry.fact.parked.v1"}, "ce-time": {"2026-11-23T12:00:00.123456789Z"}, "ce-datacontenttype": {"application/json"},
		"ce-command": {"m1"}, "ce-more": {"true"},
	}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeFact(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Message)
		want   string // part of the error; "" when it is read
	}{
		"unknown field":        {func(m *Message) { m.Data = []byte(`{"executor":"x","colour":"red"}`) }, ""},
		"unknown header":       {func(m *Message) { m.Header["ce-later"] = []string{"x"} }, ""},
		"unknown type":         {func(m *Message) { m.Header["ce-type"] = []string{"ferry.fact.teleported.v1"} }, ErrNewer.Error()},
		"newer version":        {func(m *Message) { m.Header["ce-type"] = []string{"ferry.fact.claimed.v2"} }, ErrNewer.Error()},
		"no JSON":              {func(m *Message) { m.Data = []byte("{") }, "decoding ferry.fact.claimed.v1"},
		"no time":              {func(m *Message) { delete(m.Header, "ce-time") }, "ferry.op.op-7f3kq2mz #7: "},
		"a server's answer":    {func(m *Message) { m.Header, m.Data = nil, []byte(`{"stream":"FERRY","seq":6}`) }, ErrForeign.Error()},
		"a command":            {func(m *Message) { m.Header["ce-type"] = []string{typeCommand} }, ErrForeign.Error()},
		"another operation's":  {func(m *Message) { m.Subject = "ferry.op.op-aaaaaaaa" }, ErrForeign.Error()},
		"forwarded from KV":    {func(m *Message) { m.Header["Nats-Stream"] = []string{"KV_x"} }, ErrForeign.Error()},
		"forwarded by a queue": {func(m *Message) { m.Header["Nats-Pin-Id"] = []string{"x"} }, ErrForeign.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := EncodeFact(op, "id-1", failover.Record{Fact: failover.Claimed{Executor: "x"}, At: noon()})
			if err != nil {
				t.Fatal(err)
			}
			m.Seq = 7
			test.change(&m)
			got, err := DecodeFact(m)
			switch {
			case test.want == "" && (err != nil || got.Fact != failover.Claimed{Executor: "x"}):
				t.Errorf("got %+v, %v", got, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func command() failover.Command {
	return failover.Command{
		MessageID: "m1", Op: op, Verb: failover.VerbFailover, By: failover.Actor{ID: "U0ANA", Name: "ana"}, Target: "vm-x",
		Point: failover.Point{Kind: failover.Latest}, Shutdown: true, Reason: "<fire>", At: noon(), ValidUntil: noon().Add(failover.CommandValidity),
	}
}

func TestCommandsSurviveTheWire(t *testing.T) {
	t.Parallel()
	m, err := EncodeCommand(SourceSlack, command())
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject != "ferry.command.slack.op-7f3kq2mz" || m.ID() != "m1" {
		t.Errorf("on %s with id %s", m.Subject, m.ID())
	}
	got, err := DecodeCommand(m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(command(), got); diff != "" {
		t.Errorf("lost on the wire (-want +got):\n%s", diff)
	}
}

// Only NATS permissions say who may publish on which source, so the source settles who asked.
func TestWhoAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ source, claimed, want string }{ // want "" is refused
		"a Slack user":                        {"slack", "U0ANA", "U0ANA"},
		"nobody from Slack":                   {"slack", "", ""},
		"a bot that speaks for a terminal":    {"slack", "cli:local", ""},
		"a terminal":                          {"cli-local", "cli:local", "cli:local"},
		"a terminal that claims to be Ana":    {"cli-local", "U0ANA", "cli:local"},
		"a terminal that claims another's id": {"cli-eve", "cli:local", "cli:eve"},
		"a terminal without a name":           {"cli-", "cli:", ""},
		"a source that nobody vouches for":    {"mail", "U0ANA", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := command()
			c.By = failover.Actor{ID: test.claimed, Standing: failover.StandingGuest, Person: "ana"}
			m, err := EncodeCommand(test.source, c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeCommand(m)
			if got.By.ID != test.want && err == nil || (err == nil) != (test.want != "") {
				t.Errorf("asked by %q, %v; want %q", got.By.ID, err, test.want)
			}
			if slack := test.source == SourceSlack; err == nil && (got.By.Standing != "") != slack { // a bot says what it found out, a terminal has none
				t.Errorf("has the standing %q", got.By.Standing)
			}
			if err == nil && got.By.Person != "" {
				t.Errorf("claims to be %q", got.By.Person)
			}
		})
	}
}

// The longest text that can be typed is taken, whatever it is made of.
func TestTheLongestCommandIsTaken(t *testing.T) {
	t.Parallel()
	c := command()
	c.Reason = strings.Repeat("\x01", 8000) // six bytes each in JSON
	m, err := EncodeCommand(SourceSlack, c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeCommand(m); err != nil || got.Reason != c.Reason {
		t.Errorf("%v", err)
	}
}

func TestDecodeCommandRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*Message){
		"a fact":              func(m *Message) { m.Header["ce-type"] = []string{"ferry.fact.parked.v1"} },
		"no message id":       func(m *Message) { delete(m.Header, "Nats-Msg-Id") },
		"no operation id":     func(m *Message) { m.Subject, m.Header["ce-subject"] = "ferry.command.slack.x", []string{"x"} },
		"no JSON":             func(m *Message) { m.Data = []byte("?") },
		"a longer subject":    func(m *Message) { m.Subject = "ferry.command.slack.x." + string(op) },
		"a server's answer":   func(m *Message) { m.Header = nil },
		"another operation's": func(m *Message) { m.Subject = CommandSubject(SourceSlack, "op-aaaaaaaa") },
		"an executor's own":   func(m *Message) { m.Data = []byte(`{"verb":"expire","by":{"id":"U0ANA"}}`) },
		"a very long text": func(m *Message) {
			m.Data = fmt.Appendf(nil, `{"verb":"failover","by":{"id":"U0ANA"},"reason":"%s"}`, strings.Repeat("x", MaxCommand))
		},
		"a very long id":    func(m *Message) { m.Header["Nats-Msg-Id"] = []string{strings.Repeat("x", MaxCommand)} },
		"a very long type":  func(m *Message) { m.Header["ce-type"] = []string{"ferry.command." + strings.Repeat("x", MaxCommand)} },
		"forwarded from KV": func(m *Message) { m.Header["Nats-Stream"] = []string{"KV_x"} },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := EncodeCommand(SourceSlack, command())
			if err != nil {
				t.Fatal(err)
			}
			change(&m)
			if c, err := DecodeCommand(m); err == nil {
				t.Errorf("took %+v", c)
			} else if errors.Is(err, ErrNewer) || len(err.Error()) > 300 {
				t.Errorf("says %v", err)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, want := range []failover.Hold{{Key: "k1", Op: op}, {Key: "k1"}} {
		m, err := EncodeHold(want, "id-1", noon())
		if err != nil {
			t.Fatal(err)
		}
		m.Seq, want.Seq = 9, 9
		if got, err := DecodeHold(m); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
		// An answer of the server that was sent here decodes as "nobody holds it", but for its headers.
		m.Header, m.Data = nil, []byte(`{"stream":"FERRY","seq":6}`)
		if got, err := DecodeHold(m); !errors.Is(err, ErrForeign) || got.Seq != 9 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestDrives(t *testing.T) {
	t.Parallel()
	m, err := EncodeDrive(op, "id-1", noon())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeDrive(m); err != nil || got != op {
		t.Errorf("got %q, %v", got, err)
	}
	m.Header = nil
	if _, err := DecodeDrive(m); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v", err)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		CommandSubject("cli-local", op): "ferry.command.cli-local.op-7f3kq2mz",
		OpSubject(op):                   "ferry.op.op-7f3kq2mz",
		TargetSubject("0a1b"):           "ferry.target.0a1b",
		DriveSubject(op):                "ferry.drive.op-7f3kq2mz",
		LastToken("ferry.target.0a1b"):  "0a1b",
		LastToken("alone"):              "alone",
		sourceOf("ferry.command.slack"): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What is not read yet must not be taken for nothing: a hold of a newer version holds, its command is not thrown away.
func TestNewerIsNotForeign(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		make func() (Message, error)
		read func(Message) error
	}{
		"command": {func() (Message, error) { return EncodeCommand(SourceSlack, command()) }, func(m Message) error { _, err := DecodeCommand(m); return err }},
		"fact": {func() (Message, error) {
			return EncodeFact(op, "1", failover.Record{Fact: failover.Parked{}, At: noon()})
		}, func(m Message) error { _, err := DecodeFact(m); return err }},
		"hold":  {func() (Message, error) { return EncodeHold(failover.Hold{Key: "k", Op: op}, "1", noon()) }, func(m Message) error { _, err := DecodeHold(m); return err }},
		"drive": {func() (Message, error) { return EncodeDrive(op, "1", noon()) }, func(m Message) error { _, err := DecodeDrive(m); return err }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := test.make()
			if err != nil || test.read(m) != nil {
				t.Fatal(err, test.read(m))
			}
			m.Header[headerType] = []string{strings.TrimSuffix(m.Header.Get(headerType), "1") + "2"}
			if err := test.read(m); !errors.Is(err, ErrNewer) {
				t.Errorf("got %v, want %v", err, ErrNewer)
			}
			m.Header["Nats-Stream"] = []string{"KV_x"}
			if err := test.read(m); !errors.Is(err, ErrForeign) {
				t.Errorf("got %v, want %v", err, ErrForeign)
			}
		})
	}
}

// A new kind of fact needs a story in which it is stored: `make histories` records it.
func TestTheCorpusHasEveryFact(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/history/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	for _, p := range prototypes() {
		if !strings.Contains(string(all), `"`+factType(p)+`"`) {
			t.Errorf("no story has %s", p.Type())
		}
	}
}
