package world

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

// Ten operations at once, in a workspace with the limits of Slack's: none is ever told to wait, what has ended is shown
// first, nothing is lost, and it is printed how long after a fact its card shows it.
func TestTenAtOnce(t *testing.T) {
	long(t)
	o := quick()
	o.VMs = 12
	bubbleIn(t, o, func(w *world) {
		drawn := &drawings{}
		w.stand(slackHost, drawn.watch)
		w.begin()
		names := strings.Fields("vm-x vm-y sql-01 sql-02 app-01 app-02 web-01 web-02 cache-01 queue-01")
		for _, name := range names {
			w.typed("ana", "/failover "+name+" latest")
		}
		w.all(names, "[ Approve ]")
		pass(time.Minute) // until those who decide are told of all of them
		for i, name := range names {
			label := "Approve"
			if i >= 8 {
				label = "Deny"
				pass(2 * time.Second) // by then the edits of the others use up what may be called at once
			}
			if _, err := w.workspace.Click("ben", incident, label, workspace.Containing("of "+name)); err != nil {
				t.Fatalf("%s %s: %v", label, name, err)
			}
		}
		w.all(names[8:], ": denied")
		w.all(names[:8], "[ Commit ]")
		for _, name := range names[:8] {
			if _, err := w.workspace.Click("ben", incident, "Commit", workspace.Containing("of "+name)); err != nil {
				t.Fatal(err)
			}
		}
		w.all(names[:8], ": committed")
		pass(time.Minute)
		w.stop()
		w.neverLimited()
		w.counts("Approval needed", len(names))
		w.counts("is final (op-", 8)
		w.lags(drawn)
	})
}

// all waits until the card of each VM says something.
func (w *world) all(vms []string, want string) {
	w.t.Helper()
	for _, vm := range vms {
		if !w.until(30*time.Minute, func() bool { return strings.Contains(w.card("of "+vm), want) }) {
			w.t.Fatalf("the card of %s never said %q:\n%s", vm, want, w.card("of "+vm))
		}
	}
}

// neverLimited checks that the workspace never told anybody to wait, and prints how near that was.
func (w *world) neverLimited() {
	w.t.Helper()
	var edits []time.Time
	most := 0
	for _, c := range w.workspace.Calls() {
		if c.Status == "ratelimited" {
			w.t.Errorf("%s was limited at %s", c.Method, c.At)
		}
		if c.Method == "chat.update" {
			edits = slices.DeleteFunc(append(edits, c.At), func(at time.Time) bool { return c.At.Sub(at) >= time.Minute })
			most = max(most, len(edits))
		}
	}
	w.t.Logf("%d edits in the fullest minute", most)
}

// lags prints how long after a fact its card shows it, and checks that all are shown, and ends first.
func (w *world) lags(drawn *drawings) {
	w.t.Helper()
	stored, err := w.readStream()
	if err != nil {
		w.t.Fatal(err)
	}
	var all, ends []time.Duration
	for id, records := range stored.records {
		for _, r := range records {
			if !visible(r.Fact) {
				continue
			}
			lag, shown := drawn.after(id, r)
			if !shown {
				w.t.Errorf("%s: %T is never shown", id, r.Fact)
				continue
			}
			all = append(all, lag)
			if _, ended := r.Fact.(failover.Finished); ended {
				ends = append(ends, lag)
			}
		}
	}
	w.t.Log("facts until their card shows them: " + spread(all))
	w.t.Log("ends until their card shows them: " + spread(ends))
	drawn.endsFirst(w.t, stored)
}

// endsFirst checks that no card was edited that only goes on while the end of another one could have been shown.
func (d *drawings) endsFirst(t *testing.T, stored *stream) {
	t.Helper()
	ended := map[failover.OpID]failover.Record{}
	for id, records := range stored.records {
		for _, r := range records {
			if _, over := r.Fact.(failover.Finished); over {
				ended[id] = r
			}
		}
	}
	for id, end := range ended {
		from, shown := end.At, time.Time{}
		for _, own := range d.all[id] {
			if own.seq >= end.Seq {
				shown = own.at
				break
			}
			if next := own.at.Add(time.Second); next.After(from) { // a card is not edited more often
				from = next
			}
		}
		for other, all := range d.all {
			for _, o := range all {
				if goesOn := ended[other].Seq == 0 || o.seq < ended[other].Seq; o.edit && goesOn && o.at.After(from.Add(100*time.Millisecond)) && o.at.Before(shown) {
					t.Errorf("%s ended at %s and was shown at %s, after an edit of %s, which goes on, at %s", id, end.At, shown, other, o.at)
				}
			}
		}
	}
}

// visible is what changes what a card says.
func visible(f failover.Fact) bool {
	seen := []string{"failover.Requested", "failover.Decided", "failover.GateOpened", "failover.StepStarted", "failover.StepDone", "failover.Finished"}
	return slices.Contains(seen, fmt.Sprintf("%T", f))
}

func spread(all []time.Duration) string {
	slices.Sort(all)
	at := func(share float64) time.Duration {
		return all[int(share*float64(len(all)-1))].Round(10 * time.Millisecond)
	}
	return fmt.Sprintf("%d, median %s, 95 %% %s, most %s", len(all), at(0.5), at(0.95), at(1))
}

// drawings are the states of cards as Slack was given them, and when.
type drawings struct {
	mu  sync.Mutex
	all map[failover.OpID][]drawing
}

type drawing struct {
	seq  uint64
	at   time.Time
	edit bool
}

// watch stands in the door of Slack.
func (d *drawings) watch(_ http.ResponseWriter, r *http.Request) bool {
	if method, _ := strings.CutPrefix(r.URL.Path, "/api/chat."); method != "update" && method != "postMessage" {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	title := regexp.MustCompile(`"(op-[a-z2-7]{8})\.title\.(\d+)"`).FindStringSubmatch(form.Get("blocks"))
	if title == nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[failover.OpID][]drawing{}
	}
	seq, _ := strconv.ParseUint(title[2], 10, 64)
	d.all[failover.OpID(title[1])] = append(d.all[failover.OpID(title[1])], drawing{seq, time.Now(), r.URL.Path == "/api/chat.update"})
	return false
}

// after is how long after a fact a card with it was shown.
func (d *drawings) after(op failover.OpID, r failover.Record) (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, shown := range d.all[op] {
		if shown.seq >= r.Seq {
			return shown.at.Sub(r.At), true
		}
	}
	return 0, false
}
