package vault

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// call is one request to the resource manager, kept apart from its connection: a late one outlives it.
type call struct {
	vault           *Vault // the one addressed
	route           route
	request         *http.Request // for path values and headers; its body is read already
	path            string        // as the client wrote it; the request's is lower case
	body            []byte
	actor           string // object id of the principal
	clientRequestID string // x-ms-client-request-id, empty when not sent
	correlationID   string
	item            *item         // found by the handler when the path does not name it
	at              time.Duration // when it reached the world
}

// lateCall reaches the world when its connection is long gone.
type lateCall struct {
	due  time.Duration
	call *call
}

const maxBody = 1 << 20

func (v *Vault) newCall(rt route, w http.ResponseWriter, r *http.Request) (*call, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return &call{
		vault: v, route: rt, request: r, path: path, body: body, actor: tokenActor(r.Header.Get("Authorization")),
		clientRequestID: r.Header.Get("X-Ms-Client-Request-Id"),
		correlationID:   uuid.NewString(),
	}, err
}

func (c *call) value(name string) string { return c.request.PathValue(name) }

func (c *call) apiVersion() string { return c.request.URL.Query().Get("api-version") }

// serve handles one route of the resource manager.
func (v *Vault) serve(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := v.newCall(rt, w, r)
		if err != nil {
			panic(http.ErrAbortHandler) // the client left in the middle of its body
		}
		answer, f, wait := v.answer(c)
		if f.Kind == LostAnswer || f.Kind == Late {
			panic(http.ErrAbortHandler)
		}
		if f.Kind == Slow {
			select {
			case <-time.After(wait):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
		answer.write(w)
	}
}

// answer judges a call as it arrives; wait is how long a Slow one holds its answer back.
func (v *Vault) answer(c *call) (answer reply, f Fault, wait time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c.at = v.settle()
	v, _, _ = v.address(c)
	c.vault = v
	if r, refused := v.refuse(c); refused {
		return v.close(c, r), Fault{}, 0
	}
	if r, refused := v.spend(c); refused {
		return v.close(c, r), Fault{}, 0
	}
	f = v.takeFault(c.route.operation, false)
	switch f.Kind {
	case Throttle:
		answer = v.close(c, v.throttled(c, f))
	case ServerError:
		answer = v.close(c, v.broken(f))
	case Late:
		v.postpone(c, c.at+f.Delay)
	case LostAnswer, Slow, JobFails, JobWarns, "":
		answer = v.perform(c, c.at)
	}
	return answer, f, v.clock.real(f.Delay)
}

// perform does what the call asks at the given moment.
func (v *Vault) perform(c *call, at time.Duration) reply {
	c.at = at
	return v.close(c, c.route.handle(v, c))
}

func (v *Vault) postpone(c *call, due time.Duration) {
	v.late = append(v.late, lateCall{due: due, call: c})
	slices.SortStableFunc(v.late, func(a, b lateCall) int { return cmp.Compare(a.due, b.due) })
}

// close completes every answer of the resource manager: common headers and, for a mutation, the ledger.
func (v *Vault) close(c *call, r reply) reply {
	if c.route.mutates() {
		v.record(c, r)
	}
	v.commonHeaders(c, r)
	return r
}

// refuse checks what the resource manager checks before it lets a provider work.
func (v *Vault) refuse(c *call) (reply, bool) {
	if code, message := tokenFault(c.request.Header.Get("Authorization"), v.clock.wall(c.at)); code != "" {
		r := gatewayFailure(http.StatusUnauthorized, code, message)
		r.header.Set("Www-Authenticate", `Bearer authorization_uri="https://login.windows.net/common", error="invalid_token", error_description="`+message+`"`)
		return r, true
	}
	if c.apiVersion() == "" {
		return gatewayFailure(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."), true
	}
	_, r, found := v.address(c)
	return r, !found
}
