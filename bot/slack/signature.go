package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a request that Slack has signed.
const (
	timestampHeader = "X-Slack-Request-Timestamp"
	signatureHeader = "X-Slack-Signature"
	signatureScheme = "v0"
)

// signatureLife is how far the time of a signature may be from ours, into the past and into the future. Within it a captured
// request can be sent again, and then acts once.
const signatureLife = 5 * time.Minute

// Why a request is not taken for Slack's. This is for the log alone: who sent it is told nothing.
var (
	errHeaders   = errors.New("it does not carry exactly one signature and one time")
	errTime      = errors.New("it was signed more than five minutes ago, or ahead: a replay, or a clock that is wrong")
	errSignature = errors.New("its signature is of none of the signing secrets; compare slack.signing_secret with the app's")
)

// verify returns when Slack signed a request. An error means that it did not surely do so. All secrets are tried in any case,
// and each comparison takes the same time wherever it fails.
func verify(h http.Header, body []byte, secrets []string, now time.Time) (time.Time, error) {
	stamps, signatures := h.Values(timestampHeader), h.Values(signatureHeader)
	if len(stamps) != 1 || len(signatures) != 1 {
		return time.Time{}, errHeaders
	}
	seconds, err := strconv.ParseUint(stamps[0], 10, 40) // no sign, and far from where times overflow
	encoded, scheme := strings.CutPrefix(signatures[0], signatureScheme+"=")
	given, malformed := hex.DecodeString(encoded)
	if err != nil || malformed != nil || !scheme || encoded != strings.ToLower(encoded) { // one spelling, as Slack writes it
		return time.Time{}, errHeaders
	}
	at := time.Unix(int64(seconds), 0)
	if now.Sub(at).Abs() > signatureLife {
		return time.Time{}, errTime
	}
	signed := false
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write([]byte(signatureScheme + ":" + stamps[0] + ":")) // a hash takes everything
		_, _ = mac.Write(body)
		signed = hmac.Equal(mac.Sum(nil), given) || signed
	}
	if !signed {
		return time.Time{}, errSignature
	}
	return at, nil
}
