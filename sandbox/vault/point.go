package vault

import (
	"cmp"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Documented: a crash-consistent point every 5 minutes; all points of 2 hours are kept, then one an hour, for the policy's
// history of a day. Every twelfth is application-consistent here, and that is the one kept for its hour.
const (
	pointInterval  = 5 * time.Minute
	pointsInHour   = int(time.Hour / pointInterval)
	keepEveryPoint = 2 * time.Hour
	pointHistory   = 24 * time.Hour
)

const (
	crashConsistent       = "CrashConsistent"
	applicationConsistent = "ApplicationConsistent"
)

// point is a recovery point of one item.
type point struct {
	name string // a GUID
	at   time.Duration
	kind string
}

// span is a stretch of time in which replication ran; open when it still runs.
type span struct {
	from, to time.Duration
	open     bool
}

func (s span) holds(at time.Duration) bool { return at >= s.from && (s.open || at < s.to) }

// points lists what can be failed over to, in the order of the names: like Azure's, the list is not chronological.
func (it *item) points(now time.Duration) []point {
	points := slices.Collect(it.scheduledPoints(now))
	for _, p := range it.madePoints {
		if p.at <= now {
			points = append(points, p)
		}
	}
	slices.SortFunc(points, func(a, b point) int { return strings.Compare(a.name, b.name) })
	return points
}

// scheduledPoints yields those of the policy's rhythm that are not pruned, newest first. Pruning stops with replication
// (guessed).
func (it *item) scheduledPoints(now time.Duration) iter.Seq[point] {
	return func(yield func(point) bool) {
		if len(it.replicated) == 0 {
			return
		}
		until, offset := it.replicatedUntil(now), it.pointOffset()
		last := int((until - offset) / pointInterval)
		for n := last; n >= last-int(pointHistory/pointInterval); n-- {
			at, hourly := offset+time.Duration(n)*pointInterval, n%pointsInHour == 0
			age := until - at
			if age < 0 || age > pointHistory || age > keepEveryPoint && !hourly || !it.replicatedAt(at) {
				continue
			}
			if !yield(it.scheduledPoint(n, at, hourly)) {
				return
			}
		}
	}
}

func (it *item) scheduledPoint(n int, at time.Duration, hourly bool) point {
	p := point{name: guid(it.name, "point", strconv.Itoa(n)), at: at, kind: crashConsistent}
	if hourly && !it.crashOnly {
		p.kind = applicationConsistent
	}
	return p
}

// pointOffset keeps the VMs' points from falling on the same second.
func (it *item) pointOffset() time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(cmp.Or(it.group, it.name))) // documented never to fail
	return time.Duration(h.Sum32()%uint32(pointInterval/time.Second)) * time.Second
}

func (it *item) replicatedAt(at time.Duration) bool {
	return slices.ContainsFunc(it.replicated, func(s span) bool { return s.holds(at) })
}

// replicatedUntil is the present, or the end of replication.
func (it *item) replicatedUntil(now time.Duration) time.Duration {
	if last := it.replicated[len(it.replicated)-1]; !last.open {
		return last.to
	}
	return now
}

// newestPoint reports false when there is none, which is so after a commit.
func (it *item) newestPoint(now time.Duration) (newest point, found bool) {
	for p := range it.scheduledPoints(now) {
		newest, found = p, true
		break
	}
	for _, p := range it.madePoints {
		if p.at <= now && (!found || p.at > newest.at) {
			newest, found = p, true
		}
	}
	return newest, found
}

func (it *item) findPoint(name string, now time.Duration) (point, bool) {
	points := it.points(now)
	i := slices.IndexFunc(points, func(p point) bool { return strings.EqualFold(p.name, name) })
	if i < 0 {
		return point{}, false
	}
	return points[i], true
}

// listPoints lists an item's recovery points, in no order.
func (v *Vault) listPoints(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	value := []object{}
	for _, p := range it.points(c.at) {
		value = append(value, v.pointJSON(it, p))
	}
	return page(value)
}

func (v *Vault) getPoint(c *call) reply {
	it := v.findItem(c)
	if it == nil {
		return v.notFound(c)
	}
	p, found := it.findPoint(c.value("point"), c.at)
	if !found {
		return v.notFound(c)
	}
	return ok(v.pointJSON(it, p))
}

func (v *Vault) pointJSON(it *item, p point) object {
	return object{
		"id": v.pointID(it, it.primary.container, p.name), "name": p.name,
		"type": containerType + "/replicationProtectedItems/recoveryPoints",
		"properties": object{
			"recoveryPointTime": v.timeText(p.at),
			"recoveryPointType": p.kind,
			"providerSpecificDetails": object{
				"instanceType": "A2A", "recoveryPointSyncType": it.syncType(),
				"disks": lower(it.source.diskIDs()),
			},
		},
	}
}
