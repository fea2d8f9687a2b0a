package bot

import (
	"fmt"
	"slices"
	"strings"

	"ferry/failover"
)

// Rights says no to who has no right to a verb anywhere; nil is who may have it, or is nobody in particular.
type Rights func(Record) *failover.Refusal

// Help is the overview, or the page of one verb, as plain lines. A topic that is no verb is refused with the nearest one. What
// rights say no to is left out of the overview, which says so and whom to ask; nil leaves nothing out.
func Help(topic string, rights Rights) (string, *failover.Refusal) {
	if rights == nil {
		rights = func(Record) *failover.Refusal { return nil }
	}
	if topic == "" {
		return overview(rights), nil
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
	return page(rec, rights(rec)), nil
}

func overview(rights Rights) string {
	var lines, later []string
	var left leftOut
	for _, group := range []struct{ name, title string }{{groupAct, "Act"}, {groupDecide, "Decide"}, {groupLook, "Look"}} {
		title := []string{group.title}
		for _, r := range Grammar() {
			if r.Group != group.name || !r.Available {
				continue
			}
			if no := rights(r); no != nil {
				left.add(r.Name, no)
				continue
			}
			lines = append(append(lines, title...), "  "+r.Usage, "      "+r.Summary)
			title = nil
		}
	}
	lines = append(lines, left.lines()...)
	for _, r := range Grammar() {
		if !r.Available {
			later = append(later, r.Name)
		}
	}
	slices.Sort(later)
	return strings.Join(append(lines,
		PointForms,
		"For all about one verb, with examples, type "+Command+" help VERB.",
		"Not available yet: "+strings.Join(later, ", ")+"."), "\n")
}

// leftOut is what somebody has no right to, by whom to ask for it.
type leftOut []struct{ ask, verbs string }

func (l *leftOut) add(verb string, no *failover.Refusal) {
	for i := range *l {
		if (*l)[i].ask == no.Hint {
			(*l)[i].verbs += ", " + verb
			return
		}
	}
	*l = append(*l, struct{ ask, verbs string }{no.Hint, verb})
}

// lines is one line, or none.
func (l leftOut) lines() []string {
	var parts []string
	for _, p := range l {
		parts = append(parts, p.verbs+" ("+strings.ToLower(p.ask[:1])+strings.TrimSuffix(p.ask[1:], ".")+")")
	}
	if parts == nil {
		return nil
	}
	return []string{"Left out, since no rule gives you the right: " + strings.Join(parts, "; ") + "."}
}

func page(r Record, no *failover.Refusal) string {
	lines := []string{r.Usage, r.Summary, "Open to: " + r.Who + "."}
	if no != nil {
		lines = append(lines, "Not to you. "+no.Hint)
	}
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
