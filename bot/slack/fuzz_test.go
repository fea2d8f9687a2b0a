package slack

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/failover"
)

const fuzzSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// fuzzTime is when the seeds were signed.
func fuzzTime() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// counter is everything that a bot needs, and keeps what it stores.
type counter struct {
	mu     sync.Mutex
	stored []failover.Command
}

func (c *counter) Store(_ context.Context, cmd failover.Command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = append(c.stored, cmd)
	return nil
}

func (c *counter) Decision(context.Context, string) (failover.Operation, failover.Answer, error) {
	return failover.Operation{ID: "op-aaaaaaaa"}, failover.Answer{Did: failover.DidRequest}, nil
}

func (c *counter) Status(context.Context, string) (failover.Found, error) {
	return failover.Found{}, nil
}

func (c *counter) Inventory(context.Context) (failover.Inventory, error) {
	return failover.Inventory{}, nil
}

func (c *counter) Report(context.Context, failover.OpID) (failover.Report, bool, error) {
	return failover.Report{}, false, nil
}

func (c *counter) Newest(context.Context) ([]failover.Operation, error) {
	return nil, nil
}

func (c *counter) Debt(context.Context) (failover.DebtList, error) { return failover.DebtList{}, nil }

func (c *counter) Points(context.Context, string, string) (failover.PointList, *failover.Refusal, error) {
	return failover.PointList{}, nil, nil
}

func (c *counter) Jobs(context.Context) (failover.JobList, *failover.Refusal, error) {
	return failover.JobList{}, nil, nil
}

func (c *counter) Readiness(context.Context) (failover.ReadinessList, error) {
	return failover.ReadinessList{}, nil
}

func (c *counter) Review(context.Context, string, failover.OpID) (failover.Review, *failover.Refusal, error) {
	return failover.Review{Reversal: &failover.Reversal{}}, nil, nil
}

func (c *counter) Forecast(context.Context, failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	return failover.Forecast{}, nil, nil
}

func (c *counter) Next(context.Context) (Update, error)            { return nil, errors.New("nothing") }
func (c *counter) Get(context.Context, failover.OpID) (Ref, error) { return Ref{}, nil }
func (c *counter) Put(context.Context, failover.OpID, Ref) error   { return nil }
func (c *counter) Accept() (net.Conn, error)                       { return nil, net.ErrClosed }
func (c *counter) Close() error                                    { return nil }
func (c *counter) Addr() net.Addr                                  { return &net.TCPAddr{} }
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) { // Slack, which takes everything
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(answer, `{"ok":true,"view":{"id":"V1"},"message_ts":"1.1"}`)
	return answer.Result(), nil
}

// received is what a bot answers to a request, and stores because of it.
func received(t *testing.T, r *http.Request) (int, []failover.Command) {
	t.Helper()
	c := &counter{}
	b, err := New(Options{
		BotToken: "xoxb-1", Listener: c, SigningSecrets: []string{fuzzSecret}, Channel: "C1", TeamID: "T0SANDBOX",
		Commands: c, Reads: c, Feed: c, Refs: c, HTTPClient: &http.Client{Transport: c}, Now: fuzzTime,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.team = "T0SANDBOX"
	life, end := context.WithCancel(t.Context())
	answer := httptest.NewRecorder()
	b.receive(life, answer, r)
	end()
	b.handlers.Wait()
	return answer.Code, c.stored
}

func fuzzSignature(stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(fuzzSecret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// signedRequest is a request as Slack makes it.
func signedRequest(ctx context.Context, path string, body []byte) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(string(body)))
	stamp := fmt.Sprint(fuzzTime().Unix())
	r.Header.Set(timestampHeader, stamp)
	r.Header.Set(signatureHeader, fuzzSignature(stamp, body))
	r.Header.Set("Content-Type", formType)
	if path == "/slack/events" {
		r.Header.Set("Content-Type", jsonType)
	}
	return r
}

// samples are payloads as Slack sends them, a file for each.
func samples(f *testing.F, kind string) [][]byte {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "payloads", kind+"-*"))
	if err != nil || len(names) == 0 {
		f.Fatal("no payloads of ", kind, err)
	}
	var all [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, []byte(strings.TrimSpace(string(data))))
	}
	return all
}

// Whatever comes over the wire: it is answered, not with an error of the server's own, and without a true signature nothing
// comes of it.
func FuzzRequest(f *testing.F) {
	paths := map[string]string{"command": "/slack/commands", "interaction": "/slack/interactions", "event": "/slack/events"}
	for kind, path := range paths {
		for _, body := range samples(f, kind) {
			if kind == "interaction" {
				body = []byte(url.Values{"payload": {string(body)}}.Encode())
			}
			var raw strings.Builder
			if err := signedRequest(f.Context(), path, body).Write(&raw); err != nil {
				f.Fatal(err)
			}
			f.Add([]byte(raw.String()))
			f.Add([]byte(strings.Replace(raw.String(), "v0=", "v1=", 1)))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(raw))))
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		stamp := r.Header.Get(timestampHeader)
		genuine := hmac.Equal([]byte(r.Header.Get(signatureHeader)), []byte(fuzzSignature(stamp, body)))
		status, stored := received(t, r)
		if status >= http.StatusInternalServerError || !genuine && (len(stored) > 0 || status < http.StatusBadRequest) {
			t.Errorf("answered %d, stored %+v, genuine %v", status, stored, genuine)
		}
	})
}

// understood checks what comes of something that Slack has signed: it is answered, and what is stored is of our workspace and
// says who asked.
func understood(t *testing.T, path string, body []byte) {
	t.Helper()
	status, stored := received(t, signedRequest(t.Context(), path, body))
	if status != http.StatusOK && status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
		t.Errorf("answered %d", status)
	}
	for _, cmd := range stored {
		if cmd.Verb == "" || cmd.By.ID == "" || cmd.MessageID == "" || !failover.IsOpID(string(cmd.Op)) || cmd.At.After(fuzzTime().Add(time.Second)) {
			t.Errorf("stored: %+v", cmd)
		}
	}
	if len(stored) > 1 {
		t.Errorf("%d commands of one request", len(stored))
	}
}

func FuzzCommand(f *testing.F) {
	for _, body := range samples(f, "command") {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) { understood(t, "/slack/commands", body) })
}

func FuzzInteraction(f *testing.F) {
	for _, payload := range samples(f, "interaction") {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		understood(t, "/slack/interactions", []byte(url.Values{"payload": {string(payload)}}.Encode()))
	})
}

func FuzzEvent(f *testing.F) {
	for _, body := range samples(f, "event") {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) { understood(t, "/slack/events", body) })
}

// The seeds are what they should be: each sample that asks for something is stored.
func TestSamplesAreUnderstood(t *testing.T) {
	for name, path := range map[string]string{
		"command-failover": "/slack/commands", "interaction-approve": "/slack/interactions", "interaction-submission": "/slack/interactions", "event-mention": "/slack/events",
	} {
		body, err := os.ReadFile(filepath.Join("testdata", "payloads", name))
		if err != nil {
			t.Fatal(err)
		}
		body = []byte(strings.TrimSpace(string(body)))
		if path == "/slack/interactions" {
			body = []byte(url.Values{"payload": {string(body)}}.Encode())
		}
		if status, stored := received(t, signedRequest(t.Context(), path, body)); status != http.StatusOK || len(stored) != 1 {
			t.Errorf("%s: answered %d, stored %+v", name, status, stored)
		}
	}
}
