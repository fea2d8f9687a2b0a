package failover_test

import (
	"strings"
	"testing"

	"ferry/failover"
)

// Who has no right to a verb is told so, and whom to ask. That nobody is told so who has it, each accepted command of the other
// tests shows.
func TestNoRight(t *testing.T) {
	who := people()
	read := failover.Membership{Groups: map[string][]string{"S1": {"U0DAN"}, "S2": {"U0DEA"}}, At: start}
	for row := range strings.SplitSeq(strings.TrimSpace(`
one               | ana          | failover plan commit test cancel freeze incident withdraw | approve deny change reprotect failback cleanup
one               | dan          | failover plan commit test cancel freeze incident withdraw | approve deny change reprotect failback cleanup
one               | ben          | approve deny commit withdraw                              | failover plan test cancel freeze unfreeze incident
one               | dea          | approve deny commit withdraw                              | failover plan test cancel freeze unfreeze incident
one               | eve          |                                                           | failover commit approve deny withdraw cancel test freeze
one               | ana-as-guest |                                                           | failover commit approve deny withdraw cancel test freeze
none              | ben          |                                                           | approve deny commit failover
no approver left  | ben          |                                                           | approve deny commit withdraw
no rules          | ana          |                                                           | failover commit test freeze
`), "\n") {
		columns := strings.Split(row, "|")
		policy, actor := policies()[strings.TrimSpace(columns[0])].With(read, start), who[strings.TrimSpace(columns[1])]
		for verb := range strings.FieldsSeq(columns[2]) {
			if no := policy.NoRight(failover.Verb(verb), actor); no != nil {
				t.Errorf("%s%s may not %s: %v", columns[0], columns[1], verb, no)
			}
		}
		for verb := range strings.FieldsSeq(columns[3]) {
			if no := policy.NoRight(failover.Verb(verb), actor); no == nil || no.Kind != failover.NotAllowed || no.Hint == "" {
				t.Errorf("%s%s may %s: %v", columns[0], columns[1], verb, no)
			}
		}
	}
	if no := policies()["one"].With(failover.Membership{}, start).NoRight(failover.VerbFailover, who["dan"]); no == nil || !strings.Contains(no.Message, "have not been read") {
		t.Errorf("nothing says that it may be for an old reading of the groups: %v", no)
	}
}
