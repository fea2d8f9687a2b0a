package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// source is where values come from that the file only names.
type source struct {
	env LookupEnv
	dir string // that file:PATH is relative to
}

// sourceError is a value that could not be fetched, as opposed to one that is wrong.
type sourceError struct{ text string }

// Error says what could not be fetched, and what to do.
func (e *sourceError) Error() string { return e.text }

// expand puts in what a value names: file:PATH stands for a file's content without the newlines at its end, ${NAME} for
// an environment variable, also inside a path, and $${ for ${ itself. What comes in is not expanded again.
func (s source) expand(raw string) (string, error) {
	path, fromFile := strings.CutPrefix(raw, "file:")
	text, err := s.expandVariables(path)
	if err != nil || !fromFile {
		return text, err
	}
	return s.read(text)
}

func (s source) expandVariables(raw string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(raw, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		if strings.HasSuffix(before, "$") {
			b.WriteString("{") // the $ before it is written already
			raw = after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !isVariable(name) {
			return "", fmt.Errorf("a ${ begins here that is no ${NAME}; write $${ for the characters themselves")
		}
		value, ok := s.env(name)
		if !ok {
			return "", &sourceError{"the environment variable " + name + " is not set; set it, or write the value here"}
		}
		b.WriteString(value)
		raw = rest
	}
}

// read takes only regular files: a device or a pipe might never end.
func (s source) read(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", &sourceError{fmt.Sprintf("cannot take the value from its file: %v", err)}
	}
	if !info.Mode().IsRegular() {
		return "", &sourceError{path + " is no regular file; name one that holds nothing but the value"}
	}
	file, err := os.Open(path)
	if err != nil {
		return "", &sourceError{fmt.Sprintf("cannot take the value from its file: %v", err)}
	}
	defer func() { _ = file.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return "", &sourceError{fmt.Sprintf("cannot take the value from its file: %v", err)}
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

func isVariable(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}
