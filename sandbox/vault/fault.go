package vault

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
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
	// BrownOut is a service that is ill for [Fault].For, 10 minutes by default. Of ten requests five are refused as ServerError
	// does, one or two have a LostAnswer, one is Slow by [Fault].Delay, a minute by default, and the others are served.
	BrownOut Kind = "brown-out"

	// JobFails lets the job end Failed.
	JobFails Kind = "job-fails"
	// JobNoCapacity lets the job end Failed because Compute has no room for the VM's size: the error is Site Recovery's, and
	// names Compute's [Fault].Code, AllocationFailed by default, and the size.
	JobNoCapacity Kind = "job-no-capacity"
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
		Throttle, ServerError, ErrorAfterWork, Forbid, LostAnswer, Slow, Late, PortalFirst, BrownOut,
		JobFails, JobNoCapacity, JobWarns, JobInforms, JobVanishes, Stuck,
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
	Size       string // hits only what names a VM of this size
	Kind       Kind
	Times      int           // 0 means once; see Always
	For        time.Duration // simulated, how long it is armed; 0 means until it is used up
	Share      float64       // hits only that share of what it would hit, from 0 to 1; 0 means all. See Seed
	Status     int           // of ServerError and ErrorAfterWork
	RetryAfter time.Duration // simulated, sent as whole seconds of at least 1; Throttle has 10 s by default
	Delay      time.Duration // simulated, of Slow, Late, BrownOut, JobVanishes and Stuck
	// Seed decides about a Share. Each request is drawn anew; of jobs it is VMs that are drawn, the same ones in each run, and
	// Times counts for each of them: once is a fault that is gone when the job is tried again.
	Seed   uint64
	Portal string // operation, of PortalFirst; see [Vault.Portal]

	// Code and Message fill the error of Throttle, ServerError, ErrorAfterWork, BrownOut and of jobs; Causes and
	// Action only a job's.
	Code, Message, Causes, Action string
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
	f := v.takeFault(mark{operations: []string{j.action.operation}, item: j.item, ofJob: true}, j.start+j.waited)
	if f.Kind == JobNoCapacity {
		f = v.noCapacity(j, f)
	}
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
	case JobNoCapacity, Throttle, ServerError, ErrorAfterWork, Forbid, LostAnswer, Slow, Late, PortalFirst, BrownOut, "":
	}
}

// noCapacity fills a JobFails. That the code of Compute is in the text of the job's error is known, the words are guessed.
func (v *Vault) noCapacity(j *job, f Fault) Fault {
	size, where := vmSize, j.recovery.name
	if j.item != nil {
		size = j.item.size
	}
	f.Kind = JobFails
	f.Message = cmp.Or(f.Message, fmt.Sprintf("Site Recovery could not create the failed over virtual machine: Compute answered %s, there is no room for the size %s in %s.",
		cmp.Or(f.Code, "AllocationFailed"), size, where))
	f.Causes = cmp.Or(f.Causes, fmt.Sprintf("The region %s has no capacity for the size %s at present, or the subscription may not use it there.", where, size))
	f.Action = cmp.Or(f.Action, "Run the operation again later, or choose another size.")
	f.Code = "28031"
	return f
}

// throttled is ARM's documented answer over the limit.
func (v *Vault) throttled(c *call, f Fault) reply {
	v.traffic.Throttled++
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
