package ferry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What people read is calm and says what is: no exclamation marks, no apologies, no politeness that hides what to do, no
// jargon of programs. Each text in the product is looked at, and each message and page that is kept for comparison.
func TestLanguage(t *testing.T) {
	unfit := regexp.MustCompile(`[\pL\d)]!(\s|$|")|(?i)\b(please|oops|sorry|unfortunately|successfully|whoops|invalid input|fatal error|null pointer|stack trace|abort(ed|ing)? the)\b`)
	looked := 0
	look := func(where, text string) {
		looked++
		if found := unfit.FindString(text); found != "" && !strings.Contains(text, "fatal_error") {
			t.Errorf("%s: %q in %q", where, found, text)
		}
	}
	for _, dir := range []string{"bot", "failover", "cmd/internal/terminal", "executor", "config"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || d.IsDir():
				return err
			case strings.Contains(path, "testdata") && strings.HasSuffix(path, ".txt"):
				text, err := os.ReadFile(path)
				for line := range strings.Lines(string(text)) {
					look(path, line)
				}
				return err
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Error(path, err)
					}
					look(path, text)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d texts", looked)
}
