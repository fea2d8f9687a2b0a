package render

import (
	"slices"
	"strings"

	"ferry/bot"
	"ferry/failover"
)

// noDrill is the health error of a VM that no test failover has succeeded for (recorded). The drill's own line says it.
const noDrill = "161011"

// healthNormal is Azure's word for a replication without a finding.
const healthNormal = "Normal"

// background is what who decides may look up: the buttons come before it, so that a phone shows them together with what counts.
func (c cardOf) background() []line {
	gate, waits := c.op.Pending()
	if !waits || c.op.Phase != failover.AwaitingApproval || c.expired() {
		return nil
	}
	var lines []line
	if !c.op.Started() {
		next := "To take it back, type " + bot.Command + " withdraw " + string(c.op.ID) + "."
		if rule := c.op.Plan.Rule; rule.Approvals > 0 && !rule.SelfApproval {
			next = "Who asked for it cannot approve it. " + next
		}
		lines = append(lines, words("%s", next))
	}
	if isUnplanned(c.op) || gate.Step == failover.StepCheck {
		return lines
	}
	if gate.Step == failover.StepFailover {
		said := "Nothing is final before the commit; until then another recovery point can be chosen."
		if c.op.Several() {
			said = "Nothing is final before the commit."
		}
		lines = append(lines, words("%s", said))
	}
	lines = append(lines, c.takes()...)
	if c.op.Plan.Shutdown {
		lines = append(lines, c.shutdown()...)
	}
	if len(c.op.Targets) == 1 {
		lines = append(lines, c.prerequisites(c.op.Targets[0].Item, gate.Step)...)
	}
	return lines
}

// prerequisites are what the Site Recovery guide tells to look at before anybody decides.
func (c cardOf) prerequisites(item failover.Item, step failover.StepKind) []line {
	var lines []line
	if replicates(step) {
		lines = append(lines, labelled("Last successful drill", c.drill(item)...), labelled("Replicated data", plain(dataAge(item))))
		if isWell(item) {
			lines = append(lines, labelled("Replication health", plain(item.Health)))
		}
	}
	if len(item.Allowed) > 0 {
		lines = append(lines, labelled("Azure allows now", plain(c.say(strings.Join(allowed(item), ", ")))))
	}
	return lines
}

// replicates: the step needs the replication.
func replicates(step failover.StepKind) bool {
	return step == failover.StepFailover || step == failover.StepTest
}

// isWell: Azure reports nothing that who decides has to know, beside that there was no drill.
func isWell(item failover.Item) bool { return item.Health == healthNormal && len(warnings(item)) == 0 }

// unhealthy is what Azure finds wrong with the replication, for who decides.
func (c cardOf) unhealthy(item failover.Item) []line {
	gate, waits := c.op.Pending()
	if !waits || c.op.Phase != failover.AwaitingApproval || isUnplanned(c.op) || gate.Step == failover.StepCheck || isWell(item) || !replicates(gate.Step) && len(item.Errors) == 0 {
		return nil
	}
	return c.health(item)
}

// drill is the last one, and whether Azure counts it.
func (c cardOf) drill(item failover.Item) line {
	l := line{plain("none yet")}
	if !item.LastTest.IsZero() {
		l = line{moment(item.LastTest, c.now), plain(", " + duration(c.now.Sub(item.LastTest)) + " ago")}
	}
	if slices.ContainsFunc(item.Errors, isNoDrill) {
		l = append(l, plain(" (Azure warns of it: error "+noDrill+")"))
	}
	return l
}

func isNoDrill(f failover.Fault) bool { return f.Code == noDrill }

// warnings are what Azure finds wrong, without that there was no drill.
func warnings(item failover.Item) []failover.Fault {
	return slices.DeleteFunc(slices.Clone(item.Errors), isNoDrill)
}

func dataAge(item failover.Item) string {
	if item.RPO < 0 {
		return "Azure does not report how old"
	}
	return duration(item.RPO) + " old, as Azure reports it"
}

// health is shown to who decides; it stops nothing.
func (c cardOf) health(item failover.Item) []line {
	errs := warnings(item)
	if len(errs) == 0 {
		return []line{labelled("Replication health", plain(orNot(c.name(item.Health))))}
	}
	lines := []line{labelled("Replication health", plain(orNot(c.name(item.Health))+" (shown for the decision; it stops nothing)"))}
	for _, f := range errs[:min(len(errs), 3)] {
		lines = append(lines, append(line{plain("! ")}, c.fault(f)...))
	}
	if more := len(errs) - 3; more > 0 {
		lines = append(lines, words("and %d more; see the replicated item in the portal", more))
	}
	return lines
}

// allowed are Azure's words for what it would take now, in the words of the verbs where there is one.
func allowed(item failover.Item) []string {
	said := map[string]string{
		"UnplannedFailover": "failover", "TestFailover": "test failover", "TestFailoverCleanup": "clean-up", "Commit": "commit",
		"ChangePit": "another recovery point", "SwitchProtection": "reprotect", "DisableProtection": "disabling the replication",
		"CompleteMigration": "completing a migration",
	}
	var all []string
	for _, op := range item.Allowed {
		all = append(all, orElse(said[op], op))
	}
	return all
}
