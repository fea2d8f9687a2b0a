package azure_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"ferry/executor/azure"
	"ferry/failover"
)

const (
	endpoint  = "https://management.azure.com"
	vaultPath = "/subscriptions/sub/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr"
	itemPath  = vaultPath + "/replicationFabrics/fabric/replicationProtectionContainers/container/replicationProtectedItems/item"
	jobPath   = vaultPath + "/replicationJobs/"
	jobName   = "0f0e0d0c-1111-4222-8333-444455556666"
	requestID = "98057eb0-c6ca-8b02-b55b-6e294bfa1c41"
	secret    = "s3cr3t-t0k3n"
)

// transport answers requests by hand and keeps them.
type transport struct {
	answer func(*http.Request) (*http.Response, error)
	mu     sync.Mutex // vaults are read at the same time
	sent   []*http.Request
}

func (w *transport) Do(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent = append(w.sent, r)
	w.mu.Unlock()
	answer, err := w.answer(r)
	if answer != nil && answer.Request == nil {
		answer.Request = r
	}
	return answer, err
}

// fixed answers everything alike.
func fixed(status int, body string, headers ...string) *transport {
	return &transport{answer: func(*http.Request) (*http.Response, error) { return response(status, body, headers...), nil }}
}

func failing(err error) *transport {
	return &transport{answer: func(*http.Request) (*http.Response, error) { return nil, err }}
}

// code is that of a resource that is not found.
type code string

// pages answers by path below the vault; a status or a code instead of a body answers with an error.
func pages(bodies map[string]any) *transport {
	return &transport{answer: func(r *http.Request) (*http.Response, error) {
		switch body := bodies[strings.TrimPrefix(r.URL.Path, vaultPath)].(type) {
		case string:
			return response(http.StatusOK, body), nil
		case int:
			return response(body, errorBody("Nope", "No.")), nil
		case code:
			return response(http.StatusNotFound, errorBody(string(body), "Not there.")), nil
		}
		return response(http.StatusNotFound, errorBody("ResourceNotFound", "Not there.")), nil
	}}
}

func response(status int, body string, headers ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func errorBody(code, message string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
}

// credential gives a fixed token, or an error.
type credential struct{ err error }

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: secret, ExpiresOn: time.Now().Add(time.Hour)}, c.err
}

func siteOver(t *testing.T, w policy.Transporter) *azure.Site {
	t.Helper()
	return siteWith(t, w, credential{})
}

func siteWith(t *testing.T, w policy.Transporter, c azcore.TokenCredential) *azure.Site {
	t.Helper()
	site, err := azure.New(azure.Options{
		Endpoint: endpoint, Credential: c, Transport: w, Version: "0.1",
		Vaults: []azure.Vault{{SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "vault-dr"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func anItem() failover.Item { return failover.Item{ID: itemPath, Name: "vm-x"} }

func aFailover() failover.Call {
	return failover.Call{Kind: failover.StepFailover, Item: anItem(), ClientRequestID: requestID}
}

// siteError fails the test unless err is what the executor expects of a site and shows no secret.
func siteError(t *testing.T, err error) failover.SiteError {
	t.Helper()
	e, ok := errors.AsType[*failover.SiteError](err)
	if !ok {
		t.Fatalf("error %T %v, want a *failover.SiteError", err, err)
	}
	if text := fmt.Sprintf("%+v", e.Fault); strings.Contains(text, secret) || e.Fault.Message == "" {
		t.Errorf("fault %s shows a secret or says nothing", text)
	}
	return *e
}
