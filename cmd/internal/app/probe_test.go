package app

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// answering is a prober as an executor has it, and the connection of a program that answers for checks, made of what the
// data directory says.
func answering(t *testing.T) (prober, *nats.Conn) {
	t.Helper()
	dir := t.TempDir()
	embedded, err := jetstream.StartEmbedded(dir, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = embedded.Stop() })
	executor, err := jetstream.Connect(embedded.Options(jetstream.RoleExecutor))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(executor.Close)
	data, err := os.ReadFile(filepath.Join(dir, "check.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file jetstream.ClientFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	pair, err := nkeys.FromSeed([]byte(file.Seed))
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(file.URL, nats.Nkey(public, pair.Sign))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	app := New(Options{})
	t.Cleanup(func() { _ = app.Stop(t.Context()) })
	return app.prober(executor), conn
}

// Each kind of check against what really listens. Only a yes is a pass, and silence is neither pass nor failure.
func TestProbe(t *testing.T) {
	p, conn := answering(t)
	for name, says := range map[string]string{"good": `{"ok": true}`, "bad": `{"ok": false, "detail": "the queue is full"}`, "vague": `{"state": "fine"}`, "garbled": "yes"} {
		if _, err := conn.Subscribe(events.CheckSubject(name), func(m *nats.Msg) { _ = m.Respond([]byte(says)) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/broken":
			w.WriteHeader(http.StatusInternalServerError)
		case "/login":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/hangs":
			panic(http.ErrAbortHandler)
		}
	}))
	defer web.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	nobody := closed.Listener.Addr().String()
	closed.Close()
	rows := map[string]struct {
		check   failover.Check
		outcome failover.CheckOutcome
		says    string
	}{
		"HTTP 200":              {failover.Check{HTTP: web.URL + "/"}, failover.CheckPassed, "answers 200"},
		"HTTP 500":              {failover.Check{HTTP: web.URL + "/broken"}, failover.CheckFailed, "answers 500"},
		"a page to sign in at":  {failover.Check{HTTP: web.URL + "/login"}, failover.CheckFailed, "answers 302"},
		"no HTTP answer":        {failover.Check{HTTP: web.URL + "/hangs"}, failover.CheckNoData, "EOF"},
		"HTTP refused":          {failover.Check{HTTP: "http://" + nobody}, failover.CheckNoData, "connection refused"},
		"TCP":                   {failover.Check{TCP: web.Listener.Addr().String()}, failover.CheckPassed, "takes connections"},
		"TCP refused":           {failover.Check{TCP: nobody}, failover.CheckNoData, "takes no connection"},
		"a service says yes":    {failover.Check{Name: "good", NATS: true}, failover.CheckPassed, ""},
		"a service says no":     {failover.Check{Name: "bad", NATS: true}, failover.CheckFailed, "the queue is full"},
		"a service says little": {failover.Check{Name: "vague", NATS: true}, failover.CheckNoData, `{"ok": true}`},
		"a service babbles":     {failover.Check{Name: "garbled", NATS: true}, failover.CheckNoData, `{"ok": true}`},
		"no service":            {failover.Check{Name: "nobody", NATS: true}, failover.CheckNoData, "nobody answers on ferrysvc.check.nobody"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			got := p.Probe(t.Context(), row.check)
			if got.Outcome != row.outcome || !strings.Contains(got.Detail, row.says) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// A VM's own check goes before that of a group, and names are compared without case.
func TestChecksOf(t *testing.T) {
	find := checks(config.Config{
		Checks: map[string]config.Check{"VM-X": {TCP: "h:1"}, "shop": {HTTP: "http://h/"}, "stray": {NATS: true}},
		Groups: map[string]config.Group{"shop": {Waves: []config.Wave{{VMs: []string{"vm-x"}}, {VMs: []string{"web-*"}}}}, "other": {Waves: []config.Wave{{VMs: []string{"vm-y"}}}}},
	})
	for vm, want := range map[string]*failover.Check{
		"vm-x": {Name: "VM-X", TCP: "h:1"}, "WEB-01": {Name: "shop", HTTP: "http://h/"}, "vm-y": nil, "shop": {Name: "shop", HTTP: "http://h/"},
	} {
		if got := find(failover.Item{Name: vm}); (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: %+v", vm, got)
		}
	}
}
