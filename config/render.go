package config

import (
	"encoding/json"
	"strings"
)

// node is a part of a file that is being written. The library's own encoder is not used: it writes names with line
// breaks in a way that its decoder does not read.
type node interface{ render(indent string) string }

type (
	section []entry
	list    []node
	scalar  string // as it stands in the file, quoted where it has to be
)

type entry struct {
	key   string
	value node
}

func (s section) render(indent string) string {
	if len(s) == 0 {
		return "{}\n"
	}
	var b strings.Builder
	for _, e := range s {
		b.WriteString(indent + string(quote(e.key)) + ":" + after(e.value, indent))
	}
	return b.String()
}

func (l list) render(indent string) string {
	if len(l) == 0 {
		return "[]\n"
	}
	var b strings.Builder
	for _, item := range l {
		text := item.render(indent + "  ")
		b.WriteString(indent + "- " + strings.TrimLeft(text, " "))
	}
	return b.String()
}

func (s scalar) render(string) string { return string(s) + "\n" }

// after renders a value behind its key: on the same line when it has only one.
func after(value node, indent string) string {
	text := value.render(indent + "  ")
	if strings.HasPrefix(text, " ") {
		return "\n" + text
	}
	return " " + text
}

// quote leaves words alone that YAML reads as nothing else than a text, or as a number or a switch, which comes to the
// same: the decoder goes by what is written.
func quote(text string) scalar {
	if isPlain(text) && !strings.EqualFold(text, "null") {
		return scalar(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("config: a text that JSON cannot hold") // there is none
	}
	return scalar(quoted)
}

func isPlain(text string) bool {
	const first = "/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return text != "" && strings.Contains(first, text[:1]) && strings.Trim(text, first+"_.-") == ""
}
