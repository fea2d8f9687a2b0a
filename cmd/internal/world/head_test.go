package world

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/events"
	"ferry/sandbox/workspace"
)

// Two bots post one head at the hour, and it holds for the record as long as it is the one that it was.
func TestHeadOfTheDay(t *testing.T) {
	long(t)
	bubble(t, func(w *world) {
		w.configure = func(c *config.Config) { c.Audit.Post = true }
		f := w.newFleet(2, 1)
		f.start()
		defer f.close()
		w.until(time.Minute, func() bool { return w.workspace.Connections() > 0 })
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		pass(10 * time.Hour)
		posted := regexp.MustCompile(`audit verify --head (\d+:[0-9a-f]{64})`).FindAllStringSubmatch(w.inChannel(), -1)
		if len(posted) != 1 {
			t.Fatalf("%d heads after nine:\n%s", len(posted), w.inChannel())
		}
		head, err := events.ParseChain(posted[0][1])
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.verify(head)
		if err != nil || v.Err() != nil || v.Head != head {
			t.Errorf("%v, %v: %+v", err, v.Err(), v)
		}
		head.Sum[0]++
		if v, err := w.verify(head); err != nil || v.What != events.Rewritten || v.Until != head.Seq {
			t.Errorf("another record: %+v, %v", v, err)
		}
	})
}

func (w *world) inChannel() string {
	var all []string
	for _, m := range w.workspace.Messages(incident, workspace.Everyone) {
		all = append(all, w.workspace.Render(m)...)
	}
	return strings.Join(all, "\n")
}

// verify holds the stream of a fleet to heads that were kept.
func (w *world) verify(known ...events.Chain) (events.Verdict, error) {
	return app.VerifyAudit(w.t.Context(), app.Options{Config: w.config(), Dial: w.dial, Log: w.log}, known...)
}
