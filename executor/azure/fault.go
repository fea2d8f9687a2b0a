package azure

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"ferry/failover"
)

const lookFirst = "Look at the VM and its jobs in Azure before anything is tried again."

// refuse is for what is wrong without asking Azure.
func refuse(code, format string, args ...any) error {
	return &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{
		Code: code, Message: fmt.Sprintf(format, args...), Action: "Ask again by the VM's name.",
	}}
}

// failed gives the error of a request its meaning. ctx is the caller's; a is nil for a read.
func (o operation) failed(ctx context.Context, a *attempt, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if a.redirected() {
		return o.lost(errors.New("the call was redirected"))
	}
	if kept, ok := errors.AsType[*closed](err); ok {
		return kept.siteError(o)
	}
	if over, ok := errors.AsType[*overspent](err); ok {
		return over.siteError()
	}
	if token, ok := errors.AsType[*tokenError](err); ok {
		return &failover.SiteError{Kind: failover.Retry, Fault: token.fault()}
	}
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return o.answered(answer.RawResponse, answer.ErrorCode)
	}
	if a != nil && a.answer != nil {
		return o.answered(a.answer, "") // its body was cut off, but the status was heard
	}
	return o.unanswered(a, err)
}

func (a *attempt) redirected() bool {
	return a != nil && a.answer != nil && a.answer.Request != nil && a.answer.Request.Method != a.method
}

// answered translates an error that Azure itself gave.
func (o operation) answered(answer *http.Response, code string) error {
	fault := readFault(answer, code)
	fault.Capacity = capacity(fault)
	fault.Action = o.action(answer.StatusCode, fault.Code)
	e := &failover.SiteError{Kind: o.kind(answer.StatusCode, fault.Code), Fault: fault}
	switch e.Kind {
	case failover.Retry:
		e.After = retryAfter(answer.Header)
	case failover.Unknown:
		e.Fault.Action = lookFirst
	case failover.RefusedBySite:
	}
	return e
}

// kind judges an error by its code where the code says more than the status, else by the status. Of a mutating call that
// the server did not clearly turn away, nobody knows what became; that includes redirects and odd successes.
func (o operation) kind(status int, code string) failover.SiteErrorKind {
	switch {
	case status == http.StatusTooManyRequests, strings.HasSuffix(code, "RequestsThrottled"):
		return failover.Retry
	case status == http.StatusUnauthorized: // surely not taken; the next call brings another token
		return failover.Retry
	case status != http.StatusRequestTimeout && status >= 400 && status < 500:
		return failover.RefusedBySite
	case o.mutates:
		return failover.Unknown
	default:
		return failover.Retry
	}
}

// action says what a person can do about an answer; a job's own recommended action is not known here.
func (o operation) action(status int, code string) string {
	switch code {
	case "ScopeLocked":
		return "Remove the resource lock that Azure names, then ask again."
	case "MissingSubscriptionRegistration":
		return "Register the resource provider Microsoft.RecoveryServices in the subscription."
	case "RequestDisallowedByPolicy":
		return "An Azure Policy forbids it: exempt the resource or change the policy."
	case "SubscriptionNotFound", "ResourceGroupNotFound":
		if o.on != "" {
			return "Let Ferry's identity see " + o.on + ": it needs " + o.permission + " there."
		}
		return "Compare azure.vaults of the configuration with the portal; Ferry's identity must be able to see the vault."
	}
	switch status {
	case http.StatusUnauthorized:
		return "Check the identity that Ferry runs as, and that the subscription is in its tenant."
	case http.StatusForbidden:
		if o.on != "" {
			return "Give Ferry's identity " + o.permission + " on " + o.on + ", by the role Reader or a custom one. A new assignment takes some minutes."
		}
		return "Give Ferry's identity " + o.permission + " on the vault, by the role " + cmp.Or(o.role, "Site Recovery Operator") + " or a custom one. A new assignment takes some minutes."
	case http.StatusNotFound, http.StatusGone:
		return "It was moved by a reprotect, or it is gone: look at it in the vault, and ask again by the VM's name."
	case http.StatusConflict, http.StatusPreconditionFailed:
		return "Another operation runs on it, or its state does not allow this one: look at its status, then ask again."
	case http.StatusTooManyRequests:
		return ""
	}
	if status >= 400 && status < 500 {
		return "Look at the replicated item in the portal; its health errors say what is missing."
	}
	return ""
}

// unanswered translates an error for which there is no answer.
func (o operation) unanswered(a *attempt, err error) error {
	if host, ok := errors.AsType[*foreignHostError](err); ok {
		return refuse("ForeignHost", "%s", host.Error())
	}
	late := errors.Is(err, context.DeadlineExceeded)
	switch {
	case o.mutates && !a.sent && !late:
		return refuse("NotSendable", "The call could not be made: %s", scrub(err.Error()))
	case o.mutates && a.sent && !neverArrived(err):
		return o.lost(err)
	default:
		return &failover.SiteError{Kind: failover.Retry, Fault: failover.Fault{Code: "NoAnswer", Message: "Azure did not answer: " + reason(err)}}
	}
}

func (o operation) lost(err error) error {
	return &failover.SiteError{Kind: failover.Unknown, Fault: failover.Fault{
		Code: "AnswerLost", Message: "The call was sent and its answer was lost: " + reason(err), Action: lookFirst,
	}}
}

// neverArrived reports whether no connection came about, so that Azure cannot have the request. The HTTP client sends a
// POST or PATCH again by itself only when nothing of it was written, so a failed dial means that here, too.
func neverArrived(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// reason is an error of the network without the URL that was asked.
func reason(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return scrub(err.Error())
}

// errorBody is an error as documented, wrapped in "error" or not. The decoder takes keys in either case.
type errorBody struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Details []errorBody `json:"details"`
	Error   *errorBody  `json:"error"`
}

// readFault reads the documented error body; anything else leaves the status.
func readFault(answer *http.Response, code string) failover.Fault {
	var body errorBody
	status := fmt.Sprintf("HTTP %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	text, err := runtime.Payload(answer)
	if err != nil || json.Unmarshal(text, &body) != nil {
		return failover.Fault{Code: cmp.Or(scrub(code), fmt.Sprint(answer.StatusCode)), Message: strings.TrimSpace(status)}
	}
	if body.Error != nil {
		body = *body.Error
	}
	messages := []string{body.Message}
	for _, d := range body.Details {
		messages = append(messages, d.Message)
	}
	return failover.Fault{
		Code:    scrub(cmp.Or(code, body.Code, fmt.Sprint(answer.StatusCode))),
		Message: cmp.Or(scrub(join(" ", messages...)), strings.TrimSpace(status)),
	}
}

// fault leaves out what the identity service answered: it may echo what it was sent.
func (e *tokenError) fault() failover.Fault {
	message := reason(e.cause)
	if failed, ok := errors.AsType[*azidentity.AuthenticationFailedError](e.cause); ok && failed.RawResponse != nil {
		message = fmt.Sprintf("the identity service answered HTTP %d.", failed.RawResponse.StatusCode)
	}
	message, _, _ = strings.Cut(message, " To troubleshoot") // what follows is for who programs with it
	return failover.Fault{
		Code: "NoToken", Message: "Ferry got no token for Azure: " + message,
		Action: "Check azure.credential and the identity that Ferry runs as.",
	}
}

// maxMessage is how many bytes of foreign text an error carries.
const maxMessage = 1000

// scrub makes one line of foreign text and takes out what could be a secret: queries of URLs, which sign poll URLs and
// blobs, bearer tokens, and whatever looks like a JWT.
func scrub(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if at := strings.Index(word, "sig="); at >= 0 {
			word = word[:at] + "..."
			words[i] = word
		}
		if at := strings.Index(word, "://"); at >= 0 {
			if query := strings.IndexByte(word[at:], '?'); query >= 0 {
				words[i] = word[:at+query] + "?..."
			}
		}
		if at := strings.Index(word, "eyJ"); at >= 0 || i > 0 && strings.EqualFold(words[i-1], "Bearer") {
			words[i] = word[:max(at, 0)] + "..."
		}
	}
	clean := strings.Join(words, " ")
	if len(clean) > maxMessage {
		clean = strings.ToValidUTF8(clean[:maxMessage], "") + "..."
	}
	return clean
}
