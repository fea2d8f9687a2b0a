package world

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"ferry/config"
	"ferry/sandbox/confidential"
)

// identityHeader is the secret of the managed identity's endpoint.
const identityHeader = "canary-identity-header"

// overheard is what a process logs to: everything is listened to, and shown when the tests are verbose.
func overheard(t *testing.T) *slog.Logger {
	t.Helper()
	to := io.Discard
	if testing.Verbose() {
		to = t.Output()
	}
	out := confidential.Listen(to, func(secret, line string) { t.Errorf("the log tells a secret, %s: %s", secret, line) })
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// keepsSecrets looks for secrets in all that people were shown, and in all that is on disk.
func (w *world) keepsSecrets() {
	w.t.Helper()
	for _, p := range people() {
		if found := confidential.Leak([]byte(w.told(p.ID))); found != "" {
			w.t.Errorf("Slack shows a secret to %s: %s", p.Name, found)
		}
	}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // a server that was killed still tidies up
			return nil
		}
		if found := confidential.Leak(data); found != "" {
			w.t.Errorf("%s keeps a secret: %s", filepath.Base(path), found)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Error(err)
	}
}

// What the watch looks for is what Ferry is really given: of each kind one is caught on its way in, or out to where it belongs.
func TestSecretsAreRecognised(t *testing.T) {
	bubbleOf(t, quick(), config.ModeSocket, func(w *world) {
		c := w.config().Slack
		seen := map[string]string{"bot token": c.BotToken.Reveal(), "app token": c.AppToken.Reveal(), "header of the identity": identityHeader, "access token": w.token(), "seed": w.seed()}
		catch := func(host string, h http.Handler) {
			w.stand(host, func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Upgrade") != "" {
					return false
				}
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, r)
				switch path := r.URL.Path; {
				case strings.HasSuffix(path, "/apps.connections.open"):
					seen["ticket"] = answer.Body.String()
				case strings.Contains(path, "/T0SANDBOX/"):
					seen["response_url"] = path
				case strings.HasSuffix(path, "/unplannedFailover"):
					seen["poll URL"] = answer.Header().Get("Location")
				}
				maps.Copy(rw.Header(), answer.Header())
				rw.WriteHeader(answer.Code)
				_, _ = answer.Body.WriteTo(rw) // who asked may have gone
				return true
			})
		}
		catch(azureHost, w.vault)
		catch(slackHost, w.workspace)
		w.start(nil)
		w.play()
		for _, kind := range []string{"bot token", "app token", "header of the identity", "access token", "ticket", "response_url", "poll URL", "seed"} {
			if confidential.Leak([]byte(seen[kind])) == "" {
				t.Errorf("the %s is not recognised: %.80q", kind, seen[kind])
			}
		}
	})
}

// token is what the SDK is given for Ferry; it keeps one for the whole process.
func (w *world) token() string {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/identity/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.core.windows.net%2F", http.NoBody)
	r.Header.Set("X-Identity-Header", identityHeader)
	answer := httptest.NewRecorder()
	w.vault.ServeHTTP(answer, r)
	return answer.Body.String()
}

// seed draws the seed of a NATS identity, as the embedded server does.
func (w *world) seed() string {
	w.t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		w.t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(seed)
}
