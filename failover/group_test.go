package failover_test

import (
	"fmt"
	"strings"
	"testing"

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
