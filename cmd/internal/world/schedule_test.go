package world

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ferry/sandbox/vault"
)

// schedule is who runs, and what people and the outside do to it, as plain data: it can be shrunk, stored and played again.
type schedule struct {
	// Bots and Executors are processes around one NATS server; none of both is one process with its own.
	Bots      int `json:"bots,omitempty"`
	Executors int `json:"executors,omitempty"`
	// Replicas is not 0 when the server answers as a cluster of three does; what that leaves to chance is drawn from it.
	Replicas uint64 `json:"replicas,omitempty"`
	// Many gives the vault so many VMs, all of them in the recovery plan big; 0 is the few of every day.
	Many int `json:"many,omitempty"`
	// HTTP has Slack post to the bots.
	HTTP bool `json:"http,omitempty"`
	// Approvals is how many a failover needs, 0 being one; Group has those who approve in a Slack group that changes.
	Approvals int  `json:"approvals,omitempty"`
	Group     bool `json:"group,omitempty"`
	// Decide has people press what waits for them when all troubles are over; otherwise it is left waiting.
	Decide bool   `json:"decide,omitempty"`
	Steps  []step `json:"steps"`
}

// doing is what a step does.
type doing string

const (
	types     doing = "types"                         // Who types Text
	presses   doing = "presses"                       // Who presses the button Text, on the newest message that has it, else the first one there is
	pressOld  doing = "presses an old"                // the same on the oldest version of a message that had it
	awaits    doing = "waits for the button"          // Text, at most For
	asks      doing = "fills in"                      // Who opens the form of a failover and chooses VM in it
	submits   doing = "submits"                       // Who sends the form that is open
	doubles   doing = "Slack delivers the next again" // N times more
	dies      doing = "dies"                          // process Seat, at once or at the Nth time from now that it reaches the seam Text
	freezes   doing = "freezes"                       // process Seat, for For, at once or at the Nth time from now that it reaches the seam Text
	drains    doing = "drains"                        // process Seat ends in good order and comes back
	fault     doing = "Azure"                         // has a fault of kind Text with Operation, N times
	portal    doing = "portal"                        // somebody runs Operation on VM there
	slackGone doing = "Slack away"                    // for For
	slackFail doing = "Slack fails"                   // the method Text N times with 500, or with Late after it took effect
	natsGone  doing = "NATS restarts"                 // after For
	natsCut   doing = "NATS cut off"                  // for For
	cluster   doing = "the cluster"                   // has the trouble Text, N times or for For
	regroups  doing = "the approvers become"          // Text
)

// step is one thing that happens, After the one before.
type step struct {
	After     seconds `json:"after,omitempty"`
	Act       doing   `json:"act"`
	Who       string  `json:"who,omitempty"`
	Text      string  `json:"text,omitempty"`
	Seat      int     `json:"seat,omitempty"` // modulo the number of processes
	Late      bool    `json:"late,omitempty"` // dies, freezes: after what the seam does
	N         int     `json:"n,omitempty"`
	For       seconds `json:"for,omitempty"`
	Operation string  `json:"operation,omitempty"`
	VM        string  `json:"vm,omitempty"`
}

// seconds are whole ones, which shrink to 0 and read well.
type seconds int

func (s seconds) duration() time.Duration { return time.Duration(s) * time.Second }

func (s step) String() string {
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	say("+%-8s", s.After.duration())
	switch s.Act {
	case types, presses, pressOld, submits:
		say("%s %s %q", s.Who, s.Act, s.Text)
	case asks:
		say("%s %s the form for %s", s.Who, s.Act, s.VM)
	case regroups:
		say("%s %q", s.Act, s.Text)
	case awaits:
		say("%s %q for at most %s", s.Act, s.Text, s.For.duration())
	case dies:
		say("process %d dies", s.Seat)
		if s.Text != "" {
			say("at %s, time %d, after it: %v", s.Text, s.N, s.Late)
		}
	case freezes:
		say("process %d freezes for %s", s.Seat, s.For.duration())
		if s.Text != "" {
			say("at %s, time %d, after it: %v", s.Text, s.N, s.Late)
		}
	case drains:
		say("process %d drains", s.Seat)
	case fault:
		say("Azure: %s of %s %s, %d times, delay %s", s.Text, s.Operation, s.VM, s.N, s.For.duration())
	case portal:
		say("portal: %s of %s", s.Operation, s.VM)
	case doubles:
		say("%s, %d times", s.Act, s.N)
	case slackFail:
		say("Slack fails %s %d times, after the effect: %v", s.Text, s.N, s.Late)
	case cluster:
		say("%s: %s, %d times, for %s", s.Act, s.Text, s.N, s.For.duration())
	case slackGone, natsGone, natsCut:
		say("%s for %s", s.Act, s.For.duration())
	}
	return strings.Join(words, " ")
}

func (s schedule) String() string {
	lines := []string{fmt.Sprintf("%d bots, %d executors, as a cluster: %v, decide: %v, approvals: %d, of a group: %v", s.Bots, s.Executors, s.Replicas > 0, s.Decide, s.approvals(), s.Group)}
	for _, step := range s.Steps {
		lines = append(lines, step.String())
	}
	return strings.Join(lines, "\n")
}

func (s schedule) approvals() int { return max(1, s.Approvals) }

func (s schedule) json() []byte {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		panic(err) // plain data
	}
	return append(data, '\n')
}

// fault is that of the vault.
func (s step) fault() vault.Fault {
	return vault.Fault{
		Kind: vault.Kind(s.Text), Operation: s.Operation, VM: s.VM, Times: s.N, Delay: s.For.duration(), RetryAfter: s.For.duration(),
		Code: "28031", Message: "It could not be created.", Causes: "The quota of the region is used up.", Action: "Raise the quota.",
	}
}
