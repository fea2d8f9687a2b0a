package azure

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// audience is the resource manager's in the public cloud. The endpoint may be a stand-in's; the audience never is.
const audience = "https://management.core.windows.net/"

// endpoint is a resource manager that may be sent tokens.
type endpoint struct {
	url      *url.URL
	loopback bool // plain HTTP: what is sent stays on this machine
}

func parseEndpoint(text string) (endpoint, error) {
	u, err := url.Parse(text)
	if err != nil {
		return endpoint{}, fmt.Errorf("azure: endpoint: %w", err)
	}
	if u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return endpoint{}, fmt.Errorf("azure: endpoint %q is not of the form https://host", u.Redacted())
	}
	switch {
	case u.Scheme == "https":
		return endpoint{url: u}, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return endpoint{url: u, loopback: true}, nil
	default:
		return endpoint{}, fmt.Errorf("azure: endpoint %q must be https: plain HTTP would show Azure tokens to the network", text)
	}
}

// isLoopback goes by the written host alone: what a name resolves to may change after the check.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func (e endpoint) cloud() cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: cloud.AzurePublic.ActiveDirectoryAuthorityHost,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: strings.TrimSuffix(e.url.String(), "/"), Audience: audience},
		},
	}
}

// wire is the last thing before the network. It keeps tokens from leaving for another host, which a list's nextLink could
// name, and it sees answers whose body never arrives.
type wire struct {
	next   policy.Transporter
	scheme string
	host   string
}

func newWire(next policy.Transporter, u *url.URL) *wire {
	if next == nil {
		next = defaultClient()
	}
	return &wire{next: next, scheme: u.Scheme, host: u.Host}
}

// Do implements [policy.Transporter].
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != w.scheme || !strings.EqualFold(r.URL.Host, w.host) {
		return nil, &foreignHostError{r.URL.Scheme + "://" + r.URL.Host}
	}
	a, mutating := r.Context().Value(attemptKey{}).(*attempt)
	if mutating {
		a.sent, a.method = true, r.Method
	}
	answer, err := w.next.Do(r)
	if mutating && err == nil {
		a.answer = answer
	}
	return answer, err
}

// foreignHostError is not retried by the SDK: the address will not change.
type foreignHostError struct{ host string }

// Error implements error.
func (e *foreignHostError) Error() string { return "Ferry does not send its token to " + e.host + "." }

// NonRetriable is the mark that the SDK's retry policy looks for.
func (*foreignHostError) NonRetriable() {}

// attempt is what became of one mutating call. The SDK can capture a response, too, but not one whose body was cut off,
// and the headers of a 202 are all that counts.
type attempt struct {
	sent   bool           // reached the transport, so Azure may have it
	method string         // as it was sent
	answer *http.Response // the last one
}

type attemptKey struct{}

func (a *attempt) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

func defaultClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   10,
			IdleConnTimeout:       90 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
		// A redirected POST would come back as the answer to a GET, and a 200 to that is no acceptance.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
