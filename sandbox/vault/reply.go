package vault

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// object is a JSON object. The wire is written as such, not through types: Azure's answers are full of keys that are null,
// odd or misspelt, and a stranger can compare this with a recording line by line.
type object = map[string]any

// reply is an answer on its way.
type reply struct {
	status int
	header http.Header
	body   any    // nil for none
	jobID  string // of the job that the call started
	done   bool   // the call was done at once, without a job
}

func ok(body any) reply {
	return reply{status: http.StatusOK, header: http.Header{}, body: body}
}

// page is a list, always in one page, as recorded with more than 80 entries.
func page(value []object) reply {
	return ok(object{"value": value, "nextLink": nil})
}

// paged shows the page of a list that the call asks for, of [Options].PageSize entries. The token says how many are left, so
// that entries which come in front meanwhile shift nothing.
func paged[T any](v *Vault, c *call, all []T, show func(T) object) reply {
	query := c.request.URL.Query()
	if left, err := strconv.Atoi(query.Get("skipToken")); err == nil {
		all = all[max(0, len(all)-max(0, left)):]
	}
	next, size := any(nil), v.options.PageSize
	if size > 0 && len(all) > size {
		query.Set("skipToken", strconv.Itoa(len(all)-size))
		next = cmp.Or(v.options.BaseURL, "http://"+c.request.Host) + c.path + "?" + query.Encode()
		all = all[:size]
	}
	value := make([]object, 0, len(all))
	for _, one := range all {
		value = append(value, show(one))
	}
	return ok(object{"value": value, "nextLink": next})
}

// failure is an error of the provider.
func failure(status int, code, message string) reply {
	return reply{status: status, header: http.Header{}, body: object{"error": object{"code": code, "message": message}}}
}

// gatewayFailure is an error of the resource manager itself, which says so.
func gatewayFailure(status int, code, message string) reply {
	r := failure(status, code, message)
	r.header.Set("X-Ms-Failure-Cause", "gateway")
	return r
}

func (v *Vault) notFound(c *call) reply {
	return failure(http.StatusNotFound, "ResourceNotFound", "The Resource '"+c.path+"' was not found.")
}

func throttledMessage(kind, subscription, actor string, seconds int) string {
	return fmt.Sprintf("Number of '%s' requests for subscription '%s' actor '%s' exceeded. Please try again after '%d' seconds after additional tokens are available.",
		kind, subscription, actor, seconds)
}

func (r reply) retryAfter(seconds int) { r.header.Set("Retry-After", strconv.Itoa(seconds)) }

func (r reply) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	if r.body == nil {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(r.status)
		return
	}
	writeJSON(w, r.status, r.body)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that left is its own affair
}

// accepted is the 202 of an asynchronous operation.
func (v *Vault) accepted(c *call, j *job) reply {
	r := reply{status: http.StatusAccepted, header: http.Header{}, jobID: j.id}
	v.pollHeaders(c, r, j)
	r.header.Set("Azure-Asyncoperation", v.url(c, v.vaultID()+"/replicationOperationStatus/"+j.id))
	r.header["X-Ms-Request-Id"] = []string{v.jobID(j), v.jobID(j)} // recorded: sent twice
	return r
}

// pollHeaders tell a client where and when to ask for the result.
func (v *Vault) pollHeaders(c *call, r reply, j *job) {
	r.header.Set("Location", v.url(c, j.location+"/operationresults/"+j.id))
	r.retryAfter(v.clock.retryAfter(30 * time.Second))
}

// url is absolute and signed like ARM's poll URLs. The signature is not checked, but it is as long as the real one, whose
// certificate alone has some 3,000 characters.
func (v *Vault) url(c *call, id string) string {
	base := cmp.Or(v.options.BaseURL, "http://"+c.request.Host)
	certificate := strings.Repeat("MIIHpTCCBo2gAwIB", 192)
	return base + id + "?api-version=" + c.apiVersion() + "&t=638797781602386293&c=" + certificate + "&s=" + signature(id) + "&h=" + signature(base)
}

// commonHeaders are on every answer of the resource manager.
func (v *Vault) commonHeaders(c *call, r reply) {
	now, h := v.clock.wall(c.at), r.header
	h.Set("Cache-Control", "no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Ms-Correlation-Request-Id", c.correlationID)
	h.Set("X-Ms-Routing-Request-Id", "SANDBOX:"+now.Format("20060102T150405Z")+":"+c.correlationID)
	h.Set("X-Ms-Operation-Identifier", "tenantId="+guid("tenant")+",objectId="+c.actor+"/sandbox/"+uuid.NewString())
	if c.clientRequestID != "" {
		h.Set("X-Ms-Client-Request-Id", c.clientRequestID)
	}
	if h.Get("X-Ms-Request-Id") == "" {
		h.Set("X-Ms-Request-Id", c.clientRequestID+" "+now.Format("1/2/2006 3:04:05 PM"))
	}
	v.remainingHeaders(c, h)
}
