package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/config"
	"ferry/failover"
)

// Whose decision is needed is called: the groups of the deciding roles, and who is named in them. A terminal cannot be.
func TestApproversAreMentioned(t *testing.T) {
	t.Parallel()
	access := &config.Access{
		Roles: map[string]config.Role{
			"operator": {Users: []string{"U1"}, Groups: []string{"S1"}},
			"approver": {Users: []string{"U2", "cli:ben"}, Groups: []string{"S2", "S3"}},
		},
		People: map[string][]string{"ben": {"U2", "cli:ben"}},
		Rules:  []config.Rule{{Match: config.Match{Group: []string{"shop"}, Tag: []string{"env=prod"}}, Verbs: []string{"failover"}, May: []string{"operator"}, Approvals: 1, Approvers: []string{"approver"}, TerminalApprovals: 1}},
	}
	p := policy(config.Config{Access: access, Groups: map[string]config.Group{"shop": {Waves: []config.Wave{{VMs: []string{"sql-*"}}, {VMs: []string{"app-1", "app-2"}}}}}})
	rule := p.Rules[0]
	if !slices.Equal(rule.Match.Group, []string{"shop"}) || !slices.Equal(rule.Match.Tag, []string{"env=prod"}) || len(p.Sets["shop"].Waves) != 2 || !slices.Equal(p.Sets["shop"].Waves[1].VMs, []string{"app-1", "app-2"}) {
		t.Errorf("the policy is %+v", p)
	}
	if rule.TerminalApprovals != 1 || !slices.Equal(p.People["ben"], []string{"U2", "cli:ben"}) {
		t.Errorf("the policy is %+v", p)
	}
	waiting := failover.Operation{Verb: failover.VerbFailover, Phase: failover.AwaitingApproval, Plan: failover.Plan{Rule: rule}}
	if got, want := approvers(config.Slack{NotifyApprovers: true}, p)(waiting), []string{"S2", "S3", "U2"}; !slices.Equal(got, want) {
		t.Errorf("mentions %v, want %v", got, want)
	}
	broken := failover.Operation{Verb: failover.VerbFailover, Phase: failover.Running, StartedAt: time.Unix(1, 0), Plan: failover.Plan{Rule: rule}}
	broken.Plan.BrokenGlass = &failover.BrokenGlass{By: failover.Actor{ID: "cli:ben"}, Reviewers: []string{"approver"}}
	if got, want := approvers(config.Slack{NotifyApprovers: true}, p)(broken), []string{"S2", "S3"}; !slices.Equal(got, want) {
		t.Errorf("to review the broken glass, mentions %v, want %v: not who broke it", got, want)
	}
	for phase, want := range map[failover.Phase]int{failover.NeedsAttention: 3, failover.Failed: 0, failover.Succeeded: 0, failover.Running: 0} {
		ended := failover.Operation{Verb: failover.VerbFailover, Phase: phase, Plan: failover.Plan{Rule: rule}}
		if got := approvers(config.Slack{NotifyApprovers: true}, p)(ended); len(got) != want {
			t.Errorf("of what is %s, mentions %v", phase, got)
		}
	}
	// On hold by itself: who may cancel all of it lets it go on, not who decided; nobody is called for what a person has put on hold.
	p.Rules = append(p.Rules, failover.Rule{Match: failover.Match{VM: []string{"sql-*"}}, Classes: []failover.Class{failover.ClassCancel}, May: []string{"operator", "approver"}},
		failover.Rule{Classes: []failover.Class{failover.ClassCancel}, May: []string{"operator"}})
	held := failover.Operation{Verb: failover.VerbFailover, Phase: failover.Running, OnHold: &failover.OnHold{}, Plan: failover.Plan{Rule: rule}}
	held.Targets = []failover.Target{{Item: failover.Item{Name: "sql-1"}}, {Item: failover.Item{Name: "app-1"}}, {Item: failover.Item{Name: "app-2"}}}
	if got, want := approvers(config.Slack{NotifyApprovers: true}, p)(held), []string{"S1", "U1"}; !slices.Equal(got, want) {
		t.Errorf("of what is on hold, mentions %v, want %v", got, want)
	}
	held.OnHold.By.ID = "U1"
	if got := approvers(config.Slack{NotifyApprovers: true}, p)(held); len(got) > 0 {
		t.Errorf("of what a person has put on hold, mentions %v", got)
	}
	if got := approvers(config.Slack{}, p)(waiting); len(got) > 0 {
		t.Errorf("mentions %v although nobody is to be", got)
	}
}

// groups is what the bucket says of Slack's groups.
type groups func() (failover.Membership, error)

func (g groups) Members(context.Context) (failover.Membership, error) { return g() }

// Where only who holds a role may look, the members of its groups may while it is known who they are.
func TestMembersOfGroupsMayLook(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	read := failover.Membership{Groups: map[string][]string{"S1": {"U5"}}, At: now}
	var err error
	may := mayRead(t.Context(), config.Config{Access: &config.Access{Roles: map[string]config.Role{"operator": {Users: []string{"U1"}, Groups: []string{"S1"}}}}},
		groups(func() (failover.Membership, error) { return read, err }), func() time.Time { return now })
	looks := func(id string) bool { return may(failover.Actor{ID: id}) == nil }
	if !looks("U1") || !looks("U5") || looks("U9") {
		t.Errorf("U1 %v, U5 %v, U9 %v", looks("U1"), looks("U5"), looks("U9"))
	}
	now = now.Add(6 * time.Minute)
	if !looks("U1") || looks("U5") {
		t.Error("a membership of six minutes ago still counts, or who is named does not")
	}
	now, err = now.Add(-6*time.Minute), errors.New("away")
	if !looks("U1") || looks("U5") {
		t.Error("a membership that could not be read counts, or who is named does not")
	}
}

// A group comes as it is written: each wave with those that it waits for, of which none is said with an empty list.
func TestFleets(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Groups: map[string]config.Group{"shop": {
		Waves: []config.Wave{
			{VMs: []string{"sql-*"}}, {Name: "app", Tags: []string{"app=shop"}}, {VMs: []string{"files"}, After: []string{}}, {VMs: []string{"web-*"}, After: []string{"APP", "3"}},
		},
		Concurrency: 3, Canary: 1, OnFailure: "stop-wave", Tolerate: 10,
	}}}
	want := map[string]failover.Group{"shop": {
		Name: "shop",
		Waves: []failover.GroupWave{
			{VMs: []string{"sql-*"}, After: []int{}}, {Name: "app", Tags: []string{"app=shop"}, After: []int{1}}, {VMs: []string{"files"}, After: []int{}}, {VMs: []string{"web-*"}, After: []int{2, 3}},
		},
		Concurrency: 3, Canary: 1, OnFailure: failover.StopWave, Tolerate: 10,
	}}
	if diff := cmp.Diff(want, fleets(cfg)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !byTags(cfg) {
		t.Error("nobody would read the tags")
	}
}
