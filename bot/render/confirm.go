package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// CommitForm asks for the name before a commit, where the rule wants it typed. What was typed is judged where the command is
// decided; the error at the field is a courtesy.
func CommitForm(f Form, op failover.Operation, now time.Time) slack.ModalViewRequest {
	c := cardOf{op, now, details()[0]}
	f.Verb, f.Op, f.VM, f.Name = failover.VerbCommit, op.ID, "", op.ConfirmName()
	typed := c.name(f.Name)
	if len(f.Name) > maxNote { // metadata is bounded; where it is decided the name is known
		f.Name = ""
	}
	lines := []line{
		words("%s", c.commitText(c.target())),
		words("The rule for it asks for its name. To commit, type %s.", typed),
	}
	return f.view("Commit "+c.target(), "Commit", required("Name", orElse(typed, "as it stands on the card")), lines)
}

// ObjectionForm asks why somebody objects to a broken glass.
func ObjectionForm(op failover.Operation, now time.Time) slack.ModalViewRequest {
	c := cardOf{op, now, details()[0]}
	f := Form{Verb: failover.VerbDeny, Op: op.ID}
	lines := append(c.glass()[:1], words("Your objection is kept with your name and told in the channel. It stops nothing: to stop what can still be stopped, type %s cancel %s.", bot.Command, op.ID))
	return f.view("Object", "Object", required("Reason", "What was not right"), lines)
}

// required is an input that may not stay empty.
func required(name, hint string) slack.Block {
	input := slack.NewPlainTextInputBlockElement(nil, actionNote)
	input.MaxLength = maxNote
	return slack.NewInputBlock(blockNote, label(name), label(hint), input)
}

// Problems are the errors to show at the fields of a form; nil when there are none.
func (f Form) Problems(note string) map[string]string {
	switch {
	case f.Verb == failover.VerbCommit && f.Name != "" && !strings.EqualFold(note, f.Name):
		return map[string]string{blockNote: fmt.Sprintf("That is not its name. Type %s.", clip(inert(f.Name), maxButton))}
	case f.Verb == failover.VerbDeny && note == "":
		return map[string]string{blockNote: "Say why: an objection needs a reason."}
	}
	return nil
}
