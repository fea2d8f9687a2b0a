package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// InvalidError is a configuration that cannot be used. It holds every problem that was found, in the order of the file.
type InvalidError struct {
	Problems []Problem
}

// Error puts each problem on its own line.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As the causes.
func (e *InvalidError) Unwrap() []error {
	var causes []error
	for _, p := range e.Problems {
		if p.Cause != nil {
			causes = append(causes, p.Cause)
		}
	}
	return causes
}

// Problem is one thing that is wrong, with what to write instead. It never quotes the value of a secret.
type Problem struct {
	File   string // "" when the configuration did not come from a file
	Line   int    // 1-based; 0 when not known
	Column int    // 1-based, in characters
	Path   string // the key, as in access.rules[0].verbs[2]
	Text   string
	Cause  error // why a value could not be fetched; usually nil
}

// String is "file:line:column: path: text", without the parts that are not known.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
		if p.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
		}
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// invalid returns nil when there is no problem.
func invalid(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &InvalidError{Problems: problems}
}
