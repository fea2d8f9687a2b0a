package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// stand is a moment at which everything is possible: a failover of vm-x waits for its approval, vm-y may be reprotected, and
// sql-01 may be failed over. Slack posts to the bot, so that requests can be forged and replayed.
type stand struct {
	*world
	op   failover.OpID    // the failover of vm-x
	user string           // the Slack id of who tries
	role string           // whose NATS key they have; empty: none
	cmd  failover.Command // of who tries at a terminal
}

// entranceTry is a way to ask or to decide.
type entranceTry struct {
	name    string
	try     func(*stand) string                   // returns what who tries it reads
	did     func(*stand, failover.Operation) bool // whether an operation shows that it was done
	command func(*stand) failover.Command         // what it comes to
}

func entrances() []entranceTry {
	approved := func(s *stand, op failover.Operation) bool { return op.ID == s.op && op.Started() }
	opened := func(vm string) func(*stand, failover.Operation) bool {
		return func(s *stand, op failover.Operation) bool {
			return op.ID != s.op && op.Exists() && len(op.Targets) == 1 && op.Targets[0].Item.Name == vm
		}
	}
	approve := func(s *stand) failover.Command { return failover.Command{Verb: failover.VerbApprove, Op: s.op} }
	ask := func(verb failover.Verb, vm string) func(*stand) failover.Command {
		return func(*stand) failover.Command { return failover.Command{Verb: verb, Target: vm} }
	}
	return []entranceTry{
		{"asks by slash command", func(s *stand) string { return s.typed("/failover sql-01") }, opened("sql-01"), ask(failover.VerbFailover, "sql-01")},
		{"decides by slash command", func(s *stand) string { return s.typed("/failover approve " + string(s.op)) }, approved, approve},
		{"decides by mention", func(s *stand) string { return s.typed("@ferry approve " + string(s.op)) }, approved, approve},
		{"decides by button", (*stand).pressed, approved, approve},
		{"asks by form", (*stand).sent, opened("vm-y"), ask(failover.VerbReprotect, "vm-y")},
		{"asks at a terminal", (*stand).commands, opened("sql-01"), ask(failover.VerbFailover, "sql-01")},
		{"decides at a terminal", (*stand).commands, approved, approve},
	}
}

// performed marks a cell that is done; what follows it is read, as in every other.
const performed = "done: "

// notOffered is a cell that Slack itself does not offer.
const notOffered = "not offered"

// persona is somebody with a reason to try. cells are what they read at each entrance, in their order.
type persona struct {
	name  string
	user  string
	role  string
	setup func(*config.Config)             // of the configuration
	as    func(*stand)                     // what they are when they try; may be nil
	by    func(*stand, entranceTry) string // how they try; nil: as the entrance is meant
	cells [7]string
}

func personas() []persona {
	both := func(c *config.Config) {
		for _, role := range []string{"operator", "approver"} {
			c.Access.Roles[role] = config.Role{Users: append(c.Access.Roles[role].Users, "U0CAT", "cli:local")}
		}
		c.Access.People = map[string][]string{"cat": {"U0CAT", "cli:local"}}
	}
	terminal := func(role string) func(*config.Config) {
		return func(c *config.Config) {
			c.Access.Roles[role] = config.Role{Users: append(c.Access.Roles[role].Users, "cli:local")}
		}
	}
	becomes := func(kind workspace.Kind) func(*stand) {
		return func(s *stand) {
			if err := s.workspace.SetKind("cat", kind); err != nil {
				s.t.Fatal(err)
			}
			if kind == workspace.Stranger {
				s.must(s.workspace.Share(incident, workspace.Shared))
			}
			pass(5 * time.Second)
		}
	}
	const (
		unheard    = "the NATS server does not permit this identity"
		notDecide  = "You may not decide the failover of"
		self       = "You asked for it yourself"
		noKey      = "connecting to NATS"
		byTerminal = "has to come from a terminal"
	)
	guest, stranger := failover.StandingGuest.Barred().Message, failover.StandingStranger.Barred().Message
	return []persona{
		{
			name: "operator", user: "U0ANA", role: jetstream.RoleCLI, setup: terminal("operator"),
			cells: [7]string{performed + "waits for approval", notDecide, notDecide, notDecide, performed + "waits for approval", performed + "requested", notDecide},
		},
		{
			name: "approver", user: "U0BEN", role: jetstream.RoleCLI, setup: terminal("approver"),
			cells: [7]string{"You may not fail over sql-01", performed + "is approved", performed + "is approved", performed + "is approved", "You may not reprotect vm-y", "You may not fail over sql-01", performed + "opened_gate"},
		},
		{
			name: "requester as approver", user: "U0CAT", role: jetstream.RoleCLI, setup: both,
			cells: [7]string{performed + "waits for approval", self, self, self, performed + "waits for approval", performed + "requested", self},
		},
		{
			name: "outsider", user: "U0EVE", role: jetstream.RoleCLI,
			cells: [7]string{"You may not fail over sql-01", notDecide, notDecide, notDecide, "You may not reprotect vm-y", "You may not fail over sql-01", notDecide},
		},
		{
			name: "guest with every right", user: "U0CAT", setup: both, as: becomes(workspace.Guest),
			cells: [7]string{guest, guest, guest, guest, guest, noKey, noKey},
		},
		{
			name: "stranger with every right", user: "U0CAT", setup: both, as: becomes(workspace.Stranger),
			cells: [7]string{notOffered, notOffered, stranger, stranger, notOffered, noKey, noKey},
		},
		{
			name: "forger of ben's and ana's requests", by: (*stand).forged,
			cells: [7]string{"401", "401", "401", "401", "401", noKey, noKey},
		},
		{
			// What was captured is done once, by who meant it.
			name: "replayer of ben's and ana's requests", role: jetstream.RoleCLI, setup: terminals, by: (*stand).replayed,
			cells: [7]string{performed + "200", performed + "200", performed + "200", performed + "200", performed + "200", performed + "requested", performed + "opened_gate"},
		},
		{
			name: "thief of a viewer's key", by: stolen(jetstream.RoleViewer),
			cells: [7]string{unheard, unheard, unheard, unheard, unheard, unheard, unheard},
		},
		{
			// It can speak as any Slack user, and as nobody else; see docs/security.md.
			name: "compromised bot", by: stolen(jetstream.RoleBot),
			cells: [7]string{performed + "requested", performed + "opened_gate", performed + "opened_gate", performed + "opened_gate", performed + "requested", unheard, unheard},
		},
		{
			name: "compromised bot where a terminal has to approve", by: stolen(jetstream.RoleBot), setup: func(c *config.Config) {
				c.Access.Roles["approver"] = config.Role{Users: []string{"U0BEN", "cli:local"}}
				for i := range c.Access.Rules[:1] {
					c.Access.Rules[i].TerminalApprovals = 1
				}
			},
			cells: [7]string{performed + "requested", byTerminal, byTerminal, byTerminal, performed + "requested", unheard, unheard},
		},
	}
}

func terminals(c *config.Config) {
	for _, role := range []string{"operator", "approver"} {
		c.Access.Roles[role] = config.Role{Users: append(c.Access.Roles[role].Users, "cli:local")}
	}
}

// rightful is who may do what an entrance is tried for.
func (e entranceTry) rightful() string {
	if strings.HasPrefix(e.name, "asks") {
		return "U0ANA"
	}
	return "U0BEN"
}

func (e entranceTry) atTerminal() bool { return strings.HasSuffix(e.name, "terminal") }

// forged sends what the rightful would, signed with another secret.
func (s *stand) forged(e entranceTry) string {
	if e.atTerminal() {
		return e.try(s)
	}
	s.user = e.rightful()
	s.workspace.FaultRequests(workspace.RequestFault{Forge: true}, 1)
	e.try(s)
	all := s.workspace.Requests()
	last := all[len(all)-1]
	return fmt.Sprint(last.Status, last.Answer)
}

// replayed has the rightful do it, and sends the same again and again.
func (s *stand) replayed(e entranceTry) string {
	s.user = e.rightful()
	said := e.try(s)
	if e.atTerminal() {
		for range 3 {
			said = s.commands()
		}
		return said
	}
	all := s.workspace.Requests()
	var again workspace.Request
	for range 3 {
		again = s.workspace.Send(all[len(all)-1])
		pass(10 * time.Second)
	}
	return fmt.Sprint(again.Status)
}

// stolen gives the commands of the rightful with the NATS key of a role.
func stolen(role string) func(*stand, entranceTry) string {
	return func(s *stand, e entranceTry) string {
		s.role, s.cmd.By = role, failover.Actor{ID: e.rightful()}
		source := events.SourceSlack
		if e.atTerminal() {
			source = "cli-" + jetstream.LocalIdentity
		}
		return s.asks(source)
	}
}

// Who may do what at which entrance of Ferry, and what everybody reads there. A cell that is not done leaves no trace in Azure
// or on any operation.
func TestPersonas(t *testing.T) {
	explored(t)
	for _, p := range personas() {
		for i, e := range entrances() {
			t.Run(p.name+" "+e.name, func(t *testing.T) { p.tries(t, e, p.cells[i]) })
		}
	}
}

func (p persona) tries(t *testing.T, e entranceTry, cell string) {
	t.Helper()
	bubbleHTTP(t, func(w *world) {
		w.configure = p.setup
		s := w.scene(p)
		before := len(w.vault.Ledger())
		if p.as != nil {
			p.as(s)
		}
		s.user, s.role, s.cmd = p.user, p.role, e.command(s)
		s.cmd.MessageID = failover.MessageID("terminal")
		if s.cmd.Op == "" {
			s.cmd.Op = failover.OpIDOf(s.cmd.MessageID, 0)
		}
		try := e.try
		if p.by != nil {
			try = func(s *stand) string { return p.by(s, e) }
		}
		said := try(s)
		pass(10 * time.Second)
		want, do := strings.CutPrefix(cell, performed)
		if want == "" || !strings.Contains(said, want) {
			t.Errorf("is told %q, want %q", said, want)
		}
		calls := len(w.vault.Ledger()) - before
		w.stop()
		stored, err := w.readStream()
		if err != nil {
			t.Fatal(err)
		}
		done, wanted := 0, 0
		for _, op := range stored.ops {
			if e.did(s, op) {
				done++
			}
		}
		if do {
			wanted = 1
		}
		if done != wanted {
			t.Errorf("done %d times, want %d", done, wanted)
		}
		if !do && calls > 0 {
			t.Errorf("%d calls at Azure", calls)
		}
	})
}

// scene brings the world to where everything is possible.
func (w *world) scene(p persona) *stand {
	w.t.Helper()
	s := &stand{world: w}
	for _, operation := range []string{"unplannedFailover", "failoverCommit"} {
		s.must(w.vault.Portal("vm-y", operation))
		pass(20 * time.Minute)
	}
	w.begin()
	pass(time.Minute)
	asks := "U0ANA"
	if p.name == "requester as approver" {
		asks = p.user
	}
	s.must(w.workspace.Type(asks, incident, "/failover vm-x"))
	w.sees("[ Approve ]")
	s.op = failover.OpID(w.id())
	return s
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// reads is what the person was told since, without others seeing it.
func (s *stand) reads(before int) string {
	told := ""
	s.until(10*time.Second, func() bool {
		told = strings.Join(s.toldAlone(s.user)[before:], "\n")
		return told != ""
	})
	return told
}

func (s *stand) typed(text string) string {
	before := len(s.toldAlone(s.user))
	if err := s.workspace.Type(s.user, incident, text); err != nil {
		return notOffered + ": " + err.Error()
	}
	return s.reads(before)
}

func (s *stand) pressed() string {
	before := len(s.toldAlone(s.user))
	if _, err := s.workspace.Click(s.user, incident, "Approve"); err != nil {
		return notOffered + ": " + err.Error()
	}
	return s.reads(before)
}

// sent asks for the reprotect of vm-y by its form. Who may not even see the form is told at the door.
func (s *stand) sent() string {
	before := len(s.toldAlone(s.user))
	if err := s.workspace.Type(s.user, incident, "/failover reprotect vm-y"); err != nil {
		return notOffered + ": " + err.Error()
	}
	if !s.until(10*time.Second, func() bool {
		m, open := s.workspace.Modal(s.user)
		return open && len(m.Blocks) > 0 && strings.Contains(string(m.Blocks), "Reason")
	}) {
		return s.reads(before)
	}
	s.must(s.workspace.Fill(s.user, "Reason", "the region is back"))
	s.must(s.workspace.Submit(s.user))
	said := ""
	s.until(10*time.Second, func() bool {
		m, open := s.workspace.Modal(s.user)
		said = strings.Join(s.workspace.RenderModal(m), "\n")
		return !open || !strings.Contains(string(m.Blocks), "Reason")
	})
	return said
}

// commands gives the command as the terminal does.
func (s *stand) commands() string { return s.asks("cli-" + jetstream.LocalIdentity) }

// asks gives the command as a source, with the NATS key that who tries has.
func (s *stand) asks(source string) string {
	s.t.Helper()
	o := s.process.app.Embedded().Options(s.role)
	if s.role == "" {
		o.Seed, o.Name = s.seed(), jetstream.RoleCLI
	}
	o.Log = s.log
	client, err := jetstream.Connect(o)
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	s.cmd.At, s.cmd.ValidUntil = time.Now(), time.Now().Add(failover.CommandValidity)
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	if err := client.Submit(ctx, source, s.cmd); err != nil {
		return err.Error()
	}
	for ctx.Err() == nil {
		shown, moved, err := client.Watch(ctx, events.WatchRequest{Command: s.cmd.MessageID, As: "cli:" + jetstream.LocalIdentity})
		if err != nil && !errors.Is(err, jetstream.ErrNoAnswer) {
			return err.Error()
		}
		if answer, decided := shown.Answers[s.cmd.MessageID]; moved && decided {
			if answer.Refused != nil {
				return answer.Refused.Error()
			}
			return string(answer.Did)
		}
	}
	return "no answer"
}

// The table in docs/security.md is the one that is played; UPDATE_GOLDEN=1 writes it.
func TestPersonasAreDocumented(t *testing.T) {
	const page, begin, end = "../../../docs/security.md", "<!-- personas:begin -->\n", "<!-- personas:end -->"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", page)
	}
	want := before + begin + personaTable() + end + after
	switch {
	case string(data) == want:
	case os.Getenv("UPDATE_GOLDEN") != "":
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not up to date; UPDATE_GOLDEN=1 go test -run TestPersonasAreDocumented ./cmd/internal/world writes it", page)
	}
}

func personaTable() string {
	var rows strings.Builder
	rows.WriteString("| who |")
	for _, e := range entrances() {
		rows.WriteString(" " + e.name + " |")
	}
	rows.WriteString("\n" + strings.Repeat("|---", len(entrances())+1) + "|\n")
	for _, p := range personas() {
		rows.WriteString("| " + p.name + " |")
		for _, cell := range p.cells {
			if strings.HasPrefix(cell, performed) {
				cell = "**done**"
			}
			rows.WriteString(" " + cell + " |")
		}
		rows.WriteString("\n")
	}
	return rows.String()
}
