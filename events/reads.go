package events

import (
	"time"

	"ferry/failover"
)

// HoldFor is how long a read that needs Azure is held. Who is answered Pending asks again: the reading goes on meanwhile.
const HoldFor = 2 * time.Second

// Pending is the answer to a read for which Azure has not answered yet.
type Pending struct {
	V       int  `json:"v"`
	Pending bool `json:"pending"`
}

// PointsRequest asks for the recovery points of a VM as typed, or of the item with a key.
type PointsRequest struct {
	VM  string `json:"vm,omitempty"`
	Key string `json:"key,omitempty"`
}

// PointsReply carries the recovery points, or why there is no answer.
type PointsReply struct {
	V       int                `json:"v"`
	Pending bool               `json:"pending,omitempty"`
	Refused *failover.Refusal  `json:"refused,omitempty"`
	List    failover.PointList `json:"list,omitzero"`
}

// Points is `ferry points VM -o json`: versioned, and only ever added to.
type Points struct {
	V     int         `json:"v"`
	VM    string      `json:"vm"`
	Vault string      `json:"vault"`
	Items []PointLine `json:"items"` // newest first
}

// PointLine is one recovery point.
type PointLine struct {
	ID   string    `json:"id"` // ARM id
	Time time.Time `json:"time"`
	Type string    `json:"type"` // crash-consistent | app-consistent
	// AgeSeconds is what would be lost if it were chosen: everything that was written since.
	AgeSeconds int `json:"age_seconds"`
}

// PointsOf turns a list into the public form. Times are UTC; ages count up to now.
func PointsOf(l failover.PointList, now time.Time) Points {
	p := Points{V: 1, VM: l.Item.Name, Vault: l.Item.Vault, Items: []PointLine{}}
	for _, point := range l.Points {
		kind := "crash-consistent"
		if point.AppConsistent {
			kind = "app-consistent"
		}
		p.Items = append(p.Items, PointLine{point.ID, point.Time.UTC(), kind, *seconds(max(0, now.Sub(point.Time)))})
	}
	return p
}
