package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// Header is a message's header. Names are case-sensitive on NATS.
type Header map[string][]string

// Get returns the first value of a header, or "".
func (h Header) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Message is one message as it goes over the wire.
type Message struct {
	Subject string
	Header  Header
	Data    []byte
	Seq     uint64    // stream sequence; 0 before it is stored
	Stored  time.Time // by the server's clock; zero where that does not matter
}

// size is how many bytes the message has, about.
func (m Message) size() int {
	n := len(m.Data)
	for name, values := range m.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// ID is the message id, also the CloudEvents id and the key of the stream's duplicate window.
func (m Message) ID() string { return m.Header.Get(headerMsgID) }

// The header names; CloudEvents 1.0 in binary mode, with ce-command and ce-more as extensions.
const (
	headerMsgID   = "Nats-Msg-Id"
	headerType    = "ce-type"
	headerTime    = "ce-time"
	headerSubject = "ce-subject"
	headerCommand = "ce-command"
	headerMore    = "ce-more"
)

// ErrForeign says that Ferry did not write a message, although it stands on one of its subjects. A NATS server answers to
// whatever reply subject a request names, so whoever may ask anything can have an answer stored there. It changes nothing.
var ErrForeign = errors.New("not written by Ferry")

// ErrNewer says that a newer version of Ferry wrote a message. Skipping it would mean to act without knowing what it says, so
// whoever reads it leaves alone what it is about.
var ErrNewer = errors.New("a newer version of Ferry wrote it: upgrade this one")

// expect checks that a message was written by Ferry and is of one of the types, or says which of the two it is not.
func (m Message) expect(types ...string) error {
	typ := m.Header.Get(headerType)
	switch {
	case m.genuine() && slices.Contains(types, typ):
		return nil
	case m.genuine() && strings.HasPrefix(typ, "ferry."+kindOf(m.Subject)+"."):
		return fmt.Errorf("%s #%d: %q: %w", m.Subject, m.Seq, typ, ErrNewer)
	}
	return fmt.Errorf("%s #%d: %q: %w", m.Subject, m.Seq, typ, ErrForeign)
}

// kindOf is the second token of the types that stand on a subject.
func kindOf(subject string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(subject, "ferry."), ".")
	if kind == "op" {
		return "fact"
	}
	return kind
}

// genuine reports whether a message was published on its subject as it is. The envelope names the subject's last token, so
// a message does not count elsewhere, and a server marks what it forwards from another subject.
func (m Message) genuine() bool {
	return m.Header.Get(headerSubject) == LastToken(m.Subject) && m.Header.Get("Nats-Stream") == "" && m.Header.Get("Nats-Pin-Id") == ""
}

// The types of messages that are not facts; a fact's is told by factType.
const (
	typeCommand  = "ferry.command.v1"
	typeHeld     = "ferry.target.held.v1"
	typeReleased = "ferry.target.released.v1"
	typeDrive    = "ferry.drive.v1"
)

func message(subject, id, typ string, at time.Time, payload any) (Message, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return Message{}, fmt.Errorf("encoding %s: %w", typ, err)
	}
	return Message{Subject: subject, Data: data, Header: Header{
		headerMsgID:          {id},
		"ce-id":              {id},
		"ce-specversion":     {"1.0"},
		"ce-source":          {"ferry"},
		headerSubject:        {LastToken(subject)},
		"ce-datacontenttype": {"application/json"},
		headerType:           {typ},
		headerTime:           {at.UTC().Format(time.RFC3339Nano)},
	}}, nil
}

// EncodeCommand makes the message of a command; its id is the command's, so the same request is stored once.
func EncodeCommand(source string, c failover.Command) (Message, error) {
	return message(CommandSubject(source, c.Op), c.MessageID, typeCommand, c.At, c)
}

// MaxCommand is how many bytes of a command are read, headers counted: what people type is far below. What is larger could be
// answered by no fact that a server takes, and would come again and again.
const MaxCommand = 64 << 10

// DecodeCommand reads a command. Who asked is taken from the subject's source wherever that settles it.
func DecodeCommand(m Message) (failover.Command, error) {
	var c failover.Command
	if n := m.size(); n > MaxCommand {
		return c, fmt.Errorf("%s #%d: a command of %d bytes, where %d are enough for any", m.Subject, m.Seq, n, MaxCommand)
	}
	if err := m.expect(typeCommand); err != nil {
		return c, err
	}
	if err := json.Unmarshal(m.Data, &c); err != nil {
		return c, fmt.Errorf("%s: decoding the command: %w", m.Subject, err)
	}
	by, ok := actorOf(sourceOf(m.Subject), c.By)
	if !ok {
		return c, fmt.Errorf("%s: the source does not vouch for %q", m.Subject, c.By.ID)
	}
	c.By, c.MessageID, c.StoredAt, c.Op = by, m.ID(), m.Stored, failover.OpID(LastToken(m.Subject))
	if c.MessageID == "" || !failover.IsOpID(string(c.Op)) {
		return c, fmt.Errorf("%s: a command needs a message id and an operation id", m.Subject)
	}
	if c.Verb == failover.VerbExpire {
		return c, fmt.Errorf("%s: nobody asks for %q, an executor does it by itself", m.Subject, c.Verb)
	}
	return c, nil
}

// EncodeFact makes the message of a fact. The id has to be new for each writer's attempt and the same for its retries.
func EncodeFact(op failover.OpID, id string, r failover.Record) (Message, error) {
	m, err := message(OpSubject(op), id, factType(r.Fact), r.At, r.Fact)
	if err != nil {
		return m, err
	}
	if r.Command != "" {
		m.Header[headerCommand] = []string{r.Command}
	}
	if r.More { // a reader of the stream may see the first part of a batch before the rest
		m.Header[headerMore] = []string{"true"}
	}
	return m, nil
}

// prototypes has one of each fact; a fact without an entry here cannot be read back, and the codec's test says so.
func prototypes() []failover.Fact {
	return []failover.Fact{
		failover.Requested{},
		failover.Drafted{},
		failover.Planned{},
		failover.Taken{},
		failover.DraftAccepted{},
		failover.Abandoned{},
		failover.Decided{},
		failover.CommitAsked{},
		failover.ChangeAsked{},
		failover.Prepared{},
		failover.Checked{},
		failover.Surveyed{},
		failover.Reminded{},
		failover.Reviewed{},
		failover.Halted{},
		failover.PutOnHold{},
		failover.Resumed{},
		failover.Skipped{},
		failover.Retried{},
		failover.Watched{},
		failover.Lapsed{},
		failover.GateOpened{},
		failover.Claimed{},
		failover.Parked{},
		failover.StepStarted{},
		failover.StepAccepted{},
		failover.StepUnknown{},
		failover.StepDelayed{},
		failover.Observed{},
		failover.StepDone{},
		failover.StepFailed{},
		failover.Stuck{},
		failover.Finished{},
		failover.Refused{},
	}
}

// factType is a fact's type on the wire. Within a version a shape only grows by fields that may be ignored: a reader that
// does not know them must still do the right thing. Anything else is a new version, and older readers stop at it.
func factType(f failover.Fact) string {
	if s, ok := f.(failover.StepStarted); ok && s.Kind == failover.StepResize {
		return typeResizeStarted
	}
	return "ferry.fact." + f.Type() + ".v1"
}

// typeResizeStarted is the intent to change a size, which has a version of its own: who knows no such step would take its end for that
// of a failover, and ask for the commit.
const typeResizeStarted = "ferry.fact.step_started.v2"

// DecodeFact reads a fact. Unknown fields are ignored; an unknown type, or version, is ErrNewer. What is no fact at all is
// ErrForeign.
func DecodeFact(m Message) (failover.Record, error) {
	typ := m.Header.Get(headerType)
	i := slices.IndexFunc(prototypes(), func(p failover.Fact) bool {
		return factType(p) == typ || typ == typeResizeStarted && p.Type() == failover.StepStarted{}.Type()
	})
	if i < 0 || !m.genuine() {
		return failover.Record{}, m.expect()
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))
	if err != nil {
		return failover.Record{}, fmt.Errorf("%s #%d: %w", m.Subject, m.Seq, err)
	}
	v := reflect.New(reflect.TypeOf(prototypes()[i]))
	if err := json.Unmarshal(m.Data, v.Interface()); err != nil {
		return failover.Record{}, fmt.Errorf("%s #%d: decoding %s: %w", m.Subject, m.Seq, typ, err)
	}
	fact, ok := reflect.TypeAssert[failover.Fact](v.Elem())
	if !ok {
		return failover.Record{}, fmt.Errorf("%s #%d: %s is no fact", m.Subject, m.Seq, typ)
	}
	return failover.Record{Fact: fact, At: at, Seq: m.Seq, Command: m.Header.Get(headerCommand), More: m.Header.Get(headerMore) != ""}, nil
}

// EncodeHold makes the message that takes a target, or lets it go when the hold's Op is empty.
func EncodeHold(h failover.Hold, id string, at time.Time) (Message, error) {
	typ := typeHeld
	if h.Op == "" {
		typ = typeReleased
	}
	return message(TargetSubject(h.Key), id, typ, at, h)
}

// DecodeHold reads who holds a target. What says nothing about that is ErrForeign: it must not let a target go.
func DecodeHold(m Message) (failover.Hold, error) {
	h := failover.Hold{Key: LastToken(m.Subject), Seq: m.Seq}
	if err := m.expect(typeHeld, typeReleased); err != nil {
		return h, err
	}
	if err := json.Unmarshal(m.Data, &h); err != nil {
		return h, fmt.Errorf("%s #%d: decoding the hold: %w", m.Subject, m.Seq, err)
	}
	return h, nil
}

// EncodeDrive makes the message that says an operation has work.
func EncodeDrive(op failover.OpID, id string, at time.Time) (Message, error) {
	return message(DriveSubject(op), id, typeDrive, at, struct{}{})
}

// DecodeDrive reads which operation has work.
func DecodeDrive(m Message) (failover.OpID, error) {
	if err := m.expect(typeDrive); err != nil {
		return "", err
	}
	return failover.OpID(LastToken(m.Subject)), nil
}
