package vault

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ErrNotAllowed is what [Vault.Portal] wraps when the item does not allow the operation now.
var ErrNotAllowed = errors.New("operation not allowed in the current state")

// failoverInput is what a body of unplannedFailover says; the zero value is the latest point without a shutdown.
type failoverInput struct {
	shutdown bool   // sourceSiteOperations is Required
	pointID  string // ARM id; empty means latest
}

// origin identifies the request that starts a job; both end up in the job's activityId.
type origin struct{ clientRequestID, correlationID string }

// operate answers the POST of a mutating operation.
func (v *Vault) operate(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	a, _ := findAction(c.route.operation)
	var in failoverInput
	if a.operation == opUnplannedFailover {
		var err error
		if in, err = readFailover(c.body); err != nil {
			return failure(http.StatusBadRequest, "InvalidParameter", err.Error())
		}
	}
	j, err := v.start(it, a, in, origin{cmp.Or(c.clientRequestID, c.correlationID), c.correlationID}, c.at)
	if err != nil {
		return failure(v.options.ConflictStatus, v.options.ConflictCode, err.Error())
	}
	return v.accepted(c, j)
}

func findAction(operation string) (action, bool) {
	all := actions()
	i := slices.IndexFunc(all, func(a action) bool { return a.operation == operation })
	if i < 0 {
		return action{}, false
	}
	return all[i], true
}

// readFailover checks what a client may send for A2A; what Azure says to a wrong body is guessed.
func readFailover(body []byte) (failoverInput, error) {
	var in struct {
		Properties *struct {
			FailoverDirection       string `json:"failoverDirection"`
			SourceSiteOperations    string `json:"sourceSiteOperations"`
			ProviderSpecificDetails struct {
				InstanceType    string `json:"instanceType"`
				RecoveryPointID string `json:"recoveryPointId"`
			} `json:"providerSpecificDetails"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return failoverInput{}, fmt.Errorf("the request body is not valid JSON: %w", err)
	}
	p := in.Properties
	switch {
	case p == nil:
		return failoverInput{}, errors.New("properties is required")
	case p.FailoverDirection != "PrimaryToRecovery":
		// Also after a reprotect: it swaps primary and recovery.
		return failoverInput{}, fmt.Errorf("failoverDirection %q is not valid for A2A", p.FailoverDirection)
	case p.SourceSiteOperations != "Required" && p.SourceSiteOperations != "NotRequired":
		return failoverInput{}, fmt.Errorf("sourceSiteOperations %q is not valid", p.SourceSiteOperations)
	case p.ProviderSpecificDetails.InstanceType != "A2A":
		return failoverInput{}, fmt.Errorf("instanceType %q is not valid here", p.ProviderSpecificDetails.InstanceType)
	}
	return failoverInput{p.SourceSiteOperations == "Required", p.ProviderSpecificDetails.RecoveryPointID}, nil
}

// start begins the job of an action, or returns an error that wraps ErrNotAllowed and changes nothing.
func (v *Vault) start(it *item, a action, in failoverInput, from origin, now time.Duration) (*job, error) {
	if !it.allows(a) {
		return nil, fmt.Errorf("%w: %s of %s, which is %s and allows %s",
			ErrNotAllowed, a.word, it.vm, it.protectionState, strings.Join(it.allowed(), ", "))
	}
	j := &job{
		id: uuid.NewString(), action: a, item: it, start: now, skipSource: !in.shutdown,
		clientRequestID: from.clientRequestID, correlationID: from.correlationID,
	}
	if a.stopsReplication {
		if in.shutdown && it.primary.down {
			j.warning, in.shutdown = sourceUnreachable(), false
		}
		v.choosePoint(j, in, now)
		it.stopReplication(now)
	}
	v.spoil(j)
	it.job = j
	v.jobs = append(v.jobs, j)
	return j, nil
}

// choosePoint settles what the failover will use. Latest data become a new point only by the synchronisation, which is
// skipped with the shutdown: then "latest" is the newest point that there is.
func (v *Vault) choosePoint(j *job, in failoverInput, now time.Duration) {
	it := j.item
	if in.pointID != "" {
		name, own := v.pointName(it, in.pointID)
		p, known := it.findPoint(name, now)
		if !own || !known {
			j.failure = bookmarkNotFound()
			return
		}
		j.point = &p
		return
	}
	if !in.shutdown {
		p, _ := it.newestPoint(now)
		j.point = &p
		return
	}
	p := point{name: uuid.NewString(), at: j.runs()[syncTask].to, kind: crashConsistent}
	it.madePoints = append(it.madePoints, p)
	j.point = &p
}

func bookmarkNotFound() *serviceError {
	return &serviceError{
		code:    "BookmarkNotFound",
		message: "The recovery point was not found.",
		causes:  "The recovery point was pruned, belongs to another item, or predates a change of a disk's SKU or tier.",
		action:  "Choose a newer recovery point and run the failover again.",
	}
}

// Portal runs an operation ("unplannedFailover" with shutdown and the latest point, or "failoverCommit") as a person in the
// Azure portal would, past any client. The VM is a name, or VAULT/NAME where there are twins. The error wraps [ErrNotAllowed]
// when the VM's state forbids it.
func (v *Vault) Portal(vm, operation string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	v, it := v.findVM(vm)
	a, known := findAction(operation)
	if it == nil || !known {
		return fmt.Errorf("no VM %q or no operation %q", vm, operation)
	}
	from := origin{uuid.NewString(), uuid.NewString()}
	entry := Call{
		At: v.clock.wall(now), Source: SourcePortal, Vault: v.options.VaultName, Operation: operation, VM: it.vm, ItemID: v.itemID(it),
		ClientRequestID: from.clientRequestID, Status: v.options.ConflictStatus,
	}
	j, err := v.start(it, a, failoverInput{shutdown: true}, from, now)
	if err == nil {
		entry.Accepted, entry.Status, entry.JobID = true, http.StatusAccepted, j.id
	}
	v.ledger = append(v.ledger, entry)
	return err
}
