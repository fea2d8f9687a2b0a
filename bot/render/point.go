package render

import (
	"time"

	"ferry/failover"
)

// points say which data is at stake, once it is known which was used, and what another point would change.
func (c cardOf) points(t failover.Target) []line {
	var lines []line
	if l := c.point(t); l != nil {
		lines = append(lines, labelled("Recovery point", l...))
	}
	if !t.Replaced.IsZero() && !t.PointUsed.IsZero() && c.op.Change == nil {
		lines = append(lines, labelled("Before the change", append(c.used(t, t.Replaced), plain("; the change means "+difference(t.Replaced, t.PointUsed)))...))
	}
	if ch := c.op.Change; ch != nil {
		lines = append(lines, labelled("Wanted instead", append(c.used(t, ch.Point.Time), plain(wanted(t.PointUsed, ch.Point)))...))
	}
	if c.op.Verb == failover.VerbChange && t.PointUsed.IsZero() {
		lines = append(lines, labelled("In use now", plain("not known: it was failed over outside Ferry")))
	}
	return lines
}

// used is a point with what it lost.
func (c cardOf) used(t failover.Target, point time.Time) line {
	l := line{moment(point, c.now)}
	if s := t.Step(failover.StepTest); s != nil && !s.StartedAt.IsZero() {
		return append(l, plain(", "+duration(s.StartedAt.Sub(point))+" before the drill"))
	}
	at := t.Item.LastFailover
	if s := t.Step(failover.StepFailover); s != nil && !s.StartedAt.IsZero() {
		at = s.StartedAt
	}
	if !at.IsZero() {
		l = append(l, plain(", "+duration(at.Sub(point))+" before the failover"))
	}
	return l
}

func wanted(inUse time.Time, p failover.RecoveryPoint) string {
	text := ""
	if p.AppConsistent {
		text = ", application-consistent"
	}
	if !inUse.IsZero() {
		text += "; " + difference(inUse, p.Time)
	}
	return text
}

// difference is what the second point means for the data.
func difference(from, to time.Time) string {
	if to.Before(from) {
		return duration(from.Sub(to)) + " more of data lost"
	}
	return duration(to.Sub(from)) + " less of data lost"
}

// point is the one that is used, or that was chosen.
func (c cardOf) point(t failover.Target) line {
	if !t.PointUsed.IsZero() {
		return append(line{plain("used ")}, c.used(t, t.PointUsed)...)
	}
	if s := t.Step(failover.StepChange); s != nil && s.State == failover.StateDone && s.StartedAt.IsZero() {
		return line{plain("not known: it was changed outside Ferry")}
	}
	switch c.op.Verb {
	case failover.VerbFailover, failover.VerbTest, failover.VerbFailback:
	case failover.VerbChange:
		if c.op.Change != nil {
			return nil // it stands there as wanted
		}
	case failover.VerbCommit, failover.VerbCleanup, failover.VerbReprotect, failover.VerbIncident, failover.VerbFreeze,
		failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCancel, failover.VerbExpire, failover.VerbPlan, failover.VerbGroup, failover.VerbHold, failover.VerbResume, failover.VerbSkip, failover.VerbRetry, failover.VerbUnfreeze:
		return nil
	}
	sel := c.op.Plan.Point
	if t.Shown == nil && c.op.Verb == failover.VerbFailback {
		return nil // chosen when the VM is replicated back
	}
	if t.Shown == nil {
		return line{plain(c.name(sel.String()))}
	}
	age := plain(", " + duration(c.op.RequestedAt.Sub(t.Shown.Time)) + " old when asked")
	if _, waits := c.op.Pending(); waits && c.op.Started() { // a gate on the way home, perhaps days later
		age.text = ", " + duration(c.now.Sub(t.Shown.Time)) + " old"
	}
	kind := "the one of "
	switch {
	case sel.Moving() && sel.Kind != failover.LatestProcessed:
		kind = "latest: Azure first processes all data that has arrived; newest point "
	case sel.Moving():
		kind = "latest-processed: newest point "
	case t.Shown.AppConsistent:
		age.text += ", application-consistent"
	}
	return line{plain(kind), moment(t.Shown.Time, c.now), age}
}
