package failover

import (
	"slices"
	"time"
)

// TakeAtOnce is how many VMs one step takes or lets go, and how many facts it has: a batch of the journal holds 1,000 messages.
const TakeAtOnce = 250

// planAtOnce is how many targets stand in one fact: it has some 100 KB then, and a message holds 1 MB.
const planAtOnce = 64

// Draft is a request for many VMs that is being written: it is no operation yet, and holds VMs.
type Draft struct {
	Request Requested `json:"request"`
	At      time.Time `json:"at"`
	Command string    `json:"command"` // message id of the command that asks for it
	Held    int       `json:"held"`
}

// DraftOf splits a request into facts that are small enough.
func DraftOf(r Requested) []Fact {
	targets := r.Targets
	r.Targets = nil
	facts := []Fact{Drafted{Request: r}}
	for part := range slices.Chunk(targets, planAtOnce) {
		facts = append(facts, Planned{Targets: part})
	}
	return facts
}

// Keys are the items that the draft asks for.
func (d Draft) Keys() []string {
	var keys []string
	for _, t := range d.Request.Targets {
		keys = append(keys, t.Item.Key)
	}
	return keys
}

// evolveDraft folds what becomes of a draft. Snapshots that were handed out keep the draft that they have.
func evolveDraft(op Operation, fact Fact) Operation {
	if op.Draft == nil {
		return op
	}
	draft := *op.Draft
	op.Draft = &draft
	switch f := fact.(type) {
	case Planned:
		draft.Request.Targets = slices.Concat(draft.Request.Targets, f.Targets)
	case Taken:
		draft.Held = f.Held
	case DraftAccepted:
		op.Draft = nil
		op = requested(op, draft.Request, Record{At: draft.At, Command: draft.Command})
	case Abandoned:
		op.Draft = nil
	case Requested, Drafted, Decided, CommitAsked, ChangeAsked, GateOpened, Claimed, Parked, StepStarted, StepAccepted, StepUnknown, StepDelayed, Observed, StepDone, StepFailed, Stuck, Prepared, Checked, Surveyed, Reminded, Reviewed, Halted, Lapsed, Finished, Refused, PutOnHold, Resumed, Skipped, Retried, Watched:
	}
	return op
}
