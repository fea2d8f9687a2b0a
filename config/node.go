package config

import (
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// keys are what a section may contain.
type keys struct {
	names []string // in the order of the struct, which is that of the documentation
	index map[string]int
}

func keysOf(t reflect.Type) keys {
	k := keys{index: map[string]int{}}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			k.names = append(k.names, name)
			k.index[name] = i
		}
	}
	return k
}

// resolve unwraps anchors and aliases. An anchor is known only after its own value, so there are no cycles; and since
// no type of the tree contains itself, a file of aliases to aliases cannot unfold without end.
func (d *decoder) resolve(node ast.Node, path string) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		d.anchors[keyText(n.Name)] = n.Value
		return d.resolve(n.Value, path)
	case *ast.AliasNode:
		target, ok := d.anchors[keyText(n.Value)]
		if !ok {
			d.problemf(path, "no anchor &%s stands before this", keyText(n.Value))
		}
		return target
	case *ast.TagNode:
		d.problemf(path, "tags such as %s are not read; leave it out", n.GetToken().Value)
		return nil
	}
	return node
}

// pairs returns the entries of a mapping, or reports that there is none.
func (d *decoder) pairs(node ast.Node, path string) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	d.problemf(path, "write keys and values here, as in name: value")
	return nil
}

// text returns what is written for a single value, with variables and files put in.
func (d *decoder) text(node ast.Node, path string) (string, bool) {
	var raw string
	switch n := node.(type) {
	case *ast.StringNode:
		raw = n.Value
	case *ast.LiteralNode:
		raw = n.Value.Value
	case ast.ScalarNode:
		raw = n.GetToken().Value
	default:
		d.problemf(path, "write a single value, not a list or a section")
		return "", false
	}
	text, err := d.source.expand(raw)
	if err != nil {
		p := d.placed(Problem{Path: path, Text: err.Error(), Cause: err})
		d.problems = append(d.problems, p)
		return "", false
	}
	return text, true
}

// keyText is a key or a name as the user wrote it, without quotes.
func keyText(node ast.Node) string {
	switch n := node.(type) {
	case nil:
		return ""
	case *ast.StringNode:
		return n.Value
	case *ast.MappingKeyNode:
		return keyText(n.Value)
	}
	if t := node.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

// start is where a node begins. The library's position of a mapping is that of its first colon.
func start(node ast.Node) place {
	switch n := node.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return placeOf(n.Start)
		}
		if len(n.Values) > 0 {
			return placeOf(n.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key.GetToken())
	case nil:
		return place{}
	}
	return placeOf(node.GetToken())
}
