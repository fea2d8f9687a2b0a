package world

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/workspace"
)

// In a whole journey a new message beside the cards comes only when somebody has to decide, or when something has ended. It calls
// who decides, and nobody else: at an end who asked is named, and nobody is called.
func TestWhoIsCalledInAJourney(t *testing.T) {
	long(t)
	bubble(t, func(w *world) {
		w.configure = func(c *config.Config) { c.Slack.Topic = true }
		if err := w.workspace.SetTopic("ana", incident, "Handover at 8"); err != nil {
			t.Fatal(err)
		}
		w.begin()
		w.drill(1)
		w.away(1)
		w.home(1)
		pass(time.Minute)
		decides := regexp.MustCompile(`^@ben .*(Approval needed until|waits for the commit|asks for another recovery point|is ready for the|has been failed back|Reminder).*on its card`)
		ended := regexp.MustCompile(`^ana: .*(is up|is left|is final|is protected again|is home again|is over)`)
		kinds, calls, topics := map[string]int{}, 0, []string{}
		for _, m := range w.workspace.Messages(incident, workspace.Everyone) {
			text := strings.Join(w.workspace.Render(m), " ")
			if m.Subtype == "channel_topic" {
				topics = append(topics, text)
			}
			if m.User != "U0FERRY" || m.Subtype != "" || m.EphemeralFor != "" || strings.HasPrefix(text, "# ") {
				continue
			}
			called := notified(m)
			calls += len(called)
			switch {
			case decides.MatchString(text) && slices.Equal(called, []string{"U0BEN"}):
				kinds["decide: "+decides.FindStringSubmatch(text)[1]]++
			case ended.MatchString(text) && len(called) == 0:
				kinds["ended: "+ended.FindStringSubmatch(text)[1]]++
			default:
				t.Errorf("%q calls %q", text, called)
			}
		}
		t.Logf("%d calls: %v", calls, kinds)
		if got := w.workspace.Topic(incident); got != "Handover at 8" || len(topics) < 8 || len(topics) > 11 { // ana's, and at the start and end of five operations
			t.Errorf("the topic is %q, and was set so:\n%s", got, strings.Join(topics, "\n"))
		}
		if len(kinds) < 6 {
			t.Errorf("too few kinds of messages: %v", kinds)
		}
	})
}

// notified are the people, groups and channels that a message notifies.
func notified(m workspace.Message) []string {
	var ids []string
	for _, pattern := range []string{`"user_id":"([^"]+)"`, `"usergroup_id":"([^"]+)"`, `"range":"([^"]+)"`} {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(m.Blocks), -1) {
			ids = append(ids, found[1])
		}
	}
	for _, found := range regexp.MustCompile(`<@([A-Z0-9]+)|<!(here|channel|everyone|subteam\^[A-Z0-9]+)`).FindAllStringSubmatch(m.Text, -1) {
		ids = append(ids, found[1]+found[2])
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
