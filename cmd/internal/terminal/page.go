package terminal

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"ferry/bot"
	"ferry/cmd/internal/app"
	"ferry/sandbox/workspace"
)

// people are who can be played with; the configuration of the sandbox gives them these rights.
func people() []workspace.Person {
	return []workspace.Person{
		{ID: "U0ANA", Name: "ana", RealName: "Ana Silva", Title: "operator: asks for failovers"},
		{ID: "U0BEN", Name: "ben", RealName: "Ben Okafor", Title: "approver: decides on them"},
		{ID: "U0EVE", Name: "eve", RealName: "Eve Lind", Title: "neither: may only look"},
		{ID: "U0GIL", Name: "gil", RealName: "Gil Moreau", Title: "guest: may not even look", Kind: workspace.Guest},
	}
}

// page is what the workspace's page shows beside the channel.
func page(dir string, world http.Handler) workspace.Page {
	return workspace.Page{Verbs: verbs(), Groups: slices.Sorted(maps.Keys(groups())), Hints: hints(), Terminal: commandLines(dir), World: world}
}

// verbs are those of the grammar that can be typed now.
func verbs() []workspace.Verb {
	var all []workspace.Verb
	for _, r := range bot.Grammar() {
		if !r.Available {
			continue
		}
		v := workspace.Verb{Name: r.Name, Args: r.Args, Summary: r.Summary, Flags: []string{}}
		for _, f := range r.Flags {
			if f.Available {
				v.Flags = append(v.Flags, f.Name)
			}
		}
		all = append(all, v)
	}
	return all
}

// hints lead through the first failover. What ends them is what the card says then.
func hints() []workspace.Hint {
	return []workspace.Hint{
		{Text: "Type " + bot.Command + " vm-x latest", Type: bot.Command + " vm-x latest", As: "U0ANA", Until: []string{"Failover of "}},
		{Text: "Switch to ben, an approver", As: "U0BEN"},
		{Text: "Press Approve, and later Commit", Until: []string{"Approved by", "denied", "withdrawn", "expired"}},
	}
}

// commandLines reach the running sandbox from another terminal.
func commandLines(dir string) []string {
	ferry := called() + " --data " + dir
	return []string{ferry + " list", ferry + " status", ferry + " approve OP"}
}

// called is how this program was most likely started: who came by go run has no ferry on the path.
func called() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/ferry"
	}
	return "ferry"
}

// shortcuts are those of the app's manifest.
func shortcuts() []workspace.Shortcut {
	var all []workspace.Shortcut
	for _, s := range app.Manifest(bot.Command, "").Features.Shortcuts {
		all = append(all, workspace.Shortcut{Name: s.Name, CallbackID: s.CallbackID, Type: workspace.ShortcutType(s.Type)})
	}
	return all
}
