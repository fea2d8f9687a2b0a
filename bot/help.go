package bot

import (
	"fmt"
	"slices"
	"strings"

	"ferry/failover"
)

// Help is the overview, or the page of one verb, as plain lines. A topic that is no verb is refused with the nearest one.
func Help(topic string) (string, *failover.Refusal) {
	if topic == "" {
		return overview(), nil
	}
	rec, ok := lookup(topic)
	if !ok {
		hint := "Type " + Command + " help to see every verb."
		if near, ok := NearVerb(topic); ok {
			hint = "Did you mean " + Command + " help " + near.Name + "? " + hint
		}
		return "", failover.Refuse(failover.BadUsage, hint, "There is no verb %q.", topic)
	}
	if !rec.Available {
		return fmt.Sprintf("%s\n%s\nThis is not available yet.", rec.Usage, rec.Summary), nil
	}
	return page(rec), nil
}

func overview() string {
	var lines, later []string
	for _, group := range []struct{ name, title string }{{groupAct, "Act"}, {groupDecide, "Decide"}, {groupLook, "Look"}} {
		lines = append(lines, group.title)
		for _, r := range Grammar() {
			if r.Group == group.name && r.Available {
				lines = append(lines, "  "+r.Usage, "      "+r.Summary)
			}
		}
	}
	for _, r := range Grammar() {
		if !r.Available {
			later = append(later, r.Name)
		}
	}
	slices.Sort(later)
	return strings.Join(append(lines,
		PointForms,
		"For one verb with examples, type "+Command+" help VERB.",
		"Not available yet: "+strings.Join(later, ", ")+"."), "\n")
}

func page(r Record) string {
	lines := []string{r.Usage, r.Summary, "Open to: " + r.Who + "."}
	if strings.Contains(r.Args, "POINT") {
		lines = append(lines, PointForms)
	}
	for _, f := range r.Flags {
		note := ""
		if !f.Available {
			note = " (not available yet)"
		}
		lines = append(lines, "  "+f.form()+": "+f.Summary+note)
	}
	lines = append(lines, "Examples:")
	for _, e := range r.Examples {
		lines = append(lines, "  "+e)
	}
	return strings.Join(lines, "\n")
}
