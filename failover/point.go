package failover

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// PointKind is how a recovery point is chosen.
type PointKind string

const (
	// Latest lets Azure process what has arrived and use that: lowest data loss.
	Latest PointKind = "latest"
	// LatestProcessed is the newest point that exists: fastest.
	LatestProcessed PointKind = "latest-processed"
	// LatestApp is the newest application-consistent point.
	LatestApp PointKind = "latest-app"
	// AtTime is the newest point not later than a time.
	AtTime PointKind = "time"
	// ByID names one point.
	ByID PointKind = "id"
)

// Point selects a recovery point. The zero value is Latest.
type Point struct {
	Kind PointKind `json:"kind,omitempty"`
	Time time.Time `json:"time,omitzero"` // for AtTime, UTC
	ID   string    `json:"id,omitempty"`  // for ByID, and once a point is pinned by a plan
}

// String is the selector as a person would type it.
func (p Point) String() string {
	switch p.Kind {
	case AtTime:
		return p.Time.UTC().Format("2006-01-02T15:04Z")
	case ByID:
		return p.ID
	case Latest, LatestProcessed, LatestApp:
		return string(p.Kind)
	}
	return string(Latest)
}

// Moving reports whether the selector means another point as time goes by.
func (p Point) Moving() bool {
	return p.Kind == "" || p.Kind == Latest || p.Kind == LatestProcessed
}

// pointID is a GUID, or an ARM id that ends in one.
var pointID = regexp.MustCompile(`(?i)^(/subscriptions/.+/recoveryPoints/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// ParsePoint reads a POINT of the grammar; false when the word is none. A clock time is UTC and the latest such that has passed.
func ParsePoint(word string, now time.Time) (Point, bool) {
	lower := strings.ToLower(word)
	switch PointKind(lower) {
	case Latest, LatestProcessed, LatestApp:
		return Point{Kind: PointKind(lower)}, true
	case AtTime, ByID:
	}
	if t, ok := parseTime(strings.ToUpper(word), now.UTC()); ok {
		return Point{Kind: AtTime, Time: t}, true
	}
	if pointID.MatchString(word) {
		return Point{Kind: ByID, ID: word}, true
	}
	return Point{}, false
}

func parseTime(word string, now time.Time) (time.Time, bool) {
	if ago, ok := strings.CutPrefix(word, "-"); ok {
		d, err := time.ParseDuration(strings.ToLower(ago))
		return now.Add(-d).Truncate(time.Second), err == nil && d > 0
	}
	for _, layout := range []string{"2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(layout, word); err == nil {
			return t.UTC(), true
		}
	}
	clock, err := time.Parse("15:04", word)
	if err != nil {
		return time.Time{}, false
	}
	t := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	if t.After(now) {
		t = t.AddDate(0, 0, -1)
	}
	return t, true
}

// Choose picks the recovery point that a selector means now. Azure lists points in no order, so they are sorted here.
// For Latest it is the newest that exists: what is shown, since the point that Azure will use is made by the failover.
func Choose(points []RecoveryPoint, sel Point) (RecoveryPoint, *Refusal) {
	fits := slices.DeleteFunc(slices.Clone(points), func(p RecoveryPoint) bool { return !sel.fits(p) })
	if len(fits) == 0 {
		return RecoveryPoint{}, sel.none(points)
	}
	return slices.MaxFunc(fits, func(a, b RecoveryPoint) int { return a.Time.Compare(b.Time) }), nil
}

func (p Point) fits(point RecoveryPoint) bool {
	switch p.Kind {
	case LatestApp:
		return point.AppConsistent
	case AtTime:
		return !point.Time.After(p.Time)
	case ByID:
		return strings.EqualFold(lastSegment(point.ID), lastSegment(p.ID))
	case Latest, LatestProcessed:
	}
	return true
}

func (p Point) none(points []RecoveryPoint) *Refusal {
	if len(points) == 0 {
		return Refuse(WrongState, "Check the replication of this VM in the portal; without a recovery point it cannot be failed over.", "There is no recovery point.").about(AboutPoint)
	}
	oldest := slices.MinFunc(points, func(a, b RecoveryPoint) int { return a.Time.Compare(b.Time) })
	hint := "The oldest is of " + stamp(oldest.Time) + "; type latest, or a time from then on."
	switch p.Kind {
	case LatestApp:
		return Refuse(WrongState, "Type latest-processed for the newest crash-consistent one.", "There is no application-consistent recovery point.").about(AboutPoint)
	case AtTime:
		return Refuse(WrongState, hint, "There is no recovery point at or before %s.", stamp(p.Time)).about(AboutPoint)
	case ByID, Latest, LatestProcessed:
	}
	return Refuse(WrongState, hint, "There is no recovery point %q.", p.String()).about(AboutPoint)
}

// lastSegment of an ARM id. Azure reports the same point under different containers, so only the name counts.
func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// stamp is a time as answers and hints print it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
