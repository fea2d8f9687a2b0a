package vault

import (
	"math"
	"time"
)

// seeding is an initial replication, which makes the first copy of the disks on the recovery side.
type seeding struct {
	from, copied time.Duration  // the disks are copied by then
	protected    time.Duration  // when the first recovery point is there
	held         *time.Duration // since when a region that is down holds it up, or nil
	stall        time.Duration  // how long it stands still on the way; see [Stuck]
}

// stallPercent is where an initial replication that is stuck stands still.
const stallPercent = 34

const forever = time.Duration(math.MaxInt64 / 4)

// Recorded: 47 minutes for 127 GiB. That larger disks take longer in proportion is guessed.
const (
	seedTime  = 47 * time.Minute
	seedBytes = 127 * gib
	// firstPoint is what the first recovery point takes at least (guessed).
	firstPoint = time.Minute
)

// seed starts the initial replication; its duration depends on the disks.
func (it *item) seed(from, stall time.Duration) {
	takes := it.seedTime
	if takes == 0 {
		bytes := int64(0)
		for _, d := range it.source.disks {
			bytes += d.bytes
		}
		takes = time.Duration(float64(seedTime) * float64(bytes) / seedBytes)
	}
	copied := from + takes + stall
	it.seeding = &seeding{from: from, copied: copied, protected: it.firstPointAfter(copied), stall: stall}
	if it.primary.down || it.recovery.down {
		it.holdSeeding(true, from)
	}
}

func (it *item) firstPointAfter(copied time.Duration) time.Duration {
	steps := (copied+firstPoint-it.pointOffset())/pointInterval + 1
	return it.pointOffset() + steps*pointInterval
}

// holdSeeding stops the initial replication, or lets it go on where it was.
func (it *item) holdSeeding(hold bool, now time.Duration) {
	s := it.seeding
	switch {
	case hold && s.held == nil:
		s.held = new(now)
	case !hold && s.held != nil:
		lost := now - *s.held
		s.from, s.copied, s.held = s.from+lost, s.copied+lost, nil
		s.protected = it.firstPointAfter(s.copied)
	}
}

// grow brings the initial replication up to now. Recovery points begin with the one that ends it.
func (it *item) grow(now time.Duration) {
	s := it.seeding
	if s == nil || s.held != nil || now < s.copied {
		return
	}
	it.protectionState = stateFirstPoint
	it.remember(s.copied)
	if now >= s.protected {
		it.protectionState, it.seeding = stateProtected, nil
		it.remember(s.protected)
		it.replicated = []span{{from: s.protected, open: true}}
	}
}

// percent is monitoringPercentageCompletion; only during an initial replication.
func (it *item) percent(now time.Duration) int {
	s := it.seeding
	if s.held != nil {
		now = *s.held
	}
	took, whole := now-s.from, s.copied-s.from-s.stall
	if stuck := whole * stallPercent / 100; took > stuck {
		took = max(stuck, took-s.stall)
	}
	return min(100, int(100*took/whole))
}
