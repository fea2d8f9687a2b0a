// Package ferry_test holds the repository to its own rules: who may import whom, what every package has to say about
// itself, what no file may contain. It reads sources and never runs them. Each check is a function of what it was
// given, so that a planted violation shows that it can fail.
package ferry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrows says which of our packages each of our packages may import: what is not here is forbidden, and so is a package
// without a row. "x/..." stands for everything below x.
func arrows() map[string][]string {
	return map[string][]string{
		"failover":              {},
		"events":                {"failover"},
		"events/jetstream":      {"events", "failover"},
		"executor":              {"failover"},
		"executor/azure":        {"failover"},
		"executor/sitetest":     {"executor", "failover"},
		"bot":                   {"failover"},
		"bot/render":            {"bot", "failover"},
		"bot/slack":             {"bot", "bot/render", "failover"},
		"config":                {},
		"sandbox/...":           {"sandbox/pipe"},
		"cmd/ferry":             {"cmd/internal/terminal"},
		"cmd/internal/app":      {"bot", "bot/render", "bot/slack", "config", "events", "events/jetstream", "executor", "executor/azure", "failover"},
		"cmd/internal/terminal": {"bot", "bot/render", "cmd/internal/app", "config", "events", "failover", "sandbox/..."},
		"cmd/internal/world":    {"cmd/internal/app", "config", "events", "events/jetstream", "failover", "sandbox/..."},
		"cmd/internal/chaos":    {"config", "events", "events/jetstream", "failover", "sandbox/..."},
	}
}

// forTests is what test files may import besides, except those of the sandbox: a stand-in that is tested with our own
// types shares our misunderstandings.
func forTests() []string { return []string{"executor/sitetest", "sandbox/..."} }

// pure are the packages without I/O, clock or chance; what those need comes in as an argument.
func pure() []string { return []string{"failover", "events", "bot", "bot/render"} }

// impure are the imports that would bring these in, with everything below them. Addresses are values: net/url is fine.
func impure() []string {
	return []string{"net", "os", "log", "math/rand", "crypto/rand", "sync", "syscall", "io/fs", "io/ioutil", "path/filepath", "embed"}
}

// testOnly are the packages that exist for tests, and so may import testing.
func testOnly() []string { return []string{"executor/sitetest", "cmd/internal/world"} }

const module = "ferry"

// listed is what the go command says about a package.
type listed struct {
	ImportPath                         string
	Dir                                string
	Imports, TestImports, XTestImports []string
}

func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// offences returns what is wrong with the imports of some packages. The root holds nothing but these tests.
func offences(packages []listed) []string {
	var found []string
	for _, p := range packages {
		if p.ImportPath == module {
			continue
		}
		row, ok := rowOf(p.name())
		if !ok {
			found = append(found, p.name()+": no row in arrows")
			continue
		}
		found = append(found, arrowOffences(p, row)...)
		found = append(found, purityOffences(p)...)
	}
	return found
}

func rowOf(name string) ([]string, bool) {
	for pattern, row := range arrows() {
		if covers([]string{pattern}, name) {
			return row, true
		}
	}
	return nil, false
}

func arrowOffences(p listed, row []string) []string {
	inTests := append(slices.Clone(row), p.name())
	if !strings.HasPrefix(p.name(), "sandbox/") {
		inTests = append(inTests, forTests()...)
	}
	found := forbidden(p, "imports", p.Imports, row)
	return append(found, forbidden(p, "tests import", slices.Concat(p.TestImports, p.XTestImports), inTests)...)
}

func forbidden(p listed, verb string, imports, allowed []string) []string {
	var found []string
	for _, path := range imports {
		ours, ok := strings.CutPrefix(path, module+"/")
		if ok && !covers(allowed, ours) {
			found = append(found, fmt.Sprintf("%s: %s %s", p.name(), verb, ours))
		}
	}
	return found
}

func purityOffences(p listed) []string {
	var found []string
	for _, path := range p.Imports {
		testing := below(path, "testing") || strings.Contains(path, "/testify")
		switch {
		case testing && !slices.Contains(testOnly(), p.name()):
			found = append(found, p.name()+": production imports "+path)
		case path != "net/url" && slices.Contains(pure(), p.name()) && slices.ContainsFunc(impure(), func(root string) bool { return below(path, root) }):
			found = append(found, p.name()+": is pure and imports "+path)
		}
	}
	return found
}

// covers reports whether one of the patterns is a name or "x/..." above it.
func covers(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		root, tree := strings.CutSuffix(pattern, "/...")
		return pattern == name || tree && below(name, root)
	})
}

func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func TestImports(t *testing.T) {
	t.Parallel()
	for _, offence := range offences(packages(t)) {
		t.Error(offence)
	}
}

func TestImportsCheckFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		give listed
		want string // "" when it is allowed
	}{
		"allowed":             {listed{ImportPath: "ferry/bot", Imports: []string{"strings", "time", "net/url", "ferry/failover"}}, ""},
		"allowed in tests":    {listed{ImportPath: "ferry/bot", XTestImports: []string{"os", "ferry/bot", "ferry/sandbox/vault"}}, ""},
		"suite in tests":      {listed{ImportPath: "ferry/executor/azure", TestImports: []string{"ferry/executor/sitetest"}}, ""},
		"sandbox tree":        {listed{ImportPath: "ferry/cmd/internal/world", Imports: []string{"testing", "ferry/sandbox/workspace"}}, ""},
		"no row":              {listed{ImportPath: "ferry/util"}, "util: no row in arrows"},
		"below a row":         {listed{ImportPath: "ferry/bot/cards"}, "bot/cards: no row in arrows"},
		"sideways":            {listed{ImportPath: "ferry/bot", Imports: []string{"ferry/executor"}}, "bot: imports executor"},
		"backwards":           {listed{ImportPath: "ferry/failover", Imports: []string{"ferry/events"}}, "failover: imports events"},
		"config from below":   {listed{ImportPath: "ferry/executor", Imports: []string{"ferry/config"}}, "executor: imports config"},
		"sandbox shares":      {listed{ImportPath: "ferry/sandbox/vault", Imports: []string{"ferry/failover"}}, "sandbox/vault: imports failover"},
		"sandbox test shares": {listed{ImportPath: "ferry/sandbox/vault", TestImports: []string{"ferry/executor/azure"}}, "sandbox/vault: tests import executor/azure"},
		"sandbox in product":  {listed{ImportPath: "ferry/executor", Imports: []string{"ferry/sandbox/vault"}}, "executor: imports sandbox/vault"},
		"test reaches far":    {listed{ImportPath: "ferry/bot", TestImports: []string{"ferry/executor"}}, "bot: tests import executor"},
		"I/O":                 {listed{ImportPath: "ferry/bot/render", Imports: []string{"net/http"}}, "bot/render: is pure and imports net/http"},
		"log":                 {listed{ImportPath: "ferry/failover", Imports: []string{"log/slog"}}, "failover: is pure and imports log/slog"},
		"chance":              {listed{ImportPath: "ferry/events", Imports: []string{"math/rand/v2"}}, "events: is pure and imports math/rand/v2"},
		"testing":             {listed{ImportPath: "ferry/executor", Imports: []string{"testing"}}, "executor: production imports testing"},
		"testify":             {listed{ImportPath: "ferry/config", Imports: []string{"github.com/stretchr/testify/require"}}, "config: production imports github.com/stretchr/testify/require"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(offences([]listed{test.give}), "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		comment := ""
		for _, file := range parseDir(t, p.Dir) {
			comment += file.Doc.Text()
		}
		if n := sentences(comment); n < 2 {
			t.Errorf("%s: its package comment has %d sentences, want at least what it owns and what it refuses to know", p.ImportPath, n)
		}
	}
}

func TestSourcesKeepTheRules(t *testing.T) {
	t.Parallel()
	waivers := 0
	for _, p := range packages(t) {
		for name, file := range parseDir(t, p.Dir) {
			for _, offence := range sourceOffences(name, file) {
				t.Errorf("%s: %s", name, offence)
			}
			waivers += count(file, "nolint")
		}
	}
	if waivers > 10 {
		t.Errorf("%d waivers of the linter, want at most 10: mend the code, or the rule", waivers)
	}
}

func TestSourceChecksFail(t *testing.T) {
	t.Parallel()
	const source = "// One. Two.\npackage x\nimport \"time\"\nfunc init() { time.Sleep(1) } //" + "nolint:all // why\ntype t struct{}\nfunc (t) init() {}\n"
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if got := sourceOffences("x_test.go", file); !slices.Equal(got, []string{"has an init function", "sleeps"}) {
		t.Errorf("a test file: %q", got)
	}
	if got := sourceOffences("x.go", file); !slices.Equal(got, []string{"has an init function"}) {
		t.Errorf("another file: %q", got)
	}
	if got := count(file, "nolint"); got != 1 {
		t.Errorf("%d waivers, want 1", got)
	}
	if got := sentences(file.Doc.Text()); got != 2 {
		t.Errorf("%d sentences, want 2", got)
	}
}

func sourceOffences(name string, file *ast.File) []string {
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				found = append(found, "has an init function")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && x.Name == "time" && n.Sel.Name == "Sleep" && strings.HasSuffix(name, "_test.go") {
				found = append(found, "sleeps")
			}
		}
		return true
	})
	return found
}

// The executor takes the time from its clock: a host's wrong one must neither date a fact nor end anything.
func TestExecutorHasOneClock(t *testing.T) {
	t.Parallel()
	for name, file := range parseDir(t, "executor") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, in := range hostTime(file) {
			if in != "Now" && in != "act" { // the clock of who has no other, and what passes between intent and call
				t.Errorf("%s: %s asks this host for the time; use Executor.now", name, in)
			}
		}
	}
}

func TestClockCheckFails(t *testing.T) {
	t.Parallel()
	const source = "package x\nimport \"time\"\nfunc date() { f(time.Now()) }\nfunc pass() { <-time.After(1) }\nfunc left() { f(time.Until(t)) }\n"
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got := hostTime(file); !slices.Equal(got, []string{"date", "left"}) {
		t.Errorf("found in %q", got)
	}
}

// hostTime names the functions that ask the host for the time.
func hostTime(file *ast.File) []string {
	var in []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && (s.Sel.Name == "Now" || s.Sel.Name == "Until") {
				in = append(in, f.Name.Name)
			}
			return true
		})
	}
	return in
}

// count returns how many comments are a directive.
func count(file *ast.File, directive string) int {
	n := 0
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if strings.HasPrefix(comment.Text, "//"+directive) {
				n++
			}
		}
	}
	return n
}

func sentences(text string) int {
	return len(regexp.MustCompile(`[.!?](\s|$)`).FindAllString(text, -1))
}

func TestNothingNamesAMachine(t *testing.T) {
	t.Parallel()
	for _, name := range sources(t) {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) { // deleted and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range machineLines(data) {
			t.Errorf("%s:%s", name, line)
		}
	}
}

func TestMachineCheckFails(t *testing.T) {
	t.Parallel()
	data := []byte("fine\nsee /ro" + "ot/go and https://proxy" + ".golang.org\nnetwork/rooted\n")
	if got := machineLines(data); len(got) != 1 || !strings.HasPrefix(got[0], "2: ") {
		t.Errorf("got %q", got)
	}
}

// machineLines returns the lines of a text that only make sense on one machine or behind one registry, with numbers.
func machineLines(data []byte) []string {
	// Written with classes of one character, so that this file passes its own check.
	foreign := regexp.MustCompile(`(^|[^\w.])/(roo[t]|wor[k])/|[p]roxy\.golang\.org|[s]um\.golang\.org|[r]egistry\.npmjs|[d]eb\.debian\.org|[p]ypi\.org`)
	if bytes.IndexByte(data, 0) >= 0 {
		return nil // a picture, or another binary
	}
	var found []string
	for i, line := range strings.Split(string(data), "\n") {
		if foreign.MatchString(line) {
			found = append(found, fmt.Sprintf("%d: %s", i+1, line))
		}
	}
	return found
}

// requirement is a line of go.mod.
type requirement struct {
	Path, Version string
	Indirect      bool
}

func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	var mod struct{ Require []requirement }
	if err := json.Unmarshal(output(t, "go", "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join("docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, offence := range dependencyOffences(mod.Require, string(doc)) {
		t.Error(offence)
	}
}

func TestDependencyCheckFails(t *testing.T) {
	t.Parallel()
	required := []requirement{{"a.org/x", "v1.0.0", false}, {"a.org/y", "v2.0.0", false}, {"a.org/z", "v3.0.0", true}}
	doc := "| module | version | licence | for | why |\n|---|---|---|---|---|\n| `a.org/x` | v1.1.0 | MIT | x | y |\n| `a.org/w` | v1.0.0 | MIT | x | y |\n"
	want := []string{"a.org/x: the table says v1.1.0, go.mod v1.0.0", "a.org/y: no row in docs/dependencies.md", "a.org/w: a row, but no requirement in go.mod"}
	if got := dependencyOffences(required, doc); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// dependencyOffences compares go.mod with the table. A row may also explain what go.mod calls indirect.
func dependencyOffences(required []requirement, doc string) []string {
	rows, order := map[string]string{}, []string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v[^ |]+) \\|").FindAllStringSubmatch(doc, -1) {
		rows[m[1]], order = m[2], append(order, m[1])
	}
	var found []string
	for _, r := range required {
		version, ok := rows[r.Path]
		delete(rows, r.Path)
		switch {
		case ok && version != r.Version:
			found = append(found, fmt.Sprintf("%s: the table says %s, go.mod %s", r.Path, version, r.Version))
		case !ok && !r.Indirect:
			found = append(found, r.Path+": no row in docs/dependencies.md")
		}
	}
	for _, path := range order {
		if _, left := rows[path]; left {
			found = append(found, path+": a row, but no requirement in go.mod")
		}
	}
	return found
}

// packages lists our packages, also those that do not compile at the moment.
func packages(t *testing.T) []listed {
	t.Helper()
	var all []listed
	decoder := json.NewDecoder(bytes.NewReader(output(t, "go", "list", "-e", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "./...")))
	for decoder.More() {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("the go command lists no package")
	}
	return all
}

// parseDir returns the Go files of a folder by path, whatever their build tags.
func parseDir(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
	}
	return files
}

// sources lists the files that are in the repository or about to be.
func sources(t *testing.T) []string {
	t.Helper()
	list := output(t, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
}

func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out
}
