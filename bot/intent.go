package bot

import (
	"time"

	"ferry/failover"
)

// Intent is what a text means, before anybody decided whether it may happen.
type Intent struct {
	Verb     string         // name of its Record
	Op       failover.OpID  // the operation that was named, if one was
	VM       string         // as typed: a VM name, or vault/name; of a freeze a pattern; of a group or a plan its name
	Row      bool           // for run: VM is several of them, with blanks between
	Group    bool           // for reprotect, failback and forecast: a group's name stands in the place of a VM
	Plan     bool           // for forecast: the name of a recovery plan does
	Point    failover.Point // for run
	Shutdown bool           // for run and failback: shut the source down first
	Reason   string
	Force    bool   // take a point from after the incident began
	Network  string // for test: an isolated network
	Notes    string // for cleanup
	Over     bool   // for incident

	BreakGlass bool   // for run, group and plan: with fewer approvals
	Confirm    string // for group, plan and commit the name once more; for a row how many they are
	Topic      string // for help: a word, known or not; empty is the overview
	ReadOnly   bool
	Ref        string // for status: a VM as typed, an operation id, or "" for everything open
}

// Command makes the command that asks for an intent. op is the id that the command would open; when the intent names an
// operation, that one is used. It is valid for [failover.CommandValidity] from now. A read-only intent asks for nothing:
// its command is the zero value, which nobody accepts.
func (i Intent) Command(messageID string, op failover.OpID, by failover.Actor, now time.Time) failover.Command {
	if i.ReadOnly {
		return failover.Command{}
	}
	if i.Op != "" {
		op = i.Op
	}
	verb := Record{Name: i.Verb}.Verb()
	if i.Row {
		verb = failover.VerbGroup
	}
	return failover.Command{
		MessageID: messageID, Op: op, Verb: verb, By: by,
		Target: i.VM, Row: i.Row, Group: i.Group, Point: i.Point, Shutdown: i.Shutdown, Reason: i.Reason,
		Force: i.Force, Network: i.Network, Notes: i.Notes, Over: i.Over,
		BreakGlass: i.BreakGlass, Confirm: i.Confirm,
		At: now, ValidUntil: now.Add(failover.CommandValidity),
	}
}

// Forecast is what a forecast is asked about.
func (i Intent) Forecast() failover.ForecastOf {
	switch {
	case i.Group:
		return failover.ForecastOf{Group: i.Ref}
	case i.Plan:
		return failover.ForecastOf{Plan: i.Ref}
	}
	return failover.ForecastOf{VMs: i.Ref}
}

// Shown reports whether what is asked for is shown in a form before it is, where forms are.
func (i Intent) Shown() bool { return i.Verb == string(failover.VerbReprotect) && !i.Group }
