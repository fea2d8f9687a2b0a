package azure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"ferry/failover"
)

// wantKind is the promise, written down apart from the code: what a status means for a call and for a read.
func wantKind(status int, mutating bool) failover.SiteErrorKind {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusUnauthorized:
		return failover.Retry
	case status >= 400 && status <= 499 && status != http.StatusRequestTimeout:
		return failover.RefusedBySite
	case mutating:
		return failover.Unknown
	default:
		return failover.Retry
	}
}

func TestEveryStatusOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status := 201; status <= 599; status++ {
			if status == http.StatusAccepted {
				continue
			}
			checkStatus(t, status, errorBody("SomeCode", "Something."))
		}
		for _, status := range []int{302, 403, 408, 429, 503} {
			for _, body := range []string{"", "<html>", `{"error":"text"}`, `{"Message":"Upper."}`, `{"error":null}`, `{"error":{"code":7}}`} {
				checkStatus(t, status, body)
			}
		}
	})
}

func checkStatus(t *testing.T, status int, body string) {
	t.Helper()
	w := fixed(status, body, "Retry-After", "90")
	_, err := siteOver(t, w).Begin(t.Context(), aFailover())
	e := siteError(t, err)
	if want := wantKind(status, true); e.Kind != want {
		t.Errorf("%d %s: %s, want %s", status, body, e.Kind, want)
	}
	if (e.After == 90*time.Second) != (e.Kind == failover.Retry) {
		t.Errorf("%d: after %s with %s", status, e.After, e.Kind)
	}
	if e.Fault.Code == "" || e.Kind != failover.Retry && e.Fault.Action == "" {
		t.Errorf("%d %s: fault %+v without code or action", status, body, e.Fault)
	}
	if len(w.sent) != 1 {
		t.Errorf("%d: sent %d times, want once", status, len(w.sent))
	}
}

func TestEveryStatusOfARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status := 201; status <= 599; status++ {
			w := fixed(status, errorBody("SomeCode", "Something."))
			start := time.Now()
			_, err := siteOver(t, w).Points(t.Context(), anItem())
			e := siteError(t, err)
			if want := wantKind(status, false); e.Kind != want {
				t.Errorf("%d: %s, want %s", status, e.Kind, want)
			}
			if e.Fault.Code != "SomeCode" || e.Fault.Message != "Something." {
				t.Errorf("%d: fault %+v", status, e.Fault)
			}
			if took := time.Since(start); took > 20*time.Second || len(w.sent) > 3 {
				t.Errorf("%d: %d requests in %s", status, len(w.sent), took)
			}
		}
	})
}

func TestCodesThatSayMoreThanTheStatus(t *testing.T) {
	tests := []struct {
		status       int
		code, action string
		want         failover.SiteErrorKind
	}{
		{503, "SubscriptionRequestsThrottled", "", failover.Retry},
		{401, "ExpiredAuthenticationToken", "", failover.Retry},
		{401, "InvalidAuthenticationToken", "identity", failover.Retry},
		{403, "AuthorizationFailed", "replicationProtectedItems/unplannedFailover/action", failover.RefusedBySite},
		{403, "RequestDisallowedByPolicy", "Policy", failover.RefusedBySite},
		{404, "ResourceNotFound", "moved by a reprotect", failover.RefusedBySite},
		{404, "ResourceGroupNotFound", "azure.vaults", failover.RefusedBySite},
		{409, "ScopeLocked", "lock", failover.RefusedBySite},
		{409, "MissingSubscriptionRegistration", "Register", failover.RefusedBySite},
		{409, "150001", "Another operation", failover.RefusedBySite},
		{500, "InternalError", "Look at the VM", failover.Unknown},
	}
	for _, test := range tests {
		_, err := siteOver(t, fixed(test.status, errorBody(test.code, "M."))).Begin(t.Context(), aFailover())
		e := siteError(t, err)
		if e.Kind != test.want || e.Fault.Code != test.code || !strings.Contains(e.Fault.Action, test.action) {
			t.Errorf("%d %s: %s %+v, want %s and %q", test.status, test.code, e.Kind, e.Fault, test.want, test.action)
		}
	}
}

func TestDetailsAndHeaderOfAnError(t *testing.T) {
	const body = `{"error":{"code":"LinkedAuthorizationFailed","message":"Outer.","details":[{"code":"X","message":"Inner."},{"message":"Outer."}]}}`
	_, err := siteOver(t, fixed(403, body, "X-Ms-Error-Code", "FromHeader")).Begin(t.Context(), aFailover())
	if e := siteError(t, err); e.Fault.Code != "FromHeader" || e.Fault.Message != "Outer. Inner." {
		t.Errorf("fault %+v", e.Fault)
	}
}

type timeout struct{ error }

func (timeout) Timeout() bool { return true }

func TestNoAnswer(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	tests := map[string]struct {
		err  error
		want failover.SiteErrorKind // of a call; of a read it is always retry
	}{
		"refused":         {dial, failover.Retry},
		"dial timeout":    {&net.OpError{Op: "dial", Err: timeout{errors.New("i/o timeout")}}, failover.Retry},
		"no such host":    {&net.DNSError{Err: "no such host", Name: "management.azure.com"}, failover.Retry},
		"proxy":           {&net.OpError{Op: "proxyconnect", Err: dial}, failover.Retry},
		"certificate":     {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, failover.Retry},
		"EOF":             {io.EOF, failover.Unknown},
		"half an answer":  {io.ErrUnexpectedEOF, failover.Unknown},
		"reset":           {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, failover.Unknown},
		"broken pipe":     {&net.OpError{Op: "write", Err: syscall.EPIPE}, failover.Unknown},
		"timeout":         {timeout{errors.New("net/http: timeout awaiting response headers")}, failover.Unknown},
		"a dead deadline": {context.DeadlineExceeded, failover.Unknown},
		"anything":        {errors.New("http2: client connection lost"), failover.Unknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wrapped := &url.Error{Op: "Post", URL: endpoint + "/?sig=" + secret, Err: test.err}
				w := failing(wrapped)
				_, err := siteOver(t, w).Begin(t.Context(), aFailover())
				if e := siteError(t, err); e.Kind != test.want || len(w.sent) != 1 || strings.Contains(e.Fault.Message, endpoint) {
					t.Errorf("call: %s %v after %d requests, want %s after one", e.Kind, e, len(w.sent), test.want)
				}
				start := time.Now()
				_, err = siteOver(t, failing(wrapped)).Points(t.Context(), anItem())
				if e := siteError(t, err); e.Kind != failover.Retry || time.Since(start) > 20*time.Second {
					t.Errorf("read: %s %v after %s", e.Kind, e, time.Since(start))
				}
			})
		})
	}
}

func TestSilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &transport{answer: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}}
		start := time.Now()
		_, err := siteOver(t, silent).Points(t.Context(), anItem())
		if e := siteError(t, err); e.Kind != failover.Retry || time.Since(start) > 20*time.Second {
			t.Errorf("read: %v after %s", e, time.Since(start))
		}
		start = time.Now()
		_, err = siteOver(t, silent).Begin(t.Context(), aFailover())
		if e := siteError(t, err); e.Kind != failover.Unknown || time.Since(start) != time.Minute {
			t.Errorf("call: %v after %s", e, time.Since(start))
		}
	})
}

func TestDefiniteStatusWithoutBody(t *testing.T) {
	for status, want := range map[int]failover.SiteErrorKind{403: failover.RefusedBySite, 429: failover.Retry, 503: failover.Unknown} {
		w := &transport{answer: func(*http.Request) (*http.Response, error) {
			answer := response(status, "", "Retry-After", "7")
			answer.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return answer, nil
		}}
		_, err := siteOver(t, w).Begin(t.Context(), aFailover())
		if e := siteError(t, err); e.Kind != want || e.Fault.Code != fmt.Sprint(status) {
			t.Errorf("%d: %+v, want %s", status, e, want)
		}
	}
}

// A transport that follows redirects turns the POST into a GET, whose success is none.
func TestRedirectIsNoAcceptance(t *testing.T) {
	for _, status := range []int{200, 202, 403, 404} {
		w := &transport{answer: func(r *http.Request) (*http.Response, error) {
			answer := response(status, "{}", "X-Ms-Request-Id", jobPath+jobName)
			answer.Request = r.Clone(r.Context())
			answer.Request.Method = http.MethodGet
			return answer, nil
		}}
		_, err := siteOver(t, w).Begin(t.Context(), aFailover())
		if e := siteError(t, err); e.Kind != failover.Unknown {
			t.Errorf("%d after a redirect: %v, want unknown", status, e)
		}
	}
}

func TestNoTokenIsRetry(t *testing.T) {
	answered := &azidentity.AuthenticationFailedError{RawResponse: &http.Response{
		StatusCode: http.StatusBadRequest, Body: io.NopCloser(strings.NewReader(secret)),
	}}
	for name, c := range map[string]azcore.TokenCredential{
		"unavailable":        credential{azidentity.NewCredentialUnavailableError("no identity here")},
		"answered":           credential{answered},
		"anybody's error":    credential{errors.New("oops Bearer " + secret)},
		"hanging until late": credential{context.DeadlineExceeded},
	} {
		w := fixed(http.StatusAccepted, "")
		site := siteWith(t, w, c)
		_, err := site.Begin(t.Context(), aFailover())
		_, readErr := site.Items(t.Context())
		for _, e := range []failover.SiteError{siteError(t, err), siteError(t, readErr)} {
			if e.Kind != failover.Retry || e.Fault.Code != "NoToken" || e.Fault.Action == "" || len(w.sent) != 0 {
				t.Errorf("%s: %+v after %d requests, want a retry after none", name, e, len(w.sent))
			}
		}
	}
}

func TestErrorsShowNoSecrets(t *testing.T) {
	for _, message := range []string{
		"See https://x.blob.core.windows.net/y?sig=" + secret + " for more.",
		"Token Bearer " + secret + " is wrong.", "sig=" + secret,
		"Poll (https://management.azure.com/op?t=1&s=" + secret + ")", "Token eyJhbGciOi." + secret + ".x is wrong",
	} {
		for _, text := range []string{errorBody("C", message), errorBody(message, "M")} {
			_, err := siteOver(t, fixed(400, text)).Begin(t.Context(), aFailover())
			siteError(t, err)
		}
		_, err := siteOver(t, failing(errors.New(message))).Begin(t.Context(), aFailover())
		siteError(t, err)
	}
	_, err := siteOver(t, fixed(400, errorBody("C", strings.Repeat("ä", 5000)))).Begin(t.Context(), aFailover())
	if e := siteError(t, err); len(e.Fault.Message) > 1100 {
		t.Errorf("a message of %d bytes", len(e.Fault.Message))
	}
}
