package workspace

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// RequestURLs are where Slack posts to in place of Socket Mode. The zero value is Socket Mode; with a SigningSecret no
// connection gets payloads any more, and what has no URL is lost.
type RequestURLs struct {
	Commands     string
	Interactions string
	Options      string // of external selects; empty: Interactions
	Events       string
	// SigningSecret is the one that requests are signed with.
	SigningSecret string
	// Dial is the network under the requests; nil is the real one.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// The headers of a request; documented.
const (
	timestampHeader   = "X-Slack-Request-Timestamp"
	signatureHeader   = "X-Slack-Signature"
	retryNumHeader    = "X-Slack-Retry-Num"
	retryReasonHeader = "X-Slack-Retry-Reason"
	noRetryHeader     = "X-Slack-No-Retry"
	robot             = "Slackbot 1.0 (+https://api.slack.com/robots)"
)

// Request is one HTTP request to the app, as it went out, and what came of it.
type Request struct {
	URL     string
	Header  http.Header
	Body    string
	At      time.Time
	Status  int    // 0: no answer
	Failure string // in the words of X-Slack-Retry-Reason; empty for an answer 2xx

	AnswerHeader http.Header
	Answer       string // the body
}

func (w *Workspace) overHTTP() bool { return w.opts.RequestURLs.SigningSecret != "" }

// request is what an interaction looks like as a request: a form for a command, a form with one field for an interaction, the
// JSON itself for an event; documented. It is signed when it goes out.
func (w *Workspace) request(i *interaction) (Request, error) {
	u := w.opts.RequestURLs
	payload, err := encode(i.payload)
	if err != nil {
		return Request{}, err
	}
	r := Request{Header: http.Header{"User-Agent": {robot}, "Accept": {"application/json,*/*"}}}
	form := "application/x-www-form-urlencoded"
	switch {
	case i.envelopeType == "slash_commands":
		r.URL, r.Body = u.Commands, formOf(i.payload).Encode()
	case i.envelopeType == "events_api":
		r.URL, r.Body, form = u.Events, string(payload), "application/json"
	case i.payload["type"] == "block_suggestion" && u.Options != "":
		r.URL, r.Body = u.Options, url.Values{"payload": {string(payload)}}.Encode()
	default:
		r.URL, r.Body = u.Interactions, url.Values{"payload": {string(payload)}}.Encode()
	}
	r.Header.Set("Content-Type", form)
	if i.attempt > 0 {
		r.Header.Set(retryNumHeader, strconv.Itoa(i.attempt))
		r.Header.Set(retryReasonHeader, i.reason)
	}
	return r, nil
}

func formOf(payload reply) url.Values {
	form := url.Values{}
	for name, value := range payload {
		form.Set(name, fmt.Sprint(value))
	}
	return form
}

// signed signs a request as of a time; documented.
func (r Request) signed(secret string, at time.Time) Request {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, "v0:"+stamp+":"+r.Body) // a hash takes everything
	r.Header = r.Header.Clone()
	r.Header.Set(timestampHeader, stamp)
	r.Header.Set(signatureHeader, "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r
}
