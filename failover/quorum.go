package failover

import (
	"slices"
	"strings"
)

// terminal begins the ids of terminal identities, for which NATS vouches and no bot can speak.
const terminal = "cli:"

// Terminal reports whether it is a terminal identity.
func (a Actor) Terminal() bool { return strings.HasPrefix(a.ID, terminal) }

// is reports whether two identities are of one person, as far as was known when they were written down.
func (a Actor) is(b Actor) bool { return a.ID == b.ID || a.Person != "" && a.Person == b.Person }

// Named says whose identity it is, by the configuration of now.
func (p Policy) Named(a Actor) Actor {
	a.Person = ""
	for person, ids := range p.People {
		if slices.Contains(ids, a.ID) {
			a.Person = person
		}
	}
	return a
}

func (p Policy) same(a, b Actor) bool { return p.Named(a).is(p.Named(b)) }

// Lack is what a gate still needs.
type Lack struct {
	Approvals int // of as many persons
	Terminals int // of these, by terminal identities
}

// lacks counts approvals against a rule: each person once, and so that those from elsewhere leave room for those that have
// to come from a terminal. Who has pressed elsewhere may give their own word again from a terminal.
func (r Rule) lacks(need int, by []Actor) Lack {
	var persons, elsewhere []Actor
	terminals := 0
	for _, first := range []bool{true, false} { // a person's terminal counts before their other identities
		for _, a := range by {
			if a.Terminal() != first || slices.ContainsFunc(persons, a.is) {
				continue
			}
			persons = append(persons, a)
			if first {
				terminals++
			} else {
				elsewhere = append(elsewhere, a)
			}
		}
	}
	counted := terminals + min(len(elsewhere), max(0, need-r.TerminalApprovals))
	return Lack{Approvals: max(0, need-counted), Terminals: max(0, r.TerminalApprovals-terminals)}
}

// needs is how many approvals a gate takes: no gate of an open operation acts without a press.
func (o Operation) needs(gate Class) int {
	need := o.GateRule(gate).Approvals
	if gate == ClassCommit || gate == ClassChange && o.Verb != VerbChange || o.Started() && o.Gate() == gate {
		need = max(need, 1)
	}
	return need
}

// Lacks is what a gate still needs, each person counted once.
func (o Operation) Lacks(gate Class) Lack {
	return o.GateRule(gate).lacks(o.needs(gate), o.Approvers(gate))
}

// Approved reports whether a gate has its quorum.
func (o Operation) Approved(gate Class) bool { return o.Lacks(gate).Approvals == 0 }

// lacks is what a gate still needs by the persons of now, with more approvals than there are yet.
func (p Policy) lacks(op Operation, gate Class, more ...Actor) Lack {
	by := append(op.Approvers(gate), more...)
	for i := range by {
		by[i] = p.Named(by[i])
	}
	return op.GateRule(gate).lacks(op.needs(gate), by)
}

// counts reports whether an actor's approval would bring a gate nearer to opening.
func (p Policy) counts(op Operation, gate Stage, actor Actor) bool {
	before, after := p.lacks(op, gate.Gate), p.lacks(op, gate.Gate, actor)
	return after.Approvals < before.Approvals || after.Terminals < before.Terminals
}

// press records one approval, and opens the gate when it was the last one needed. One that would not count is refused.
func (s Situation) press(op Operation, gate Stage, cmd Command) ([]Fact, *Refusal) {
	if !s.Policy.counts(op, gate, cmd.By) {
		return nil, s.Policy.useless(op, gate, cmd.By)
	}
	decided := Decided{Gate: gate.Gate, Step: gate.Step, By: cmd.By, Approve: true, Reason: cmd.Reason, Rule: op.GateRule(gate.Gate).ref()}
	if s.Policy.lacks(op, gate.Gate, cmd.By).Approvals == 0 {
		return []Fact{decided, GateOpened{Gate: gate.Gate, Step: gate.Step}}, nil
	}
	return []Fact{decided}, nil
}

// useless says why an approval would not count, and what would.
func (p Policy) useless(op Operation, gate Stage, actor Actor) *Refusal {
	typed := map[Class]string{ClassCommit: "ferry commit ", ClassChange: "ferry change "}[gate.Gate]
	if typed == "" {
		typed = "ferry approve "
	}
	hint := "It waits for another person."
	if p.lacks(op, gate.Gate).Terminals > 0 {
		hint = "Type it in a terminal, or have somebody else do it there: " + typed + string(op.ID) + "."
	}
	for _, a := range op.Approvers(gate.Gate) {
		switch {
		case a.ID == actor.ID:
			return Refuse(TooLate, hint, "You have already approved %s.", op.ID)
		case p.same(a, actor):
			return Refuse(TooLate, hint, "You have already approved %s, as %s: one person counts once.", op.ID, mention(a)).by(op.GateRule(gate.Gate))
		}
	}
	return Refuse(NotAllowed, hint, "The approval that %s still needs has to come from a terminal.", op.ID).by(op.GateRule(gate.Gate))
}
