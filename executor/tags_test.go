package executor

import (
	"testing"

	"ferry/failover"
)

// The tags that were read last outlive their being read, and the process: they are stored with the inventory.
func TestTagsAreKept(t *testing.T) {
	bubble(t, func(b *bench) {
		tagged := func(o Options) *Executor {
			o.Policy.Rules = append([]failover.Rule{{Match: failover.Match{Tag: []string{"env=prod"}}}}, o.Policy.Rules...)
			return New(o)
		}
		first, n := b.executor("one")
		e := tagged(first.Options)
		b.vault.set("vm-x", func(i *failover.Item) { i.Tags = map[string]string{"env": "prod"} })
		stop := b.start(e)
		pass(inventoryEvery)
		b.vault.set("vm-x", func(i *failover.Item) { i.Tags = nil })
		pass(2 * inventoryEvery)
		stop()
		second, _ := b.executor("two")
		second.Shelf = n
		e = tagged(second.Options)
		stop = b.start(e)
		pass(inventoryEvery)
		stop()
		inv, err := n.Inventory(b.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range inv.Items {
			one, err := e.Site.Item(b.Context(), i)
			want := map[string]string{"vm-x": "prod"}[i.Name]
			if err != nil || one.Tags["env"] != want || i.Tags["env"] != want || (i.Tags == nil) != (want == "") {
				t.Errorf("%s has %#v, and %#v in the inventory: %v", i.Name, one.Tags, i.Tags, err)
			}
		}
	})
}
