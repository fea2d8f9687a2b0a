package workspace_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"ferry/sandbox/workspace"
)

// wire is a connection whose frames nobody interprets; it is closed when the connection ends.
type wire chan frame

// wire returns once the connection is greeted: those that are opened later are younger.
func (l *lab) wire(t *testing.T) (wire, frame) {
	t.Helper()
	_, url, err := l.api.StartSocketModeContext(t.Context())
	check(t, err)
	dialer := &websocket.Dialer{NetDialContext: l.listener.Dial}
	conn, answer, err := dialer.DialContext(t.Context(), url, nil)
	check(t, err)
	_ = answer.Body.Close()
	w := make(wire, 100)
	t.Cleanup(func() {
		_ = conn.Close()
		for range w { // until its end
		}
	})
	go func() {
		defer close(w)
		for {
			var f frame
			if conn.ReadJSON(&f) != nil {
				return
			}
			w <- f
		}
	}()
	return w, <-w
}

// frame is what a client looks at first.
type frame struct {
	Type    string
	Reason  string
	Num     int    `json:"num_connections"`
	Attempt *int   `json:"retry_attempt"`
	Cause   string `json:"retry_reason"`
}

func TestFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		first, one := l.wire(t)
		second, two := l.wire(t)
		got := []frame{one, two}
		l.Disconnect("warning")
		got = append(got, <-first)
		check(t, l.Type("ana", incident, "/failover a"))
		check(t, l.Type("ana", incident, "/failover b"))
		got = append(got, <-first, <-second)
		if l.Disconnect("link_disabled") != 2 {
			t.Error("not all were told")
		}
		got = append(got, <-first, <-second)
		want := []frame{
			{Type: "hello", Num: 1},
			{Type: "hello", Num: 2},
			{Type: "disconnect", Reason: "warning", Num: 2},
			{Type: "slash_commands"},
			{Type: "slash_commands"},
			{Type: "disconnect", Reason: "link_disabled", Num: 2},
			{Type: "disconnect", Reason: "link_disabled", Num: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := l.Type("ana", incident, "/failover c"); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("a payload after the end: %v", err)
		}
		pass(11 * time.Second)
		if f, open := <-first; open {
			t.Errorf("the connection stays open: %+v", f)
		}
	})
}

func TestEventsComeAgainAsTheyDidBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		w, _ := l.wire(t)
		check(t, l.OpenHome("ana"))
		for attempt := range 2 {
			if f := <-w; f.Type != "events_api" || f.Attempt == nil || *f.Attempt != attempt || attempt > 0 != (f.Cause == "timeout") {
				t.Errorf("delivery %d: %+v", attempt, f)
			}
		}
	})
}

// Every method that is served has the limit that Slack publishes; a fifth of what a minute allows may come at once.
func TestTiers(t *testing.T) {
	tiers := map[int][]string{
		20: {"pins.add", "pins.list", "pins.remove", "usergroups.list", "usergroups.users.list", "conversations.setTopic"},
		50: {"chat.update", "chat.delete", "conversations.info", "conversations.history", "conversations.replies"},
		100: {
			"views.open", "views.push", "views.update", "views.publish", "chat.postEphemeral", "users.info", "files.getUploadURLExternal", "files.completeUploadExternal",
		},
		600: {"auth.test", "chat.getPermalink"},
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		for perMinute, methods := range tiers {
			for _, method := range methods {
				calls := 0
				for l.callJSON(t, method, `{}`).Error != "ratelimited" {
					calls++
				}
				pass(time.Minute / time.Duration(perMinute))
				if again := l.callJSON(t, method, `{}`).Error; calls != perMinute/5 || again == "ratelimited" {
					t.Errorf("%s: %d calls at once, then %s", method, calls, again)
				}
			}
		}
	})
}
