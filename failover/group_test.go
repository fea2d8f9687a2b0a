package failover_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// Nothing near a group's name is taken for it; the refusal names the near ones, and which there are.
func TestResolveGroup(t *testing.T) {
	t.Parallel()
	groups := map[string]failover.Group{"checkout": {Name: "checkout"}, "Shop": {Name: "Shop"}, "warehouse": {Name: "warehouse"}}
	many := map[string]failover.Group{}
	for i := range 30 {
		many[fmt.Sprintf("region-%02d", i)] = failover.Group{}
	}
	for typed, row := range map[string]struct {
		groups     map[string]failover.Group
		name, hint string
	}{
		"CheckOut": {groups: groups, name: "checkout"},
		"shop":     {groups: groups, name: "Shop"},
		"chekout":  {groups: groups, hint: "Near names: checkout. There are: Shop, checkout, warehouse. Nothing was started; type the whole name."},
		"shop-eu":  {groups: groups, hint: "There are: Shop, checkout, warehouse. Nothing was started; type the whole name."},
		"any":      {hint: "No group is configured; have one written under groups in Ferry's configuration, or name the VMs in a row."},
		"region-9": {groups: many, hint: "Near names: region-09, region-19, region-29. There are: region-00, "},
	} {
		g, refusal := failover.ResolveGroup(row.groups, typed)
		switch {
		case row.hint == "" && (refusal != nil || g.Name != row.name):
			t.Errorf("%s: %+v %v", typed, g, refusal)
		case row.hint != "" && (refusal == nil || refusal.Kind != failover.UnknownName || !strings.HasPrefix(refusal.Hint, row.hint) || len(refusal.Error()) > 400):
			t.Errorf("%s: %v", typed, refusal)
		}
	}
}

// Who takes a group for a VM, or a VM for a group, is told what to type.
func TestGroupOrVM(t *testing.T) {
	t.Parallel()
	groups := map[string]failover.Group{"shop": {Name: "shop"}}
	items := []failover.Item{{Key: "1", Name: "vm-x", Vault: "a"}, {Key: "2", Name: "vm-y", Vault: "a"}, {Key: "3", Name: "vm-y", Vault: "b"}}
	for name, row := range map[string]struct {
		refusal *failover.Refusal
		want    string
	}{
		"a group failed over":  {failover.GroupMeant(failover.VerbFailover, "Shop", groups), "shop is a group, not a VM. Nothing was started. Type /failover group shop."},
		"a group failed back":  {failover.GroupMeant(failover.VerbFailback, "shop", groups), "shop is a group, not a VM. Nothing was started. Type /failover failback group shop."},
		"a group drilled":      {failover.GroupMeant(failover.VerbTest, "shop", groups), "shop is a group, not a VM. Nothing was started. Type the name of one of its VMs."},
		"no group":             {failover.GroupMeant(failover.VerbFailover, "shp", groups), ""},
		"a VM as a group":      {failover.VMMeant(failover.VerbGroup, "VM-X", items), "vm-x is a VM, not a group. Nothing was started. Type /failover vm-x."},
		"a VM to bring home":   {failover.VMMeant(failover.VerbFailback, "b/vm-y", items), "vm-y is a VM, not a group. Nothing was started. Type /failover failback b/vm-y."},
		"a VM that has a twin": {failover.VMMeant(failover.VerbGroup, "vm-y", items), ""},
	} {
		if got := row.refusal; got == nil && row.want != "" || got != nil && got.Error() != row.want {
			t.Errorf("%s: %v, want %q", name, got, row.want)
		}
	}
}

// What is true of many VMs is said once, with some of their names, and the commonest first.
func TestWhyManyAreNotReady(t *testing.T) {
	t.Parallel()
	g := failover.Gathered{Fleet: failover.Fleet{Name: "shop"}, Lost: []string{"gone is not replicated."}}
	add := func(names string, change func(*failover.Item)) {
		for name := range strings.FieldsSeq(names) {
			i := item(name, failover.StateProtected, "UnplannedFailover")
			change(&i)
			g.Items, g.Waves = append(g.Items, i), append(g.Waves, 1)
		}
	}
	committed := func(i *failover.Item) { i.State = failover.StateCommitted }
	busy := func(i *failover.Item) { i.JobID, i.Scenario = "/jobs/1", "TestFailover" }
	add("ready run 7", busy)
	add("vm-1 vm-10 vm-1.eu vm-2 vm-3", committed)
	add("single", func(i *failover.Item) { i.State = failover.StateFirstPoint })
	const want = "gone is not replicated. Each of 5 VMs (vm-1, vm-10, vm-1.eu and 2 more) has been failed over and committed; it is not protected until it is reprotected." +
		" A job is already running on each of 3 VMs (ready, run, 7): TestFailover. single waits for its first recovery point."
	if f := (failover.Situation{Now: start}).ForecastGathered(g); f.LeftOut != want {
		t.Errorf("%s\nwant\n%s", f.LeftOut, want)
	}

	none := func(g failover.Gathered) *failover.Refusal {
		s := failover.Situation{Now: start, Policy: policy(1), Fleet: &g.Fleet, Lost: g.Lost}
		for n, i := range g.Items {
			s.Members = append(s.Members, failover.Member{Item: i, Wave: g.Waves[n]})
		}
		cmd := failover.Command{MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbGroup, By: ana, Target: "shop", Point: failover.Point{Kind: failover.Latest}, At: start, ValidUntil: start.Add(time.Minute)}
		_, refusal := failover.Decide(failover.Operation{}, cmd, s)
		return refusal
	}
	if refusal := none(g); refusal == nil || refusal.Message != "No VM of it is ready: "+want || refusal.Hint != "/failover list shows the state of each. Nothing was started." {
		t.Errorf("several reasons: %v", refusal)
	}
	g = failover.Gathered{Fleet: failover.Fleet{Name: "shop"}}
	for i := range 12 {
		add(fmt.Sprintf("vm-%c", 'a'+i), busy)
	}
	if refusal := none(g); refusal == nil || refusal.Error() != "No VM of it is ready: A job is already running on each of 12 VMs (vm-a, vm-b, vm-c and 9 more): TestFailover. Wait for it, then ask again; /failover jobs shows it." {
		t.Errorf("one reason: %v", refusal)
	}
}
