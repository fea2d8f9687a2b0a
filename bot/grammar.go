// Package bot is the front door's language: what may be typed, what it means, and what a person is answered.
//
// It owns the grammar (one table, from which the parser, the help and the suggestions come), the intents that a text can
// mean, and the sentences for every answer. It refuses to know Slack, NATS, Azure, a clock or who may do what: access is
// decided where the command is decided, and times come in as arguments. Nothing guessed is ever run: a near word is named
// in the answer, never taken for what was typed.
//
// Every function is pure and every value plain data, so all of it is safe for concurrent use.
package bot

import (
	"slices"

	"ferry/failover"
)

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
	Form      bool     // in Slack, the verb without what it is about opens a form
	Who       string   // who may, in words; the configuration's rules decide
	Args      string   // positional arguments: VM, OP, VM|OP, POINT, NAME, PATTERN, TIME; [..] may be left out, VM... are one or more
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
	table := slices.Concat(actRecords(), homeRecords(), steerRecords(), decideRecords(), reservedActs(), lookRecords())
	for i := range table {
		table[i].Usage = usage(table[i])
	}
	return table
}

func actRecords() []Record {
	return []Record{
		{
			Name: "run", Group: groupAct, Available: true, Args: "VM... [POINT]",
			Summary:  "Fail a VM over, or several as one operation. The word run may be left out, unless a VM is called like a verb. In Slack, /failover alone opens a form.",
			Examples: []string{"/failover vm-x", "/failover vm-x latest-app --reason disk errors", "/failover run vm-x -20m --no-shutdown", "/failover web-01 web-02 web-03 latest", "/failover vm-x --break-glass --reason region is down"},
			Who:      "who may ask for a failover",
			Flags: []Flag{
				{Name: "--no-shutdown", Summary: "do not shut the source VM down first", Available: true},
				{Name: "--reason", Value: "TEXT", Summary: "why, shown to who approves and kept", Available: true},
				{Name: "--force", Summary: "use a point from after the incident began", Available: true},
				breakGlass(),
				{Name: "--confirm", Value: "NUMBER", Summary: "how many VMs, for a long row", Available: true},
			},
		},
		{
			Name: "group", Group: groupAct, Available: true, Args: "NAME [POINT]",
			Summary:  "Fail a group of the configuration over as one operation, wave after wave. /failover list shows the groups.",
			Examples: []string{"/failover group checkout", "/failover group checkout latest-processed --reason region is down", "/failover group checkout --confirm checkout"},
			Who:      "who may ask for a failover",
			Flags: []Flag{
				{Name: "--no-shutdown", Summary: "do not shut the source VMs down first", Available: true},
				{Name: "--reason", Value: "TEXT", Summary: "why, shown to who approves and kept", Available: true},
				{Name: "--force", Summary: "use points from after the incident began", Available: true},
				breakGlass(),
				{Name: "--confirm", Value: "NAME", Summary: "the name again, for a large group", Available: true},
			},
		},
		{
			Name: "plan", Group: groupAct, Available: true, Args: "NAME [POINT]",
			Summary:  "Fail a recovery plan of the vault over: all its VMs, group after group.",
			Examples: []string{"/failover plan plan-shop", "/failover plan plan-shop latest-processed --reason region is down"},
			Who:      "who may ask for a failover",
			Flags: []Flag{
				{Name: "--no-shutdown", Summary: "do not shut the source VMs down first", Available: true},
				{Name: "--reason", Value: "TEXT", Summary: "why, shown to who approves and kept", Available: true},
				{Name: "--force", Summary: "use points from after the incident began", Available: true},
				breakGlass(),
				{Name: "--confirm", Value: "NAME", Summary: "the name again, for a large plan", Available: true},
			},
		},
		{
			Name: "change", Group: groupAct, Available: true, Args: "VM|OP POINT",
			Summary:  "Take another recovery point, after the failover and before the commit.",
			Examples: []string{"/failover change vm-x -20m", "/failover change op-7f3kq2mz latest-app"},
			Who:      "who may ask for or decide a change",
			Flags:    []Flag{{Name: "--force", Summary: "use a point from after the incident began", Available: true}},
		},
		{
			Name: "commit", Group: groupAct, Available: true, Args: "VM|OP",
			Summary:  "Make a failover final. Azure then deletes the recovery points; this cannot be undone.",
			Examples: []string{"/failover commit vm-x", "/failover commit op-7f3kq2mz"},
			Who:      "who may ask for or decide a commit",
			Flags:    []Flag{{Name: "--confirm", Value: "NAME", Summary: "the name again, where it is asked for", Available: true}},
		},
	}
}

// breakGlass is the flag of who cannot wait for approvals.
func breakGlass() Flag {
	return Flag{Name: "--break-glass", Summary: "start with fewer approvals; told to everybody, and reviewed afterwards", Available: true}
}

// homeRecords are what comes after a failover, and drills.
func homeRecords() []Record {
	return []Record{
		{
			Name: "reprotect", Group: groupAct, Available: true, Args: "VM|OP|group NAME",
			Summary:  "Replicate back what was failed over and committed: a VM, all of an operation, or a group. It first shows what it would use and create, and ends when each is protected.",
			Examples: []string{"/failover reprotect vm-x", "/failover reprotect op-7f3kq2mz", "/failover reprotect group checkout"},
			Who:      "who may ask for a reprotect",
		},
		{
			Name: "failback", Group: groupAct, Available: true, Args: "VM|OP|group NAME [POINT]",
			Summary:  "Bring a VM home, all VMs of an operation, or a group, step by step: replicate back, fail over, check, commit, protect again. Each step waits for its button.",
			Examples: []string{"/failover failback vm-x", "/failover failback vm-x latest-processed", "/failover failback op-7f3kq2mz", "/failover failback group checkout"},
			Who:      "who may ask for a failback",
			Flags:    []Flag{{Name: "--no-shutdown", Summary: "do not shut the VM down before it is failed back", Available: true}},
		},
		{
			Name: "test", Group: groupAct, Available: true, Form: true, Args: "VM [POINT]",
			Summary:  "Drill: start a copy of a VM in an isolated network. The VM itself and its replication go on. In Slack, test alone opens a form.",
			Examples: []string{"/failover test vm-x", "/failover test vm-x latest-processed --network vnet-drill"},
			Who:      "who may test",
			Flags:    []Flag{{Name: "--network", Value: "NAME", Summary: "which isolated network, when there are several", Available: true}},
		},
		{
			Name: "cleanup", Group: groupAct, Available: true, Args: "VM|OP",
			Summary:  "Remove what a drill has made.",
			Examples: []string{"/failover cleanup vm-x", "/failover cleanup vm-x --notes web front answered"},
			Who:      "who may clean up",
			Flags:    []Flag{{Name: "--notes", Value: "TEXT", Summary: "what the drill showed, kept with Azure's job", Available: true}},
		},
		{
			Name: "cancel", Group: groupAct, Available: true, Args: "OP",
			Summary:  "Stop what can still be stopped: until Azure has taken the call, and whenever an operation waits. The VM stays as it is in Azure.",
			Examples: []string{"/failover cancel op-7f3kq2mz"},
			Who:      "who may cancel",
		},
		{
			Name: "incident", Group: groupAct, Available: true, Args: "TIME|over",
			Summary:  "Say when an incident began, or that it is over. Until then, recovery points from after it need --force.",
			Examples: []string{"/failover incident 14:05", "/failover incident -20m", "/failover incident over"},
			Who:      "who may freeze",
		},
		{
			Name: "freeze", Group: groupAct, Available: true, Args: "[PATTERN]",
			Summary:  "Stop new work on every VM, or on those whose names match. Running steps go on, and what is half-way can be committed, cleaned up or cancelled. Break-glass does not pass it.",
			Examples: []string{"/failover freeze --reason storm in West Europe", "/failover freeze web-* --reason release under way"},
			Who:      "who may freeze",
			Flags:    []Flag{{Name: "--reason", Value: "TEXT", Summary: "why, needed; stands in every refusal", Available: true}},
		},
		{
			Name: "unfreeze", Group: groupAct, Available: true, Args: "[PATTERN]",
			Summary:  "End a freeze: that of every VM, or that of the pattern.",
			Examples: []string{"/failover unfreeze", "/failover unfreeze web-*"},
			Who:      "who may freeze",
			Flags:    []Flag{{Name: "--reason", Value: "TEXT", Summary: "why, kept", Available: true}},
		},
	}
}

func decideRecords() []Record {
	return []Record{
		{
			Name: "approve", Group: groupDecide, Available: true, Args: "OP",
			Summary:  "Approve a request, so that it starts; or sign off a broken glass afterwards.",
			Examples: []string{"/failover approve op-7f3kq2mz"},
			Who:      "an approver of the request",
		},
		{
			Name: "deny", Group: groupDecide, Available: true, Args: "OP",
			Summary:  "Deny a request that waits for approval; or object to a broken glass afterwards, with a reason.",
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

// steerRecords are for an operation under way, on several VMs above all.
func steerRecords() []Record {
	return []Record{
		{
			Name: "hold", Group: groupAct, Available: true, Args: "OP",
			Summary:  "Begin nothing more of an operation. What Azure has begun goes on.",
			Examples: []string{"/failover hold op-7f3kq2mz", "/failover hold op-7f3kq2mz --reason the network is being repaired"},
			Who:      "who may cancel",
			Flags:    []Flag{{Name: "--reason", Value: "TEXT", Summary: "why, shown on the card", Available: true}},
		},
		{
			Name: "resume", Group: groupAct, Available: true, Args: "OP",
			Summary:  "Let an operation go on that is on hold, by somebody's word or because too many VMs of a wave have failed.",
			Examples: []string{"/failover resume op-7f3kq2mz"},
			Who:      "who may cancel",
		},
		{
			Name: "skip", Group: groupAct, Available: true, Args: "OP VM",
			Summary:  "Leave a VM out of an operation on several. It stays as it is in Azure.",
			Examples: []string{"/failover skip op-7f3kq2mz vm-x"},
			Who:      "who may cancel",
		},
		{
			Name: "retry", Group: groupAct, Available: true, Args: "OP [VM]",
			Summary:  "Try once more what has failed of an operation: one VM, or all of them.",
			Examples: []string{"/failover retry op-7f3kq2mz", "/failover retry op-7f3kq2mz vm-x"},
			Who:      "who may cancel",
		},
	}
}

func reservedActs() []Record {
	return []Record{
		{Name: "handover", Group: groupAct, Summary: "Hand the incident over.", Who: "who may freeze"},
	}
}

func lookRecords() []Record {
	return []Record{
		{
			Name: "status", Group: groupLook, Available: true, ReadOnly: true, Args: "[VM|OP]",
			Summary:  "Show what is open, or one operation, or what holds a VM; the name of a group stands for its newest operation.",
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
			Name: "jobs", Group: groupLook, Available: true, ReadOnly: true,
			Summary:  "List the jobs that run in the vaults, and those that ended within a day.",
			Examples: []string{"/failover jobs"},
			Who:      "anyone",
		},
		{
			Name: "debt", Group: groupLook, Available: true, ReadOnly: true,
			Summary:  "List what is left open: not committed, not protected, drills not cleaned up, broken glass not reviewed.",
			Examples: []string{"/failover debt"},
			Who:      "anyone",
		},
		{
			Name: "readiness", Group: groupLook, Available: true, ReadOnly: true,
			Summary:  "Say what would not fail over now, why, and what to do about it.",
			Examples: []string{"/failover readiness"},
			Who:      "anyone",
		},
		{
			Name: "forecast", Group: groupLook, Available: true, ReadOnly: true, Args: "VM...|group NAME|plan NAME",
			Summary:  "Say how long a failover would take, by what earlier ones took, what would hold it back, and whether targets.rto would be kept. Nothing is started.",
			Examples: []string{"/failover forecast group checkout", "/failover forecast vm-x", "/failover forecast web-01 web-02", "/failover forecast plan plan-shop"},
			Who:      "anyone",
		},
		{
			Name: "report", Group: groupLook, Available: true, Form: true, ReadOnly: true, Args: "OP",
			Summary:  "Tell the story of an operation: who asked and decided, each step, what was measured, what is still owed. In Slack, report alone opens a form.",
			Examples: []string{"/failover report op-7f3kq2mz"},
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

// Verb is what the verb of a command is called in the record of operations.
func (r Record) Verb() failover.Verb {
	if r.Name == "run" {
		return failover.VerbFailover
	}
	return failover.Verb(r.Name)
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
