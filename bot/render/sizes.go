package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ferry/failover"
)

// sizes are those in which VMs may be made where the region has no capacity for their own, while some are still to be made, and
// those that the vault names for them by now.
func (c cardOf) sizes() []line {
	var lines []line
	if c.op.Phase == failover.AwaitingApproval || c.op.Phase == failover.Running {
		var all []string
		for _, size := range slices.Sorted(maps.Keys(c.op.Plan.Sizes)) {
			all = append(all, strings.ReplaceAll(c.few(c.op.Plan.Sizes[size], c.items), ", ", ", then ")+" instead of "+c.name(size))
		}
		if len(all) > 0 {
			lines = append(lines, labelled("Where there is no capacity", plain(strings.Join(all, "; "))))
		}
	}
	return append(lines, c.resized()...)
}

// resized are the VMs for which the vault names another size than before, and what that means where none was made in it.
func (c cardOf) resized() []line {
	var made, left []string
	for i := range c.op.Targets {
		t := &c.op.Targets[i]
		size := t.OtherSize()
		said := fmt.Sprintf("%s as %s instead of %s", t.Item.Name, size, t.Item.Size)
		switch up := t.Step(failover.StepFailover); {
		case size == "":
		case up != nil && up.State == failover.StateDone:
			made = append(made, said)
		case t.Phase != failover.Running:
			left = append(left, said)
		}
	}
	var lines []line
	if len(made) > 0 {
		lines = append(lines, labelled("In another size", plain(c.few(made, c.items))))
	}
	if len(left) > 0 {
		lines = append(lines, labelled("The vault still names another size", plain(c.few(left, c.items)+"; set its own again under Compute and Network in the portal")))
	}
	return lines
}
