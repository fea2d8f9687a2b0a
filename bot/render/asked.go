package render

import (
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// maxError bounds an error at a field, in characters.
const maxError = 400

// Asked is what came back with an [AskForm]. Its reader can forge it, as a typed command can be.
type Asked struct {
	Verb failover.Verb
	VM   string // as one types it
	note string

	point, pointIn string // what was chosen, and the block where
	typed          string
	network        string
	hasNetwork     bool
	shutdown       bool
	problems       map[string]string
}

// AskedOf reads a form that was sent, or in which a VM was chosen; false when it is none of these forms.
func AskedOf(v slack.View) (Asked, bool) {
	a := Asked{Verb: map[string]failover.Verb{ActionFailoverForm: failover.VerbFailover, ActionDrillForm: failover.VerbTest}[v.CallbackID], pointIn: blockPoint}
	if a.Verb == "" || v.State == nil {
		return a, a.Verb != ""
	}
	for block, fields := range v.State.Values {
		switch {
		case block == blockVM:
			a.VM = inert(fields[ActionVM].SelectedOption.Value)
		case block == blockPoint, strings.HasPrefix(block, blockPoint+"."):
			a.pointIn, a.point = block, fields[actionPick].SelectedOption.Value
		case block == blockTyped:
			a.typed = inert(fields[actionTyped].Value)
		case block == blockNetwork:
			a.network, a.hasNetwork = fields[actionNetwork].SelectedOption.Value, true
		case block == blockShutdown:
			a.shutdown = len(fields[actionShutdown].SelectedOptions) > 0
		}
	}
	a.note, a.problems = NoteOf(v)
	return a, true
}

// Intent is what a form means, as if it had been typed; problems are errors to show at its fields.
func (a Asked) Intent(now time.Time) (i bot.Intent, problems map[string]string) {
	i = bot.Intent{Verb: string(a.Verb), VM: a.VM, Shutdown: a.shutdown && a.Verb == failover.VerbFailover, Reason: a.note, Network: a.network}
	if a.VM == "" {
		return i, map[string]string{blockVM: "Choose a VM."}
	}
	chosen, in := a.point, a.pointIn
	switch {
	case chosen == "":
		chosen = string(failover.Latest)
	case a.typed != "" && chosen != string(failover.Latest):
		return i, map[string]string{blockTyped: "A point is chosen above already. Choose latest there to take this one, or leave this empty."}
	}
	if a.typed != "" {
		chosen, in = a.typed, blockTyped
	}
	var ok bool
	switch i.Point, ok = failover.ParsePoint(chosen, now); {
	case !ok:
		return i, map[string]string{in: "That is no recovery point. " + bot.PointForms}
	case i.Point.Kind == failover.ByID && in != blockTyped && in != pointBlock(a.VM):
		return i, map[string]string{in: "This point is of another VM. Choose " + clip(a.VM, maxButton) + " again, then its point."}
	}
	return i, a.problems
}

// Errors says a refusal at the field that it is about; nil when there is none.
func (a Asked) Errors(cmd failover.Command, r *failover.Refusal) map[string]string {
	field := ""
	switch r.About {
	case failover.AboutPoint, failover.AboutForce:
		if field = a.pointIn; a.typed != "" {
			field = blockTyped
		}
	case failover.AboutNetwork:
		if a.hasNetwork {
			field = blockNetwork
		}
	case "":
		switch r.Kind {
		case failover.UnknownName, failover.NotAllowed, failover.Busy, failover.Frozen, failover.WrongState:
			field = blockVM
		case failover.BadUsage, failover.Unconfirmed, failover.TooLate, failover.Unavailable:
		}
	}
	if field == "" {
		return nil
	}
	return map[string]string{field: clip(bot.AtField(cmd, r), maxError)}
}
