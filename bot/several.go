package bot

import (
	"slices"
	"strings"

	"ferry/failover"
)

// several refuses a group, a recovery plan or VMs in a row behind a verb that is about one thing, and says what to type instead;
// nil when the words mean something else.
func (l line) several() *failover.Refusal {
	verb, args := l.rec.Name, l.args
	if strings.HasPrefix(l.rec.Args, "VM...") || verb == "group" || verb == "plan" || verb == "help" || len(args) < 2 {
		return nil
	}
	_, ofOp := opID(args[0])
	switch takes := strings.Trim(l.rec.Args, "["); {
	case strings.HasPrefix(takes, "OP "):
		if len(args) > 2 && ofOp && !isPlace(args[1]) {
			return l.oneByOne(args[1:], []string{args[0]}, nil)
		}
		return nil
	case isPlace(args[0]) && !isPoint(args[1]) && !strings.HasPrefix(takes, "OP") && !l.takesPlace(args[0]):
		what := map[bool]string{true: "group", false: "recovery plan"}[equalFold(args[0], "group")]
		return failover.Refuse(failover.BadUsage, l.forPlace(args[1]), "%s takes no %s. Nothing was started.", verb, what)
	case !strings.HasPrefix(takes, "VM") || isPlace(args[0]):
		return nil
	}
	names, rest := args, []string(nil)
	if last := args[len(args)-1]; isPoint(last) {
		names, rest = args[:len(args)-1], args[len(args)-1:]
	}
	switch meant := func(arg string) bool {
		_, isVerb := lookup(arg)
		return !isVerb && !isPoint(arg) && !pointLike.MatchString(arg) && nearPoint(arg) == ""
	}; {
	case len(names) < 2, verb == "change" && len(args) == 2, slices.ContainsFunc(names, needsQuotes), slices.ContainsFunc(names[1:], func(arg string) bool { return !meant(arg) }):
		return nil
	case ofOp:
		return failover.Refuse(failover.BadUsage, l.forOp(args[0], names[1]), "%s takes an operation as a whole, or one VM. Nothing was started.", verb)
	}
	return l.oneByOne(names, nil, rest)
}

// isPlace: the word says that the name of a group or of a recovery plan follows.
func isPlace(word string) bool { return equalFold(word, "group") || equalFold(word, "plan") }

// takesPlace reports whether the verb takes such a name in the place of a VM.
func (l line) takesPlace(word string) bool {
	return strings.Contains(l.rec.Args, "|"+strings.ToLower(word)+" NAME")
}

// oneByOne says the line for each of several names; before and behind it stands what all have in common.
func (l line) oneByOne(names, before, behind []string) *failover.Refusal {
	var lines []string
	for _, name := range names[:min(len(names), 3)] {
		words := slices.Concat([]string{Command, l.rec.Name}, before, []string{name}, behind)
		if l.rec.Name == "change" && behind == nil {
			words = append(words, "POINT")
		}
		lines = append(lines, strings.Join(words, " "))
	}
	hint := "Type " + strings.Join(lines, ", then ")
	if len(names) > len(lines) {
		hint += ", and so on"
	}
	hint += "."
	switch l.rec.Name {
	case "commit":
		hint += " For all VMs of an operation type " + Command + " commit OP."
	case "reprotect", "failback":
		hint += " For all VMs of an operation type " + Command + " " + l.rec.Name + " OP, for those of a group " + Command + " " + l.rec.Name + " group NAME."
	case "change":
		hint += endFirst
	case "retry":
		hint += " For all that failed type " + Command + " retry " + strings.Join(before, " ") + "."
	}
	if len(names) == 2 && behind == nil && strings.HasSuffix(l.rec.Args, "[POINT]") {
		return failover.Refuse(failover.BadUsage, hint, "%q is no recovery point, and %s takes one VM at a time. Nothing was started.", names[1], l.rec.Name)
	}
	return failover.Refuse(failover.BadUsage, hint, "%s takes one VM at a time. Nothing was started.", l.rec.Name)
}

// endFirst is of a VM that an operation on several holds.
const endFirst = " An open operation on several VMs is ended first, with " + Command + " cancel OP, which leaves them as they are."

// forPlace is what to type for a group or a recovery plan.
func (l line) forPlace(name string) string {
	line := Command + " " + l.rec.Name
	switch l.rec.Name {
	case "status":
		return "Type " + line + " " + name + "."
	case "test":
		return "A drill is of one VM: type " + line + " VM, for each of its VMs that you want to drill."
	case "cleanup":
		return "Type " + line + " VM, for each VM that was drilled; " + Command + " debt lists them."
	case "change":
		return "A recovery point is changed of one VM: type " + line + " VM POINT." + endFirst
	case "commit":
		return "Type " + line + " OP, which commits all its VMs that are up; " + Command + " status " + name + " shows the operation."
	case "reprotect", "failback":
		return "Type " + line + " OP with the operation that failed its VMs over; it takes all of them."
	case "freeze", "unfreeze":
		return "A freeze goes by the names of VMs: type " + line + " PATTERN, such as web-*, or " + line + " alone for every VM."
	}
	return "Type " + l.rec.Usage + ", with one of its VMs."
}

// forOp is what to type where one VM of an operation is named.
func (l line) forOp(op, vm string) string {
	line := Command + " " + l.rec.Name + " "
	switch l.rec.Name {
	case "commit":
		return "Type " + line + op + ", which commits all its VMs that are up. To leave one out first, type " + Command + " skip " + op + " " + vm + "."
	case "change":
		return "Type " + line + vm + " POINT." + endFirst
	}
	return "Type " + line + op + " for all its VMs, or " + line + vm + "."
}
