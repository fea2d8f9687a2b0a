package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// The people of the table below. dan and dea are named nowhere: they are in Slack groups.
func people() map[string]failover.Actor {
	all := map[string]failover.Actor{
		"ana": ana, "ana-cli": anaCLI, "ben": ben, "ben-cli": benCLI, "cleo": cleo, "cleo-cli": cleoCLI, "eve": eve,
		"dan": {ID: "U0DAN", Name: "dan"}, "dea": {ID: "U0DEA", Name: "dea"},
	}
	guest := ana
	guest.Standing = failover.StandingGuest
	all["ana-as-guest"] = guest
	return all
}

// The policies of the table. Operators are ana and who is in the group S1, approvers ben and cleo, each also at a terminal, and
// who is in S2. Ana's and ben's identities are known to be one person's; cleo's are not.
func policies() map[string]failover.Policy {
	all := map[string]failover.Policy{}
	add := func(name string, change func(p *failover.Policy, gated, free *failover.Rule)) {
		p := failover.Policy{
			Roles:  map[string][]string{"operator": {ana.ID, anaCLI.ID}, "approver": {ben.ID, benCLI.ID, cleo.ID, cleoCLI.ID}},
			Groups: map[string][]string{"operator": {"S1"}, "approver": {"S2"}},
			People: map[string][]string{"ana": {ana.ID, anaCLI.ID}, "ben": {ben.ID, benCLI.ID}},
			Sets:   map[string]failover.Group{"shop": {Waves: []failover.GroupWave{{VMs: []string{"prod-1"}}}}},
		}
		gated := failover.Rule{
			Match: failover.Match{VM: []string{"prod-*"}}, Classes: []failover.Class{failover.ClassFailover, failover.ClassCommit},
			May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, Expires: 15 * time.Minute,
		}
		free := failover.Rule{Match: failover.Match{VM: []string{"*"}}, Classes: []failover.Class{failover.ClassTest, failover.ClassCancel, failover.ClassFreeze}, May: []string{"operator"}}
		if change != nil {
			change(&p, &gated, &free)
		}
		p.Rules = append(p.Rules, gated, free)
		all[name] = p
	}
	add("one", nil)
	add("two", func(_ *failover.Policy, gated, _ *failover.Rule) { gated.Approvals = 2 })
	add("two, one by terminal", func(_ *failover.Policy, gated, _ *failover.Rule) { gated.Approvals, gated.TerminalApprovals = 2, 1 })
	add("one, by terminal", func(_ *failover.Policy, gated, _ *failover.Rule) { gated.TerminalApprovals = 1 })
	add("none", func(_ *failover.Policy, gated, _ *failover.Rule) { gated.Approvals = 0 })
	add("ana approves too", func(p *failover.Policy, _, _ *failover.Rule) {
		p.Roles["approver"] = append(p.Roles["approver"], ana.ID, anaCLI.ID)
	})
	add("ana approves too, also her own", func(p *failover.Policy, gated, _ *failover.Rule) {
		p.Roles["approver"], gated.SelfApproval = append(p.Roles["approver"], ana.ID), true
	})
	add("prod-1 denied first", func(p *failover.Policy, gated, _ *failover.Rule) {
		deny := *gated
		deny.Match, deny.May = failover.Match{VM: []string{"prod-1"}}, nil
		p.Rules = append(p.Rules, deny)
	})
	add("shop needs two, the rest one", func(p *failover.Policy, gated, _ *failover.Rule) {
		shop := *gated
		shop.Match, shop.Approvals = failover.Match{Group: []string{"shop"}}, 2
		p.Rules = append(p.Rules, shop)
	})
	add("gold needs two, the rest one", func(p *failover.Policy, gated, _ *failover.Rule) {
		gold := *gated
		gold.Match, gold.Approvals = failover.Match{Tag: []string{"tier=gold"}}, 2
		p.Rules = append(p.Rules, gold)
	})
	add("no approver left", func(p *failover.Policy, _, _ *failover.Rule) {
		delete(p.Roles, "approver")
		delete(p.Groups, "approver")
	})
	add("no rules", func(p *failover.Policy, gated, free *failover.Rule) { gated.Classes, free.Classes = nil, nil })
	return all
}

// policyCases is for auditors: a policy of above, who does what one after the other, and what becomes of the last. "12 min"
// lets time pass; Slack's groups were read at the beginning.
const policyCases = `
one                            | ana failover prod-1                                              | waits for 1
one                            | dan failover prod-1                                              | waits for 1
one                            | 6 min, dan failover prod-1                                       | You may not fail over prod-1. Slack's groups were last read at 2026-11-23 03:00 UTC, so that those of operator have no members.
one                            | 6 min, ana failover prod-1                                       | waits for 1
one                            | ben failover prod-1                                              | You may not fail over prod-1.
one                            | eve failover prod-1                                              | You may not fail over prod-1.
one                            | ana-as-guest failover prod-1                                     | You are a guest of this workspace
one                            | ana failover test-1                                              | No rule lets anybody fail over test-1.
one                            | ana test test-1                                                  | started
one                            | ben test test-1                                                  | You may not test test-1.
one                            | ana failover prod-1, ben approve                                 | started
one                            | ana failover prod-1, ben-cli approve                             | started
one                            | ana failover prod-1, dea approve                                 | started
one                            | ana failover prod-1, 6 min, dea approve                          | You may not decide the failover of op-aaaaaaaa. Slack's groups were last read
one                            | ana failover prod-1, ana approve                                 | You may not decide the failover
one                            | ana failover prod-1, eve approve                                 | You may not decide the failover
one                            | ana failover prod-1, 16 min, ben approve                         | op-aaaaaaaa expired
one                            | ana failover prod-1, ben deny                                    | denied
one                            | ana failover prod-1, ana deny                                    | You may not deny op-aaaaaaaa.
one                            | ana failover prod-1, eve deny                                    | You may not deny op-aaaaaaaa.
one                            | ana failover prod-1, ana withdraw                                | cancelled
one                            | ana failover prod-1, ben withdraw                                | cancelled
one                            | ana failover prod-1, dan withdraw                                | cancelled
one                            | ana failover prod-1, eve withdraw                                | You may not withdraw op-aaaaaaaa.
two                            | ana failover prod-1, ben approve                                 | waits for 1
two                            | ana failover prod-1, ben approve, ben approve                    | You have already approved op-aaaaaaaa.
two                            | ana failover prod-1, ben approve, ben-cli approve                | You have already approved op-aaaaaaaa, as ben: one person counts once.
two                            | ana failover prod-1, cleo approve, cleo-cli approve              | started
two                            | ana failover prod-1, ben approve, dea approve                    | started
two                            | ana failover prod-1, ben approve, cleo deny                      | denied
two, one by terminal           | ana failover prod-1, ben approve, cleo approve                   | The approval that op-aaaaaaaa still needs has to come from a terminal.
two, one by terminal           | ana failover prod-1, ben approve, cleo-cli approve               | started
two, one by terminal           | ana failover prod-1, cleo-cli approve, ben approve               | started
two, one by terminal           | ana failover prod-1, ben approve, ben-cli approve                | waits for 1
two, one by terminal           | ana failover prod-1, ben approve, ben-cli approve, cleo approve  | started
one, by terminal               | ana failover prod-1, ben approve                                 | The approval that op-aaaaaaaa still needs has to come from a terminal.
one, by terminal               | ana failover prod-1, ben-cli approve                             | started
none                           | ana failover prod-1                                              | started
none                           | ben failover prod-1                                              | You may not fail over prod-1.
ana approves too               | ana failover prod-1, ana approve                                 | You asked for it yourself, and op-aaaaaaaa needs a second person.
ana approves too               | ana failover prod-1, ana-cli approve                             | You asked for it yourself, and op-aaaaaaaa needs a second person.
ana approves too               | dan failover prod-1, ana approve                                 | started
ana approves too, also her own | ana failover prod-1, ana approve                                 | started
prod-1 denied first            | ana failover prod-1                                              | You may not fail over prod-1.
prod-1 denied first            | ana failover prod-2                                              | waits for 1
shop needs two, the rest one   | ana failover prod-1                                              | waits for 2
shop needs two, the rest one   | ana failover prod-2                                              | waits for 1
gold needs two, the rest one   | ana failover prod-gold                                           | waits for 2
gold needs two, the rest one   | ana failover prod-plain                                          | waits for 1
gold needs two, the rest one   | ana failover prod-1                                              | The tags of prod-1 are not known, and access.rules[0] goes by them.
no approver left               | ana failover prod-1, ben approve                                 | No rule lets anybody decide op-aaaaaaaa.
no rules                       | ana failover prod-1                                              | No rule lets anybody fail over prod-1.
no rules                       | ana test test-1                                                  | No rule lets anybody test test-1.
`

func TestPolicyCases(t *testing.T) {
	who, all := people(), policies()
	read := failover.Membership{Groups: map[string][]string{"S1": {"U0DAN"}, "S2": {"U0DEA"}}, At: start}
	for line := range strings.SplitSeq(strings.TrimSpace(policyCases), "\n") {
		t.Run(strings.Join(strings.Fields(line), " "), func(t *testing.T) {
			row := strings.Split(line, "|")
			policy, ok := all[strings.TrimSpace(row[0])]
			if !ok {
				t.Fatal("there is no such policy")
			}
			b, answer := newTable(t, 1), ""
			for step := range strings.SplitSeq(row[1], ",") {
				words := strings.Fields(step)
				if minutes := 0; words[1] == "min" {
					if _, err := fmt.Sscan(words[0], &minutes); err != nil {
						t.Fatal(err)
					}
					b.now = b.now.Add(time.Duration(minutes) * time.Minute)
					continue
				}
				b.policy = policy.With(read, b.now)
				cmd := b.command(failover.Verb(words[1]), who[words[0]])
				if len(words) > 2 {
					b.item = vm(words[2])
				}
				refusal := b.try(cmd)
				answer = become(b.op, refusal)
			}
			if want := strings.TrimSpace(row[2]); !strings.HasPrefix(strings.TrimPrefix(answer, "refused: "), want) {
				t.Errorf("%q, want %q", answer, want)
			}
		})
	}
}

// vm is one whose tags are known when its name says so.
func vm(name string) failover.Item {
	i := item(name, failover.StateProtected, "UnplannedFailover", "TestFailover")
	if tier, tagged := strings.CutPrefix(name, "prod-"); tagged && tier != "1" && tier != "2" {
		i.Tags = map[string]string{"tier": tier}
	}
	return i
}

// become is what became of a command, in the words of the table.
func become(op failover.Operation, refusal *failover.Refusal) string {
	switch {
	case refusal != nil:
		return "refused: " + refusal.Message
	case op.Phase == failover.Running:
		return "started"
	case op.Phase == failover.AwaitingApproval:
		return fmt.Sprintf("waits for %d", op.Lacks(op.Gate()).Approvals)
	}
	return string(op.Phase)
}
