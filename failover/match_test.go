package failover_test

import (
	"strings"
	"testing"

	"ferry/failover"
)

// Each row is a rule before one that lets everybody: it applies, is skipped, or lets nobody since it is not known which.
func TestMatch(t *testing.T) {
	prod := map[string]string{"Env": "Prod", "team": "shop/web"}
	for _, row := range []struct {
		name  string
		match failover.Match
		tags  map[string]string
		want  string // skipped, applies or untold
	}{
		{"a group by a pattern of its VMs", failover.Match{Group: []string{"shop"}}, nil, "applies"},
		{"a group in other letters", failover.Match{Group: []string{"SHOP"}}, nil, "applies"},
		{"groups by a pattern", failover.Match{Group: []string{"s*"}}, nil, "applies"},
		{"another group", failover.Match{Group: []string{"bank"}}, nil, "skipped"},
		{"a group that there is not", failover.Match{Group: []string{"nowhere"}}, nil, "skipped"},
		{"a group without VMs", failover.Match{Group: []string{"empty"}}, nil, "skipped"},
		{"the group and another name", failover.Match{Group: []string{"shop"}, VM: []string{"sql-*"}}, nil, "skipped"},
		{"the group and the name", failover.Match{Group: []string{"shop"}, VM: []string{"vm-*"}}, nil, "applies"},
		{"a tag", failover.Match{Tag: []string{"env=prod"}}, prod, "applies"},
		{"one of two tags", failover.Match{Tag: []string{"env=test", "env=p*"}}, prod, "applies"},
		{"another value", failover.Match{Tag: []string{"env=test"}}, prod, "skipped"},
		{"a key with any value", failover.Match{Tag: []string{"env"}}, prod, "applies"},
		{"a key that it has not", failover.Match{Tag: []string{"owner"}}, prod, "skipped"},
		{"keys by a pattern", failover.Match{Tag: []string{"t*=shop*"}}, prod, "applies"},
		{"a star takes a slash", failover.Match{Tag: []string{"team=*"}}, prod, "applies"},
		{"no tags, which is known", failover.Match{Tag: []string{"env=prod"}}, map[string]string{}, "skipped"},
		{"tags that are not known", failover.Match{Tag: []string{"env=prod"}}, nil, "untold"},
		{"the same, of another VM", failover.Match{VM: []string{"sql-*"}, Tag: []string{"env=prod"}}, nil, "skipped"},
		{"the same, of another group", failover.Match{Group: []string{"bank"}, Tag: []string{"env=prod"}}, nil, "skipped"},
		{"the same, of this group", failover.Match{Group: []string{"shop"}, Tag: []string{"env=prod"}}, nil, "untold"},
		{"a group by tags", failover.Match{Group: []string{"cart"}}, map[string]string{"team": "cart/one"}, "applies"},
		{"a group by other tags", failover.Match{Group: []string{"cart"}}, prod, "skipped"},
		{"a group by tags that are not known", failover.Match{Group: []string{"cart"}}, nil, "untold"},
		{"the same, or a group that has it", failover.Match{Group: []string{"cart", "shop"}}, nil, "applies"},
	} {
		t.Run(row.name, func(t *testing.T) {
			all := failover.Rule{Match: failover.Match{VM: []string{"*"}}, Classes: []failover.Class{failover.ClassFailover}, May: []string{"operator"}}
			first := all
			first.Match, first.Approvals, first.Approvers = row.match, 1, []string{"approver"}
			p := failover.Policy{
				Roles: map[string][]string{"operator": {ana.ID}, "approver": {ben.ID}}, Rules: []failover.Rule{first, all},
				Sets: map[string]failover.Group{
					"shop": {Waves: []failover.GroupWave{{VMs: []string{"app-1"}}, {VMs: []string{"vm-?"}}}}, "bank": {Waves: []failover.GroupWave{{VMs: []string{"sql-*"}}}}, "empty": {},
					"cart": {Waves: []failover.GroupWave{{VMs: []string{"vault-x/nothing"}}, {Tags: []string{"team=cart*"}}}},
				},
			}
			vm := protected()
			vm.Tags = row.tags
			got := "skipped"
			switch rule, ok := p.RuleFor(failover.ClassFailover, vm); {
			case !ok || rule.Name == "access.rules[0]" && rule.Untold == p.May(rule, ana):
				t.Fatalf("%v %+v", ok, rule)
			case rule.Untold:
				got = "untold"
			case rule.Name == "access.rules[0]":
				got = "applies"
			}
			if got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}

// A rule that goes by tags lets nobody while they are not known, and says so; also just before the call.
func TestUnknownTagsDeny(t *testing.T) {
	b := newTable(t, 1)
	b.policy.Rules[0].Match.Tag = []string{"env=prod"}
	refusal := b.try(b.command(failover.VerbFailover, ana))
	if refusal == nil || refusal.Message != "The tags of vm-x are not known, and access.rules[0] goes by them." || refusal.Rule.Name != "access.rules[0]" {
		t.Errorf("got %+v", refusal)
	}
	b.item.Tags = map[string]string{"env": "prod"}
	approved(b)
	b.item.Tags = nil
	b.tell(b.looked())
	b.phase(failover.AwaitingApproval)
	if !strings.HasPrefix(b.op.Lapsed.Why, "the tags of vm-x are not known any more, and access.rules[0] goes by them") {
		t.Errorf("says %q", b.op.Lapsed.Why)
	}
}

// A verb without a target goes by rules whose patterns all are stars.
func TestMatchWithoutATarget(t *testing.T) {
	for name, row := range map[string]struct {
		match failover.Match
		want  bool
	}{
		"every VM":           {failover.Match{VM: []string{"*"}}, true},
		"some":               {failover.Match{VM: []string{"*", "prod-*"}}, false},
		"every VM of groups": {failover.Match{VM: []string{"*"}, Group: []string{"*"}}, true},
		"those of a group":   {failover.Match{VM: []string{"*"}, Group: []string{"shop"}}, false},
		"those with a tag":   {failover.Match{VM: []string{"*"}, Tag: []string{"env"}}, false},
	} {
		p := failover.Policy{Rules: []failover.Rule{{Match: row.match, Classes: []failover.Class{failover.ClassFreeze}}}}
		if _, ok := p.RuleForAll(failover.ClassFreeze); ok != row.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
}
