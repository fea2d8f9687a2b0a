package failover

import (
	"time"
)

// OnFailure says what a VM's failure means for the VMs that have not begun.
type OnFailure string

const (
	// StopWave puts the operation on hold as soon as more of a wave has failed than is tolerated: what runs goes on, nothing new begins.
	StopWave OnFailure = "stop-wave"
	// GoOn begins what can begin, whatever has failed; a canary that fails stops all the same.
	GoOn OnFailure = "continue"
)

// Fleet is how an operation goes through several VMs: in which order, how many at a time, and what a failure means for the
// others. It is part of what is approved.
type Fleet struct {
	// Name is that of the group in the configuration; empty when the VMs were named one by one.
	Name  string `json:"name,omitempty"`
	Waves []Wave `json:"waves"`
	// Concurrency is how many VMs are under way at a time; 0 is as many as the vaults take.
	Concurrency int       `json:"concurrency,omitempty"`
	OnFailure   OnFailure `json:"on_failure,omitempty"` // empty is StopWave
	// Tolerate is how many percent of a wave's VMs may fail before StopWave stops.
	Tolerate int `json:"tolerate,omitempty"`
}

// Wave is what begins together. A target names its wave by place, from 1: [Target.Wave].
type Wave struct {
	Name string `json:"name,omitempty"`
	// After are the places, from 1, of the waves that have to be over before this one begins.
	After []int `json:"after,omitempty"`
	// Canary marks the wave that tries it for all: its failure stops whatever OnFailure says.
	Canary bool `json:"canary,omitempty"`
}

// OnHold is why nothing new of an operation begins; what runs goes on.
type OnHold struct {
	By  Actor     `json:"by"` // the zero actor when nobody did: Ferry stopped by itself
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
}

// HeldFor is how long after its gate opened an operation on several VMs may be resumed, and what failed of it tried again: then it
// is asked for anew. Who resumes needs no approval, so that their word makes it last no longer.
const HeldFor = 4 * time.Hour

// Several reports whether an operation is about several VMs, each driven on its own; a recovery plan is not, Azure leads it.
func (o Operation) Several() bool {
	return len(o.Targets) > 1 && !o.Targets[0].Lead // which goes first; it is asked of each VM, so that no loop over all is here
}
