package failover

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	// queuedAfter is how long a job has to begin before it is taken to have waited for its turn in Azure.
	queuedAfter = 20 * time.Second
	// crowded is how many jobs have to have waited to tell how many a vault works on at a time.
	crowded = 5
)

// crowds are how many jobs each vault worked on at a time when others had to wait, by lower-case id: as the newest operation has
// it that was held back so. Nobody publishes it, and what executors learn while they run they forget when nothing runs. seen is how
// many it has worked on at a time at most, whether others waited or not.
func crowds(past []Operation, step StepKind) (limits, seen map[string]int) {
	limits, seen = map[string]int{}, map[string]int{}
	for _, op := range slices.Backward(past) {
		if !op.Several() {
			continue
		}
		for vault, spans := range op.spans(step) {
			top := most(spans)
			if seen[vault] = max(seen[vault], top); limits[vault] == 0 && queued(spans) >= crowded {
				limits[vault] = top
			}
		}
	}
	return limits, seen
}

// jobSpan is when a job was called for, began and ended.
type jobSpan struct{ called, begun, ended time.Time }

// spans are the jobs of a step that tell when they began, by vault.
func (o Operation) spans(step StepKind) map[string][]jobSpan {
	all := map[string][]jobSpan{}
	for i := range o.Targets {
		t := &o.Targets[i]
		if s := t.Step(step); s != nil {
			if span, ok := s.span(s.EndedAt); ok {
				vault := strings.ToLower(t.Item.VaultID)
				all[vault] = append(all[vault], span)
			}
		}
	}
	return all
}

// span is the job of a step that ended at a time; false when it does not tell when it began.
func (s *Step) span(ended time.Time) (jobSpan, bool) {
	if len(s.Tasks) == 0 || s.StartedAt.IsZero() || s.Tasks[0].StartedAt.IsZero() || !ended.After(s.Tasks[0].StartedAt) {
		return jobSpan{}, false
	}
	return jobSpan{s.StartedAt, s.Tasks[0].StartedAt, ended}, true
}

// CrowdsSince are how many jobs each vault has worked on at a time since a moment while others had to wait there, by lower-case id:
// jobs of all operations and steps, those that run now among them.
func CrowdsSince(ops []Operation, since, now time.Time) map[string]int {
	spans := map[string][]jobSpan{}
	for o := range ops {
		for i := range ops[o].Targets {
			t := &ops[o].Targets[i]
			for n := range t.Steps {
				s := &t.Steps[n]
				ended := s.EndedAt
				if ended.IsZero() && s.State == StateAccepted {
					ended = now
				}
				if span, ok := s.span(ended); ok && ended.After(since) {
					vault := strings.ToLower(t.Item.VaultID)
					spans[vault] = append(spans[vault], span)
				}
			}
		}
	}
	all := map[string]int{}
	for vault, jobs := range spans {
		if queued(jobs) >= crowded {
			all[vault] = most(jobs)
		}
	}
	return all
}

// queued is how many jobs had to wait for their turn.
func queued(jobs []jobSpan) int {
	n := 0
	for _, s := range jobs {
		if s.begun.Sub(s.called) >= queuedAfter {
			n++
		}
	}
	return n
}

// most is how many jobs were worked on at a time at most.
func most(spans []jobSpan) int {
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for _, s := range spans {
		changes = append(changes, change{s.begun, 1}, change{s.ended, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), a.by-b.by) })
	top, now := 0, 0
	for _, c := range changes {
		now += c.by
		top = max(top, now)
	}
	return top
}
