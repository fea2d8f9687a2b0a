package ferry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doors says where outside failover something is done that leads to a decision or to a call. Every wish is a command, every
// command is decided by failover.Decide, and what it decided is called from one place: whoever adds a door here says what it
// is, and makes sure that no other way leads around the decision.
func doors() map[string][]string {
	return map[string][]string{
		"makes a command": {
			"bot/intent.go: Command",          // what is typed: slash command, mention, terminal
			"bot/render/modal.go: Command",    // a form
			"bot/slack/click.go: interaction", // a button
			"executor/inventory.go: expire",   // the clock, for a request that nobody decides
		},
		"stores a command": {
			"bot/slack/ask.go: store",            // of every door in Slack
			"cmd/internal/app/adapt.go: Store",   // for it
			"cmd/internal/app/client.go: Submit", // of a terminal
			"cmd/internal/terminal/verb.go: ask", // by it
			"events/jetstream/queue.go: Submit",  // for both
		},
		"decides":     {"executor/decide.go: tryDecide"},
		"calls Azure": {"executor/act.go: call"},
		// Who decided, that a gate is open, and that a call may be made, failover alone says.
		"makes a decision": nil,
	}
}

func TestOneWayToADecision(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, p := range packages(t) {
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil || dir == "failover" || strings.HasPrefix(dir, "sandbox") || dir == filepath.Join("executor", "sitetest") {
			continue
		}
		for name, file := range parseDir(t, p.Dir) {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for what, in := range deeds(file) {
				for _, f := range in {
					found[what] = append(found[what], filepath.ToSlash(filepath.Join(dir, filepath.Base(name)))+": "+f)
				}
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(doors())) {
		got, want := slices.Compact(slices.Sorted(slices.Values(found[what]))), slices.Sorted(slices.Values(doors()[what]))
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestDoorCheckFails(t *testing.T) {
	t.Parallel()
	const source = `package x
func home() { b.ask(failover.Command{Verb: "approve"}); b.opts.Commands.Store(ctx, cmd); events.EncodeCommand(s, c); c.nats.Submit(ctx, s, c) }
func hurry() { e.append(failover.GateOpened{Gate: g}); e.append(failover.Decided{By: me}); failover.Decide(op, cmd, s); d.Site.Begin(ctx, call) }
func harmless() { return failover.Command{}, failover.Decided{}, tx.Begin(ctx), m.Store(1) }
`
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	got := deeds(file)
	for what, want := range map[string][]string{
		"makes a command": {"home"}, "stores a command": {"home", "home", "home"}, "makes a decision": {"hurry", "hurry"}, "decides": {"hurry"}, "calls Azure": {"hurry"},
	} {
		if !slices.Equal(got[what], want) {
			t.Errorf("%s: %q, want %q", what, got[what], want)
		}
	}
}

// deeds names the functions of a file that do what leads to a decision or to a call. An empty value does nothing.
func deeds(file *ast.File) map[string][]string {
	found := map[string][]string{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.CompositeLit:
				if len(n.Elts) > 0 {
					what = made(named(n.Type))
				}
			case *ast.CallExpr:
				what = called(named(n.Fun))
			}
			if what != "" {
				found[what] = append(found[what], f.Name.Name)
			}
			return true
		})
	}
	return found
}

func made(name string) string {
	switch name {
	case "failover.Command":
		return "makes a command"
	case "failover.Requested", "failover.Decided", "failover.GateOpened", "failover.DraftAccepted", "failover.CommitAsked", "failover.ChangeAsked", "failover.Reviewed", "failover.StepStarted":
		return "makes a decision"
	}
	return ""
}

func called(name string) string {
	switch {
	case name == "failover.Decide":
		return "decides"
	case strings.HasSuffix(name, "Site.Begin"):
		return "calls Azure"
	case strings.HasSuffix(name, "Commands.Store"), strings.HasSuffix(name, "nats.Submit"), strings.HasSuffix(name, "client.Submit"), name == "events.EncodeCommand":
		return "stores a command"
	}
	return ""
}

// named is a selector as it is written: "d.Site.Begin".
func named(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return named(e.X) + "." + e.Sel.Name
	}
	return ""
}
