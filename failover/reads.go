package failover

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// PointList is what a VM can be failed over to, as Azure listed it at one moment.
type PointList struct {
	Item   Item            `json:"item"`
	Name   string          `json:"name"`   // what to type for the item: its name, with the vault where there are twins
	Points []RecoveryPoint `json:"points"` // newest first
	At     time.Time       `json:"at"`     // of the reading
}

// Review is what a reprotect of a VM would do, for who is about to ask for it or to let it begin.
type Review struct {
	Item     Item      `json:"item"`
	Name     string    `json:"name"`               // what to type for the item
	Reversal *Reversal `json:"reversal,omitempty"` // nil when it is about several VMs
	// Op is the operation that already waits for this reprotect; empty when it would be asked for anew.
	Op OpID `json:"op,omitempty"`
	// Seen binds what is asked for to what was shown, see [Command].
	Seen string    `json:"seen,omitempty"`
	At   time.Time `json:"at"` // of the reading
}

// Review shows the reprotect that an operation on the VM waits for, and refuses while it waits for anything else.
func (o Operation) Review() (Review, *Refusal) {
	gate, waits := o.Pending()
	if !waits || !gate.Step.IsReprotect() || len(o.Targets) != 1 || o.Targets[0].Unplanned {
		s := Situation{Holder: o}
		if len(o.Targets) > 0 {
			s.Item = o.Targets[0].Item
		}
		return Review{}, s.free()
	}
	t := o.Targets[0]
	return Review{Item: t.Item, Name: t.Item.Name, Reversal: t.Reversal, Op: o.ID, Seen: o.Token(gate.Step), At: o.At}, nil
}

// NewestFirst returns recovery points in the order in which people want them; Azure lists them in none.
func NewestFirst(points []RecoveryPoint) []RecoveryPoint {
	points = slices.Clone(points)
	slices.SortStableFunc(points, func(a, b RecoveryPoint) int { return b.Time.Compare(a.Time) })
	return points
}

// ShortID is the point's own name, without the item that it belongs to: what a person types as a POINT.
func (p RecoveryPoint) ShortID() string { return lastSegment(p.ID) }

// Typed is what to type for an item: its name, or vault/name where others are called the same.
func Typed(item Item, among []Item) string {
	if slices.ContainsFunc(among, func(i Item) bool { return i.Key != item.Key && strings.EqualFold(i.Name, item.Name) }) {
		return item.Vault + "/" + item.Name
	}
	return item.Name
}

// AzureSilent is the answer to a read for which Azure took longer than anybody waits.
func AzureSilent() *Refusal {
	return Refuse(Unavailable, "Ask again in a moment; /failover list shows what was read last.", "Azure did not answer in time.")
}

// MayRead says who may look at what changes nothing: anyone in good standing, or only who holds a role.
func (p Policy) MayRead(actor Actor, anyone bool) *Refusal {
	if actor.Standing != "" {
		return actor.Standing.Barred()
	}
	if anyone || p.holdsAny(actor) {
		return nil
	}
	return p.lacking(slices.Collect(maps.Keys(p.Groups)), "Ask somebody with a role, or have yourself added to one under access.roles.", "Only who holds a role may look here.")
}

// Found is what is open, or what is known under a reference.
type Found struct {
	Operations []Operation `json:"operations"`
	// Foreign are the VMs concerned on which a job runs that was started outside Ferry.
	Foreign []Item `json:"foreign,omitempty"`
	// Freezes are those that stand over the VM asked for; what is open has them among the operations.
	Freezes []Freeze `json:"freezes,omitempty"`
	// Idle is the VM asked for when nothing is known of an operation on it. Its name is what to type for it.
	Idle *Item `json:"idle,omitempty"`
	// Unknown says which names are near, when neither an operation nor a replicated VM is called as was asked.
	Unknown *Refusal `json:"unknown,omitempty"`
}

// NoOperation refuses the id of an operation that nobody knows.
func NoOperation(id OpID) *Refusal {
	return Refuse(UnknownName, "To see what is open, type /failover status.", "There is no operation %s.", id)
}

// NoOperation is the answer when nothing is known under a reference, with what to type instead.
func (f Found) NoOperation(ref string) *Refusal {
	if f.Idle != nil {
		return Refuse(UnknownName, "To see its state, type /failover status "+f.Idle.Name+".", "Nothing is open on %s.", f.Idle.Name)
	}
	if f.Unknown != nil {
		return Refuse(UnknownName, f.Unknown.Message+" "+f.Unknown.Hint, "No operation is known under %q.", ref)
	}
	return Refuse(UnknownName, "To see what is open, type /failover status; to see the VMs, /failover list.", "No operation is known under %q.", ref)
}

// Lookup is the VM of an inventory that was read that a reference means, or else a refusal with the near names; neither when
// the reference is the id of an operation. The name of the VM is what to type for it.
func (inv Inventory) Lookup(ref string) (*Item, *Refusal) {
	if IsOpID(ref) || inv.At.IsZero() {
		return nil, nil
	}
	item, refusal := Resolve(inv.Items, ref)
	if i := slices.IndexFunc(inv.Groups, func(g GroupLine) bool { return strings.EqualFold(g.Name, ref) }); refusal != nil && i >= 0 {
		g := inv.Groups[i]
		return nil, Refuse(UnknownName, "To fail it over, type /failover group "+g.Name+".", "%s is a group (%s), not a VM.", g.Name, g.Words())
	}
	if refusal != nil {
		return nil, refusal
	}
	item.Name = Typed(item, inv.Items)
	return &item, nil
}

// Means reports whether a reference, a VM's name or vault/name, means an item.
func (i Item) Means(ref string) bool {
	return strings.EqualFold(i.Name, ref) || strings.EqualFold(i.Vault+"/"+i.Name, ref)
}
