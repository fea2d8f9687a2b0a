package slack

import (
	"context"
	"time"

	"ferry/bot/render"
	"ferry/failover"
)

// Commands takes what people ask and tells what was decided about it.
type Commands interface {
	// Store returns nil only when the command is surely on disk; any error means that this is not known. The same message
	// id may be stored any number of times and counts once. ctx bounds the trying.
	Store(ctx context.Context, cmd failover.Command) error
	// Decision waits until the stored command with this message id is decided or ctx ends. The operation is the one that
	// the decision landed on, as it was right after.
	Decision(ctx context.Context, messageID string) (failover.Operation, failover.Answer, error)
}

// Reads answers questions that change nothing. An error means that nobody answered in time.
type Reads interface {
	Known
	Stories
	AzureReads
}

// Known is what every process of Ferry knows, as it was read last.
type Known interface {
	// Status gives the operation with this id, the newest one of this VM, or all open ones when ref is empty.
	Status(ctx context.Context, ref string) (failover.Found, error)
	Inventory(ctx context.Context) (failover.Inventory, error)
	Debt(ctx context.Context) (failover.DebtList, error)
	Readiness(ctx context.Context) (failover.ReadinessList, error)
}

// Stories are of what has happened, and every process of Ferry knows them.
type Stories interface {
	// Report tells the story of an operation; false: there is none.
	Report(ctx context.Context, op failover.OpID) (failover.Report, bool, error)
	// Newest are the newest operations in brief, newest first.
	Newest(ctx context.Context) ([]failover.Operation, error)
}

// AzureReads need Azure, which may be slow: they take as long as ctx lets them.
type AzureReads interface {
	// Points lists the recovery points of a VM as typed, or of the item with a key.
	Points(ctx context.Context, vm, key string) (failover.PointList, *failover.Refusal, error)
	// Jobs lists what runs in the vaults and what has ended lately.
	Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error)
	// Review tells what a reprotect would do to a VM as typed, or to the VM of an operation.
	Review(ctx context.Context, vm string, op failover.OpID) (failover.Review, *failover.Refusal, error)
	// Forecast says how long a failover would take.
	Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error)
}

// Feed is the facts of all operations as they happen, each delivered at least once. The bot calls Next from one goroutine.
type Feed interface {
	// Next waits for one more fact or the end of ctx. An error that is not the end of ctx is retried.
	Next(ctx context.Context) (Update, error)
}

// Update is one delivery of a [Feed].
type Update interface {
	// Operation is the fold of the facts up to the delivered one, or further. Its Seq orders updates of one operation.
	Operation() failover.Operation
	// Ack says that people can see a state at least as new. What is never acknowledged is expected to be delivered again.
	Ack() error
}

// Refs keeps which Slack messages show an operation, so that the next bot goes on with them.
type Refs interface {
	// Get returns the zero Ref for an operation that has none.
	Get(ctx context.Context, op failover.OpID) (Ref, error)
	// Put stores ref if the stored one still has the revision ref.Rev (0: there is none), else it fails. After any error it
	// is not known whether ref was stored.
	Put(ctx context.Context, op failover.OpID, ref Ref) error
}

// Members is where the bots tell the executors who is in Slack's user groups.
type Members interface {
	// Members gives the newest reading that is stored, the zero one when none is.
	Members(ctx context.Context) (failover.Membership, error)
	// PutMembers stores a reading, unless a newer one is stored: several bots read. After any error it is not known whether it
	// was stored, and another reading is made.
	PutMembers(ctx context.Context, m failover.Membership) error
}

// Homes knows what Home tabs are made of.
type Homes interface {
	// Overview reads it. What cannot be read stands in its health, and in its place what was known before. Of the health, it
	// tells what does not concern Slack.
	Overview(ctx context.Context) render.Overview
	// Changes is closed at the next fact of any operation.
	Changes() <-chan struct{}
}

// Heads knows the rolling hash of the record.
type Heads interface {
	Head(ctx context.Context) (render.Head, error)
}

// Ref is the Slack messages of one operation.
type Ref struct {
	Card Posted `json:"card"`
	// Notices are the messages that notify, by the key that each has at most once.
	Notices map[string]Posted `json:"notices,omitempty"`
	// Pinned is the ts of the card while it is pinned.
	Pinned string `json:"pinned,omitempty"`
	// Rev is the revision of the store at which the Ref was read, for compare-and-set.
	Rev uint64 `json:"-"`
}

// The states of [Posted]. The empty state is a message that was never thought of.
const (
	// StateIntent is stored before a message is posted. Found after a restart it means: nobody knows whether it was.
	StateIntent = "intent"
	// StatePosted is stored once Slack has named the message.
	StatePosted = "posted"
)

// Posted is one message, or the intent to post it.
type Posted struct {
	State   string `json:"state"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`
	// Seq is of the operation as the message shows it, so that an older state never overwrites a newer one.
	Seq uint64 `json:"seq,omitempty"`
	// By is the bot that wrote an intent, and At when: it alone knows what came of it.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
	// Continued is a card that was posted again because an earlier one was lost or may have been.
	Continued bool `json:"continued,omitempty"`
}
