// Package bot is the front door's language: what may be typed, what it means, and what a person is answered.
//
// It owns the grammar (one table, from which the parser, the help and the suggestions come), the intents that a text can
// mean, and the sentences for every answer. It refuses to know Slack, NATS, Azure, a clock or who may do what: access is
// decided where the command is decided, and times come in as arguments. Nothing guessed is ever run: a near word is named
// in the answer, never taken for what was typed.
//
// Every function is pure and every value plain data, so all of it is safe for concurrent use.
package bot

import "slices"

// Command is the slash command as answers and examples print it.
const Command = "/failover"

// Flag is one option of a verb.
type Flag struct {
	Name      string // with its dashes: "--reason"
	Value     string // placeholder of its value, "TEXT"; empty when it takes none
	Summary   string
	Available bool // else the name is taken and answered "not available yet"
}

// Record is one verb of the grammar.
type Record struct {
	Name      string
	Group     string // of the help's overview: "act", "decide" or "look"
	Usage     string // what to type, without what is not available yet
	Summary   string
	Examples  []string // each parses as it stands; empty while the verb is not available
	ReadOnly  bool     // changes nothing, so it never becomes a command
	Available bool     // else the name is taken and answered "not available yet"
	Who       string   // who may, in words; the configuration's rules decide
	Args      string   // positional arguments: VM, OP, VM|OP, POINT, NAME, TIME; [..] may be left out
	Flags     []Flag
}

// The groups of the help's overview.
const (
	groupAct    = "act"
	groupDecide = "decide"
	groupLook   = "look"
)

// Grammar returns every verb, in the order of the documentation. Each call returns a fresh table.
func Grammar() []Record {
	table := slices.Concat(actRecords(), decideRecords(), reservedActs(), lookRecords(), reservedLooks())
	for i := range table {
		table[i].Usage = usage(table[i])
	}
	return table
}

func actRecords() []Record {
	return []Record{
		{
			Name: "run", Group: groupAct, Available: true, Args: "VM [POINT]",
			Summary:  "Fail a VM over. The word run may be left out, unless the VM is called like a verb.",
			Examples: []string{"/failover vm-x", "/failover vm-x latest-app --reason disk errors", "/failover run vm-x -20m --no-shutdown"},
			Who:      "who may ask for a failover",
			Flags: []Flag{
				{Name: "--no-shutdown", Summary: "do not shut the source VM down first", Available: true},
				{Name: "--reason", Value: "TEXT", Summary: "why, shown to who approves and kept", Available: true},
				{Name: "--force", Summary: "use a point from after the incident began"},
				{Name: "--break-glass", Summary: "start without approval"},
			},
		},
		{
			Name: "commit", Group: groupAct, Available: true, Args: "VM|OP",
			Summary:  "Make a failover final. Azure then deletes the recovery points; this cannot be undone.",
			Examples: []string{"/failover commit vm-x", "/failover commit op-7f3kq2mz"},
			Who:      "who may ask for or decide a commit",
			Flags:    []Flag{{Name: "--confirm", Value: "NAME", Summary: "the name again, where it is asked for"}},
		},
		{
			Name: "cancel", Group: groupAct, Available: true, Args: "OP",
			Summary:  "End an operation that waits for its commit or needs attention. The VM stays as it is in Azure.",
			Examples: []string{"/failover cancel op-7f3kq2mz"},
			Who:      "who may cancel",
		},
	}
}

func decideRecords() []Record {
	return []Record{
		{
			Name: "approve", Group: groupDecide, Available: true, Args: "OP",
			Summary:  "Approve a request, so that it starts.",
			Examples: []string{"/failover approve op-7f3kq2mz"},
			Who:      "an approver of the request",
		},
		{
			Name: "deny", Group: groupDecide, Available: true, Args: "OP",
			Summary:  "Deny a request that waits for approval.",
			Examples: []string{"/failover deny op-7f3kq2mz", "/failover deny op-7f3kq2mz --reason wrong VM"},
			Who:      "an approver of the request",
			Flags:    []Flag{{Name: "--reason", Value: "TEXT", Summary: "why, shown to who asked and kept", Available: true}},
		},
		{
			Name: "withdraw", Group: groupDecide, Available: true, Args: "OP",
			Summary:  "Take a request back that waits for approval.",
			Examples: []string{"/failover withdraw op-7f3kq2mz"},
			Who:      "who asked for it, an approver, or who may cancel",
		},
	}
}

func reservedActs() []Record {
	confirm := []Flag{{Name: "--confirm", Value: "NAME", Summary: "the name again, for a large group"}}
	reason := []Flag{{Name: "--reason", Value: "TEXT", Summary: "why"}}
	return []Record{
		{Name: "group", Group: groupAct, Args: "NAME [POINT]", Summary: "Fail a group of the configuration over.", Who: "who may ask for a failover", Flags: confirm},
		{Name: "plan", Group: groupAct, Args: "NAME [POINT]", Summary: "Fail a recovery plan of the vault over.", Who: "who may ask for a failover", Flags: confirm},
		{Name: "change", Group: groupAct, Args: "VM|OP POINT", Summary: "Take another recovery point, before the commit.", Who: "who may ask for a change"},
		{Name: "reprotect", Group: groupAct, Args: "VM|OP", Summary: "Replicate back.", Who: "who may ask for a reprotect"},
		{Name: "failback", Group: groupAct, Args: "VM [POINT]", Summary: "The whole way home, guided.", Who: "who may ask for a failback"},
		{Name: "test", Group: groupAct, Args: "VM [POINT]", Summary: "Drill in an isolated network.", Who: "who may test", Flags: []Flag{{Name: "--network", Value: "NAME", Summary: "which isolated network"}}},
		{Name: "cleanup", Group: groupAct, Args: "VM", Summary: "Clean up after a drill.", Who: "who may clean up", Flags: []Flag{{Name: "--notes", Value: "TEXT", Summary: "what the drill showed"}}},
		{Name: "hold", Group: groupAct, Args: "OP", Summary: "Start no new steps.", Who: "who may cancel"},
		{Name: "resume", Group: groupAct, Args: "OP", Summary: "Go on after a hold.", Who: "who may cancel"},
		{Name: "skip", Group: groupAct, Args: "OP VM", Summary: "Leave a VM out.", Who: "who may cancel"},
		{Name: "retry", Group: groupAct, Args: "OP [VM]", Summary: "Try again what failed.", Who: "who may cancel"},
		{Name: "incident", Group: groupAct, Args: "TIME|over", Summary: "Say when the incident began, or that it is over.", Who: "who may freeze"},
		{Name: "freeze", Group: groupAct, Summary: "Stop all new operations.", Who: "who may freeze", Flags: reason},
		{Name: "unfreeze", Group: groupAct, Summary: "Let new operations start again.", Who: "who may freeze"},
		{Name: "handover", Group: groupAct, Summary: "Hand the incident over.", Who: "who may freeze"},
	}
}

func lookRecords() []Record {
	return []Record{
		{
			Name: "status", Group: groupLook, Available: true, ReadOnly: true, Args: "[VM|OP]",
			Summary:  "Show what is open, or one operation, or what holds a VM.",
			Examples: []string{"/failover status", "/failover status vm-x", "/failover status op-7f3kq2mz"},
			Who:      "anyone",
		},
		{
			Name: "list", Group: groupLook, Available: true, ReadOnly: true,
			Summary:  "List every replicated VM with its state, region and data age.",
			Examples: []string{"/failover list"},
			Who:      "anyone",
		},
		{
			Name: "points", Group: groupLook, Available: true, ReadOnly: true, Args: "VM",
			Summary:  "List a VM's recovery points, newest first, with their age.",
			Examples: []string{"/failover points vm-x"},
			Who:      "anyone",
		},
		{
			Name: "help", Group: groupLook, Available: true, ReadOnly: true, Args: "[VERB]",
			Summary:  "Show what can be typed, or how one verb works.",
			Examples: []string{"/failover help", "/failover help commit"},
			Who:      "anyone",
		},
	}
}

func reservedLooks() []Record {
	return []Record{
		{Name: "jobs", Group: groupLook, ReadOnly: true, Summary: "List the vault's jobs.", Who: "anyone"},
		{Name: "readiness", Group: groupLook, ReadOnly: true, Summary: "Say what would not fail over now.", Who: "anyone"},
		{Name: "debt", Group: groupLook, ReadOnly: true, Summary: "List what is not committed or not protected.", Who: "anyone"},
		{Name: "report", Group: groupLook, ReadOnly: true, Args: "OP", Summary: "Tell an operation's story.", Who: "anyone"},
		{Name: "forecast", Group: groupLook, ReadOnly: true, Summary: "Say how long a failover would take.", Who: "anyone"},
	}
}

// usage is the form to type, made of what is available: the word run is left out, as people leave it out.
func usage(r Record) string {
	text := Command + " " + r.Name
	if r.Name == "run" {
		text = Command
	}
	if r.Args != "" {
		text += " " + r.Args
	}
	for _, f := range r.Flags {
		if f.Available || !r.Available {
			text += " [" + f.form() + "]"
		}
	}
	return text
}

// form is the flag as a usage line shows it.
func (f Flag) form() string {
	if f.Value == "" {
		return f.Name
	}
	return f.Name + " " + f.Value
}

// lookup finds the verb that a word names exactly; case does not matter, since phones capitalise.
func lookup(word string) (Record, bool) {
	table := Grammar()
	i := slices.IndexFunc(table, func(r Record) bool { return equalFold(r.Name, word) })
	if i < 0 {
		return Record{}, false
	}
	return table[i], true
}
