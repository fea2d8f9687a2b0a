package vault

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault as people write it in a line: KIND [OPERATION] [KEY=VALUE]..., such as
//
//	throttle unplannedFailover vm=vm-x retry=90s times=2
//	job-fails failoverCommit code=150253 message="Protection could not be enabled."
//
// The keys are those of [Fault] in lower case: vm, size, times (a number, or always), for, retry and delay (durations), share
// (3% or 0.03), seed, status, portal, code, message, causes, action. A value with spaces stands in double quotes.
func ParseFault(line string) (Fault, error) {
	words, err := splitWords(line)
	if err != nil {
		return Fault{}, err
	}
	if len(words) == 0 {
		return Fault{}, fmt.Errorf("say KIND [OPERATION] [KEY=VALUE]...; the kinds are %s", kindList())
	}
	f := Fault{Kind: Kind(words[0])}
	for i, word := range words[1:] {
		key, value, pair := strings.Cut(word, "=")
		switch {
		case pair:
			err = f.set(key, value)
		case i == 0:
			f.Operation = word
		default:
			err = fmt.Errorf("%q is no KEY=VALUE", word)
		}
		if err != nil {
			return Fault{}, err
		}
	}
	return f, f.check()
}

func (f *Fault) set(key, value string) (err error) {
	texts := map[string]*string{
		"vm": &f.VM, "size": &f.Size, "portal": &f.Portal, "code": &f.Code, "message": &f.Message, "causes": &f.Causes, "action": &f.Action,
	}
	text := texts[key]
	switch {
	case text != nil:
		*text = value
	case key == "times" && value == "always":
		f.Times = Always
	case key == "times":
		f.Times, err = strconv.Atoi(value)
	case key == "status":
		f.Status, err = strconv.Atoi(value)
	case key == "retry":
		f.RetryAfter, err = time.ParseDuration(value)
	case key == "delay":
		f.Delay, err = time.ParseDuration(value)
	case key == "for":
		f.For, err = time.ParseDuration(value)
	case key == "share":
		f.Share, err = parseShare(value)
	case key == "seed":
		f.Seed, err = strconv.ParseUint(value, 10, 64)
	default:
		return fmt.Errorf("a fault has no %q", key)
	}
	if err != nil {
		return fmt.Errorf("%s=%s is not understood", key, value)
	}
	return nil
}

func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	return share, err
}

// check refuses a fault that would do nothing, or not what it says.
func (f Fault) check() error {
	switch {
	case !slices.Contains(kinds(), f.Kind):
		return fmt.Errorf("no fault is of kind %q; the kinds are %s", f.Kind, kindList())
	case !knownOperation(f.Operation):
		return fmt.Errorf("no request is called %q", f.Operation)
	case f.Kind == Late && f.Delay <= 0, f.Kind == Slow && f.Delay <= 0:
		return fmt.Errorf("%s needs a delay", f.Kind)
	case f.Kind == PortalFirst && f.Portal == "":
		return errors.New("portal-first needs an operation in portal")
	case f.Share < 0 || f.Share > 1 || f.For < 0:
		return errors.New("a share is from 0% to 100%, and a time is not negative")
	case f.Times < Always:
		return fmt.Errorf("%d times make no sense", f.Times)
	}
	return nil
}

// knownOperation finds a request's name or class.
func knownOperation(name string) bool {
	return name == "" || slices.ContainsFunc(allRoutes(), func(rt route) bool { return slices.Contains(rt.classes(), name) })
}

func kindList() string {
	all := kinds()
	names := make([]string, 0, len(all))
	for _, k := range all {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// splitWords splits at spaces outside of double quotes and takes the quotes away.
func splitWords(line string) ([]string, error) {
	quoted := false
	words := strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
	if quoted {
		return nil, errors.New("a double quote is open")
	}
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], `"`, "")
	}
	return words, nil
}
