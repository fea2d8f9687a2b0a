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

// later is what happens by itself at a moment to come.
type later struct {
	due time.Duration
	do  func(at time.Duration)
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
	v.traffic.count(c)
	v, _, _ = v.address(c)
	c.vault = v
	if r, refused := v.refuse(c); refused {
		return v.close(c, r), Fault{}, 0
	}
	if r, refused := v.spend(c); refused {
		return v.close(c, r), Fault{}, 0
	}
	f = v.takeFault(v.markOf(c), c.at)
	return v.disturbed(c, f), f, v.clock.real(f.Delay)
}

// disturbed answers a call that a fault hits, or none, which is the zero Fault.
func (v *Vault) disturbed(c *call, f Fault) reply {
	switch f.Kind {
	case Throttle:
		return v.close(c, v.throttled(c, f))
	case ServerError:
		return v.close(c, v.broken(f))
	case Forbid:
		return v.close(c, c.forbidden())
	case Late:
		// Its connection is long gone then.
		v.postpone(c.at+f.Delay, func(at time.Duration) { v.perform(c, at) })
		return reply{}
	case ErrorAfterWork:
		v.perform(c, c.at)
		r := v.broken(f)
		v.commonHeaders(c, r)
		return r
	case PortalFirst:
		at, it := v, v.markOf(c).item
		if it == nil {
			at, it = v.findVM(f.VM)
		}
		if it != nil {
			_ = at.portal(it, f.Portal, c.at) // what came of it is in the ledger
		}
	case LostAnswer, Slow: // the work is done now; serve delays or drops the answer
	case BrownOut, JobFails, JobNoCapacity, JobWarns, JobInforms, JobVanishes, Stuck, "":
	}
	return v.perform(c, c.at)
}

// perform does what the call asks at the given moment.
func (v *Vault) perform(c *call, at time.Duration) reply {
	c.at = at
	return v.close(c, c.route.handle(v, c))
}

func (h *host) postpone(due time.Duration, do func(at time.Duration)) {
	h.late = append(h.late, later{due, do})
	slices.SortStableFunc(h.late, func(a, b later) int { return cmp.Compare(a.due, b.due) })
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
	if _, r, found := v.address(c); !found {
		return r, true
	}
	if v.options.Operator && c.beyondOperator() {
		return c.forbidden(), true
	}
	return reply{}, false
}
