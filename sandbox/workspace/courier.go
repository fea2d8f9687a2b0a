package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// newCourier is the client of the requests. It follows no redirect (inferred).
func newCourier(u RequestURLs) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: u.Dial},
		Timeout:       ackDeadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dispatchRequest has the payload of an interaction go out as a request, and besides as often as [Workspace.Duplicate] asked for.
// The first answer is the one that counts. The channel is told once when the request is out, or cannot get there.
func (w *Workspace) dispatchRequest(i *interaction) <-chan error {
	sent := make(chan error, 1)
	r, err := w.request(i)
	if err == nil && (r.URL == "" || w.closed || time.Now().Before(w.outageUntil)) {
		err = errors.New("no request URL, or Slack is away")
	}
	if err != nil {
		sent <- fmt.Errorf("%s: %w: %w", i.what, ErrDispatchFailed, err)
		i.fail("dispatch_failed")
		return sent
	}
	fault := w.nextRequestFault()
	secret := w.opts.RequestURLs.SigningSecret
	if fault.Forge {
		secret = "not the secret"
	}
	r = r.signed(secret, time.Now().Add(-fault.Age))
	i.deadline = time.AfterFunc(ackDeadline, func() { w.expire(i) })
	d, attempt := w.record(i), i.attempt
	w.tasks.Go(func() { w.answered(d, attempt, w.carry(r, fault, sent)) })
	for ; w.extra > 0; w.extra-- {
		d := w.record(i)
		w.tasks.Go(func() { w.note(d, w.carry(r, RequestFault{}, make(chan error, 1))) })
	}
	return sent
}

// record opens the entry of a request in the ledger.
func (w *Workspace) record(i *interaction) *delivery {
	trigger, _ := i.payload["trigger_id"].(string)
	d := &delivery{interaction: i, Ack: Ack{EnvelopeID: uuid.NewString(), Type: i.envelopeType, TriggerID: trigger, SentAt: time.Now()}}
	w.order = append(w.order, d)
	w.deliveries[d.EnvelopeID] = d
	return d
}

// carry takes a request to the app and waits for the answer, 3 s at most.
func (w *Workspace) carry(r Request, fault RequestFault, sent chan<- error) Request {
	told := func(err error) {
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrDispatchFailed, err)
		}
		select {
		case sent <- err:
		default: // it knows
		}
	}
	if fault.Delay > 0 {
		told(nil)
		select {
		case <-time.After(fault.Delay):
		case <-w.ended:
		}
	}
	r.At = time.Now()
	w.ask(&r, told)
	if fault.LoseAnswer && r.Failure == "" {
		r.Status, r.Failure, r.AnswerHeader, r.Answer = 0, "http_timeout", nil, ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
	return r
}

// outgoing tells when all of a body has gone out.
type outgoing struct {
	io.Reader
	told func(error)
}

func (o outgoing) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err != nil {
		o.told(nil)
	}
	return n, err
}

func (o outgoing) Close() error { return nil }

// ask sends a request and fills in what came of it.
func (w *Workspace) ask(r *Request, told func(error)) {
	address, err := url.Parse(r.URL)
	var in *http.Response
	if err == nil {
		body := func() (io.ReadCloser, error) { return outgoing{strings.NewReader(r.Body), told}, nil }
		out := &http.Request{Method: http.MethodPost, URL: address, Header: r.Header.Clone(), ContentLength: int64(len(r.Body)), GetBody: body}
		out.Body, _ = body()
		in, err = w.courier.Do(out)
	}
	told(err) // unless it went out before
	var answer []byte
	if err == nil {
		answer, err = io.ReadAll(io.LimitReader(in.Body, maxBody))
		_ = in.Body.Close()
	}
	switch {
	case err == nil:
		r.Status, r.AnswerHeader, r.Answer = in.StatusCode, in.Header, string(answer)
	case isTimeout(err):
		r.Failure = "http_timeout"
	default:
		r.Failure = "connection_failed"
	}
	if err == nil && in.StatusCode/100 != 2 {
		r.Failure = "http_error"
	}
}

func isTimeout(err error) bool {
	var timed interface{ Timeout() bool }
	return errors.As(err, &timed) && timed.Timeout()
}

// answered does with an answer what Slack does. A request that nobody answered in time is ended by its deadline.
func (w *Workspace) answered(d *delivery, attempt int, r Request) {
	switch r.Failure {
	case "":
		w.acknowledge(ack{EnvelopeID: d.EnvelopeID, Payload: r.payload(d.Type)})
	case "http_timeout":
	default:
		w.refused(d.interaction, attempt, r)
	}
}

// payload is the answer as an acknowledgement holds it. The answer to a command may be a plain text (documented).
func (r Request) payload(envelopeType string) json.RawMessage {
	kind, _, _ := mime.ParseMediaType(r.AnswerHeader.Get("Content-Type"))
	if envelopeType != "slash_commands" || kind == "application/json" || r.Answer == "" {
		return json.RawMessage(r.Answer)
	}
	text, err := encode(reply{"text": r.Answer})
	if err != nil {
		return json.RawMessage(r.Answer)
	}
	return text
}

// note completes the ledger's entry of a request that was sent once more.
func (w *Workspace) note(d *delivery, r Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Failure == "" {
		d.AckedAt, d.Payload = time.Now(), r.payload(d.Type)
	}
}

// refused is for an answer other than 2xx, and for no connection: an event comes again, unless the answer asks not to.
func (w *Workspace) refused(i *interaction, attempt int, r Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i.acked || i.expired || i.attempt != attempt || w.closed {
		return
	}
	i.deadline.Stop()
	i.reason = r.Failure
	if r.AnswerHeader.Get(noRetryHeader) == "1" {
		i.retries = nil
	}
	w.again(i, "dispatch_failed")
}

// VerifyEvents asks the app whether the URL of its events is its own, as Slack does when somebody enters it.
func (w *Workspace) VerifyEvents() error {
	challenge := uuid.NewString()
	body, err := encode(reply{"token": verificationToken, "challenge": challenge, "type": "url_verification"})
	if err != nil {
		return err
	}
	r := Request{URL: w.opts.RequestURLs.Events, Body: string(body), Header: http.Header{"User-Agent": {robot}, "Content-Type": {"application/json"}}}
	r = w.Send(r.signed(w.opts.RequestURLs.SigningSecret, time.Now()))
	if kind, _, _ := mime.ParseMediaType(r.AnswerHeader.Get("Content-Type")); kind == "application/json" {
		r.Answer = parseNode([]byte(r.Answer)).text("challenge")
	}
	if r.Status != http.StatusOK || strings.TrimSpace(r.Answer) != challenge {
		return fmt.Errorf("your URL did not respond with the value of the challenge parameter: %d %q", r.Status, r.Answer)
	}
	return nil
}

// Send takes a request to the app as it is: one of [Workspace.Requests] sent again, by whoever has captured it, or another that
// somebody made up. It returns the request with what came of it.
func (w *Workspace) Send(r Request) Request {
	r.Status, r.Failure, r.AnswerHeader, r.Answer = 0, "", nil, ""
	return w.carry(r, RequestFault{}, make(chan error, 1))
}

// Requests returns every request to the app that has ended, oldest first.
func (w *Workspace) Requests() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}
