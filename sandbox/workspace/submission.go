package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
)

// parseNode is nil for what is not an object.
func parseNode(raw json.RawMessage) node {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var n node
	if decoder.Decode(&n) != nil {
		return nil
	}
	return n
}

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
	return acceptView(string(raw))
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
