package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// PointForms explains POINT.
const PointForms = "A recovery point is latest, latest-processed, latest-app, a time such as 14:05 (UTC), 2026-11-23T14:05Z or -20m, or a point's id."

// NearVerb finds the verb that a word is nearest to, typed with a mistake or cut short; a verb itself is its own nearest.
// Of verbs equally near an available one wins. False when none is near.
func NearVerb(word string) (Record, bool) {
	near := nearVerbs(word)
	if len(near) == 0 {
		return Record{}, false
	}
	return near[0], true
}

// nearVerbs lists the verbs at the smallest distance from a word, available ones first.
func nearVerbs(word string) []Record {
	table := Grammar()
	command := strings.TrimPrefix(Command, "/")
	again := len(failover.Near(word, []string{command}, func(s string) string { return s }, 1)) > 0
	name := func(r Record) string {
		if again && r.Name == "run" { // who repeats the command's name means the verb that is left out
			return command
		}
		return r.Name
	}
	near := failover.Near(word, table, name, len(table))
	if len(near) == 0 {
		return meaning(word, table)
	}
	distance := func(r Record) int { return failover.Distance(strings.ToLower(word), name(r)) }
	least := distance(near[0])
	near = slices.DeleteFunc(near, func(r Record) bool { return distance(r) > least })
	slices.SortStableFunc(near, func(a, b Record) int { return rank(a) - rank(b) })
	return near
}

// meaning lists the verbs for a word that other tools, and people in a hurry, have for them.
func meaning(word string, table []Record) []Record {
	verbs := map[string]string{
		"stop": "hold cancel", "pause": "hold", "halt": "hold", "wait": "hold", "suspend": "hold", "abort": "cancel", "kill": "cancel", "continue": "resume", "proceed": "resume", "go": "resume",
		"drill": "test", "reject": "deny", "accept": "approve", "confirm": "commit", "finalize": "commit", "rollback": "failback", "undo": "failback", "return": "failback",
		"show": "status", "ls": "list", "start": "run", "exclude": "skip", "omit": "skip", "remove": "skip", "rerun": "retry", "redo": "retry", "estimate": "forecast", "eta": "forecast",
	}[strings.ToLower(word)]
	var all []Record
	for verb := range strings.FieldsSeq(verbs) {
		all = append(all, table[slices.IndexFunc(table, func(r Record) bool { return r.Name == verb })])
	}
	return all
}

func rank(r Record) int {
	if r.Available {
		return 0
	}
	return 1
}

// didYouMean names the verbs near a word, each with the line to type; "" when none is near. rest is what stood after the
// word: it is repeated where it makes sense after the verb.
func didYouMean(word string, rest []string) string {
	var lines []string
	later := false
	for _, r := range nearVerbs(word) {
		lines = append(lines, example(r, rest))
		later = later || !r.Available
	}
	switch {
	case len(lines) == 0:
		return ""
	case later && len(lines) == 1:
		return "Did you mean " + lines[0] + "? It is not available yet."
	}
	return "Did you mean " + strings.Join(lines, ", or ") + "?"
}

// example is a line for a verb that parses: with the words already typed when they fit, else the verb's own example.
func example(r Record, rest []string) string {
	if !r.Available {
		return strings.TrimSpace(Command + " " + r.Name + " " + strings.Join(rest, " "))
	}
	// Any time will do: only the form of a POINT matters here.
	if _, refusal := ParseWords(append([]string{r.Name}, rest...), time.Time{}); refusal == nil && !slices.ContainsFunc(rest, needsQuotes) {
		return strings.TrimSpace(Command + " " + r.Name + " " + strings.Join(rest, " "))
	}
	return r.Examples[0]
}

func needsQuotes(text string) bool { return text == "" || strings.ContainsAny(text, " \t\n\"'") }

func tooLong() *failover.Refusal {
	return failover.Refuse(failover.BadUsage, "Shorten the reason, then ask again.", "That is more than %d characters. Nothing was started.", maxTyped)
}

func notYet(what, hint string) *failover.Refusal {
	return failover.Refuse(failover.Unavailable, hint, "%s is not available yet.", what)
}

func (l line) missing(kind string) *failover.Refusal {
	hint := "Type " + strings.Join(l.rec.Examples, ", or ") + "."
	if len(l.args) > 0 {
		if op, ok := opID(l.args[0]); ok { // the examples with what was typed
			hint = anExample.ReplaceAllString(hint, string(op))
		}
	}
	return failover.Refuse(failover.BadUsage, hint, "%s needs %s.", l.rec.Name, kindWords(kind))
}

// anExample is the operation of the examples.
var anExample = regexp.MustCompile(`op-[a-z2-7]{8}`)

func kindWords(kind string) string {
	switch kind {
	case "VM":
		return "the name of a VM"
	case "OP":
		return "the id of an operation, as its card shows it"
	case "POINT":
		return "a recovery point"
	case "NAME":
		return "a name"
	case "TIME|over":
		return "the time at which the incident began, or the word over"
	}
	return "the name of a VM or the id of an operation"
}

func (l line) tooMany(extra string) *failover.Refusal {
	return failover.Refuse(failover.BadUsage, "Type "+l.rec.Usage+".", "%q is one word too many for %s.", extra, l.rec.Name)
}

func notVM(op failover.OpID) *failover.Refusal {
	return failover.Refuse(failover.BadUsage, fmt.Sprintf("Type %[1]s status %[2]s to see it, or %[1]s approve %[2]s to approve it.", Command, op),
		"%s is an operation, not a VM.", op)
}

func (l line) notOp(arg string) *failover.Refusal {
	if i := slices.IndexFunc(l.args, func(a string) bool { _, is := opID(a); return is }); i > 0 {
		words := append([]string{l.args[i]}, slices.Delete(slices.Clone(l.args), i, i+1)...)
		return failover.Refuse(failover.BadUsage, "The operation comes first: "+example(l.rec, words)+".", "%s needs the id of an operation, and %q is none.", l.rec.Name, arg)
	}
	if strings.HasPrefix(strings.ToLower(arg), opPrefix) {
		return failover.Refuse(failover.BadUsage, "Type "+l.rec.Examples[0]+", with the id that the card shows.",
			"%q is no operation id: an id is op- and eight characters from a to z and 2 to 7.", arg)
	}
	return failover.Refuse(failover.BadUsage, fmt.Sprintf("Type %s with the id that the card shows; %s status shows every open operation.", l.rec.Examples[0], Command),
		"%s needs the id of an operation, and %q is none.", l.rec.Name, arg)
}

// instead is the name of a VM or a group where the id of an operation belongs, as a question that Meant answers; else the zero Intent.
func (l line) instead(kind, arg string) Intent {
	if isPlace(arg) && len(l.args) > 1 {
		arg = l.args[1]
	}
	if kind != "OP" || strings.HasPrefix(strings.ToLower(arg), opPrefix) {
		return Intent{}
	}
	return Intent{Verb: l.rec.Name, Ref: arg}
}

// Meant is the refusal of a line that names a VM instead of an operation, with the open operation on that VM, if there is
// one. i is what the parser gave with the refusal, and found what is known of its Ref. Nothing guessed is run.
func Meant(i Intent, refusal *failover.Refusal, found []failover.Operation) *failover.Refusal {
	open := slices.DeleteFunc(slices.Clone(found), func(op failover.Operation) bool { return op.Phase.Final() })
	if len(open) != 1 {
		return refusal
	}
	op := open[0]
	line := fmt.Sprintf("%s %s %s", Command, i.Verb, op.ID)
	about := slices.ContainsFunc(op.Targets, func(t failover.Target) bool { return t.Item.Means(i.Ref) })
	if rec, _ := lookup(i.Verb); about && strings.Contains(rec.Args, " ") { // the VM that was typed comes behind it
		line += " " + i.Ref
	} else if strings.HasSuffix(rec.Args, " VM") {
		line += " VM"
	}
	return failover.Refuse(failover.BadUsage, "Type "+line+".",
		"%s needs the id of an operation. The one on %s is %s: %s, %s.", i.Verb, Targets(op), op.ID, What(op), op.Phase.Words())
}

// noPoint explains POINT. Where no verb was typed the mistake may be the verb, or its place.
func (l line) noPoint(arg string) *failover.Refusal {
	if l.rec.Name == "group" && !pointLike.MatchString(arg) && nearPoint(arg) == "" {
		return failover.Refuse(failover.BadUsage, "For VMs in a row leave the word group out: "+Command+" "+strings.Join(l.args, " ")+". "+PointForms,
			"A group has one name, and %q is no recovery point. Nothing was started.", arg)
	}
	if !l.implicit {
		return failover.Refuse(failover.BadUsage, PointForms, "%q is no recovery point. Nothing was started.", arg)
	}
	name := l.args[0]
	hint := didYouMean(name, l.args[1:])
	if rec, ok := lookup(arg); ok {
		hint = "The verb comes first: " + example(rec, append([]string{name}, l.args[2:]...)) + "."
	}
	return failover.Refuse(failover.BadUsage, strings.TrimSpace(hint+" "+PointForms),
		"%q is no verb, so it was read as a VM, and %q is no recovery point. Nothing was started.", name, arg)
}

func (l line) noTime(arg string) *failover.Refusal {
	return failover.Refuse(failover.BadUsage, "Type "+strings.Join(l.rec.Examples, ", or ")+".", "%q is no time.", arg)
}

// unknownFlag names the nearest flag of the verb, or of the whole grammar.
func (l line) unknownFlag(name string) *failover.Refusal {
	names := flagNames(l.rec.Flags)
	hint := "Type " + l.rec.Usage + "."
	if elsewhere := flagNames(allFlags()); slices.Contains(elsewhere, name) {
		return failover.Refuse(failover.BadUsage, hint, "%s does not take %s.", l.rec.Name, name)
	}
	self := func(s string) string { return strings.TrimLeft(s, "-") }
	if near := failover.Near(self(name), names, self, 1); len(near) > 0 {
		hint = "Did you mean " + near[0] + "? " + hint
	} else if near := failover.Near(self(name), flagNames(allFlags()), self, 1); len(near) > 0 {
		hint = "Did you mean " + near[0] + "? " + l.rec.Name + " does not take it. " + hint
	}
	return failover.Refuse(failover.BadUsage, hint, "There is no flag %q.", name)
}

func allFlags() []Flag {
	var all []Flag
	for _, r := range Grammar() {
		all = append(all, r.Flags...)
	}
	return all
}

func flagNames(flags []Flag) []string {
	var names []string
	for _, f := range flags {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}
