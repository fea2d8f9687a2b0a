package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Submit lets a person send the modal. What Slack's client checks itself comes back as an error and stands at the fields;
// else it returns once the submission is delivered, as [Workspace.Click] does. What came of it shows in [Workspace.Modal].
func (w *Workspace) Submit(user string) error {
	return w.submit(user, "", nil)
}

// entry is what a client holds in one control of a form.
type entry struct {
	BlockID  string   `json:"block_id"`
	ActionID string   `json:"action_id"`
	Values   []string `json:"values"`
}

func (w *Workspace) submit(user, viewID string, held []entry) error {
	i, err := w.submitted(user, viewID, held)
	if err != nil {
		return err
	}
	return w.deliver(i)
}

func (w *Workspace) submitted(user, viewID string, held []entry) (*interaction, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, err := w.modalOf(user, viewID)
	switch {
	case err != nil:
		return nil, err
	case !v.content.has("submit"):
		return nil, errors.New("the modal has no button to submit it")
	case v.busy:
		return nil, errors.New("the modal is being submitted")
	}
	if err := v.hold(held); err != nil {
		return nil, err
	}
	defer w.publishModal(v.person)
	if err := v.incomplete(); err != nil {
		return nil, err
	}
	v.busy, v.notice = true, ""
	payload := w.interactive("view_submission", v.person)
	payload["trigger_id"], payload["view"], payload["response_urls"] = w.newTrigger(v.person), w.wireView(v), []reply{}
	return &interaction{
		envelopeType: "interactive", payload: payload, what: "The modal", failed: w.troubled(v),
		answered: func(answer json.RawMessage) { w.answerSubmission(v, answer) },
	}, nil
}

// hold takes over what a client has in its form.
func (v *view) hold(held []entry) error {
	controls := controlsIn(v.blocks())
	for _, e := range held {
		c, ok := pointed(controls, place{e.BlockID, e.ActionID})
		if !ok {
			return fmt.Errorf("%w: it has no element %s any more", ErrNoModal, e.ActionID)
		}
		if err := v.form.put(c, e.Values); err != nil {
			return err
		}
	}
	return nil
}

// incomplete notes at the fields what Slack's client would not send, and says so.
func (v *view) incomplete() error {
	v.errors = map[string]string{}
	var problems []string
	for _, c := range controlsIn(v.blocks()) {
		if !c.asks() {
			continue
		}
		if problem := v.form.problem(c); problem != "" {
			v.errors[c.place.block] = problem
			problems = append(problems, c.label()+": "+problem)
		}
	}
	if len(problems) > 0 {
		return incompleteError{problems}
	}
	return nil
}

// incompleteError is a form that was not sent.
type incompleteError struct{ problems []string }

func (e incompleteError) Error() string { return "not sent: " + strings.Join(e.problems, "; ") }

// answerSubmission does what the acknowledgement of a submission says. What Slack does not take leaves the modal as it is.
func (w *Workspace) answerSubmission(v *view, answer json.RawMessage) {
	v.busy = false
	if w.carryOut(v, answer) != nil {
		v.notice = trouble
	}
	w.publishModal(v.person)
}

// carryOut is documented: no payload closes the view alone.
func (w *Workspace) carryOut(v *view, answer json.RawMessage) error {
	if len(answer) == 0 || string(answer) == "null" || string(answer) == "{}" {
		w.closeView(v)
		return nil
	}
	r := parseNode(answer)
	switch action := r.text("response_action"); action {
	case "clear":
		w.modals[v.person.ID] = nil
		return nil
	case "errors":
		return v.refuse(r.child("errors"))
	case "update", "push":
		content, err := acceptAnswered(r.child("view"))
		if err == nil && action == "update" {
			w.replace(v, content)
			return nil
		}
		if err == nil {
			err = w.mayPush(v.person)
		}
		if err == nil {
			w.show(v.person, content)
		}
		return err
	default:
		return errors.New("unknown response_action")
	}
}

func acceptAnswered(content node) (node, error) {
	raw, err := encode(content)
	if err != nil {
		return nil, err
	}
	return acceptView(string(raw), checkModal)
}

// refuse puts errors at input blocks; of other blocks Slack knows no place for them.
func (v *view) refuse(errs node) error {
	places := map[string]bool{}
	for _, b := range v.blocks() {
		if b.text("type") == "input" {
			places[b.text("block_id")] = true
		}
	}
	found := map[string]string{}
	for id := range errs {
		if found[id] = errs.text(id); found[id] == "" || !places[id] {
			return errors.New("an error for no input block")
		}
	}
	if len(found) == 0 {
		return errors.New("no errors")
	}
	v.errors = found
	return nil
}
