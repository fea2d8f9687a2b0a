package vault

import (
	"cmp"
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

// input is what a body says; the zero value is a failover to the latest point without a shutdown.
type input struct {
	shutdown  bool   // sourceSiteOperations is Required
	pointID   string // ARM id; empty means latest
	network   string // ARM id, of a drill
	comments  string // of a clean-up
	reprotect switchInput
	update    *updateInput
}

// origin identifies the request that starts a job; both end up in the job's activityId.
type origin struct{ clientRequestID, correlationID string }

func actionRoutes() []route {
	all := []route{{http.MethodPost, containerPath + "/switchprotection", opSwitchProtection, (*Vault).switchProtection}}
	for _, operation := range []string{opUnplannedFailover, opFailoverCommit, opTestFailover, opTestFailoverCleanup, opApplyRecoveryPoint} {
		all = append(all, route{http.MethodPost, itemPath + "/" + strings.ToLower(operation), operation, (*Vault).operate})
	}
	return all
}

// operate answers the POST of a mutating operation.
func (v *Vault) operate(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	a, _ := v.findAction(c.route.operation)
	var in input
	if a.read != nil {
		var err error
		if in, err = a.read(v, it, c.body); err != nil {
			return refused(err)
		}
	}
	return v.startCall(c, it, a, in)
}

func (v *Vault) startCall(c *call, it *item, a action, in input) reply {
	if err := it.alone(a); err != nil {
		return failure(v.options.ConflictStatus, v.options.ConflictCode, err.Error())
	}
	j, err := v.start(it, a, in, origin{cmp.Or(c.clientRequestID, c.correlationID), c.correlationID}, c.at)
	if err != nil {
		return failure(v.options.ConflictStatus, v.options.ConflictCode, err.Error())
	}
	return v.accepted(c, j)
}

func (v *Vault) findAction(operation string) (action, bool) {
	all := append(v.actions(), v.options.Guesses.updateAction())
	i := slices.IndexFunc(all, func(a action) bool { return a.operation == operation })
	if i < 0 {
		return action{}, false
	}
	return all[i], true
}

// readFailover checks what a client may send for A2A; what Azure says to a wrong body is guessed.
func readFailover(_ *Vault, _ *item, body []byte) (input, error) {
	p, err := readProperties[struct {
		FailoverDirection       string `json:"failoverDirection"`
		SourceSiteOperations    string `json:"sourceSiteOperations"`
		ProviderSpecificDetails a2a    `json:"providerSpecificDetails"`
	}](body)
	if err == nil {
		err = p.ProviderSpecificDetails.check()
	}
	switch {
	case err != nil:
		return input{}, err
	case p.FailoverDirection != "PrimaryToRecovery":
		// Also after a reprotect: it swaps primary and recovery.
		return input{}, invalid("failoverDirection %q is not valid for A2A", p.FailoverDirection)
	case p.SourceSiteOperations != "Required" && p.SourceSiteOperations != "NotRequired":
		return input{}, invalid("sourceSiteOperations %q is not valid", p.SourceSiteOperations)
	}
	return input{shutdown: p.SourceSiteOperations == "Required", pointID: p.ProviderSpecificDetails.RecoveryPointID}, nil
}

// start begins the job of an action, or returns an error that wraps ErrNotAllowed and changes nothing.
func (v *Vault) start(it *item, a action, in input, from origin, now time.Duration) (*job, error) {
	if !v.allows(it, a) {
		return nil, v.notAllowed(it, a)
	}
	j := &job{
		id: uuid.NewString(), action: a, item: it, start: now, optional: in.shutdown,
		clientRequestID: from.clientRequestID, correlationID: from.correlationID,
		input:   in,
		primary: it.primary, recovery: it.recovery, target: it.entity(), location: v.itemID(it),
	}
	if a.operation == opSwitchProtection {
		j.location = v.containerID(it.primary)
	}
	v.draw(j)
	v.jobs = append(v.jobs, j)
	v.enqueue(j, now)
	return j, nil
}

func (v *Vault) notAllowed(it *item, a action) error {
	return fmt.Errorf("%w: %s of %s, which is %s and allows %s",
		ErrNotAllowed, cmp.Or(a.word, a.operation), it.vm, it.protectionState, strings.Join(v.allowed(it), ", "))
}

func (v *Vault) beginFailover(j *job, in input, now time.Duration) {
	it := j.item
	if in.shutdown && it.primary.down {
		j.warning, in.shutdown = sourceUnreachable(), false
	}
	v.choosePoint(j, in, now)
	it.stopReplication(now)
}

// choosePoint settles what the failover will use. Latest data become a new point only by the synchronisation, which is
// skipped with the shutdown: then "latest" is the newest point that there is.
func (v *Vault) choosePoint(j *job, in input, now time.Duration) {
	it := j.item
	if j.failure != nil {
		return // it does not come so far
	}
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

// Portal runs an operation, such as "unplannedFailover" or "switchprotection", as a person in the Azure portal would, past
// any client. The VM is a name, or VAULT/NAME where there are twins. The error wraps [ErrNotAllowed] when the VM's state
// forbids it. The person leaves what the portal proposes: the latest point with a shutdown, the drill network, everything of
// a reprotect; applyRecoveryPoint goes one point back. "update SIZE" changes the size of the VM that a failover makes.
func (v *Vault) Portal(vm, operation string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	v, it := v.findVM(vm)
	if it == nil {
		return fmt.Errorf("no VM %q", vm)
	}
	return v.portal(it, operation, now)
}

// PortalAfter is the same at a simulated moment to come. What comes of it is in the ledger.
func (v *Vault) PortalAfter(d time.Duration, vm, operation string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.settle()
	v, it := v.findVM(vm)
	word, _, _ := strings.Cut(operation, " ")
	if _, known := v.findAction(word); it == nil || !known {
		return fmt.Errorf("no VM %q or no operation %q", vm, operation)
	}
	v.postpone(now+d, func(at time.Duration) { _ = v.portal(it, operation, at) })
	return nil
}

func (v *Vault) portal(it *item, operation string, now time.Duration) error {
	operation, size, _ := strings.Cut(operation, " ")
	a, known := v.findAction(operation)
	if !known {
		return fmt.Errorf("no operation %q", operation)
	}
	in, err := v.portalInput(it, a, size, now)
	if err != nil {
		return err
	}
	from := origin{uuid.NewString(), uuid.NewString()}
	entry := Call{
		At: v.clock.wall(now), Source: SourcePortal, Vault: v.options.VaultName, Operation: operation, VM: it.vm, ItemID: v.itemID(it),
		ClientRequestID: from.clientRequestID, Status: v.options.ConflictStatus,
	}
	err = it.alone(a)
	var j *job
	if err == nil {
		j, err = v.start(it, a, in, from, now)
	}
	if err == nil {
		entry.Accepted, entry.Status, entry.JobID = true, http.StatusAccepted, j.id
	}
	v.ledger = append(v.ledger, entry)
	return err
}

func (v *Vault) portalInput(it *item, a action, size string, now time.Duration) (input, error) {
	switch a.operation {
	case opUnplannedFailover:
		return input{shutdown: true}, nil
	case opTestFailover:
		return input{network: v.drillNetworkID(it.recovery)}, nil
	case opApplyRecoveryPoint:
		return input{pointID: v.otherPoint(it, now)}, nil
	case opSwitchProtection:
		return input{reprotect: v.portalSwitch(it)}, nil
	case opUpdate:
		return portalUpdate(it, size)
	default:
		return input{}, nil
	}
}
