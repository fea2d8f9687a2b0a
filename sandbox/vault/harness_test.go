package vault_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/sandbox/pipe"
	"ferry/sandbox/vault"
)

const (
	host       = "http://vault.test"
	apiVersion = "?api-version=2025-01-01"
	requestID  = "98057eb0-c6ca-4b02-b55b-6e294bfa1c41"
)

// What a failover takes in simulated time, and the part of it that is skipped without a shutdown.
const (
	failoverTakes = 140 * time.Second
	shutdownTakes = 56 * time.Second
)

// world is a served vault with a token.
type world struct {
	*testing.T
	vault  *vault.Vault
	client *http.Client
	base   string // URL
	token  string
}

// bubble runs a test against a vault in fake time, which begins at midnight of 2000-01-01 UTC.
func bubble(t *testing.T, o vault.Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.BaseURL = host
		w := &world{T: t, vault: vault.New(o), base: host}
		l := pipe.Listen()
		server := &http.Server{Handler: w.vault, ReadHeaderTimeout: 240 * time.Hour} // outlives any test's pause
		go func() { _ = server.Serve(l) }()
		transport := &http.Transport{DialContext: l.Dial}
		w.client = &http.Client{Transport: transport}
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			if err := server.Close(); err != nil {
				t.Error(err)
			}
		})
		w.token = w.fetchToken()
		test(w)
	})
}

func (w *world) fetchToken() string {
	w.Helper()
	got := w.do(http.MethodGet, "/identity/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.core.windows.net%2F", "",
		"X-IDENTITY-HEADER", "sandbox", "Authorization", "")
	return got.body["access_token"].(string)
}

// answer is what came back; err is set when the connection was cut.
type answer struct {
	status int
	header http.Header
	body   map[string]any // nil when empty
	text   string
	err    error
}

// do sends a request with the usual headers; header pairs override them, an empty value removes one.
func (w *world) do(method, path, body string, headers ...string) answer {
	w.Helper()
	url := path
	if !strings.HasPrefix(url, "http") {
		url = w.base + path
	}
	r, err := http.NewRequestWithContext(w.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("X-Ms-Client-Request-Id", requestID)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
		if pair[1] == "" {
			r.Header.Del(pair[0])
		}
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{err: err}
	}
	got := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if len(text) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		if err := d.Decode(&got.body); err != nil {
			w.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return got
}

// get fails the test unless the answer is 200.
func (w *world) get(id string) answer {
	w.Helper()
	got := w.do(http.MethodGet, id+apiVersion, "")
	if got.status != http.StatusOK {
		w.Fatalf("GET %s: %d %v %s", id, got.status, got.err, got.text)
	}
	return got
}

func (w *world) post(id, operation, body string) answer {
	w.Helper()
	return w.do(http.MethodPost, id+"/"+operation+apiVersion, body)
}

// vm returns the item's view.
func (w *world) vm(name string) vault.Item {
	w.Helper()
	for _, it := range w.vault.Items() {
		if it.Name == name {
			return it
		}
	}
	w.Fatalf("no VM %s", name)
	return vault.Item{}
}

// failOver starts a failover of vm-x and returns its answer and job id.
func (w *world) failOver(body string) (answer, string) {
	w.Helper()
	got := w.post(w.vm("vm-x").ID, "unplannedFailover", body)
	if got.status != http.StatusAccepted {
		w.Fatalf("unplannedFailover: %d %v %s", got.status, got.err, got.text)
	}
	return got, got.header.Get("X-Ms-Request-Id")
}

// latest is the body of a failover to the latest point, as recorded: no recoveryPointId.
func latest(sourceSiteOperations string) string {
	return `{"properties":{"failoverDirection":"PrimaryToRecovery","sourceSiteOperations":"` + sourceSiteOperations +
		`","providerSpecificDetails":{"instanceType":"A2A"}}}`
}

func toPoint(id string) string {
	return strings.Replace(latest("NotRequired"), `"A2A"`, `"A2A","recoveryPointId":"`+id+`"`, 1)
}

// dig follows keys and indexes into decoded JSON.
func dig(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, _ := v.(map[string]any)
			var found bool
			if v, found = o[step]; !found {
				t.Fatalf("no key %q of %v", step, path)
			}
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				t.Fatalf("no index %d of %v", step, path)
			}
			v = list[step]
		}
	}
	return v
}
