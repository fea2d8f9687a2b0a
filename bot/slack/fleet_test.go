package slack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// fleet is an operation on several VMs of which the first has failed, and that is on hold for it if wanted.
func fleet(vms int, more ...failover.Fact) failover.Operation {
	req := requested()
	req.Plan.Fleet = &failover.Fleet{Name: "shop", Waves: []failover.Wave{{}, {After: []int{1}}}}
	one := req.Targets[0]
	req.Targets = nil
	for n := range vms {
		one.Item.Key, one.Item.Name, one.Wave = fmt.Sprintf("k%d", n), fmt.Sprintf("vm-%04d", n), 1+n*2/vms
		req.Targets = append(req.Targets, one)
	}
	facts := append([]failover.Fact{
		req,
		failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover},
		failover.StepStarted{Target: "k0", Kind: failover.StepFailover, Attempt: 1},
		failover.StepAccepted{Target: "k0", Kind: failover.StepFailover, JobID: "job"},
		failover.StepFailed{Target: "k0", Kind: failover.StepFailover, Fault: failover.Fault{Message: "no capacity"}},
	}, more...)
	return operation("op-aaaaaaaa", 1, facts...)
}

// A press of Hold, Resume or Retry failed becomes a command that says what it was pressed on; a button that is not legal is not there.
func TestSteeringByButtons(t *testing.T) {
	held := failover.PutOnHold{Why: "more of wave 1 have failed than is tolerated"}
	for label, row := range map[string]struct {
		op   failover.Operation
		verb failover.Verb
		not  string
	}{
		"Hold":         {fleet(12), failover.VerbHold, "Resume"},
		"Resume":       {fleet(12, held), failover.VerbResume, "Hold"},
		"Retry failed": {fleet(12, held), failover.VerbRetry, "Show all"},
		"Skip failed":  {fleet(12, held), failover.VerbSkip, "Show all"},
	} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.opts.Now = func() time.Time { return row.op.At }
				l.commands.decide = func(failover.Command) (failover.Operation, failover.Answer) {
					return row.op, failover.Answer{Did: failover.DidHold}
				}
				l.start()
				l.shownCard(row.op)
				if _, err := l.Click("U0BEN", incident, row.not); err == nil {
					t.Errorf("%s can be pressed", row.not)
				}
				l.clicked("U0BEN", label)
				pass(time.Second)
				if got := l.commands.all(); len(got) != 1 || got[0].Verb != row.verb || got[0].Op != row.op.ID || got[0].Seen != row.op.SteerToken(row.verb) {
					t.Errorf("stored %+v", got)
				}
			})
		})
	}
}

// Show all puts the list of every VM into the thread of the card, once a minute however often it is pressed; without the scope
// for files, who asked is shown what fits.
func TestShowAll(t *testing.T) {
	op := fleet(1000)
	files := func(l *lab) []workspace.File {
		var all []workspace.File
		for _, m := range l.Messages(incident, "U0EVE") {
			if m.ThreadTS != "" {
				all = append(all, m.Files...)
			}
		}
		return all
	}
	t.Run("as a file", func(t *testing.T) {
		inBothModes(t, func(l *lab) {
			l.reads.op = &op
			l.start()
			l.shownCard(op)
			l.clicked("U0BEN", "Show all")
			pass(time.Second)
			l.clicked("U0ANA", "Show all")
			pass(time.Second)
			l.wantTold("U0BEN", "The list of all 1,000 VMs is in the thread of the card")
			l.wantTold("U0ANA", "less than a minute ago")
			posted := files(l)
			if len(posted) != 1 || strings.Count(string(posted[0].Content), "vm-0") != 1001 { // each once, and the first with its fault
				t.Fatalf("%d files in the thread", len(posted))
			}
			pass(time.Minute)
			l.clicked("U0ANA", "Show all")
			pass(time.Second)
			if n := len(files(l)); n != 2 || len(l.commands.all()) != 0 {
				t.Errorf("%d files, stored %v", n, l.commands.all())
			}
		})
	})
	t.Run("without files:write", func(t *testing.T) {
		bubbleIn(t, workspace.Options{Scopes: slices.DeleteFunc(slack.Scopes(), func(s string) bool { return s == "files:write" })}, func(l *lab) {
			l.reads.op = &op
			l.start()
			l.shownCard(op)
			l.clicked("U0BEN", "Show all")
			pass(time.Second)
			l.wantTold("U0BEN", "a terminal prints all of it: /failover status op-aaaaaaaa")
			if n := len(files(l)); n != 0 {
				t.Errorf("%d files", n)
			}
		})
	})
}

// In Slack the status of 1,000 VMs comes page by page, each within an answer; every VM stands on one of them.
func TestStatusPages(t *testing.T) {
	op := fleet(1000)
	inBothModes(t, func(l *lab) {
		l.reads.op = &op
		l.start()
		l.typed("U0ANA", "/failover status op-aaaaaaaa")
		for told := l.told("U0ANA"); len(told) < 40 && strings.Contains(told[len(told)-1], "[ Next page ]"); told = l.told("U0ANA") {
			l.clicked("U0ANA", "Next page")
			pass(time.Second)
		}
		told := l.told("U0ANA")
		all := strings.Join(told, "\n")
		last := fmt.Sprintf("Page %d of %d", len(told), len(told))
		if len(told) != 9 || strings.Count(all, "vm-0") < 1000 || !strings.Contains(told[len(told)-1], last) {
			t.Errorf("%d pages, the last ends %q", len(told), told[len(told)-1][max(0, len(told[len(told)-1])-200):])
		}
	})
}

// While several VMs run their card is edited 20 times a minute at most, whatever happens to each of them, on hold or not.
func TestFleetEditsAreFew(t *testing.T) {
	for name, op := range map[string]failover.Operation{"running": fleet(140), "on hold": fleet(140, failover.PutOnHold{By: failover.Actor{ID: "U0ANA"}})} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(l *lab) {
				l.start()
				l.shownCard(op)
				before := l.count("chat.update", "")
				for n := range 60 {
					op = failover.Evolve(op, failover.Record{Fact: failover.StepStarted{Target: fmt.Sprintf("k%d", n+1), Kind: failover.StepFailover, Attempt: 1}, At: op.At, Seq: op.Seq + 1})
					l.feed.publish(op)
					pass(time.Second)
				}
				if edits := l.count("chat.update", "") - before; edits > 20 || edits < 15 {
					t.Errorf("%d edits in a minute", edits)
				}
				if posts := l.count("chat.postMessage", ""); posts > 2 { // the card, and that the first has failed
					t.Errorf("%d posts", posts)
				}
			})
		})
	}
}

// A forecast is a read: it is answered to who asked, and nothing is stored.
func TestForecastIsAnswered(t *testing.T) {
	inBothModes(t, func(l *lab) {
		l.start()
		l.typed("U0ANA", "/failover forecast group shop")
		pass(time.Second)
		l.wantTold("U0ANA", "Takes: about 10 min, 19 times in 20 at most 20 min; the target of 15 min is likely kept, not surely.")
		if got := l.commands.all(); len(got) != 0 {
			t.Errorf("stored %v", got)
		}
	})
}
