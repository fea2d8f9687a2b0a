package bot

import (
	"slices"
	"strings"
	"time"

	"ferry/failover"
)

// Parse reads the text of a slash command as Slack sends it: escaped, with links, and with a phone's dashes and quotes.
// No text is the help. The intent is only good when the refusal is nil. now is what a POINT such as 14:05 is relative to.
func Parse(text string, now time.Time) (Intent, *failover.Refusal) {
	if len(text) > maxTyped {
		return Intent{}, tooLong()
	}
	return parse(split(unescape(text)), now)
}

// FormFor is the verb whose form a text without any argument opens in Slack; false when it means what [Parse] says.
func FormFor(text string) (verb string, ok bool) {
	words := split(unescape(text[:min(len(text), maxTyped)]))
	switch {
	case len(words) == 0:
		return "run", true
	case len(words) > 1 || words[0].quoted:
		return "", false
	}
	rec, known := lookup(words[0].text)
	return rec.Name, known && rec.Form
}

// maxTyped is how much may be typed, in bytes: far more than a reason needs.
const maxTyped = 8000

// ParseWords reads words that a shell has already split; a word with a space in it was quoted there.
func ParseWords(words []string, now time.Time) (Intent, *failover.Refusal) {
	var typed []word
	size := 0
	for _, w := range words {
		if size += len(w) + 1; size > maxTyped {
			return Intent{}, tooLong()
		}
		w = clean(w)
		name, _, _ := strings.Cut(w, "=")
		if inner := strings.ContainsAny(name, " \t\n"); inner {
			typed = append(typed, word{w, true})
		} else if strings.Contains(w, " ") {
			typed = append(typed, word{text: w})
		} else {
			typed = append(typed, word{text: dashes(w)})
		}
	}
	return parse(typed, now)
}

// line is a command line taken apart: the verb's record, its positional arguments and its flags.
type line struct {
	rec      Record
	implicit bool // no verb was typed, so the first argument is read as a VM
	args     []string
	values   map[string]string // of the flags given, by name; empty where a flag takes none
}

func parse(words []word, now time.Time) (Intent, *failover.Refusal) {
	l, rest := verbOf(words)
	if i := slices.IndexFunc(rest, askedForHelp); i >= 0 {
		return Intent{Verb: "help", ReadOnly: true, Topic: topic(l)}, nil
	}
	if !l.rec.Available {
		return Intent{}, notYet(Command+" "+l.rec.Name, "Type "+Command+" help to see what is.")
	}
	l, refusal := l.take(rest)
	if refusal != nil {
		return Intent{}, refusal
	}
	return l.intent(now)
}

// verbOf finds the verb. A first word that is none is a VM's name, as the grammar says.
func verbOf(words []word) (line, []word) {
	if len(words) == 0 {
		help, _ := lookup("help")
		return line{rec: help}, nil
	}
	if rec, ok := lookup(words[0].text); ok {
		return line{rec: rec}, words[1:]
	}
	run, _ := lookup("run")
	return line{rec: run, implicit: true}, words
}

// askedForHelp knows the flags that other commands have for it.
func askedForHelp(w word) bool {
	return !w.quoted && slices.Contains([]string{"--help", "-h", "-help", "-?"}, strings.ToLower(w.text))
}

func topic(l line) string {
	if l.implicit || l.rec.Name == "help" {
		return ""
	}
	return l.rec.Name
}

// take sorts the words into arguments and flags.
func (l line) take(words []word) (line, *failover.Refusal) {
	l.values = map[string]string{}
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		if !w.isFlag() {
			l.args = append(l.args, w.text)
			continue
		}
		name, value, given := strings.Cut(w.text, "=")
		flag, refusal := l.flag(name)
		if refusal != nil {
			return l, refusal
		}
		if flag.Value == "" && given {
			return l, failover.Refuse(failover.BadUsage, "Type "+flag.Name+" alone.", "%s takes no value.", flag.Name)
		}
		if flag.Value != "" && !given {
			value, words = takeText(words)
		}
		if flag.Value != "" && trimSpace(value) == "" {
			return l, failover.Refuse(failover.BadUsage, "Type it like this: "+flag.Name+" disk errors.", "%s needs a text after it.", flag.Name)
		}
		l.values[flag.Name] = trimSpace(value)
	}
	return l, nil
}

// isFlag: "-20m" is a POINT and "-" is nothing, but "-force" is a flag with a dash too few.
func (w word) isFlag() bool {
	if w.quoted || !strings.HasPrefix(w.text, "-") {
		return false
	}
	body := strings.TrimLeft(w.text, "-")
	return strings.HasPrefix(w.text, "--") || body != "" && (body[0] < '0' || body[0] > '9')
}

// takeText reads a flag's text: one quotation, or all words up to the next flag.
func takeText(words []word) (string, []word) {
	if len(words) > 0 && words[0].quoted {
		return words[0].text, words[1:]
	}
	n := slices.IndexFunc(words, func(w word) bool { return w.isFlag() && strings.HasPrefix(w.text, "--") })
	if n < 0 {
		n = len(words)
	}
	var texts []string
	for _, w := range words[:n] {
		texts = append(texts, w.text)
	}
	return strings.Join(texts, " "), words[n:]
}

// flag finds a flag of the verb by its name.
func (l line) flag(name string) (Flag, *failover.Refusal) {
	name = strings.ToLower(name)
	i := slices.IndexFunc(l.rec.Flags, func(f Flag) bool { return f.Name == name })
	if i < 0 {
		return Flag{}, l.unknownFlag(name)
	}
	flag := l.rec.Flags[i]
	if !flag.Available {
		return Flag{}, notYet(flag.Name, "Ask without it: "+l.rec.Usage+".")
	}
	if l.given(flag.Name) {
		return Flag{}, failover.Refuse(failover.BadUsage, "Type it once.", "%s was given twice.", flag.Name)
	}
	return flag, nil
}

// intent checks the arguments against the verb's form, one by one.
func (l line) intent(now time.Time) (Intent, *failover.Refusal) {
	i := Intent{
		Verb: l.rec.Name, ReadOnly: l.rec.ReadOnly, Reason: l.values["--reason"],
		Force: l.given("--force"), BreakGlass: l.given("--break-glass"), Confirm: l.values["--confirm"], Network: l.values["--network"], Notes: l.values["--notes"],
	}
	if strings.HasSuffix(l.rec.Args, "[POINT]") {
		i.Point = failover.Point{Kind: failover.Latest}
	}
	if slices.ContainsFunc(l.rec.Flags, func(f Flag) bool { return f.Name == "--no-shutdown" }) {
		i.Shutdown = !l.given("--no-shutdown")
	}
	if refusal := l.several(); refusal != nil {
		return Intent{}, refusal
	}
	if refusal := l.commas(); refusal != nil {
		return Intent{}, refusal
	}
	forms := l.rec.places(l.args)
	vms := len(forms) - 1 // but for the POINT
	if i.Row = l.rec.Name == "run" && vms > 1; i.Row {
		if refusal := l.row(vms); refusal != nil {
			return Intent{}, refusal
		}
	} else if l.rec.Name == "run" && i.Confirm != "" {
		return Intent{}, failover.Refuse(failover.BadUsage, "Type it again without --confirm.", "Only of several VMs the number is asked for.")
	}
	for n, form := range forms {
		kind, optional := strings.CutPrefix(form, "[")
		if n >= len(l.args) {
			if optional {
				break
			}
			return Intent{}, l.missing(kind)
		}
		kind = strings.TrimSuffix(kind, "]")
		if refusal := l.argument(&i, kind, l.args[n], now); refusal != nil {
			return l.instead(kind, l.args[n]), refusal
		}
	}
	if len(l.args) > len(forms) {
		return Intent{}, l.tooMany(l.args[len(forms)])
	}
	return i, nil
}

// given reports whether a flag was typed.
func (l line) given(flag string) bool {
	_, ok := l.values[flag]
	return ok
}

// argument puts one argument into the intent.
func (l line) argument(i *Intent, kind, arg string, now time.Time) *failover.Refusal {
	op, isOp := opID(arg)
	switch {
	case kind == "POINT":
		point, ok := failover.ParsePoint(arg, now)
		if !ok {
			return l.noPoint(arg)
		}
		i.Point = point
	case kind == "TIME|over" && equalFold(arg, "over"):
		i.Over = true
	case kind == "TIME|over":
		point, ok := failover.ParsePoint(arg, now)
		if !ok || point.Kind != failover.AtTime {
			return l.noTime(arg)
		}
		i.Point = point
	case kind == "PATTERN":
		i.VM = arg
	case kind == "group":
		i.Group = true
	case kind == "plan":
		i.Plan = true
	case kind == "VERB":
		i.Topic = strings.ToLower(arg)
	case kind == "VM" && isOp:
		return notVM(op)
	case kind == "OP" && !isOp:
		return l.notOp(arg)
	case arg == "":
		return l.missing(kind)
	case i.ReadOnly && isOp:
		i.Ref = string(op)
	case i.ReadOnly && i.Ref != "": // in a row
		i.Ref += " " + arg
	case i.ReadOnly:
		i.Ref = arg
	case isOp:
		i.Op = op
	case i.VM != "": // in a row
		i.VM += " " + arg
	default:
		i.VM = arg
	}
	return nil
}

// opID reads an operation id; phones capitalise, so case does not matter.
func opID(text string) (failover.OpID, bool) {
	text = strings.ToLower(text)
	return failover.OpID(text), failover.IsOpID(text)
}
