package vault

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A token proves by itself what it is: resource|expiry|principal and their HMAC under a fixed key. Client libraries keep tokens
// for the whole process, so one issued by an earlier vault must be good for a later one. It protects nothing.
const standInKey = "ferry sandbox, protects nothing"

const tokenLife = 24 * time.Hour

func newToken(resource string, expires time.Time, principal string) string {
	claims := resource + "|" + strconv.FormatInt(expires.Unix(), 10) + "|" + principal
	return base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + signature(claims)
}

func signature(claims string) string {
	mac := hmac.New(sha256.New, []byte(standInKey))
	_, _ = mac.Write([]byte(claims)) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// tokenFault says why ARM would refuse the Authorization header, empty when it would not.
func tokenFault(header string, now time.Time) (code, message string) {
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if !bearer {
		return "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or its scheme is not Bearer."
	}
	encoded, sum, _ := strings.Cut(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !hmac.Equal([]byte(sum), []byte(signature(string(claims)))) {
		return "InvalidAuthenticationToken", "The access token is invalid."
	}
	resource, rest, _ := strings.Cut(string(claims), "|")
	expiry, _, _ := strings.Cut(rest, "|")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || now.After(time.Unix(seconds, 0)) {
		return "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than the current UTC time."
	}
	if !isManagement(resource) {
		return "InvalidAuthenticationTokenAudience", "The access token has been obtained for the wrong audience or resource '" + resource + "'."
	}
	return "", ""
}

// tokenActor is the object id of the identity that a token was issued for: one for the system's, one for each that was named.
func tokenActor(header string) string {
	encoded, _, _ := strings.Cut(strings.TrimPrefix(header, "Bearer "), ".")
	claims, _ := base64.RawURLEncoding.DecodeString(encoded) // tokenFault refuses what is none
	words := strings.SplitN(string(claims), "|", 3)
	if len(words) < 3 || words[2] == "" {
		return guid("actor")
	}
	return guid("actor", words[2])
}

func isManagement(resource string) bool {
	switch strings.TrimSuffix(resource, "/") {
	case "https://management.core.windows.net", "https://management.azure.com":
		return true
	default:
		return false
	}
}

// identity is the managed identity endpoint as App Service offers it. Its refusals are guessed.
func (v *Vault) identity(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Header.Get("X-IDENTITY-HEADER") != v.identityHeader():
		writeJSON(w, http.StatusUnauthorized, object{"statusCode": http.StatusUnauthorized, "message": "X-IDENTITY-HEADER is wrong."})
	case q.Get("resource") == "" || q.Get("api-version") != "2019-08-01":
		writeJSON(w, http.StatusBadRequest, object{"statusCode": http.StatusBadRequest, "message": "resource and api-version=2019-08-01 are required."})
	default:
		expires := wallNow().Add(tokenLife)
		writeJSON(w, http.StatusOK, object{
			"access_token": newToken(q.Get("resource"), expires, cmp.Or(q.Get("client_id"), q.Get("object_id"), q.Get("mi_res_id"))),
			"expires_on":   strconv.FormatInt(expires.Unix(), 10),
			"resource":     q.Get("resource"),
			"token_type":   "Bearer",
		})
	}
}

func (v *Vault) identityHeader() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.options.IdentityHeader
}
