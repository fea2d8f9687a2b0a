// Package sitetest is the conformance suite of executor.Site: what the executor's promises rest on, asked of whatever
// claims to be a site.
//
// It owns the questions and refuses to know who answers: the site and the world behind it come from a [Harness], whose
// controls are plain functions. Every question gets a fresh harness inside a synctest bubble, so that a failover of minutes
// takes none; a harness must therefore keep its network in memory, and set environment variables before [Run].
package sitetest

import (
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor"
	"ferry/failover"
)

// Harness is a site over a world with at least two idle, protected VMs that have recovery points, and the controls of
// that world. Controls may be called at any time from the test's goroutine.
type Harness struct {
	Site executor.Site
	// VM and Other are the friendly names of the two.
	VM, Other string
	// Network is the ARM id of a network that VM's drills may use.
	Network string
	// Calls returns the mutating calls that reached the world so far, refused ones too, in order of arrival.
	Calls func() []Call
	// LoseAnswer makes the world do the next call of a kind and cut the connection instead of answering.
	LoseAnswer func(failover.StepKind)
	// Throttle makes the world turn away the next call of a kind, asking to wait.
	Throttle func(failover.StepKind, time.Duration)
	// Break makes the world answer the next call of a kind with an HTTP status and nothing done.
	Break func(failover.StepKind, int)
	// FailJob lets the job of the next call of a kind fail with the fault.
	FailJob func(failover.StepKind, failover.Fault)
	// WarnJob lets the job of the next call of a kind succeed with a stateDescription that is a warning, and the fault.
	WarnJob func(kind failover.StepKind, description string, f failover.Fault)
	// VanishJob takes away the record of the job of the next call of a kind, some time after it began; its work goes on.
	VanishJob func(failover.StepKind, time.Duration)
	// Stick lets the initial replication after the next reprotect stand still for good.
	Stick func()
	// Show puts VM's item into a protectionState in which it stays until a step takes it further.
	Show func(state string)
	// Restrict leaves the site the rights of the role Site Recovery Operator: it may not poll operations or list a whole vault.
	Restrict func()
	// Unmap takes the container mapping back to VM's first region away; Down takes that region away.
	Unmap, Down func()
}

// Call is a mutating call as the world saw it.
type Call struct {
	Kind            failover.StepKind // of a reprotect always StepReprotect
	ClientRequestID string
	Accepted        bool
	Shutdown        bool   // of a failover: the source is to be shut down first
	PointID         string // of a failover, a drill or a change: the recovery point named; empty for the latest
	Size            string // of a resize
}

// Run asks all questions, each as a subtest, and visits every row of the state table.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	t.Run("every row of the state table", func(t *testing.T) { visitTable(t, newHarness) })
	for name, ask := range questions() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ask(world{T: t, Harness: newHarness(t)})
			})
		})
	}
}

func questions() map[string]func(world) {
	return map[string]func(world){
		"items are known by key":                       itemsAreKnownByKey,
		"points are complete":                          pointsAreComplete,
		"a begun call shows as the item's job":         begunCallShows,
		"a failover and a commit change the state":     failoverAndCommit,
		"a second failover is refused":                 secondIsRefused,
		"a lost answer is unknown and found again":     lostAnswerIsFound,
		"a broken answer is unknown":                   brokenAnswerIsUnknown,
		"throttling is a retry":                        throttlingIsRetry,
		"a failed job says why and what to do":         failedJobExplains,
		"the named point is used":                      namedPointIsUsed,
		"shutdown and latest are what was asked":       shutdownAndLatest,
		"jobs of before and of others are left out":    oldJobsAreLeftOut,
		"jobs are listed while they run and after":     jobsAreListed,
		"what does not exist is refused":               missingIsRefused,
		"a cancelled context is its own error":         cancelledContext,
		"reads do nothing and can be done in parallel": readsInParallel,

		"a drill is cleaned up":                        drillAndCleanUp,
		"another point is used before the commit":      changeOfPoint,
		"a point that is gone or another's is not":     changeToNoPoint,
		"a commit takes the points":                    commitTakesPoints,
		"an item moves with a reprotect, twice around": twiceAround,
		"initial replication that is stuck shows":      stuckReplication,
		"what a reprotect lacks is said before":        reprotectLacks,

		"a lost answer of any step is found again":      lostAnswers,
		"a job that warns is a success with a word":     warnings,
		"a job that vanishes is refused, its work done": vanishing,
		"any step's failed job says why":                failing,
		"any step can be throttled or broken":           turnedAway,
		"the built-in role is enough":                   restricted,

		"another size is used, and nothing else changes": anotherSize,
		"a change of the size meets trouble":             troubledResize,
	}
}
