package bot

import (
	"fmt"
	"time"

	"ferry/failover"
)

// ToPoint is what to type to bring a VM to one recovery point, by its id: a time could mean another point when this one is
// gone. "" when the VM's state offers no way to it. name is what to type for the VM.
func ToPoint(name string, item failover.Item, p failover.RecoveryPoint) string {
	switch item.State {
	case failover.StateProtected:
		return run(name) + " " + p.ShortID()
	case failover.StateCommitPending:
		return Command + " change " + name + " " + p.ShortID()
	}
	return ""
}

// run begins the line that fails a VM over.
func run(name string) string {
	if _, isVerb := lookup(name); isVerb {
		name = "run " + name
	}
	return Command + " " + name
}

// Next is what could be typed for a VM that nothing is open on, or why it cannot be failed over now. Its name is what to type.
func Next(i failover.Item) string {
	if no := failover.Legal(failover.StepFailover, i); no != nil {
		return RefusalText(no)
	}
	name := OneLine(i.Name)
	return fmt.Sprintf("To fail it over, type %s latest; to drill it, %s test %s; to see its recovery points, %[2]s points %[3]s.", run(name), Command, name)
}

// AtField is a refusal as it stands at a field of a form, where no flag can be added.
func AtField(cmd failover.Command, r *failover.Refusal) string {
	if r.About == failover.AboutForce {
		return OneLine(r.Message + " Take an earlier point. To take this one all the same, type " + run(cmd.Target) + " " + cmd.Point.String() + " --force.")
	}
	return RefusalText(r)
}

// NoPoints says what it means that a VM has no recovery point, and what to do.
func NoPoints(name string, item failover.Item) string {
	switch item.State {
	case failover.StateCommitted:
		return name + " has no recovery point: its failover was committed, and a commit deletes them all. It gets new ones when it is protected again: type " + Command + " reprotect " + name + "."
	case failover.StateEnabling, failover.StateReplicates, failover.StateFirstPoint:
		return fmt.Sprintf("%s has no recovery point yet: its initial replication has not ended. Ask again when %s list shows it as Protected.", name, Command)
	case failover.StateProtected:
		return fmt.Sprintf("Azure lists no recovery point of %[1]s. With a retention of 0 days that is usual, and only %[2]s %[1]s latest works; else look at the replication of %[1]s in the portal.", name, Command)
	}
	return fmt.Sprintf("Azure lists no recovery point of %s, which is in the state %s. Look at its replication in the portal.", name, item.State)
}

// PointType is the kind of a recovery point in a word.
func PointType(p failover.RecoveryPoint) string {
	if p.AppConsistent {
		return "app-consistent"
	}
	return "crash-consistent"
}

// UpTo is a duration as people say it, rounded up: of data that may be lost it is the most.
func UpTo(d time.Duration) string {
	n, unit := (d+time.Minute-1)/time.Minute, "minute"
	if d > 90*time.Minute {
		n, unit = (d+time.Hour-1)/time.Hour, "hour"
	}
	if d > 48*time.Hour {
		n, unit = (d+24*time.Hour-1)/(24*time.Hour), "day"
	}
	if n = max(n, 1); n > 1 {
		unit += "s"
	}
	return fmt.Sprintf("up to %d %s", n, unit)
}
