package render

import (
	"slices"
	"strings"

	"ferry/failover"
)

// noDrill is the health error of a VM that no test failover has succeeded for (recorded). The drill's own line says it.
const noDrill = "161011"

// prerequisites are what the Site Recovery guide tells to look at before anybody decides.
func (c cardOf) prerequisites(item failover.Item) []line {
	gate, waits := c.op.Pending()
	if !waits || c.op.Phase != failover.AwaitingApproval || isUnplanned(c.op) || gate.Step == failover.StepCheck {
		return nil
	}
	var lines []line
	replicates := gate.Step == failover.StepFailover || gate.Step == failover.StepTest
	if replicates {
		lines = append(lines, labelled("Last successful drill", c.drill(item)...), labelled("Replicated data", plain(dataAge(item))))
	}
	if replicates || len(item.Errors) > 0 {
		lines = append(lines, c.health(item)...)
	}
	if len(item.Allowed) > 0 {
		lines = append(lines, labelled("Azure allows now", plain(c.say(strings.Join(allowed(item), ", ")))))
	}
	return lines
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

func dataAge(item failover.Item) string {
	if item.RPO < 0 {
		return "Azure does not report how old"
	}
	return duration(item.RPO) + " old, as Azure reports it"
}

// health is shown to who decides; it stops nothing.
func (c cardOf) health(item failover.Item) []line {
	errs := slices.DeleteFunc(slices.Clone(item.Errors), isNoDrill)
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
