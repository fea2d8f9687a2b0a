package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ackDeadline is documented for slash commands and interactions alike.
const ackDeadline = 3 * time.Second

// ErrDispatchFailed is returned by [Workspace.Type] and [Workspace.Click] when no Socket Mode connection took the payload, or no
// request got out.
// It is lost. The person is shown so, at once when no connection is up and else when the 3 s are over.
var ErrDispatchFailed = errors.New("dispatch_failed")

// Ack is one entry of the ledger of envelopes.
type Ack struct {
	EnvelopeID string
	Type       string // slash_commands, interactive or events_api
	TriggerID  string // the same in all deliveries of one payload; empty in those that open no modal
	SentAt     time.Time
	AckedAt    time.Time // zero when never; later than 3 s after SentAt is too late
	Payload    json.RawMessage
}

// interaction is one act of a person that the bot must acknowledge. Its functions are called under the mutex, either one or
// none.
type interaction struct {
	envelopeType string
	payload      reply
	what         string                // as errors name it
	failed       func(code string)     // shows the person that no acknowledgement came; may be nil
	answered     func(json.RawMessage) // takes the payload of the ack, which may be empty; nil where none is accepted
	retries      []time.Duration       // the pauses before each further attempt, none for what is lost at once
	attempt      int
	reason       string // of the next attempt, over HTTP
	acked        bool
	expired      bool
	deadline     *time.Timer
}

// delivery is one envelope of an interaction.
type delivery struct {
	Ack
	interaction *interaction
}

// deliver returns once the first envelope is on the wire or has no chance to get there.
func (w *Workspace) deliver(i *interaction) error {
	w.mu.Lock()
	sent, s := w.dispatch(i)
	w.mu.Unlock()
	if w.overHTTP() {
		return <-sent
	}
	if s == nil {
		return fmt.Errorf("%s: %w: no connection", i.what, ErrDispatchFailed)
	}
	select {
	case err := <-sent:
		return err
	case <-s.done:
	}
	select {
	case err := <-sent: // just before the end
		return err
	default:
		return fmt.Errorf("%s: %w: the connection ended", i.what, ErrDispatchFailed)
	}
}

// dispatch sends the payload once, and besides as often as [Workspace.Duplicate] asked for.
func (w *Workspace) dispatch(i *interaction) (<-chan error, *socket) {
	if w.overHTTP() {
		return w.dispatchRequest(i), nil
	}
	first := w.nextSocket()
	if first == nil {
		i.fail("dispatch_failed")
		return nil, nil
	}
	i.deadline = time.AfterFunc(ackDeadline, func() { w.expire(i) })
	sent := make(chan error, 1)
	w.sendEnvelope(i, first, sent)
	for ; w.extra > 0; w.extra-- {
		w.sendEnvelope(i, w.nextSocket(), nil)
	}
	return sent, first
}

func (w *Workspace) sendEnvelope(i *interaction, s *socket, sent chan<- error) {
	trigger, _ := i.payload["trigger_id"].(string)
	d := &delivery{interaction: i, Ack: Ack{
		EnvelopeID: uuid.NewString(), Type: i.envelopeType, TriggerID: trigger, SentAt: time.Now(),
	}}
	w.deliveries[d.EnvelopeID] = d
	w.order = append(w.order, d)
	body := reply{
		"envelope_id": d.EnvelopeID, "type": d.Type, "payload": i.payload, "accepts_response_payload": i.answered != nil,
	}
	if i.envelopeType == "events_api" {
		body["retry_attempt"], body["retry_reason"] = i.attempt, ""
		if i.attempt > 0 {
			body["retry_reason"] = "timeout"
		}
	}
	s.send(frame{sent: sent, body: body})
}

// acknowledge takes an ack from whichever connection it comes on (clients that reconnected send theirs late). The payload
// of an ack counts only in time and where the envelope accepts one.
func (w *Workspace) acknowledge(a ack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.deliveries[a.EnvelopeID]
	if d == nil || !d.AckedAt.IsZero() || w.closed {
		return
	}
	d.AckedAt, d.Payload = time.Now(), a.Payload
	i := d.interaction
	if i.expired {
		return
	}
	i.acked = true
	i.deadline.Stop()
	if i.answered != nil {
		i.answered(a.Payload)
	}
}

func (w *Workspace) expire(i *interaction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i.acked || w.closed {
		return
	}
	i.reason = "http_timeout"
	w.again(i, "operation_timeout")
}

// again has the payload come again later, if it does, and shows the person that nothing came of it otherwise.
func (w *Workspace) again(i *interaction, code string) {
	i.expired = true
	if i.attempt < len(i.retries) {
		i.deadline = time.AfterFunc(i.retries[i.attempt], func() { w.retry(i) })
		return
	}
	i.fail(code)
}

// retry sends the payload again in an envelope of its own.
func (w *Workspace) retry(i *interaction) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	i.attempt++
	i.expired = false
	w.dispatch(i)
}

func (i *interaction) fail(code string) {
	if i.failed != nil {
		i.failed(code)
	}
}

// complaint words the error as Slack does for a slash command; at a button Slack shows a warning sign instead, which has
// no text of its own, so that wording is inferred.
func (w *Workspace) complaint(c *channel, p Person, what string) func(code string) {
	return func(code string) { w.tell(c, p, fmt.Sprintf("%s failed with the error %q", what, code)) }
}

// answerCommand shows the payload of an ack: ephemeral, or in_channel together with the command (documented).
func (w *Workspace) answerCommand(i *interaction, c *channel, p Person, payload json.RawMessage) {
	if len(payload) == 0 {
		return
	}
	var r response
	content, err := Message{}, json.Unmarshal(payload, &r)
	if err == nil {
		content, err = r.content()
	}
	if err != nil {
		i.fail("invalid_command_response")
		return
	}
	if r.ResponseType == inChannel {
		w.post(c, Message{User: p.ID, Text: fmt.Sprint(i.payload["command"], " ", i.payload["text"])})
	}
	w.respond(c, p, r, content)
}

// Acks returns every envelope sent so far, oldest first.
func (w *Workspace) Acks() []Ack {
	w.mu.Lock()
	defer w.mu.Unlock()
	acks := make([]Ack, len(w.order))
	for n, d := range w.order {
		acks[n] = d.Ack
	}
	return acks
}
