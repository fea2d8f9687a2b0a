package failover

import "slices"

// Report is the story of one operation, from its facts, and what it has left open by the inventory of one moment.
type Report struct {
	Operation Operation `json:"operation"`
	Owed      []Debt    `json:"owed,omitempty"`
	// The promises of the configuration, in seconds; 0: none.
	TargetRTO int `json:"target_rto_seconds,omitempty"`
	TargetRPO int `json:"target_rpo_seconds,omitempty"`
}

// Owes are the debts that an operation has left, of all that are owed.
func (o Operation) Owes(all DebtList) []Debt {
	return slices.DeleteFunc(slices.Clone(all.Debts), func(d Debt) bool { return d.Op != o.ID })
}

// Brief is the operation without its course: enough to tell it from others.
func (o Operation) Brief() Operation {
	short := Operation{ID: o.ID, Verb: o.Verb, Phase: o.Phase, RequestedBy: o.RequestedBy, RequestedAt: o.RequestedAt, StartedAt: o.StartedAt, FinishedAt: o.FinishedAt, Seq: o.Seq, At: o.At}
	short.Plan.Frozen, short.Plan.Point = o.Plan.Frozen, o.Plan.Point
	if o.Plan.Recovery != nil {
		plan := *o.Plan.Recovery
		short.Plan.Recovery = &plan
	}
	for _, t := range o.Targets {
		short.Targets = append(short.Targets, Target{Item: Item{Key: t.Item.Key, Name: t.Item.Name, Vault: t.Item.Vault}, Phase: t.Phase})
	}
	return short
}
