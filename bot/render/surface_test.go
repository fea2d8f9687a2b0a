package render_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

// drawn is what a surface shows: as Slack gets it, and for a reader.
type drawn struct {
	wire any
	text string
}

func drawMessages(all ...render.Message) drawn {
	d := drawn{wire: []any{}}
	for _, m := range all {
		d.wire = append(d.wire.([]any), map[string]any{"text": m.Text, "blocks": m.Blocks})
		d.text += readable(m) + "=== fallback text ===\n" + m.Text + "\n\n"
	}
	if len(all) == 0 {
		d.text = "Nothing is sent.\n"
	}
	return d
}

func drawView(v slack.ModalViewRequest) drawn { return drawn{v, readableView(v)} }

// surfaces are where an operation shows, beside its card, and how it is drawn there.
func surfaces() map[string]func(op failover.Operation, now time.Time) drawn {
	status := func(op failover.Operation, now time.Time) string {
		return render.Status(failover.Found{Operations: []failover.Operation{op}}, string(op.ID), now, 0)
	}
	return map[string]func(failover.Operation, time.Time) drawn{
		"notice": func(op failover.Operation, _ time.Time) drawn {
			var all []render.Message
			for _, n := range render.Notices(op, []string{"S0APPROVERS"}) {
				all = append(all, n.Message)
			}
			return drawMessages(all...)
		},
		"answer": func(op failover.Operation, now time.Time) drawn {
			return drawMessages(render.Preformatted(status(op, now)))
		},
		"home": func(op failover.Operation, now time.Time) drawn {
			o := render.Overview{Operations: []failover.Operation{op}, Readiness: failover.ReadinessList{At: now}, Debt: failover.DebtList{At: now}, Policy: roles("U0BEN"), Health: well()}
			v := render.Home(o, ben(), nil, now)
			return drawn{v, readable(render.Message{Blocks: v.Blocks.BlockSet})}
		},
		"modal": func(op failover.Operation, now time.Time) drawn {
			switch op.Phase {
			case failover.AwaitingCommit:
				named := scenarios()["awaiting_commit_named"]
				return drawView(render.CommitForm(render.Form{Op: op.ID, Seen: "commit-1a2b3c4d"}, named.op, named.now))
			case failover.Succeeded:
				return drawView(render.ReprotectForm(render.Form{Op: op.ID}, review(), now))
			case failover.AwaitingApproval, failover.Running, failover.NeedsAttention, failover.Failed, failover.Denied, failover.Expired, failover.Cancelled:
			}
			return drawView(render.Said("Operation", status(op, now)))
		},
	}
}

// TestSurfaces draws every phase on every surface. The cards are drawn by TestCards.
func TestSurfaces(t *testing.T) {
	for _, p := range phases() {
		s := scenarios()[string(p)]
		if s.op.Phase != p {
			t.Fatalf("the scenario %s is in phase %q", p, s.op.Phase)
		}
		golden(t, string(p)+".json", wire(t, render.Card(s.op, s.now, false)))
		for name, draw := range surfaces() {
			d := draw(s.op, s.now)
			golden(t, string(p)+"_"+name+".json", indented(t, d.wire))
			golden(t, string(p)+"_"+name+".txt", d.text)
		}
	}
	drill, glass := drills()["drill_up"], emergencies()["glass_running"]
	golden(t, "cleanup_modal.json", indented(t, render.CleanupForm(drill.op, drill.now)))
	golden(t, "objection_modal.json", indented(t, render.ObjectionForm(glass.op, glass.now)))
}

func indented(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestEverySurfaceIsDrawn: whatever draws for Slack has a golden file, so that none is added without one.
func TestEverySurfaceIsDrawn(t *testing.T) {
	of := map[string]string{
		"Card": "running.json", "Notices": "awaiting_approval_notice.json", "Ephemeral": "ephemeral.json", "Preformatted": "running_answer.json",
		"Debts": "debt.json", "Readiness": "readiness.json", "Points": "points.json", "Show": "points_chosen.json", "Said": "running_modal.json",
		"CommitForm": "awaiting_commit_modal.json", "ReprotectForm": "succeeded_modal.json", "CleanupForm": "cleanup_modal.json", "ObjectionForm": "objection_modal.json",
		"View": "form_failover.json", "Home": "home_busy.json", "HomeBarred": "home_barred.json",
		"StatusPage": "fleet_page.json", "Report": "report.json", "ReportForm": "form_report.json", "Posted": "report_posted.json",
	}
	draws := []string{"Message", "[]Notice", "slack.ModalViewRequest", "slack.HomeTabViewRequest"}
	for _, f := range sources(t) {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Type.Results == nil || !slices.Contains(draws, typeName(fn.Type.Results.List[0].Type)) {
				continue
			}
			if _, err := os.Stat(filepath.Join("testdata", of[fn.Name.Name])); of[fn.Name.Name] == "" || err != nil {
				t.Errorf("%s draws for Slack and has no golden file: draw it in a test and name the file here", fn.Name.Name)
			}
			delete(of, fn.Name.Name)
		}
	}
	for name := range of {
		t.Errorf("%s draws nothing any more", name)
	}
}

func sources(t *testing.T) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

// goldens are the golden files as Slack gets them: lists of blocks, and views, by file.
func goldens(t *testing.T) (messages map[string][]node, views map[string]node) {
	t.Helper()
	messages, views = map[string][]node{}, map[string]node{}
	keep := func(name string, n node) {
		if n["type"] != nil {
			views[name] = n
			return
		}
		messages[name] = append(messages[name], n)
	}
	err := fs.WalkDir(os.DirFS("testdata"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" || strings.HasPrefix(path, "types/") {
			return err
		}
		data, err := os.ReadFile(filepath.Join("testdata", path))
		if err != nil {
			return err
		}
		var one node
		var many []node
		if json.Unmarshal(data, &many) == nil {
			for _, n := range many {
				keep(path, n)
			}
			return nil
		}
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		keep(path, one)
		return nil
	})
	if err != nil || len(messages) < 60 || len(views) < 9 {
		t.Fatalf("%v: %d files of messages, %d of views", err, len(messages), len(views))
	}
	return messages, views
}

// The golden files keep to what Slack documents.
func TestGoldensFitSlack(t *testing.T) {
	messages, views := goldens(t)
	for name, all := range messages {
		for _, m := range all {
			blocks, _ := m["blocks"].([]any)
			if text, _ := m["text"].(string); text == "" || length(text) > 4000 || len(blocks) == 0 || len(blocks) > 50 {
				t.Errorf("%s: %d blocks, text %q", name, len(blocks), text)
			}
			for _, problem := range misfits(m) {
				t.Errorf("%s: %s", name, problem)
			}
		}
	}
	for name, v := range views {
		blocks, _ := v["blocks"].([]any)
		metadata, _ := v["private_metadata"].(string)
		callback, _ := v["callback_id"].(string)
		if len(blocks) == 0 || len(blocks) > 100 || len(metadata) > 3000 || length(callback) > 255 {
			t.Errorf("%s: %d blocks, %d bytes of metadata, callback %q", name, len(blocks), len(metadata), callback)
		}
		for _, problem := range misfits(v) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}
