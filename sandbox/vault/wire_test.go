package vault_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/sandbox/vault"
)

// matches compares an answer with testdata/<name>.json, in which <job> and <any> stand for what is random and <signature>
// for the end of a poll URL. Items, jobs, statuses, fabrics and containers were compared with recordings of 2023 and 2025;
// points, the subscription and the vault follow the documentation. UPDATE_GOLDEN=1 rewrites the files, to be read again.
func (w *world) matches(name string, got any, job string) {
	w.Helper()
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(got); err != nil {
		w.Fatal(err)
	}
	masked := mask(text.String(), job)
	file := filepath.Join("testdata", name+".json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(masked), 0o600); err != nil {
			w.Fatal(err)
		}
	}
	want, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(masked, "\n")); diff != "" {
		w.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func mask(text, job string) string {
	if job != "" {
		text = strings.ReplaceAll(text, job[strings.LastIndexByte(job, '/')+1:], "<job>")
	}
	random := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	fixed := []string{subscription, requestID}
	text = random.ReplaceAllStringFunc(text, func(id string) string {
		if slices.Contains(fixed, id) {
			return id
		}
		return "<any>"
	})
	return regexp.MustCompile(`&t=[^"]*`).ReplaceAllString(text, "<signature>")
}

// pause lets fake time pass.
func pause(d time.Duration) { <-time.After(d) }

func TestShapesThroughAFailover(t *testing.T) {
	bubble(t, vault.Options{VMs: 2}, func(w *world) {
		id := w.vm("vm-x").ID
		root, _, _ := strings.Cut(id, "/replicationFabrics")
		for name, path := range map[string]string{
			"subscription": "/subscriptions/" + subscription, "vault": root,
			"fabrics": root + "/replicationFabrics", "containers": root + "/replicationProtectionContainers",
		} {
			w.matches(name, w.get(path).body, "")
		}
		w.matches("item_protected", w.get(id).body, "")
		w.matches("point", dig(w.T, w.get(id+"/recoveryPoints").body, "value", 0), "")

		first, job := w.failOver(latest("Required"))
		w.matches("headers_accepted", headersOf(first), job)
		pause(60 * time.Second)
		w.matches("job_running", w.get(job).body, job)
		w.matches("jobs_running", w.get(root+"/replicationJobs").body, job)
		w.matches("item_failing_over", properties(w, id, "currentScenario", "allowedOperations", "protectionState", "activeLocation", "failoverRecoveryPointId"), job)
		status, _, _ := strings.Cut(first.header.Get("Azure-AsyncOperation"), "?")
		w.matches("status_running", w.get(status).body, job)
		pause(80 * time.Second)
		w.matches("job_done", w.get(job).body, job)
		w.matches("status_done", w.get(status).body, job)
		w.matches("item_failed_over", w.get(id).body, job)

		if got := w.post(id, "failoverCommit", ""); got.status != http.StatusAccepted || got.text != "" {
			w.Fatalf("failoverCommit: %d %s", got.status, got.text)
		}
		pause(8 * time.Second)
		w.matches("item_committed", properties(w, id, "currentScenario", "allowedOperations", "protectionState", "activeLocation", "protectionStateDescription"), "")
		w.matches("points_committed", w.get(id+"/recoveryPoints").body, "")
	})
}

func properties(w *world, id string, keys ...string) map[string]any {
	w.Helper()
	all := dig(w.T, w.get(id).body, "properties")
	some := map[string]any{}
	for _, k := range keys {
		some[k] = dig(w.T, all, k)
	}
	return some
}

func headersOf(a answer) http.Header {
	h := a.header.Clone()
	h.Del("X-Ms-Operation-Identifier") // ends with a random GUID and begins with fixed ones
	return h
}

// TestKeysOfTheRecording has its own list, not made by this package: the keys that Azure sent for an item in 2023 and those
// that later versions document. It wants each of them, and no other.
func TestKeysOfTheRecording(t *testing.T) {
	recorded, err := os.ReadFile("testdata/recorded_item_keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for line := range strings.FieldsSeq(string(recorded)) {
		want[line] = true
	}
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		got := map[string]bool{}
		collectKeys(got, "", w.get(w.vm("vm-x").ID).body)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("keys (-recorded +sent):\n%s", diff)
		}
	})
}

func collectKeys(into map[string]bool, prefix string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			into[prefix+k] = true
			collectKeys(into, prefix+k+".", child)
		}
	case []any:
		for _, child := range v {
			collectKeys(into, prefix, child)
		}
	}
}

func TestPollURLsAreAbsoluteAndLeadToTheItem(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		first, job := w.failOver(latest("NotRequired"))
		if got := first.header["X-Ms-Request-Id"]; len(got) != 2 || got[0] != got[1] {
			w.Errorf("x-ms-request-id %q, want it twice", got)
		}
		location := first.header.Get("Location")
		if len(location) < 3000 {
			w.Errorf("Location has %d characters; real ones are long", len(location))
		}
		if got := w.do(http.MethodGet, location, ""); got.status != http.StatusAccepted || got.text != "" {
			w.Errorf("running: Location answers %d %s", got.status, got.text)
		}
		pause(84 * time.Second)
		got := w.do(http.MethodGet, location, "")
		if got.status != http.StatusOK || dig(w.T, got.body, "properties", "friendlyName") != "vm-x" {
			w.Errorf("done: Location answers %d %s", got.status, got.text)
		}
		if got.header.Get("X-Ms-Request-Id") != job {
			w.Errorf("x-ms-request-id of the result is %q", got.header.Get("X-Ms-Request-Id"))
		}
	})
}

func TestPathsIgnoreCase(t *testing.T) {
	bubble(t, vault.Options{}, func(w *world) {
		id := w.vm("vm-x").ID
		lower, upper := w.get(strings.ToLower(id)), w.get(strings.ToUpper(id))
		if !bytes.Equal([]byte(lower.text), []byte(upper.text)) || dig(w.T, lower.body, "id") != id {
			w.Errorf("got %s and %s, want id %s", lower.text, upper.text, id)
		}
	})
}

func TestRefusedByTheResourceManager(t *testing.T) {
	wrong := "Bearer " + strings.Repeat("x", 40)
	tests := map[string]struct {
		path    string
		headers []string
		status  int
		code    string
	}{
		"no token":        {"item" + apiVersion, []string{"Authorization", ""}, 401, "AuthenticationFailed"},
		"wrong token":     {"item" + apiVersion, []string{"Authorization", wrong}, 401, "InvalidAuthenticationToken"},
		"forged token":    {"item" + apiVersion, []string{"Authorization", "forged"}, 401, "InvalidAuthenticationToken"},
		"no api-version":  {"item", nil, 400, "MissingApiVersionParameter"},
		"no such item":    {"item-x" + apiVersion, nil, 404, "ResourceNotFound"},
		"swapped names":   {"/subscriptions/" + subscription + "/resourceGroups/vault-dr/providers/Microsoft.RecoveryServices/vaults/rg-dr/replicationJobs" + apiVersion, nil, 404, "ResourceGroupNotFound"},
		"no subscription": {"/subscriptions/9c0a0000-0000-4000-8000-000000000000" + apiVersion, nil, 404, "SubscriptionNotFound"},
		"no such route":   {"/providers" + apiVersion, nil, 404, "ResourceNotFound"},
	}
	bubble(t, vault.Options{}, func(w *world) {
		for name, test := range tests {
			path := strings.Replace(test.path, "item", w.vm("vm-x").ID, 1)
			if slices.Contains(test.headers, "forged") {
				claims, _, _ := strings.Cut(w.token, ".")
				test.headers[1] = "Bearer " + claims + "." + strings.Repeat("x", 43)
			}
			got := w.do(http.MethodGet, path, "", test.headers...)
			if got.status != test.status || dig(w.T, got.body, "error", "code") != test.code {
				w.Errorf("%s: %d %s, want %d %s", name, got.status, got.text, test.status, test.code)
			}
		}
	})
}

func TestTokens(t *testing.T) {
	const path = "/identity/token?api-version=2019-08-01&resource="
	bubble(t, vault.Options{}, func(w *world) {
		if got := w.do(http.MethodGet, path+"x", "", "X-IDENTITY-HEADER", "wrong"); got.status != http.StatusUnauthorized {
			w.Errorf("wrong X-IDENTITY-HEADER: %d", got.status)
		}
		graph := w.do(http.MethodGet, path+"https://graph.microsoft.com/", "", "X-IDENTITY-HEADER", "sandbox")
		foreign := "Bearer " + graph.body["access_token"].(string)
		id := w.vm("vm-x").ID
		if got := w.do(http.MethodGet, id+apiVersion, "", "Authorization", foreign); got.status != http.StatusUnauthorized {
			w.Errorf("token for another resource: %d", got.status)
		}
		if want := "946771200"; graph.body["expires_on"] != want {
			w.Errorf("expires_on %v, want a day from now, %s", graph.body["expires_on"], want)
		}
		pause(24*time.Hour + time.Second)
		if got := w.do(http.MethodGet, id+apiVersion, ""); dig(w.T, got.body, "error", "code") != "ExpiredAuthenticationToken" {
			w.Errorf("after a day: %s", got.text)
		}
		w.token = w.fetchToken()
		w.get(id)
	})
}

func TestListsByContainer(t *testing.T) {
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		id := w.vm("vm-x").ID
		list := id[:strings.LastIndexByte(id, '/')]
		other := strings.ReplaceAll(list, "westeurope", "northeurope")
		for path, want := range map[string]int{list: 3, other: 0} {
			got := w.do(http.MethodGet, path+apiVersion+"&$filter=InstanceType%20eq%20'A2A'", "")
			if value, _ := got.body["value"].([]any); got.status != http.StatusOK || len(value) != want {
				w.Errorf("%s: %d with %d items, want %d", path, got.status, len(value), want)
			}
		}
		missing := []string{
			strings.ReplaceAll(list, "-container/", "-other/"), strings.ReplaceAll(id, "westeurope", "northeurope"),
			id + "/recoveryPoints/" + requestID, id + "/operationresults/" + requestID,
		}
		for _, path := range missing {
			if got := w.do(http.MethodGet, path+apiVersion, ""); got.status != http.StatusNotFound {
				w.Errorf("%s: %d", path, got.status)
			}
		}
	})
}
