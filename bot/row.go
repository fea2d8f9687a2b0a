package bot

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"ferry/failover"
)

// ofGroup is how a record says that a group of the configuration may stand in the place of a VM.
const ofGroup = "|group NAME"

// ofPlan is the same of a recovery plan.
const ofPlan = "|plan NAME"

// places are the forms of the arguments, given what was typed: of VMs in a row there are as many as stand there, and the word
// group in the place of a VM says that the name of one follows.
func (r Record) places(args []string) []string {
	forms := r.Args
	switch {
	case strings.Contains(forms, ofPlan) && len(args) > 0 && equalFold(args[0], "plan"):
		forms = "plan NAME"
	case strings.Contains(forms, ofGroup) && len(args) > 0 && equalFold(args[0], "group"):
		_, rest, _ := strings.Cut(strings.ReplaceAll(forms, ofPlan, ""), ofGroup)
		forms = "group NAME" + rest
	case strings.HasPrefix(forms, "VM..."):
		vms := len(args)
		if vms > 1 && isPoint(args[vms-1]) {
			vms--
		}
		forms = strings.Repeat("VM ", max(1, vms)) + strings.TrimPrefix(forms, "VM...")
	}
	return strings.Fields(strings.NewReplacer(ofGroup, "", ofPlan, "").Replace(forms))
}

// Place is what may stand behind some arguments, for a completion, as in "VM|OP"; empty is nothing.
func (r Record) Place(args []string) string {
	places := r.places(args)
	row := strings.HasPrefix(r.Args, "VM...") && places[0] == "VM" && len(args) > 0 && !isPoint(args[len(args)-1])
	switch {
	case row && strings.Contains(r.Args, "POINT"):
		return "VM|POINT"
	case row:
		return "VM"
	case len(args) >= len(places):
		return ""
	case len(args) > 0:
		return strings.Trim(places[len(args)], "[]")
	}
	all := []string{strings.Trim(places[0], "[]")}
	for _, instead := range []string{ofGroup, ofPlan} {
		if strings.Contains(r.Args, instead) {
			all = append(all, strings.Trim(strings.TrimSuffix(instead, " NAME"), "|"))
		}
	}
	return strings.Join(all, "|")
}

func isPoint(word string) bool {
	_, ok := failover.ParsePoint(word, time.Time{}) // any time will do: only the form matters
	return ok
}

// row refuses what does not surely mean VMs in a row: a word that may have been meant as a verb, as an operation, or as a
// recovery point.
func (l line) row(vms int) *failover.Refusal {
	for i, arg := range l.args[:vms] {
		op, isOp := opID(arg)
		_, isVerb := lookup(arg)
		switch near := i == 0 && l.implicit && nearVerbs(arg) != nil; {
		case isPoint(arg):
			words := append(slices.Delete(slices.Clone(l.args), i, i+1), arg)
			return failover.Refuse(failover.BadUsage, "The recovery point comes last: "+Command+" "+strings.Join(words, " ")+".", "%q is a recovery point. Nothing was started.", arg)
		case near:
			return failover.Refuse(failover.BadUsage, didYouMean(arg, l.args[1:])+" To fail over VMs that are called so, type "+Command+" run "+strings.Join(l.args, " ")+".",
				"%q is no verb. Nothing was started.", arg)
		case isOp:
			return notVM(op)
		case i > 0 && isVerb && l.implicit:
			return l.noPoint(arg)
		case i > 0 && pointLike.MatchString(arg):
			return l.noPoint(arg)
		case i > 0 && !strings.Contains(arg, "/") && nearPoint(arg) != "":
			return failover.Refuse(failover.BadUsage, "Did you mean the recovery point "+nearPoint(arg)+"? A VM of that name is typed with its vault, as in vault/"+arg+". "+PointForms,
				"%q is no recovery point. Nothing was started.", arg)
		case strings.ContainsFunc(arg, unicode.IsSpace):
			return failover.Refuse(failover.BadUsage, "Fail it over by itself.", "%q has a space in it, so it cannot stand in a row of VMs. Nothing was started.", arg)
		}
	}
	return nil
}

// commas refuses what people write between names; none has one.
func (l line) commas() *failover.Refusal {
	if !strings.HasPrefix(l.rec.Args, "VM") || !slices.ContainsFunc(l.args, func(arg string) bool { return strings.Contains(arg, ",") }) {
		return nil
	}
	words := strings.FieldsFunc(strings.Join(l.args, " "), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if !l.implicit {
		words = append([]string{l.rec.Name}, words...)
	}
	return failover.Refuse(failover.BadUsage, "Type it with blanks alone: "+Command+" "+strings.Join(words, " ")+".", "No VM has a comma in its name. Nothing was started.")
}

// pointLike is what people type for a time and no VM is called; with a slip of the finger it is no POINT either.
var pointLike = regexp.MustCompile(`(?i)^-|:|^\d{4}-\d\d-\d\d|^[\d.]+ ?(s|m|h|d|sec|min|mins|hours?|days?)?$|^(now|today|yesterday|newest|oldest|earliest)$`)

// nearPoint is the word for a recovery point that a word is near to, or "".
func nearPoint(word string) string {
	words := []string{string(failover.Latest), string(failover.LatestProcessed), string(failover.LatestApp)}
	for _, near := range failover.Near(word, words, func(s string) string { return s }, 1) {
		return near
	}
	return ""
}
