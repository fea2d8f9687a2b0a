package vault

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Kind says what goes wrong.
type Kind string

// The kinds of fault. Throttle to Late concern a request, JobFails and JobWarns the job that an accepted call starts.
const (
	// Throttle refuses with 429, Retry-After and SubscriptionRequestsThrottled, before any work.
	Throttle Kind = "throttle"
	// ServerError refuses with [Fault].Status, 503 by default, before any work.
	ServerError Kind = "server-error"
	// LostAnswer does the work and cuts the connection instead of answering. Go's HTTP client repeats a GET by itself then.
	LostAnswer Kind = "lost-answer"
	// Slow does the work and answers after [Fault].Delay.
	Slow Kind = "slow"
	// Late cuts the connection at once; the call arrives after [Fault].Delay, and is judged by the state found then.
	Late Kind = "late"
	// JobFails lets the job end Failed.
	JobFails Kind = "job-fails"
	// JobWarns lets the job end Succeeded with stateDescription PartiallySucceeded and an entry in errors[].
	JobWarns Kind = "job-warns"
)

// Fault is one thing that goes wrong, Times times.
type Fault struct {
	// Operation says which requests are hit: unplannedFailover, failoverCommit; job, jobs, items, item, points, point,
	// fabrics, fabric, containers, container, status (of an operation), result, vault, subscription; empty means any. The
	// identity endpoint has no faults.
	Operation  string
	Kind       Kind
	Times      int           // 0 means once
	Status     int           // of ServerError
	RetryAfter time.Duration // simulated, sent as whole seconds of at least 1; Throttle has 10 s by default
	Delay      time.Duration // simulated, of Slow and Late

	// Code and Message fill the error of Throttle, ServerError, JobFails and JobWarns; Causes and Action only a job's.
	Code, Message, Causes, Action string
}

// Fault arms f. Of several that fit a request, the one armed first is used first.
func (v *Vault) Fault(f Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f.Times = max(1, f.Times)
	v.faults = append(v.faults, f)
}

func (k Kind) hitsJob() bool { return k == JobFails || k == JobWarns }

// takeFault uses up the first fault armed for the operation; without one it returns the zero Fault.
func (v *Vault) takeFault(operation string, ofJob bool) Fault {
	for i := range v.faults {
		f := v.faults[i]
		if f.Kind.hitsJob() != ofJob || f.Operation != "" && f.Operation != operation {
			continue
		}
		if v.faults[i].Times--; v.faults[i].Times == 0 {
			v.faults = slices.Delete(v.faults, i, i+1)
		}
		return f
	}
	return Fault{}
}

// spoil applies an armed fault to a job that is about to start.
func (v *Vault) spoil(j *job) {
	f := v.takeFault(j.action.operation, true)
	if f.Kind == "" {
		return
	}
	e := &serviceError{
		code:    cmp.Or(f.Code, "28092"),
		message: cmp.Or(f.Message, "Site Recovery could not create the network interface of the failed over virtual machine."),
		causes:  cmp.Or(f.Causes, "The quota is used up, or the failure is intermittent."),
		action:  cmp.Or(f.Action, "Fix the cause and run the operation again."),
	}
	if f.Kind == JobWarns {
		j.warning = e
	} else if j.failure == nil {
		j.failure = e
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
