package render_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ferry/bot/render"
	"ferry/failover"
)

// pointList has a point every 5 minutes for two hours and one an hour before that, every twelfth application-consistent.
func pointList(n int) failover.PointList {
	l := failover.PointList{Item: item(), Name: "vm-x", At: start()}
	for i := range n {
		age := time.Duration(i)*5*time.Minute + 12*time.Second
		if i > 24 {
			age += time.Duration(i-24) * 55 * time.Minute
		}
		l.Points = append(l.Points, failover.RecoveryPoint{
			ID: fmt.Sprintf("/x/recoveryPoints/6c2f0a52-0000-0000-0000-%012d", i), Time: start().Add(-age), AppConsistent: i%12 == 3 || i > 24,
		})
	}
	return l
}

func TestPoints(t *testing.T) {
	l, now := pointList(60), start().Add(3*time.Second)
	vienna := now.In(time.FixedZone("CET", 3600))
	first := render.Points(l, time.Time{}, now)
	older := render.Points(l, l.Points[35].Time, now)
	golden(t, "points.json", wire(t, first))
	golden(t, "points_chosen.json", wire(t, render.Pick{Key: key, ID: "6C2F0A52-0000-0000-0000-000000000003"}.Show(l, now)))
	pending, gone := l, l
	pending.Item.State, gone.Points = failover.StateCommitPending, nil
	var text strings.Builder
	for _, part := range []struct{ title, text string }{
		{"Slack", readable(first)},
		{"fallback text", first.Text + "\n"},
		{"older", readable(older)},
		{"chosen", readable(render.Pick{Key: key, ID: "6C2F0A52-0000-0000-0000-000000000003"}.Show(l, now))},
		{"chosen of yesterday", readable(render.Pick{Key: key, ID: "6c2f0a52-0000-0000-0000-000000000055"}.Show(l, now))},
		{"chosen while it waits for the commit", readable(render.Pick{Key: key, ID: "6c2f0a52-0000-0000-0000-000000000003"}.Show(pending, now))},
		{"chosen and gone", readable(render.Pick{Key: key, ID: "6c2f0a52-0000-0000-0000-000000000003"}.Show(gone, now))},
		{"older and gone", readable(render.Points(l, start().Add(-1000*time.Hour), now))},
		{"terminal", render.PointsTable(l, now, 0)},
		{"terminal elsewhere", render.PointsTable(pointList(2), vienna, 0)},
	} {
		text.WriteString("=== " + part.title + " ===\n" + part.text + "\n")
	}
	for _, state := range []string{failover.StateProtected, failover.StateCommitted, "InitialReplicationInProgress", "Strange"} {
		none := gone
		none.Item.State = state
		text.WriteString("=== none, " + state + " ===\n" + readable(render.Points(none, time.Time{}, now)) + render.PointsTable(none, now, 0) + "\n")
	}
	golden(t, "points.txt", text.String())
}

// A choice comes back as it was offered, and everything else is nobody's.
func TestPickOf(t *testing.T) {
	for _, row := range []struct {
		action, value string
		want          render.Pick
		ok            bool
	}{
		{render.ActionPoint, "4f1c.6c2f", render.Pick{Key: "4f1c", ID: "6c2f"}, true},
		{render.ActionPoints, "4f1c.1795694632000000001", render.Pick{Key: "4f1c", Before: time.Unix(1795694632, 1)}, true},
		{render.ActionPoints, "4f1c.soon", render.Pick{}, false},
		{render.ActionPoint, "4f1c", render.Pick{}, false},
		{render.ActionPoint, ".6c2f", render.Pick{}, false},
		{render.ActionPoint, "", render.Pick{}, false},
		{render.ActionCommit, "4f1c.6c2f", render.Pick{}, false},
	} {
		if got, ok := render.PickOf(row.action, row.value); ok != row.ok || ok && got != row.want {
			t.Errorf("%s %q: %+v, %v", row.action, row.value, got, ok)
		}
	}
}

// TestPointsFitSlack: as many points as Azure may keep, in whatever a VM is called.
func TestPointsFitSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := pointList(rapid.IntRange(0, 400).Draw(t, "points"))
		l.Name, l.Item.Vault, l.Item.State = hostile().Draw(t, "name"), hostile().Draw(t, "vault"), rapid.OneOf(rapid.Just(failover.StateProtected), hostile()).Draw(t, "state")
		l.Item.Key = failover.ItemKey("v", l.Name)
		now, before := sometime().Draw(t, "now"), sometime().Draw(t, "before")
		pick := render.Pick{Key: l.Item.Key, ID: fmt.Sprintf("6c2f0a52-0000-0000-0000-%012d", rapid.IntRange(0, 500).Draw(t, "id"))}
		if len([]rune(l.Name)) > 64 {
			l.Name = "vm-x" // Azure takes no longer one, and what is to be typed is not cut
		}
		for _, m := range []render.Message{render.Points(l, before, now), pick.Show(l, now)} {
			checkMessage(t, m, 13_000)
			checkPicker(t, m)
		}
		_ = render.PointsTable(l, now, 0)
	})
}

// checkPicker holds a select to Slack's limits.
func checkPicker(t *rapid.T, m render.Message) {
	t.Helper()
	blocks, _ := decode(t, m)
	for _, b := range blocks {
		walk(b, func(n node) {
			groups, _ := n["option_groups"].([]any)
			options, _ := n["options"].([]any)
			if len(groups) > 100 || len(options) > 100 {
				t.Fatalf("%d groups, %d options", len(groups), len(options))
			}
			value, _ := n["value"].(string)
			if n["type"] == nil && utf8.RuneCountInString(value) > 150 {
				t.Fatalf("value %q", value)
			}
			for _, name := range []string{"text", "label", "placeholder"} {
				if inner, ok := n[name].(node); ok && utf8.RuneCountInString(fmt.Sprint(inner["text"])) > 75 {
					t.Fatalf("%s %v", name, inner)
				}
			}
		})
	}
}
