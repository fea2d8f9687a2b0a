package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills a tree from a parsed file. The library's own decoder stops at the first problem and forgets where
// values stood; this one goes on, so that a person sees all problems of a file at once, each with its place.
type decoder struct {
	file     string
	source   source
	anchors  map[string]ast.Node
	places   map[string]place // by path, of everything that the file gives
	problems []Problem
}

// place is where a key or a list item begins, 1-based.
type place struct{ line, column int }

func newDecoder(file string, s source) *decoder {
	return &decoder{file: file, source: s, anchors: map[string]ast.Node{}, places: map[string]place{}}
}

// value decodes a node into an addressable value that already holds its default. A null leaves the default.
func (d *decoder) value(node ast.Node, path string, into reflect.Value) {
	node = d.resolve(node, path)
	if node == nil || node.Type() == ast.NullType {
		delete(d.places, path)
		return
	}
	if d.special(node, path, into) {
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		target := fresh(into.Type().Elem())
		d.value(node, path, target)
		into.Set(target.Addr())
	case reflect.Struct:
		d.section(node, path, into)
	case reflect.Map:
		d.table(node, path, into)
	case reflect.Slice:
		d.list(node, path, into)
	default:
		d.scalar(node, path, into)
	}
}

// special decodes the types whose kind does not say how they are written.
func (d *decoder) special(node ast.Node, path string, into reflect.Value) bool {
	switch into := into.Addr().Interface().(type) {
	case *Secret:
		text, _ := d.text(node, path)
		*into = NewSecret(text)
	case *Secrets:
		if node.Type() == ast.SequenceType {
			return false
		}
		if text, _ := d.text(node, path); text != "" {
			*into = Secrets{NewSecret(text)}
		}
	case *Wave:
		switch node.(type) {
		case *ast.SequenceNode:
			d.list(node, path, reflect.ValueOf(&into.VMs).Elem())
		case *ast.MappingNode, *ast.MappingValueNode:
			return false
		default:
			d.problemf(path, "write the list of its VMs, as in [sql-01, web-*], or {vms: [...], tags: [...]}")
		}
	case *time.Duration:
		d.duration(node, path, into)
	case *any:
		if err := yaml.NodeToValue(node, into); err != nil {
			d.problemf(path, "%s", syntaxProblem(err, d.file).Text)
		}
	default:
		return false
	}
	return true
}

// section decodes a mapping with known keys.
func (d *decoder) section(node ast.Node, path string, into reflect.Value) {
	known := keysOf(into.Type())
	for _, pair := range d.pairs(node, path) {
		key := keyText(pair.Key)
		here := join(path, key)
		d.places[here] = placeOf(pair.Key.GetToken())
		switch i, ok := known.index[key]; {
		case ok:
			d.value(pair.Value, here, into.Field(i))
		case pair.Key.IsMergeKey():
			d.problemf(here, "merge keys are not read; write the keys out")
		default:
			d.problemf(here, "unknown key; the nearest known key is %s", suggest(key, known.names))
		}
	}
}

// table decodes a mapping whose keys are names of the user's.
func (d *decoder) table(node ast.Node, path string, into reflect.Value) {
	into.Set(reflect.MakeMap(into.Type()))
	for _, pair := range d.pairs(node, path) {
		key := keyText(pair.Key)
		here := join(path, key)
		d.places[here] = placeOf(pair.Key.GetToken())
		item := fresh(into.Type().Elem())
		d.value(pair.Value, here, item)
		into.SetMapIndex(reflect.ValueOf(key), item)
	}
}

// list decodes a sequence.
func (d *decoder) list(node ast.Node, path string, into reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.problemf(path, "write a list, as in [a, b]")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		here := fmt.Sprintf("%s[%d]", path, i)
		d.places[here] = start(item)
		into.Index(i).Set(fresh(into.Type().Elem()))
		d.value(item, here, into.Index(i))
	}
}

// scalar decodes a string, a number or a switch. It goes by the text and not by what YAML makes of it, so that a name
// such as 007 or no stays what was written, and a number may come from the environment.
func (d *decoder) scalar(node ast.Node, path string, into reflect.Value) {
	text, ok := d.text(node, path)
	if !ok {
		return
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			d.problemf(path, "%q is no switch; write true or false", text)
		}
		into.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			d.problemf(path, "%q is no whole number; write one, as in 3", text)
		}
		into.SetInt(n)
	default:
		panic("config: no way to decode a " + into.Type().String())
	}
}

func (d *decoder) duration(node ast.Node, path string, into *time.Duration) {
	text, ok := d.text(node, path)
	if !ok {
		return
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		d.problemf(path, "%q is no duration; write one with its unit, as in 15m or 1h", text)
		return
	}
	*into = parsed
}

// problemf adds a problem at the place of a path.
func (d *decoder) problemf(path, format string, args ...any) {
	d.problems = append(d.problems, d.placed(Problem{Path: path, Text: fmt.Sprintf(format, args...)}))
}

// given reports whether the file has a value for a path.
func (d *decoder) given(path string) bool {
	_, ok := d.places[path]
	return ok
}

// placed fills in where a problem stands: at its path, or at the innermost section around it that is in the file.
func (d *decoder) placed(p Problem) Problem {
	p.File = d.file
	for path := p.Path; path != ""; path = parent(path) {
		if at, ok := d.places[path]; ok {
			p.Line, p.Column = at.line, at.column
			break
		}
	}
	return p
}

// parent cuts the last key or index off a path.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// join appends a key to a path; a key that would be misread in it is quoted.
func join(path, key string) string {
	switch {
	case key == "" || strings.ContainsAny(key, ".[]\" \n"):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}
