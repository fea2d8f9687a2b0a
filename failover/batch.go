package failover

import (
	"errors"
	"time"
)

// Batch is what becomes true in one step, all of it or nothing: the facts of one operation, the targets taken or let go
// with them, and the word to the executors that there is work.
type Batch struct {
	At      time.Time
	Command string // message id of the command that the facts decide; empty when they decide none
	Facts   []Fact
	Take    []Hold // each with the sequence that was read; somebody else's taking it in between is a conflict
	Release []Hold
	Drive   bool
	More    bool // the next batch goes on with it: nothing of it is shown before
}

// Hold is who holds a replicated item; an empty Op is nobody.
type Hold struct {
	Key string `json:"-"`
	Op  OpID   `json:"op,omitempty"`
	Seq uint64 `json:"-"` // of the last word about it, the guard of the next; 0 is none
}

// ErrConflict says that somebody else appended first: fold again and decide again.
var ErrConflict = errors.New("somebody else was first")

// ErrSuperseded says that somebody else drives the operation now: leave its work message alone, it is theirs.
var ErrSuperseded = errors.New("another executor drives it")

// Fold applies a batch's facts to an operation as if they were stored, without their sequences.
func Fold(op Operation, b Batch) Operation {
	op = op.clone()
	for _, f := range b.Facts {
		op = EvolveInPlace(op, Record{Fact: f, At: b.At, Command: b.Command})
	}
	return op
}
