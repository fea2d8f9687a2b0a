package render

import (
	"maps"
	"slices"
	"strings"

	"ferry/failover"
)

// sizes are those in which VMs may be made where the region has no capacity for their own, while some are still to be made, and
// those that the vault names for them by now.
func (c cardOf) sizes() []line {
	var all []string
	var lines []line
	for _, size := range slices.Sorted(maps.Keys(c.op.Plan.Sizes)) {
		ahead := func(t failover.Target) bool {
			return t.Item.Size == size && (t.Phase == failover.AwaitingApproval || t.Phase == failover.Running && t.Doing == failover.StepFailover)
		}
		if slices.ContainsFunc(c.op.Targets, ahead) {
			all = append(all, strings.ReplaceAll(c.few(c.op.Plan.Sizes[size], c.items), ", ", ", then ")+" instead of "+c.name(size))
		}
	}
	if len(all) > 0 {
		lines = append(lines, labelled("Where there is no capacity", plain(strings.Join(all, "; "))))
	}
	return append(lines, c.resized()...)
}

// resized are the VMs for which the vault names another size than before, or may, and what that means where none was made in it.
func (c cardOf) resized() []line {
	made, left, unsure := map[string][]string{}, map[string][]string{}, map[string][]string{}
	for i := range c.op.Targets {
		t := &c.op.Targets[i]
		add := func(to map[string][]string, size string) {
			said := c.name(size) + " instead of " + c.name(t.Item.Size)
			to[said] = append(to[said], t.Item.Name)
		}
		switch up := t.Step(failover.StepFailover); {
		case t.UnsureSize() != "":
			add(unsure, t.UnsureSize())
		case t.OtherSize() == "":
		case up != nil && up.State == failover.StateDone:
			add(made, t.OtherSize())
		case t.Phase != failover.Running:
			add(left, t.OtherSize())
		}
	}
	return slices.Concat(c.bySize("In another size", made, ""),
		c.bySize("The vault still names another size", left, "; set its own again under Compute and Network in the portal"),
		c.bySize("The vault may name another size", unsure, "; look under Compute and Network in the portal, and set its own again"))
}

// bySize is a line for each pair of sizes.
func (c cardOf) bySize(label string, vms map[string][]string, what string) []line {
	var lines []line
	for _, said := range slices.Sorted(maps.Keys(vms)) {
		lines = append(lines, labelled(label, plain(c.few(vms[said], c.items)+" as "+said+what)))
	}
	return lines
}
