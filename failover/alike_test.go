package failover_test

import (
	"testing"

	"ferry/failover"
)

// One character more, less, other, or two swapped, and twins in another vault; nothing further away.
func TestNamesThatLookAlike(t *testing.T) {
	for name, alike := range map[string]bool{
		"vm-x": false, // itself
		"vm-y": true, "vm-": true, "vm-xx": true, "vmx": true, "v-mx": true, "VM-Z": true,
		"vm-yy": false, "wm-y": false, "mv-x1": false, "db": false, "": false,
	} {
		b := newTable(t, 1)
		b.inventory = []failover.Item{b.item, item(name, failover.StateProtected)}
		b.must(failover.VerbFailover, ana)
		if got := len(b.op.Targets[0].Alike) == 1; got != alike {
			t.Errorf("%q: %+v", name, b.op.Targets[0].Alike)
		}
	}
	b := newTable(t, 1)
	twin := item("VM-X", failover.StateProtected)
	twin.Vault, twin.Key, twin.Active = "other", "twin", "north"
	b.inventory = []failover.Item{b.item, twin}
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		b.inventory = append(b.inventory, item("vm-"+n, failover.StateProtected))
	}
	b.must(failover.VerbFailover, ana)
	t.Logf("%+v", b.op.Targets[0].Alike)
	if a := b.op.Targets[0].Alike; len(a) != 5 || b.op.Targets[0].MoreAlike != 2 || !a[0].Twin || a[0].Vault != "other" || a[0].Region != "north" || a[1].Name != "vm-1" {
		t.Errorf("%+v and %d more", a, b.op.Targets[0].MoreAlike)
	}
}

// Of several VMs only those are pointed out that look like one that does not go along.
func TestNamesThatLookAlikeWithinAPlan(t *testing.T) {
	s := ready()
	s.Members[1].Item.Name, s.Members[2].Item.Name = "web-1", "web-2"
	s.Inventory = []failover.Item{s.Members[0].Item, s.Members[1].Item, s.Members[2].Item, item("sqk", failover.StateProtected)}
	facts, r := failover.Decide(failover.Operation{}, askForShop(ana, failover.Point{Kind: failover.Latest}), s)
	if r != nil {
		t.Fatal(r)
	}
	op := failover.Fold(failover.Operation{}, failover.Batch{Facts: facts})
	for _, tg := range op.Targets {
		want := map[string]int{"sql": 1}[tg.Item.Name]
		if len(tg.Alike) != want {
			t.Errorf("%s: %+v", tg.Item.Name, tg.Alike)
		}
	}
}
