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
