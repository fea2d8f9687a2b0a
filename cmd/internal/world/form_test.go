package world

import (
	"strings"
	"testing"
	"time"
)

// asksByForm opens the form of a failover and picks a VM in it.
func (w *world) asksByForm(who, vm string) {
	w.t.Helper()
	if err := w.workspace.Type(who, incident, "/failover"); err != nil {
		w.t.Fatal(err)
	}
	w.form(who, "Type a part of its name")
	if err := w.workspace.Fill(who, "VM", vm); err != nil {
		w.t.Fatal(err)
	}
	w.form(who, "(vault vault-dr): ")
}

func (w *world) sends(who string) {
	w.t.Helper()
	if err := w.workspace.Submit(who); err != nil {
		w.t.Fatal(err)
	}
}

// atField waits until something stands at a field of the form.
func (w *world) atField(who, label, want string) {
	w.t.Helper()
	said := func() string {
		m, _ := w.workspace.Modal(who)
		for _, f := range m.Fields {
			if f.Label == label {
				return f.Error
			}
		}
		return ""
	}
	if !w.until(time.Minute, func() bool { return strings.Contains(said(), want) }) {
		m, _ := w.workspace.Modal(who)
		w.t.Fatalf("at %s stands %q, want %q:\n%s", label, said(), want, strings.Join(w.workspace.RenderModal(m), "\n"))
	}
}

// A failover that is asked for by form goes the way of a typed one, however often the form is delivered.
func TestFailoverForm(t *testing.T) {
	long(t)
	bubble(t, func(w *world) {
		w.begin()
		pass(2 * time.Hour) // points to choose from
		w.asksByForm("ana", "vm-x")
		w.form("ana", "crash-consistent", "app-consistent")
		m, _ := w.workspace.Modal("ana")
		options := m.Fields[1].Options
		for field, value := range map[string]string{"Recovery point": options[6], "Reason": "storage is slow"} {
			if err := w.workspace.Fill("ana", field, value); err != nil {
				t.Fatal(err)
			}
		}
		w.workspace.Duplicate(5)
		w.sends("ana")
		w.sees("failover of vm-x: awaiting approval")
		w.form("ana", "waits for approval by the role approver")
		if card := w.card("vm-x"); !strings.Contains(card, "storage is slow") || !strings.Contains(card, options[6][:8]) {
			t.Errorf("the card does not show %q, or not why:\n%s", options[6], card)
		}
		w.presses("ben", "Approve", "failover of vm-x: awaiting commit")
		w.ledger("unplannedFailover", 1)
		if w.cards() != 1 {
			t.Errorf("%d cards", w.cards())
		}
		w.closes("ana")
		w.reported("eve")
	})
}

// reported has somebody post the report of the newest operation into its thread by form.
func (w *world) reported(who string) {
	w.t.Helper()
	if err := w.workspace.Type(who, incident, "/failover report"); err != nil {
		w.t.Fatal(err)
	}
	w.form(who, "A report tells")
	for field, value := range map[string]string{"Operation": w.id(), "Post it": "Into the operation's thread, with my name"} {
		if err := w.workspace.Fill(who, field, value); err != nil {
			w.t.Fatal(err)
		}
	}
	w.sends(who)
	w.form(who, "in the thread of the operation's card")
	told := w.told("U0BEN")
	for _, want := range []string{"Posted by @" + who, "Up after (RTO):", "the target of 1 h 0 min is kept", "@ben approved the failover", "waits for its commit"} {
		if !strings.Contains(told, want) {
			w.t.Errorf("the report lacks %q:\n%s", want, told)
		}
	}
}

// What is refused stands at its field and can be mended there; of all sendings of a form one opens an operation.
func TestFailoverFormRefused(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		pass(time.Hour)
		w.asksByForm("eve", "vm-x")
		w.sends("eve")
		w.atField("eve", "VM", "You may not fail over vm-x.")
		w.types("ana", "/failover incident -50m", "incident: declared")
		w.asksByForm("ana", "vm-x")
		w.sends("ana")
		w.atField("ana", "Recovery point", "type /failover vm-x latest --force")
		if err := w.workspace.Fill("ana", "Or another point", "-55m"); err != nil {
			t.Fatal(err)
		}
		if err := w.workspace.Type("ben", incident, "/failover freeze --reason storm"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		w.sends("ana")
		w.form("ana", "waits for approval")
		w.closes("ana")
		w.asksByForm("ana", "vm-x")
		if err := w.workspace.Fill("ana", "Or another point", "-55m"); err != nil {
			t.Fatal(err)
		}
		w.workspace.Duplicate(3)
		w.sends("ana")
		w.atField("ana", "VM", "vm-x is already under way")
		if err := w.workspace.Fill("ana", "VM", "vm-y"); err != nil {
			t.Fatal(err)
		}
		w.form("ana", "vm-y")
		w.sends("ana")
		w.sees("failover of vm-y: awaiting approval")
		w.form("ana", "waits for approval")
	})
}

// The bot dies when a form is stored and not acknowledged. Slack says that something went wrong, and whoever presses again is told
// what came of it the first time.
func TestFailoverFormWhileTheBotDies(t *testing.T) {
	bubble(t, func(w *world) {
		w.begin()
		w.asksByForm("ana", "vm-x")
		w.stop()
		w.begin() // another process goes on with the form
		w.dies("command.store")
		w.sends("ana")
		pass(time.Second)
		w.nobody(5 * time.Second)
		w.sees("failover of vm-x: awaiting approval")
		m, open := w.workspace.Modal("ana")
		if !open || m.Notice == "" {
			t.Fatalf("no form that is to be sent again:\n%s", strings.Join(w.workspace.RenderModal(m), "\n"))
		}
		w.sends("ana")
		w.form("ana", "This form was sent before: op-", "is awaiting approval. Nothing more was started.")
		if w.cards() != 1 {
			t.Errorf("%d cards", w.cards())
		}
	})
}

// While NATS is away, whoever sends a form is answered in time, and told in the form what was decided when it is back.
func TestFailoverFormWhileNATSIsAway(t *testing.T) {
	bubble(t, func(w *world) {
		w.up(1, func(*fleet) {
			w.asksByForm("ana", "vm-x")
			w.nats.setCut(true)
			w.sends("ana")
			began := time.Now()
			w.form("ana", notConfirmed)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("answered after %s", took)
			}
			if err := w.workspace.Type("ben", incident, "/failover"); err != nil {
				t.Fatal(err)
			}
			w.form("ben", "Type a part of its name")
			if offered, err := w.workspace.Search("ben", "VM", ""); err != nil || len(offered) != 0 {
				t.Errorf("offered %v, %v", offered, err)
			}
			w.nats.setCut(false)
			w.sees("failover of vm-x: awaiting approval")
			w.form("ana", "waits for approval")
			if w.cards() != 1 {
				t.Errorf("%d cards", w.cards())
			}
		})
	})
}
