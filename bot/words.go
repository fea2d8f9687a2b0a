package bot

import (
	"strings"
	"unicode"
)

// word is one word as it was typed. A quoted word is never a flag.
type word struct {
	text   string
	quoted bool
}

// opPrefix starts every operation id.
const opPrefix = "op-"

// split cuts a text into words: quotes keep words together, and what phones make of dashes and quotes is undone.
// An opening quote that is never closed is an ordinary character, since people write apostrophes.
func split(text string) []word {
	var words []word
	rest := []rune(trimSpace(clean(text)))
	for len(rest) > 0 {
		if unicode.IsSpace(rest[0]) {
			rest = rest[1:]
			continue
		}
		var w word
		w, rest = next(rest)
		words = append(words, w)
	}
	return words
}

// next takes the first word off. A quote counts at the start of a word and after "=", and ends before a space.
func next(rest []rune) (word, []rune) {
	if body, after, ok := quoted(rest); ok {
		return word{body, true}, after
	}
	for i, r := range rest {
		if unicode.IsSpace(r) {
			return word{text: dashes(string(rest[:i]))}, rest[i:]
		}
		if r != '=' || i+1 == len(rest) {
			continue
		}
		if body, after, ok := quoted(rest[i+1:]); ok {
			return word{text: dashes(string(rest[:i+1])) + body}, after
		}
	}
	return word{text: dashes(string(rest))}, nil
}

// quoted reads a quotation at the start of the text.
func quoted(rest []rune) (body string, after []rune, ok bool) {
	open := plainQuote(rest[0])
	if open == 0 {
		return "", nil, false
	}
	for i := 1; i < len(rest); i++ {
		if plainQuote(rest[i]) == open && (i+1 == len(rest) || unicode.IsSpace(rest[i+1])) {
			return string(rest[1:i]), rest[i+1:], true
		}
	}
	return "", nil, false
}

// plainQuote is the ASCII quote that a character stands for, or 0.
func plainQuote(r rune) rune {
	switch r {
	case '"', '“', '”', '„', '‟', '«', '»', '″':
		return '"'
	case '\'', '‘', '’', '‚', '‛', '‹', '›', '′':
		return '\''
	}
	return 0
}

// isDash reports whether a character is a dash of any kind.
func isDash(r rune) bool { return strings.ContainsRune("-‐‑‒–—―−﹘﹣-", r) }

// isLongDash reports whether a character is what a phone makes of two hyphens.
func isLongDash(r rune) bool { return strings.ContainsRune("‒–—―﹘", r) }

// dashes undoes typographic dashes and quotes in a word. One long dash before a letter was typed as two hyphens.
func dashes(text string) string {
	body := strings.TrimLeftFunc(text, isDash)
	lead := text[:len(text)-len(body)]
	body = strings.Map(plainChar, body)
	if body == "" { // a dash between words, as in a reason
		return text
	}
	first := []rune(body)[0]
	double := len([]rune(lead)) > 1 || strings.ContainsFunc(lead, isLongDash)
	switch {
	case lead == "":
		return body
	case double && (unicode.IsLetter(first) || strings.Trim(lead, "-") == ""):
		return "--" + body
	}
	return "-" + body
}

func plainChar(r rune) rune {
	if isDash(r) {
		return '-'
	}
	if q := plainQuote(r); q != 0 {
		return q
	}
	return r
}

// OneLine makes one line of an outside text: what moves a cursor, turns the direction or hides itself goes.
func OneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(clean(text)), " ")
}

// clean drops what cannot be seen: control and format characters would make two names look the same.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsSpace(r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// unescape gives back what was typed before Slack escaped it and made links of names with dots, addresses, people and
// channels, such as <http://a.b|a.b> and <@U1|ben>: the label is what was typed, or the address where there is none.
func unescape(text string) string {
	var out strings.Builder
	for {
		before, rest, opened := strings.Cut(text, "<")
		inner, after, closed := strings.Cut(rest, ">")
		if !opened || !closed {
			out.WriteString(text)
			break
		}
		address, label, _ := strings.Cut(inner, "|")
		if label == "" {
			label = strings.TrimPrefix(address, "!")
		}
		out.WriteString(before + label)
		text = after
	}
	// In one pass: "&amp;lt;" was typed as "&lt;".
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(out.String())
}

func trimSpace(text string) string { return strings.TrimFunc(text, unicode.IsSpace) }

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
