package azure_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ferry/executor/azure"
	"ferry/failover"
)

func TestEndpoints(t *testing.T) {
	tests := map[string]bool{
		"https://management.azure.com": true, "https://management.azure.com/": true, "https://arm.internal:8443": true,
		"http://127.0.0.1:80": true, "http://127.8.9.1": true, "http://[::1]:8080": true, "http://localhost:1": true, "http://LOCALHOST": true,
		"http://management.azure.com": false, "http://vault.test": false, "http://127.0.0.1.evil.test": false, "http://10.0.0.1": false,
		"http://localhost.evil.test": false, "http://0.0.0.0": false, "http://[::]": false, "http://127.1": false,
		"": false, "management.azure.com": false, "ftp://127.0.0.1": false, "https://u:p@management.azure.com": false,
		"https://management.azure.com/path": false, "https://management.azure.com?x=1": false, "https://management.azure.com#x": false, "https://": false, "http://127.0.0.1@evil.test": false,
	}
	for text, want := range tests {
		_, err := azure.New(azure.Options{Endpoint: text, Credential: credential{}, Vaults: []azure.Vault{{SubscriptionID: "s", ResourceGroup: "g", Name: "v"}}})
		if (err == nil) != want {
			t.Errorf("endpoint %q: %v, want accepted %t", text, err, want)
		}
		if _, err := azure.NewCredential("cli", text, nil); (err == nil) != want {
			t.Errorf("credential for %q: %v, want accepted %t", text, err, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := azure.Vault{SubscriptionID: "s", ResourceGroup: "g", Name: "v"}
	for name, o := range map[string]azure.Options{
		"no credential": {Endpoint: endpoint, Vaults: []azure.Vault{good}},
		"no vault":      {Endpoint: endpoint, Credential: credential{}},
		"half a vault":  {Endpoint: endpoint, Credential: credential{}, Vaults: []azure.Vault{{Name: "v"}}},
		"vault twice":   {Endpoint: endpoint, Credential: credential{}, Vaults: []azure.Vault{good, {SubscriptionID: "S", ResourceGroup: "G", Name: "V"}}},
	} {
		if _, err := azure.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCredentialKinds(t *testing.T) {
	t.Setenv("AZURE_TENANT_ID", "11111111-2222-4333-8444-555555555555")
	t.Setenv("AZURE_CLIENT_ID", "11111111-2222-4333-8444-666666666666")
	t.Setenv("AZURE_CLIENT_SECRET", secret)
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", t.TempDir()+"/token")
	for _, kind := range []string{"default", "managed_identity", "workload_identity", "environment", "cli"} {
		if _, err := azure.NewCredential(kind, endpoint, nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := azure.NewCredential("password", endpoint, nil); err == nil || !strings.Contains(err.Error(), "workload_identity") {
		t.Errorf("password: %v, want an error that names the kinds", err)
	}
}

// A managed identity gives its tokens over plain HTTP, so that its service has to be on this host, where Azure puts it.
func TestAnIdentityServiceElsewhereIsRefused(t *testing.T) {
	for _, name := range []string{"IDENTITY_ENDPOINT", "MSI_ENDPOINT"} {
		for text, want := range map[string]bool{
			"": true, "http://127.0.0.1:41741/msi/token/": true, "http://localhost:42356/msi/token": true, "http://169.254.129.2:8081/msi/token": true,
			"http://[::1]/token": true, "https://10.0.0.1:2377/metadata/identity/oauth2/token": true,
			"http://10.0.0.1/token": false, "http://127.0.0.1.evil.test/token": false, "http://localhost:1@evil.test/": false, "http://u:p@127.0.0.1/": false, "http://0.0.0.0/": false,
		} {
			t.Setenv(name, text)
			for _, kind := range []string{"default", "managed_identity"} {
				if _, err := azure.NewCredential(kind, endpoint, nil); (err == nil) != want {
					t.Errorf("%s=%s: %v, want accepted %t", name, text, err, want)
				}
			}
		}
		t.Setenv(name, "")
	}
}

// With the default client over a real loopback socket: a redirect is not followed, so that a POST stays one.
func TestDefaultClientFollowsNoRedirect(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	site, err := azure.New(azure.Options{
		Endpoint: server.URL, Credential: credential{}, Version: "a version that is too long",
		Vaults: []azure.Vault{{SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "vault-dr"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = site.Begin(t.Context(), aFailover())
	if e := siteError(t, err); e.Kind != failover.Unknown || asked != 1 {
		t.Errorf("%v after %d requests, want unknown after one", e, asked)
	}
}

// A list that names its next page on another host, or on this one without TLS, is not followed: every request carries a token.
func TestNoTokenLeavesTheHost(t *testing.T) {
	for _, next := range []string{"https://evil.test/page?2", "http://management.azure.com/page?2", "https://management.azure.com.evil.test/page?2", "https://management.azure.com:444/page?2"} {
		wire := fixed(http.StatusOK, `{"value":[],"nextLink":"`+next+`"}`)
		_, err := siteOver(t, wire).Items(t.Context())
		if err == nil || !strings.Contains(err.Error(), "does not send its token") && !strings.Contains(err.Error(), "non-TLS") {
			t.Errorf("%s: %v", next, err)
		}
		for _, r := range wire.sent {
			if asked := r.URL.Scheme + "://" + r.URL.Host; asked != endpoint {
				t.Errorf("%s: asked at %s with %q", next, asked, r.Header.Get("Authorization"))
			}
		}
	}
}
