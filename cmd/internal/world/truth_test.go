package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ferry/failover"
	"ferry/sandbox/vault"
)

// cardsAreCurrent: at the end each card says what the stream says.
func cardsAreCurrent(e *evidence) (broken []string) {
	for id, op := range e.stream.ops {
		if !op.Exists() {
			continue
		}
		title := e.latest[id].title()
		_, state, _ := strings.Cut(title, ": ")
		pending := func(it vault.Item) bool {
			return it.ProtectionState == commitPending && slices.Contains(targets(op), it.Name)
		}
		if op.Phase == failover.AwaitingCommit && !slices.ContainsFunc(e.items, pending) {
			broken = append(broken, fmt.Sprintf("%s waits for a commit of which Azure knows nothing: %+v", id, e.items))
		}
		if !says(op, state) {
			broken = append(broken, fmt.Sprintf("%s is %s, and its card says %q", id, op.Phase, title))
		}
	}
	return broken
}

func says(op failover.Operation, state string) bool {
	var words []string
	switch op.Phase {
	case failover.AwaitingApproval:
		words = []string{"awaiting approval", "ready to", "to be checked", "a step failed", "being prepared"}
	case failover.AwaitingCommit:
		words = []string{"awaiting commit", "waiting for a decision", "a step failed"}
	case failover.Succeeded:
		words = []string{"committed", "protected", "home again", "the test VM is up", "cleaned up", "over", "changed", "done"}
	case failover.Running:
		if words = []string{"running", "not known", "declared", "new work is stopped"}; op.OnHold != nil {
			words = []string{"on hold"}
		}
	case failover.NeedsAttention:
		words = []string{"needs attention"}
	case failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
		if words = []string{string(op.Phase)}; len(op.Targets) > 1 && op.Phase == failover.Failed { // of several some may have come through
			words = append(words, fmt.Sprintf("of %d ", len(op.Targets)))
		}
	}
	for _, w := range words {
		if strings.Contains(state, w) {
			return true
		}
	}
	return false
}

// cardsWereTrue compares each version of each card with what the vault had done by then: a card may lag, it is never ahead.
func cardsWereTrue(e *evidence) (broken []string) {
	for _, c := range e.cards {
		op := e.stream.ops[c.op]
		if !op.Exists() {
			broken = append(broken, fmt.Sprintf("a card of %s, which does not exist:\n%s", c.op, c.text))
			continue
		}
		if c.at.Before(op.RequestedAt) {
			broken = append(broken, fmt.Sprintf("a card of %s before it was asked for", c.op))
		}
		_, state, _ := strings.Cut(c.title(), ": ")
		for _, vm := range targets(op) {
			if claim := e.ahead(vm, op, state, c); claim != "" {
				broken = append(broken, fmt.Sprintf("at %s the card of %s says %q of %s, and %s:\n%s", c.at.Format(time.TimeOnly), c.op, state, vm, claim, c.text))
			}
		}
	}
	return broken
}

// ahead says what a card claims of a VM that has not happened; empty when all has.
func (e *evidence) ahead(vm string, op failover.Operation, state string, c shown) string {
	been := func(states ...string) bool {
		for _, s := range states {
			if e.reached(vm, s, op.RequestedAt, c.at) {
				return true
			}
		}
		return false
	}
	switch {
	case state == "committed" && !been(committed):
		return "it is not committed"
	case state == "awaiting commit" && !been(commitPending, committed) && !strings.Contains(c.text, "\n! "+vm+": in need of attention"):
		return "its failover has not ended"
	case (state == "protected" || state == "home again") && !been(protected):
		return "it is not protected"
	case state == "the test VM is up" && !e.did(vm, "TestFailover", op.RequestedAt, c.at):
		return "no drill has ended"
	case state == "cleaned up" && !e.did(vm, "TestFailoverCleanup", op.RequestedAt, c.at):
		return "no clean-up has ended"
	}
	for line := range strings.SplitSeq(c.text, "\n") {
		switch {
		case strings.HasPrefix(line, "✓ *Commit*: done") && !been(committed):
			return "its commit has a tick and has not ended"
		case strings.HasPrefix(line, "✓ "+vm+": up") && !been(commitPending, committed):
			return "it is up by its row and its failover has not ended"
		case strings.HasPrefix(line, "✓ *Failover*: done") && !been(commitPending, committed):
			return "its failover has a tick and has not ended"
		case strings.HasPrefix(line, "✓ *Reprotect*: done") && !been(protected):
			return "its reprotect has a tick and has not ended"
		}
	}
	return ""
}
