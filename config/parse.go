package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parse returns the root of a file's only document; nil for an empty one.
func parse(data []byte, name string) (ast.Node, error) {
	if len(data) > maxFile {
		return nil, invalid([]Problem{{File: name, Text: "larger than 1 MB; this is no configuration of Ferry"}})
	}
	file, err := parser.Parse(joinPlain(lexer.Tokenize(string(data))), 0)
	if err != nil {
		return nil, invalid([]Problem{syntaxProblem(err, name)})
	}
	switch len(file.Docs) {
	case 0:
		return nil, nil
	case 1:
		return file.Docs[0].Body, nil
	}
	return nil, invalid([]Problem{{File: name, Text: "more than one document; leave out the --- between them"}})
}

// syntaxProblem keeps the library's message and drops the lines of the file that it quotes: they may hold a secret.
func syntaxProblem(err error, file string) Problem {
	p := Problem{File: file, Text: "not valid YAML"}
	if at, ok := errors.AsType[yaml.Error](err); ok {
		p.Text = "not valid YAML: " + at.GetMessage()
		if t := at.GetToken(); t != nil {
			where := placeOf(t)
			p.Line, p.Column = where.line, where.column
		}
	}
	return p
}

// joinPlain puts together what the library's scanner takes apart: inside braces it ends a word at any colon, so that
// {users: [cli:local]} would hold a mapping. In YAML a colon separates only before a space, a quote or a bracket.
func joinPlain(tokens token.Tokens) token.Tokens {
	var joined token.Tokens
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if i+2 < len(tokens) && adjacent(t, tokens[i+1], tokens[i+2]) {
			colon, rest := tokens[i+1], tokens[i+2]
			t = token.New(t.Value+":"+rest.Value, t.Origin+colon.Origin+rest.Origin, t.Position)
			i += 2
		}
		joined.Add(t)
	}
	return joined
}

// adjacent reports whether three tokens are a plain word, a colon and a plain word with no space between them.
func adjacent(word, colon, rest *token.Token) bool {
	plain := func(t *token.Token) bool {
		return t.CharacterType == token.CharacterTypeMiscellaneous && t.Indicator == token.NotIndicator
	}
	return colon.Type == token.MappingValueType && plain(word) && plain(rest) &&
		word.Origin == strings.TrimRight(word.Origin, " \t\r\n") && rest.Origin == strings.TrimLeft(rest.Origin, " \t\r\n") &&
		colon.Origin == ":"
}
