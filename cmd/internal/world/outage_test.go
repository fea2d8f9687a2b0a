package world

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// door is what stands before a host: it may answer in its place, and counts what came.
type door struct {
	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request) bool
	came   int
}

func (w *world) doorOf(host string, h http.Handler) http.Handler {
	d := &door{}
	if w.doors == nil {
		w.doors = map[string]*door{}
	}
	w.doors[host] = d
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		d.came++
		answer := d.answer
		d.mu.Unlock()
		if answer == nil || !answer(rw, r) {
			h.ServeHTTP(rw, r)
		}
	})
}

// stand puts somebody into the door, or (nil) takes them away, and returns how many requests came since the last time.
func (w *world) stand(host string, answer func(http.ResponseWriter, *http.Request) bool) int {
	d := w.doors[host]
	d.mu.Lock()
	defer d.mu.Unlock()
	came := d.came
	d.answer, d.came = answer, 0
	return came
}

// answers has all requests to a host whose path begins so answered with a status.
func answers(status int, path string) func(http.ResponseWriter, *http.Request) bool {
	return func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, path) {
			return false
		}
		rw.WriteHeader(status)
		_, _ = fmt.Fprintf(rw, `{"error":{"code":"Gone%d","message":"Not now."}}`, status)
		return true
	}
}

// Azure is silent for twenty minutes around a press: nothing is abandoned and nobody has to act, the card says since when and
// how long the decision holds, Azure is asked by one probe at a time, and the work goes on by itself.
func TestBrownOutBeforeTheCall(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.stand(azureHost, answers(503, "/subscriptions"))
		pass(3 * time.Minute)
		w.presses("ben", "Approve", "Azure does not answer since")
		w.sees("what was decided holds until")
		w.stand(azureHost, answers(503, "/subscriptions"))
		pass(15 * time.Minute)
		w.reads("ana", "/failover test vm-y", "Azure does not answer (HTTP 503 Service Unavailable)")
		if n := w.stand(azureHost, nil); n > 100 {
			t.Errorf("Azure was asked %d times in 15 minutes", n)
		}
		w.sees("[ Commit ]")
		w.once()
	})
}

// The same while a job runs, and a commit after it: what was told of the silence is taken back.
func TestBrownOutDuringTheJob(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.approved()
		w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 })
		w.stand(azureHost, answers(500, "/subscriptions"))
		w.sees("does not answer since")
		pass(time.Hour)
		w.sees("Ferry keeps asking")
		w.stand(azureHost, nil)
		w.sees("[ Commit ]")
		w.lacks("keeps asking")
		w.presses("ben", "Commit", ": committed")
		w.once()
	})
}

// Azure does not take Ferry's token for ten minutes: the card names the identity and what to check, not silence; then it
// goes on by itself. A right that is missing is another matter: it is refused, by its name.
func TestIdentityRefused(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.stand(azureHost, answers(401, "/subscriptions"))
		w.presses("ben", "Approve", "Azure does not let Ferry in since")
		w.sees("Check the identity that Ferry runs as")
		pass(10 * time.Minute)
		w.stand(azureHost, nil)
		w.sees("[ Commit ]")
		w.once()
		w.stand(azureHost, answers(403, "/subscriptions"))
		w.presses("ben", "Commit", "The commit failed")
		w.sees("Give Ferry's identity Microsoft.RecoveryServices/")
		w.stand(azureHost, nil)
		w.presses("ben", "Commit", ": committed")
	})
}

// brief has the identity service give tokens of ten minutes.
func (w *world) brief(rw http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/identity") {
		return false
	}
	given := httptest.NewRecorder()
	w.vault.ServeHTTP(given, r)
	token := map[string]string{}
	if err := json.Unmarshal(given.Body.Bytes(), &token); err != nil {
		w.t.Error(err)
	}
	token["expires_on"] = strconv.FormatInt(time.Now().Add(10*time.Minute).Unix(), 10)
	if err := json.NewEncoder(rw).Encode(token); err != nil {
		w.t.Error(err)
	}
	return true
}

// The token expires while the identity service is down: the state is kept, the card says so, and with the next token it
// goes on.
func TestTokenExpires(t *testing.T) {
	t.Setenv("AZURE_CLIENT_ID", "short-lived") // the SDK keeps the tokens of an identity for the whole process
	bubble(t, func(w *world) {
		w.stand(azureHost, w.brief)
		w.begin()
		w.approved()
		w.sees("[ Commit ]")
		w.stand(azureHost, answers(500, "/identity"))
		pass(15 * time.Minute)
		w.presses("ben", "Commit", "Azure does not let Ferry in since")
		w.sees("Ferry got no token for Azure")
		w.sees("Check azure.credential")
		pass(10 * time.Minute)
		w.stand(azureHost, nil)
		w.sees(": committed")
		w.ledger("failoverCommit", 1)
	})
}

// Slack's token is revoked while a failover runs: the work goes on, Slack is asked about once a minute and not more, and with
// the token's return the card shows how it stands.
func TestSlackTokenRevoked(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.approved()
		w.until(time.Minute, func() bool { return w.accepted("unplannedFailover") == 1 })
		w.stand(slackHost, func(rw http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				_, _ = fmt.Fprint(rw, `{"ok":false,"error":"invalid_auth"}`)
				return true
			}
			return false
		})
		w.workspace.Disconnect("refresh_requested")
		w.workspace.Disconnect("refresh_requested")
		pass(30 * time.Minute)
		if state := w.vault.Items()[0].ProtectionState; state != commitPending {
			t.Errorf("vm-x is %s: the work did not go on", state)
		}
		if n := w.stand(slackHost, nil); n > 150 {
			t.Errorf("Slack was asked %d times in 30 minutes", n)
		}
		pass(2 * time.Minute)
		w.presses("ben", "Commit", ": committed")
		w.once()
	})
}
