package vault

import "time"

// seeding is an initial replication, which makes the first copy of the disks on the recovery side.
type seeding struct {
	from, copied time.Duration // the disks are copied by then
	protected    time.Duration // when the first recovery point is there
}

// Recorded: 47 minutes for 127 GiB. That larger disks take longer in proportion is guessed.
const (
	seedTime  = 47 * time.Minute
	seedBytes = 127 * gib
	// firstPoint is what the first recovery point takes at least (guessed).
	firstPoint = time.Minute
)

// seed starts the initial replication; its duration depends on the disks.
func (it *item) seed(from time.Duration) {
	takes := it.seedTime
	if takes == 0 {
		bytes := int64(0)
		for _, d := range it.source.disks {
			bytes += d.bytes
		}
		takes = time.Duration(float64(seedTime) * float64(bytes) / seedBytes)
	}
	copied := from + takes
	steps := (copied+firstPoint-it.pointOffset())/pointInterval + 1
	it.seeding = &seeding{from: from, copied: copied, protected: it.pointOffset() + steps*pointInterval}
}

// grow brings the initial replication up to now. Recovery points begin with the one that ends it.
func (it *item) grow(now time.Duration) {
	s := it.seeding
	switch {
	case s == nil:
	case now >= s.protected:
		it.protectionState, it.seeding = stateProtected, nil
		it.replicated = []span{{from: s.protected, open: true}}
	case now >= s.copied:
		it.protectionState = stateFirstPoint
	}
}

// percent is monitoringPercentageCompletion, nil outside of an initial replication.
func (it *item) percent(now time.Duration) any {
	s := it.seeding
	if s == nil {
		return nil
	}
	return min(100, int(100*(now-s.from)/(s.copied-s.from)))
}
