package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Spot is where one VM of several stands, for who counts them.
type Spot string

// The spots, the one that needs a person most first.
const (
	SpotAttention Spot = "needs_attention"
	SpotFailed    Spot = "failed"
	SpotUnknown   Spot = "unknown" // nobody knows yet whether Azure took the call
	SpotShort     Spot = "short"   // it waits for capacity, or for another size
	SpotDelayed   Spot = "delayed" // Azure asked to come back later
	SpotRunning   Spot = "running"
	SpotWaiting   Spot = "waiting" // it has yet to begin
	SpotAsked     Spot = "asked"   // somebody has to decide
	SpotUp        Spot = "up"      // and waits for its commit
	SpotDone      Spot = "done"
	SpotSkipped   Spot = "skipped"
)

// Spots returns all of them in that order.
func Spots() []Spot {
	return []Spot{SpotAttention, SpotFailed, SpotUnknown, SpotShort, SpotDelayed, SpotRunning, SpotWaiting, SpotAsked, SpotUp, SpotDone, SpotSkipped}
}

// Spot is where the VM stands.
func (t *Target) Spot() Spot {
	switch t.Phase {
	case NeedsAttention:
		return SpotAttention
	case Failed:
		return SpotFailed
	case AwaitingApproval:
		return SpotAsked
	case AwaitingCommit:
		return SpotUp
	case Succeeded:
		return SpotDone
	case Cancelled, Denied, Expired:
		return SpotSkipped
	case Running:
	}
	s := t.Step(t.Doing)
	switch {
	case s == nil || s.State == StateDone || s.State == StateFailed:
		if t.waits() {
			return SpotWaiting
		}
	case t.short():
		return SpotShort
	case s.State == StateDelayed:
		return SpotDelayed
	case s.State == StateStarted && !s.Unknown.IsZero():
		return SpotUnknown
	}
	return SpotRunning
}

// Tally counts VMs by where they stand.
type Tally map[Spot]int

// All is how many there are.
func (t Tally) All() int {
	n := 0
	for _, of := range t {
		n += of
	}
	return n
}

// Tallies counts the VMs of an operation, in all and by wave; the first wave is at 1.
func (o Operation) Tallies() []Tally {
	waves := 1
	if o.Plan.Fleet != nil {
		waves = max(1, len(o.Plan.Fleet.Waves))
	}
	all := make([]Tally, waves+1)
	for i := range all {
		all[i] = Tally{}
	}
	for i := range o.Targets {
		if t := &o.Targets[i]; !t.Lead {
			spot := t.Spot()
			all[0][spot]++
			all[max(1, min(t.Wave, waves))][spot]++
		}
	}
	return all
}

// HeldBack is what holds a running operation back now; the zero value when nothing has yet to begin, or somebody holds it.
func (o Operation) HeldBack() Expected {
	all := o.Tallies()
	if o.Phase != Running || o.OnHold != nil || all[0][SpotWaiting]+all[0][SpotDelayed]+all[0][SpotShort] == 0 {
		return Expected{}
	}
	if n := all[0][SpotShort]; n > 0 {
		return Expected{Limit: LimitCapacity, About: o.shortOf(), Room: n}
	}
	if n := all[0][SpotDelayed]; n > 0 {
		return Expected{Limit: LimitAsked, Room: n}
	}
	under := all[0][SpotRunning] + all[0][SpotUnknown]
	if f := o.Plan.Fleet; f != nil {
		if f.Concurrency > 0 && under >= f.Concurrency {
			return Expected{Limit: LimitConcurrency, Room: f.Concurrency}
		}
		if !slices.ContainsFunc(o.Targets, func(t Target) bool { return t.waits() && f.open(t.Wave, all) }) {
			return Expected{Limit: LimitWaves}
		}
	}
	waiting, running := map[string]int{}, map[string]int{}
	for i := range o.Targets {
		t := &o.Targets[i]
		switch spot := t.Spot(); {
		case spot == SpotWaiting && (o.Plan.Fleet == nil || o.Plan.Fleet.open(t.Wave, all)):
			waiting[t.Item.Vault]++
		case spot == SpotRunning || spot == SpotUnknown:
			running[t.Item.Vault]++
		}
	}
	most := ""
	for vault, n := range waiting {
		if running[vault] > 0 && (most == "" || n > waiting[most] || n == waiting[most] && vault < most) {
			most = vault
		}
	}
	if most == "" {
		return Expected{}
	}
	return Expected{Limit: LimitVault, About: most, Room: running[most]}
}

// open reports whether the waves before a wave are over, as far as counting tells.
func (f Fleet) open(wave int, all []Tally) bool {
	if wave < 1 || wave > len(f.Waves) {
		return true
	}
	return !slices.ContainsFunc(f.Waves[wave-1].After, func(w int) bool {
		return w > 0 && w < len(all) && all[w][SpotRunning]+all[w][SpotUnknown]+all[w][SpotDelayed]+all[w][SpotWaiting] > 0
	})
}

// May reports whether steering an operation would be taken, by somebody who may: hold, resume, retry of all that failed, and leaving all of that out.
func (o Operation) May(verb Verb, now time.Time) bool {
	if o.Phase.Final() || o.Phase == AwaitingApproval && !o.Started() || o.Verb.Declares() {
		return false
	}
	refusal := Refuse(BadUsage, "", "")
	if verb == VerbHold {
		_, refusal = hold(o, Command{})
	}
	if verb == VerbResume {
		_, refusal = resume(o, Command{}, Situation{Now: now})
	}
	if verb == VerbRetry {
		_, refusal = retry(o, Command{}, Situation{Now: now})
	}
	if verb == VerbSkip {
		_, refusal = skip(o, Command{})
	}
	return refusal == nil
}

// SteerToken is what a button that steers stands for: this hold, or these failures. An old one does nothing later.
func (o Operation) SteerToken(verb Verb) string {
	bound := []any{verb, o.ResumedAt.UTC()}
	if o.OnHold != nil {
		bound = append(bound, o.OnHold.At.UTC())
	}
	for i := range o.Targets {
		if (verb == VerbRetry || verb == VerbSkip) && o.Targets[i].again() {
			bound = append(bound, o.Targets[i].Item.Key)
		}
	}
	data, err := json.Marshal(bound)
	if err != nil { // plain data always marshals
		panic(err)
	}
	sum := sha256.Sum256(data)
	return string(verb) + "-" + hex.EncodeToString(sum[:4])
}
