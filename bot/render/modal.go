package render

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// The bounds of a modal, in characters. What a person may type is bounded so that it fits into a card.
const (
	maxTitle = 24 // also of the labels of its buttons
	maxNote  = 500
	maxModal = 20000 // of the blocks, as JSON
)

// The one input of a form.
const (
	blockNote  = "note"
	actionNote = "ferry_note"
)

// Form is what a modal asks for. It travels with the modal and comes back with what was typed. Its reader can see and
// forge it, as a typed command can be; who may do what is judged when it comes back.
type Form struct {
	Verb failover.Verb `json:"-"`
	Op   failover.OpID `json:"op,omitempty"`   // about the VM of this operation, or
	VM   string        `json:"vm,omitempty"`   // about this VM as typed
	Seen string        `json:"seen,omitempty"` // what was shown, see failover.Command
	Name string        `json:"name,omitempty"` // what has to be typed
}

// FormOf reads back what a modal was about; false when it is none of ours.
func FormOf(v slack.View) (Form, bool) {
	var f Form
	verb, known := VerbOf(v.CallbackID)
	err := json.Unmarshal([]byte(v.PrivateMetadata), &f)
	f.Verb = verb
	ours := failover.IsOpID(string(f.Op)) || f.Op == "" && f.VM != ""
	return f, known && err == nil && ours && v.CallbackID == callbackOf(verb)
}

// NoteOf is what was typed into a form, on one line; problems are errors to show at their fields.
func NoteOf(v slack.View) (note string, problems map[string]string) {
	if v.State != nil {
		note = inert(v.State.Values[blockNote][actionNote].Value)
	}
	if n := utf8.RuneCountInString(note); n > maxNote {
		problems = map[string]string{blockNote: fmt.Sprintf("At most %d characters fit; these are %d.", maxNote, n)}
	}
	return note, problems
}

// Command is what a form asks for. messageID is the same for all deliveries of it.
func (f Form) Command(messageID, note string, by failover.Actor, now time.Time) failover.Command {
	cmd := failover.Command{
		MessageID: messageID, Verb: f.Verb, Op: f.Op, Target: f.VM, Seen: f.Seen, By: by, At: now, ValidUntil: now.Add(failover.CommandValidity),
	}
	if cmd.Op == "" {
		cmd.Op = failover.OpIDOf(messageID, 0)
	}
	into := map[failover.Verb]*string{failover.VerbCleanup: &cmd.Notes, failover.VerbCommit: &cmd.Confirm}[f.Verb]
	if into == nil {
		into = &cmd.Reason
	}
	*into = note
	return cmd
}

// Said is a modal that tells something and asks for nothing.
func Said(title, text string) slack.ModalViewRequest {
	return view(title, Ephemeral(text).Blocks)
}

// ReprotectForm shows what a reprotect would use and create, and asks whether to go on.
func ReprotectForm(f Form, r failover.Review, now time.Time) slack.ModalViewRequest {
	f.Verb, f.Seen = failover.VerbReprotect, r.Seen
	if r.Op != "" {
		f.Op, f.VM = r.Op, ""
	}
	next := "Nothing is started before you press Reprotect. Where the rules want an approval, it is then asked for in the channel; else it starts at once."
	if r.Op != "" {
		next = fmt.Sprintf("%s waits for this. Pressing Reprotect approves it; it starts when enough people have.", r.Op)
	}
	var v slack.ModalViewRequest
	for _, d := range details() {
		title := "Reprotect " + d.name(r.Name)
		lead := []line{{bold(orNot(d.say(r.Name))), plain(" goes on running and is replicated back" + overwrites(r.Reversal))}}
		foot := []line{{plain("Read at "), moment(r.At, now), plain(". If something of it changes, nothing is started.")}, words("%s", next)}
		if r.Reversal == nil { // of several VMs nothing is read yet
			title, foot = "Reprotect several VMs", foot[1:]
			lead[0][1] = plain(": each is replicated back on its own and goes on running meanwhile" + overwrites(nil))
			lead = append(lead, words("Those that cannot be are left out and named. What each uses and creates stands on the card, for who approves it."))
		}
		v = f.view(title, "Reprotect", noteInput("Reason", "Why now; shown to who approves, and kept"), lead, d.reversal(r.Reversal), foot)
		if size(v.Blocks.BlockSet) <= maxModal {
			break
		}
	}
	return v
}

// overwrites says what a reprotect does to the old VM's disks.
func overwrites(r *failover.Reversal) string {
	if r != nil && r.FullCopy {
		return "."
	}
	return ". What is left of it there is overwritten."
}

// CleanupForm asks what a drill has shown before it is cleaned up.
func CleanupForm(op failover.Operation, now time.Time) slack.ModalViewRequest {
	c := cardOf{op, now, details()[0]}
	lines := []line{words("Azure deletes the test VM of %s in %s, with its disks and network interfaces. %s itself and its replication are not touched.", c.target(), c.to(), c.target())}
	if !op.FinishedAt.IsZero() {
		lines = append(lines, line{plain("It is up since "), moment(op.FinishedAt, now), plain(".")})
	}
	f := Form{Verb: failover.VerbCleanup, Op: op.ID}
	return f.view("Clean up "+c.target(), "Clean up", noteInput("Notes", "What the drill has shown; kept with Azure's job"), lines)
}

func noteInput(name, hint string) slack.Block {
	input := slack.NewPlainTextInputBlockElement(nil, actionNote)
	input.MaxLength = maxNote
	b := slack.NewInputBlock(blockNote, label(name), label(hint), input)
	b.Optional = true
	return b
}

// view is a form of some paragraphs and one input.
func (f Form) view(title, submit string, input slack.Block, parts ...[]line) slack.ModalViewRequest {
	var blocks []slack.Block
	for i, lines := range parts {
		if len(lines) > 0 {
			blocks = append(blocks, richText(fmt.Sprintf("review.%d", i), lines))
		}
	}
	v := view(title, append(blocks, input))
	v.CallbackID, v.Submit, v.Close = callbackOf(f.Verb), short(submit), short("Not now")
	metadata, err := json.Marshal(f)
	if err != nil { // plain data always marshals
		panic(err)
	}
	v.PrivateMetadata = string(metadata)
	return v
}

func callbackOf(verb failover.Verb) string {
	return map[failover.Verb]string{
		failover.VerbReprotect: ActionReprotect, failover.VerbCleanup: ActionCleanup, failover.VerbCommit: ActionCommitNamed, failover.VerbDeny: ActionObject,
	}[verb]
}

func view(title string, blocks []slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{Type: slack.VTModal, Title: short(orElse(inert(title), bot.Command)), Close: short("Close"), Blocks: slack.Blocks{BlockSet: blocks}}
}

// short is a title or a label of a modal.
func short(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, clip(text, maxTitle), false, false)
}
