package failover

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unready collects why some of many VMs are not ready. What is true of several of them is said once.
type unready struct {
	said    []string // about no VM in particular
	reasons []reason
}

// reason is why VMs are not ready: a sentence with a hole for the name.
type reason struct {
	text, hint string
	names      []string
}

func (u *unready) add(name string, no *Refusal) {
	text := strings.TrimSpace(holed(no.Message, name))
	i := slices.IndexFunc(u.reasons, func(r reason) bool { return r.text == text })
	if i < 0 {
		i = len(u.reasons)
		u.reasons = append(u.reasons, reason{text: text, hint: holed(no.Hint, name)})
	}
	u.reasons[i].names = append(u.reasons[i].names, name)
}

// words are the first sentences, those about most VMs first, and how many VMs there are beside; empty when all are ready.
func (u *unready) words() string {
	const most = 5
	said := slices.Clone(u.said)
	reasons := slices.Clone(u.reasons)
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(len(b.names), len(a.names)) })
	for _, r := range reasons {
		said = append(said, r.words())
	}
	text, more := strings.Join(said[:min(len(said), most)], " "), max(0, len(u.said)-most)
	for _, r := range reasons[min(len(reasons), max(0, most-len(u.said))):] {
		more += len(r.names)
	}
	if more > 0 {
		text += fmt.Sprintf(" And %d more.", more)
	}
	return text
}

// hint is what to do about all of them, where it is one thing and names none of them; else what otherwise helps.
func (u *unready) hint(otherwise string) string {
	if len(u.said) == 0 && len(u.reasons) == 1 && u.reasons[0].hint != "" && !strings.Contains(u.reasons[0].hint, hole) {
		return u.reasons[0].hint
	}
	return otherwise
}

// words are the reason as a sentence.
func (r reason) words() string {
	names := r.names[0]
	if n := len(r.names); n > 1 {
		const most = 3
		named := strings.Join(r.names[:min(n, most)], ", ")
		if n > most {
			named += fmt.Sprintf(" and %d more", n-most)
		}
		names = fmt.Sprintf("each of %s (%s)", count(n), named)
		if !strings.Contains(r.text, hole) {
			return strings.TrimSuffix(r.text, ".") + ": " + strings.TrimPrefix(names, "each of ") + "."
		}
		if strings.HasPrefix(r.text, hole) {
			names = "E" + names[1:]
		}
	}
	return strings.ReplaceAll(r.text, hole, names)
}

// hole stands for the name of a VM in a sentence; no text from outside has it.
const hole = "\x00"

// holed has a hole wherever the name stands in a text as a word.
func holed(text, name string) string {
	if name == "" {
		return text
	}
	var out strings.Builder
	last := ' '
	for text != "" {
		if after, found := strings.CutPrefix(text, name); found && !inName(last) {
			if next, size := utf8.DecodeRuneInString(after); !inName(next) || next == '.' && !startsName(after[size:]) {
				out.WriteString(hole)
				text, last = after, ' '
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(text)
		out.WriteString(text[:size])
		text, last = text[size:], r
	}
	return out.String()
}

func inName(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)
}

func startsName(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && inName(r)
}
