package failover

import (
	"strings"
	"time"
)

// prepare reads what the next gate of a failback is about, and says so: its own plan, with its own digest. Until then
// nobody can decide. What the portal did meanwhile closes the gate by itself.
func prepare(op Operation, t Target, seen Observation, now time.Time) Effect {
	kind := t.Doing
	if now.Before(seen.RetryAt) {
		return notReadable(t, kind, seen, now)
	}
	look := needs(kind)
	if look.stale(seen, now) {
		return look
	}
	if achieved(op, kind, seen.Item) {
		return Tell{[]Fact{StepDone{Target: t.Item.Key, Kind: kind, Outside: true}}}
	}
	refusal := Legal(kind, seen.Item)
	if refusal == nil && kind == StepFailover {
		refusal = homeward(seen.Item)
	}
	plan := Prepared{Target: t.Item.Key, Item: seen.Item, Reversal: seen.Reversal}
	if look.Points && refusal == nil {
		var point RecoveryPoint
		point, refusal = Choose(seen.Points, op.Plan.Point)
		plan.Shown, plan.Reversal = &point, nil
	}
	if refusal != nil {
		if told := refusal.Message + " " + refusal.Hint; t.Progress != told {
			return Tell{[]Fact{note(t, kind, told)}}
		}
		return Wait{seen.LookedAt.Add(pollWithin)}
	}
	next := t
	next.Item, next.Shown, next.Reversal = plan.Item, plan.Shown, plan.Reversal
	plan.Digest = digest(op.Plan, []Target{next})
	return Tell{[]Fact{plan}}
}

// notReadable waits for Azure to show what a gate is about, and says why that takes long.
func notReadable(t Target, kind StepKind, seen Observation, now time.Time) Effect {
	told := "Azure does not answer since " + stamp(seen.Silent) + keepsAsking
	if seen.Barred != nil {
		since, detail := barred(seen)
		told = since + detail + keepsAsking
	}
	if seen.Refused != nil {
		told = strings.TrimSpace(seen.Refused.Message + " " + seen.Refused.Action)
	}
	if now.Sub(seen.Silent) >= freshFor && t.Progress != told {
		return Tell{[]Fact{note(t, kind, told)}}
	}
	return Wait{seen.RetryAt}
}

// probeFor is how long a VM that does not say that it works is asked again: it may still be starting.
const probeFor = 5 * time.Minute

// probe asks the VM whether it works, until it says so or the time is over. What it said stands on the card before anybody
// commits; that nobody answered is no pass.
func probe(t Target, seen Observation, now time.Time) Effect {
	done := StepDone{Target: t.Item.Key, Kind: StepProbe}
	switch {
	case t.Check == nil:
		return Tell{[]Fact{done}}
	case seen.Probe.At.IsZero():
		return Probe{*t.Check}
	case seen.Probe.Outcome == CheckPassed || seen.Probe.At.Sub(seen.ProbedFrom) >= probeFor:
		return Tell{[]Fact{Checked{Target: t.Item.Key, Result: seen.Probe}, done}}
	case now.Before(seen.Probe.At.Add(LookEvery)):
		return Wait{seen.Probe.At.Add(LookEvery)}
	}
	return Probe{*t.Check}
}

// survey ends a failback: what it has left behind is read once, and that it could not be read is said.
func survey(t Target, seen Observation) Effect {
	if !seen.Silent.IsZero() {
		return Tell{[]Fact{
			Surveyed{Target: t.Item.Key, Note: "What is left in " + t.Item.From + " could not be read: look there for the VM, its network interfaces and disks."},
			StepDone{Target: t.Item.Key, Kind: StepSurvey},
		}}
	}
	if seen.SurveyedAt.IsZero() {
		return Survey{}
	}
	return Tell{[]Fact{Surveyed{Target: t.Item.Key, Leftovers: seen.Leftovers}, StepDone{Target: t.Item.Key, Kind: StepSurvey}}}
}
