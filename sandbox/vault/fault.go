package vault

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind says what goes wrong.
type Kind string

// The kinds of fault. Throttle to PortalFirst concern a request, the others the job that an accepted call starts.
const (
	// Throttle refuses with 429, Retry-After and SubscriptionRequestsThrottled, before any work.
	Throttle Kind = "throttle"
	// ServerError refuses with [Fault].Status, 503 by default, before any work.
	ServerError Kind = "server-error"
	// ErrorAfterWork does the work and answers as ServerError does.
	ErrorAfterWork Kind = "error-after-work"
	// Forbid refuses with 403 and AuthorizationFailed, before any work.
	Forbid Kind = "forbid"
	// LostAnswer does the work and cuts the connection instead of answering. Go's HTTP client repeats a GET by itself then.
	LostAnswer Kind = "lost-answer"
	// Slow does the work and answers after [Fault].Delay.
	Slow Kind = "slow"
	// Late cuts the connection at once; the call arrives after [Fault].Delay, and is judged by the state found then.
	Late Kind = "late"
	// PortalFirst lets a person at the portal run [Fault].Portal just before the call is judged: the state changes between what
	// a client read and what it does.
	PortalFirst Kind = "portal-first"

	// JobFails lets the job end Failed.
	JobFails Kind = "job-fails"
	// JobWarns lets the job end Succeeded with stateDescription PartiallySucceeded and an entry in errors[].
	JobWarns Kind = "job-warns"
	// JobInforms is the same with CompletedWithInformation.
	JobInforms Kind = "job-informs"
	// JobVanishes takes the job's record away [Fault].Delay after the job began: GET, polling and list know it no more. The job
	// goes on and has its effect.
	JobVanishes Kind = "job-vanishes"
	// Stuck lets the initial replication after a reprotect stand still for [Fault].Delay, or forever without one.
	Stuck Kind = "stuck-replication"
)

func kinds() []Kind {
	return []Kind{
		Throttle, ServerError, ErrorAfterWork, Forbid, LostAnswer, Slow, Late, PortalFirst,
		JobFails, JobWarns, JobInforms, JobVanishes, Stuck,
	}
}

func (k Kind) hitsJob() bool { return k == Stuck || strings.HasPrefix(string(k), "job-") }

// Always as [Fault].Times means until [Vault.ClearFaults].
const Always = -1

// Fault is one thing that goes wrong, Times times.
type Fault struct {
	// Operation says which requests are hit: unplannedFailover, failoverCommit and so on; job, jobs, items, item, points, point,
	// fabrics, fabric, containers, container, status (of an operation), result, vault, subscription and so on. Or a class of them: read,
	// write, list, poll (status and result), vault-list (items and containers of the whole vault). Empty means any. The
	// identity endpoint has no faults.
	Operation string
	// VM hits only what names this VM: by the path, by its job, or in the body of a reprotect. It is a friendly name, or
	// VAULT/NAME where there are twins. A list names no VM; of PortalFirst it is the VM on which the person acts then.
	VM         string
	Kind       Kind
	Times      int           // 0 means once; see Always
	Status     int           // of ServerError and ErrorAfterWork
	RetryAfter time.Duration // simulated, sent as whole seconds of at least 1; Throttle has 10 s by default
	Delay      time.Duration // simulated, of Slow, Late, JobVanishes and Stuck
	Portal     string        // operation, of PortalFirst; see [Vault.Portal]

	// Code and Message fill the error of Throttle, ServerError, ErrorAfterWork, JobFails, JobWarns and JobInforms; Causes and
	// Action only a job's.
	Code, Message, Causes, Action string
}

// Fault arms f. Of several that fit a request, the one armed first is used first.
func (v *Vault) Fault(f Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.Times != Always {
		f.Times = max(1, f.Times)
	}
	v.faults = append(v.faults, f)
}

// ClearFaults disarms every fault that was not used up. What already went wrong stays.
func (v *Vault) ClearFaults() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = nil
}

// mark is what a fault may hit.
type mark struct {
	operations []string // its name and its classes
	item       *item    // nil when no VM is named
	ofJob      bool
}

// takeFault uses up the first fault armed for the mark; without one it returns the zero Fault.
func (v *Vault) takeFault(m mark) Fault {
	for i, f := range v.faults {
		if f.Kind.hitsJob() != m.ofJob || f.Kind == Stuck && m.operations[0] != opSwitchProtection || f.Operation != "" && !slices.Contains(m.operations, f.Operation) || !v.hitsVM(f, m.item) {
			continue
		}
		if f.Times != Always {
			v.faults[i].Times--
		}
		if v.faults[i].Times == 0 {
			v.faults = slices.Delete(v.faults, i, i+1)
		}
		return f
	}
	return Fault{}
}

func (v *Vault) hitsVM(f Fault, it *item) bool {
	if f.VM == "" || it == nil && f.Kind == PortalFirst {
		return true
	}
	return it != nil && (f.VM == it.vm || strings.EqualFold(f.VM, v.options.VaultName+"/"+it.vm))
}

// markOf says what a call is, for faults.
func (v *Vault) markOf(c *call) mark {
	m := mark{operations: c.route.classes(), item: v.findItem(c)}
	if j := v.findJob(c); j != nil {
		m.item = j.item
	}
	var reprotect struct {
		Properties struct {
			ReplicationProtectedItemName string `json:"replicationProtectedItemName"`
		} `json:"properties"`
	}
	if json.Unmarshal(c.body, &reprotect) == nil {
		for _, it := range v.items {
			if it.name == reprotect.Properties.ReplicationProtectedItemName {
				m.item = it
			}
		}
	}
	return m
}

// classes are the names under which faults know the route, its own first.
func (rt route) classes() []string {
	all := []string{rt.operation, "read"}
	if rt.mutates() {
		all[1] = "write"
	}
	switch rt.operation {
	case "status", "result":
		all = append(all, "poll")
	case "items", "containers":
		all = append(all, "list")
		if strings.HasPrefix(rt.path, vaultPath+"/replicationprotect") {
			all = append(all, "vault-list")
		}
	case "fabrics", "points", "jobs", "plans", "mappings", "networkMappings", "policies",
		"machines", "disks", "nics", "networks", "accounts":
		all = append(all, "list")
	}
	return all
}

// spoil applies the armed faults, one of each sort, to a job that is about to start.
func (v *Vault) spoil(j *job) {
	f := v.takeFault(mark{operations: []string{j.action.operation}, item: j.item, ofJob: true})
	e := &serviceError{
		code:    cmp.Or(f.Code, "28092"),
		message: cmp.Or(f.Message, "Site Recovery could not create the network interface of the failed over virtual machine."),
		causes:  cmp.Or(f.Causes, "The quota is used up, or the failure is intermittent."),
		action:  cmp.Or(f.Action, "Fix the cause and run the operation again."),
	}
	switch f.Kind {
	case JobWarns, JobInforms:
		j.warning, j.informs = e, f.Kind == JobInforms
	case JobFails:
		j.failure = cmp.Or(j.failure, e)
	case JobVanishes:
		j.vanishes = new(j.start + f.Delay)
	case Stuck:
		j.stall = cmp.Or(f.Delay, forever)
	case Throttle, ServerError, ErrorAfterWork, Forbid, LostAnswer, Slow, Late, PortalFirst, "":
	}
}

// throttled is ARM's documented answer over the limit.
func (v *Vault) throttled(c *call, f Fault) reply {
	seconds := v.clock.retryAfter(cmp.Or(f.RetryAfter, 10*time.Second))
	r := gatewayFailure(http.StatusTooManyRequests, cmp.Or(f.Code, "SubscriptionRequestsThrottled"),
		cmp.Or(f.Message, throttledMessage(c.kind(), v.options.SubscriptionID, c.actor, seconds)))
	r.retryAfter(seconds)
	return r
}

func (v *Vault) broken(f Fault) reply {
	r := failure(cmp.Or(f.Status, http.StatusServiceUnavailable), cmp.Or(f.Code, "ServiceUnavailable"),
		cmp.Or(f.Message, "The service is temporarily unavailable."))
	if f.RetryAfter > 0 {
		r.retryAfter(v.clock.retryAfter(f.RetryAfter))
	}
	return r
}
