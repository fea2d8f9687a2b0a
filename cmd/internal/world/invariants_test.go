package world

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"ferry/events"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// invariant is a promise that holds after any schedule. broken says how it does not.
type invariant struct {
	name   string
	broken func(*evidence) []string
}

func invariants() []invariant {
	return []invariant{
		{"one accepted call per intent", oneCallPerIntent},
		{"an intent before each call", intentBeforeCall},
		{"each call is sent once", sentOnce},
		{"acting again is slow", actsAgainSlowly},
		{"what Azure took is not said to have failed", failuresAreTrue},
		{"no call that nobody asked for", callsAreAskedFor},
		{"no call without its approvals", callsAreApproved},
		{"nothing begins behind a freeze", freezesHold},
		{"what was acknowledged is stored", acknowledgedIsStored},
		{"every accepted command ends or waits for somebody", everythingEnds},
		{"everybody is answered within 3 s", everybodyIsAnswered},
		{"no answer is contradicted", answersHold},
		{"one card per operation, one more per crash", fewCards},
		{"the card shows where the operation stands", cardsAreCurrent},
		{"what a card said was true", cardsWereTrue},
		{"two operations never hold one VM", oneHolder},
		{"replay gives the same", replays},
		{"the audit verifies", audited},
	}
}

func complain(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }

// One call is accepted for an intent. Both of two can be only when both were lost on the way, sent before either arrived, and
// Azure had failed the first one's job by the time the second arrived: then its own state refuses no more. See docs/reliability.md.
func oneCallPerIntent(e *evidence) (broken []string) {
	intents, calls := e.intents(), map[intent][]vault.Call{}
	for _, c := range e.accepted() {
		i, known := intents[c.ClientRequestID]
		if i.at, i.begun, i.seq = (time.Time{}), (time.Time{}), 0; known {
			calls[i] = append(calls[i], c)
		}
	}
	for i, all := range calls {
		if len(all) > 1 && !(len(all) == 2 && e.crossed(intents, all[0], all[1])) {
			broken = append(broken, fmt.Sprintf("%d calls were accepted for the %s of %s in %s: %+v", len(all), i.kind, all[0].VM, i.op, all))
		}
	}
	return broken
}

// crossed reports whether the second of two calls was sent before the first arrived, and arrived after that one's job had failed.
func (e *evidence) crossed(intents map[string]intent, first, second vault.Call) bool {
	failed := slices.ContainsFunc(e.jobs, func(j vault.Job) bool {
		return j.ID == first.JobID && j.State == "Failed" && !j.End.IsZero() && !j.End.After(second.At)
	})
	return failed && intents[second.ClientRequestID].at.Before(first.At)
}

func intentBeforeCall(e *evidence) (broken []string) {
	intents := e.intents()
	for _, c := range e.ledger {
		if c.Source != vault.SourceAPI {
			continue
		}
		switch i, known := intents[c.ClientRequestID]; {
		case !known:
			broken = append(broken, fmt.Sprintf("no intent is stored for the call %+v", c))
		case i.at.After(c.At):
			broken = append(broken, fmt.Sprintf("the intent of %s came after the call %+v", i.at, c))
		}
	}
	return broken
}

// sentOnce: what is tried again is another attempt, with an id of its own.
func sentOnce(e *evidence) (broken []string) {
	sent := map[string]bool{}
	for _, c := range e.ledger {
		if sent[c.ClientRequestID] {
			broken = append(broken, fmt.Sprintf("sent again: %+v", c))
		}
		sent[c.ClientRequestID] = true
	}
	return broken
}

// actAgainAfter is how long a call may be on its way.
const actAgainAfter = 3 * time.Minute

// actsAgainSlowly: a call whose answer was lost may still arrive. Only when Azure surely did not take it is it made again
// before that.
func actsAgainSlowly(e *evidence) (broken []string) {
	for op, records := range e.stream.records {
		open := map[string]time.Time{} // since when nobody knows, by target and step
		for _, r := range records {
			if f, ok := r.Fact.(failover.StepStarted); ok {
				if since, unknown := open[f.Target+string(f.Kind)]; unknown && r.At.Sub(since) < actAgainAfter {
					broken = append(broken, fmt.Sprintf("%s: the %s begun at %s is made again at %s", op, f.Kind, since, r.At))
				}
				open[f.Target+string(f.Kind)] = r.At
			}
			if f, ok := r.Fact.(failover.StepDelayed); ok {
				delete(open, f.Target+string(f.Kind))
			}
			if f, ok := r.Fact.(failover.StepFailed); ok {
				delete(open, f.Target+string(f.Kind))
			}
			if f, ok := r.Fact.(failover.StepDone); ok {
				delete(open, f.Target+string(f.Kind))
			}
		}
	}
	return broken
}

// failuresAreTrue: a step that is said to have failed has no call that Azure accepted, unless it is that one's job that failed.
func failuresAreTrue(e *evidence) (broken []string) {
	intents := e.intents()
	for _, c := range e.accepted() {
		i := intents[c.ClientRequestID]
		if i.kind == failover.StepResize { // one that comes late names a size that was approved, and is nobody's matter
			continue
		}
		for _, t := range e.stream.ops[i.op].Targets {
			if t.Item.Key != i.target || t.Phase != failover.Failed {
				continue
			}
			known := func(s failover.Step) bool {
				return strings.HasSuffix(strings.ToLower(s.JobID), strings.ToLower(c.JobID))
			}
			if !slices.ContainsFunc(t.Steps, known) {
				broken = append(broken, fmt.Sprintf("%s says that the %s of %s failed, and this was accepted: %+v", i.op, i.kind, t.Item.Name, c))
			}
		}
	}
	return broken
}

// asker is the deed that an operation comes from, by what the workspace recorded.
func (e *evidence) asker(op failover.Operation) (deed, bool) {
	for _, d := range e.deeds {
		if d.command == op.Asked {
			return d, true
		}
	}
	return deed{}, false
}

func isOperator(id string) bool { return id == "U0ANA" || id == "U0CAT" }
func isCat(id string) bool      { return id == "U0CAT" || id == "U0DAN" }
func isApprover(id string) bool { return id == "U0BEN" || id == "U0DAN" || id == "U0CAT" }

func callsAreAskedFor(e *evidence) (broken []string) {
	intents := e.intents()
	for _, c := range e.accepted() {
		op := e.stream.ops[intents[c.ClientRequestID].op]
		d, found := e.asker(op)
		name := c.VM + c.Plan
		switch {
		case !found:
			broken = append(broken, fmt.Sprintf("nobody asked for %s, of which is %+v", op.ID, c))
		case d.at.After(c.At):
			broken = append(broken, fmt.Sprintf("%s was asked for after the call %+v", op.ID, c))
		case !isOperator(d.who) && !e.couldApprove(d.who, d.at.Add(10*time.Minute)) && !e.couldApprove(d.who, d.at):
			broken = append(broken, fmt.Sprintf("%s may not ask for %s: %+v", d.who, op.ID, c))
		case d.act == types && d.op == "" && !strings.Contains(strings.ToLower(d.text), name) && !(strings.Contains(strings.ToLower(d.text), "group shop") && inShop(name)):
			broken = append(broken, fmt.Sprintf("%s typed %q, and %s was called: %+v", d.who, d.text, c.Operation, c))
		}
	}
	return broken
}

// approvalLife is how long after a press its first call may be begun: the press has 10 minutes to be decided, and the
// decision as many to be acted upon, or an hour while Azure keeps it waiting and the card says so.
func (e *evidence) approvalLife() time.Duration {
	const decided, within, patiently = 10 * time.Minute, 10 * time.Minute, time.Hour
	if slices.ContainsFunc(e.schedule.Steps, func(s step) bool { return s.Act == fault }) {
		return decided + patiently + time.Minute
	}
	return decided + within + time.Minute
}

// callsAreApproved finds for each opened gate that led to an accepted call presses of its own by as many people as are needed, who
// may decide and have not asked for it, the last not too long before.
func callsAreApproved(e *evidence) (broken []string) {
	intents, used := e.intents(), map[int]bool{}
	calls := e.accepted()
	slices.SortStableFunc(calls, func(x, y vault.Call) int { return intents[x.ClientRequestID].at.Compare(intents[y.ClientRequestID].at) })
	rounds := map[intent]bool{}
	for _, c := range calls {
		i := intents[c.ClientRequestID]
		op, begun, at := e.stream.ops[i.op], i.begun, i.at
		glass := op.Plan.BrokenGlass != nil && i.kind == failover.StepFailover
		i = intent{op: i.op, round: i.round}
		if rounds[i] || op.Verb == failover.VerbTest || op.Verb == failover.VerbCleanup {
			continue // another VM of the same decision; drills need no approval
		}
		rounds[i] = true
		if glass {
			if d, _ := e.asker(op); !strings.Contains(d.text, "--break-glass") || !e.couldApprove(d.who, at) {
				broken = append(broken, fmt.Sprintf("%s broke the glass of %s with %q before %+v", d.who, op.ID, d.text, c))
			}
			continue
		}
		people := map[string]bool{}
		for n := e.press(op, begun, at, used, people); n >= 0; n = e.press(op, begun, at, used, people) {
			used[n], people[person(e.deeds[n].who)] = true, true
			if len(people) == e.schedule.approvals() {
				break
			}
		}
		if len(people) < e.schedule.approvals() {
			broken = append(broken, fmt.Sprintf("%s was approved by %v, the last within %s before %+v", op.ID, people, e.approvalLife(), c))
		}
	}
	return broken
}

func person(id string) string {
	if isCat(id) {
		return "cat"
	}
	return id
}

// press finds an unused deed that approves an operation before a moment, by another person than have, who could still approve
// at the call; the last one first, which must not be long before.
func (e *evidence) press(op failover.Operation, before, call time.Time, used map[int]bool, have map[string]bool) int {
	for n, d := range slices.Backward(e.deeds) {
		words := strings.Fields(d.text)
		typed := d.act == types && len(words) > 1 && (words[1] == "approve" || words[1] == "commit" || words[1] == "change")
		pressed := d.act == presses || d.act == pressOld || d.act == submits
		answer, about := op.Answers[d.command]
		about = about && answer.Refused == nil
		// Who opens a commit on a VM that nothing holds has pressed it by that.
		own := person(d.who) == person(op.RequestedBy.ID) && op.Verb != failover.VerbCommit
		late := len(have) == 0 && before.Sub(d.at) > e.approvalLife()
		if (typed || pressed) && about && e.couldApprove(d.who, call) && !own && !used[n] && !have[person(d.who)] && !d.at.After(before) && !late {
			return n
		}
	}
	return -1
}

// freezesHold: an intent that was stored after a freeze and before its end comes to no call that begins new work.
func freezesHold(e *evidence) (broken []string) {
	intents := e.intents()
	for id, op := range e.stream.ops {
		if op.Verb != failover.VerbFreeze || !op.Exists() {
			continue
		}
		freeze, from, to := failover.Freeze{Pattern: op.Plan.Frozen}, uint64(0), uint64(math.MaxUint64)
		for _, r := range e.stream.records[id] {
			if _, begins := r.Fact.(failover.Requested); begins {
				from = r.Seq
			}
			if _, ends := r.Fact.(failover.Finished); ends {
				to = r.Seq
			}
		}
		for _, c := range e.accepted() {
			i := intents[c.ClientRequestID]
			behind := from < i.seq && i.seq < to
			for _, t := range e.stream.ops[i.op].Targets {
				if behind && t.Item.Key == i.target && i.kind.NewWork() && freeze.Stops(t.Item) {
					broken = append(broken, fmt.Sprintf("%s froze %s, and then %s was called: %+v", id, freeze.Pattern, i.kind, c))
				}
			}
		}
	}
	return broken
}

// acknowledgedIsStored: Slack was told that a command is taken, so it is there.
func acknowledgedIsStored(e *evidence) (broken []string) {
	for _, d := range e.deeds {
		if _, stored := e.stream.commands[d.command]; stored || d.lost || !d.mutates() || e.complained(d) {
			continue
		}
		broken = append(broken, fmt.Sprintf("%s %s %q at %s, was not told that it failed, and it is not stored", d.who, d.act, d.text, d.at.Format(time.TimeOnly)))
	}
	return broken
}

// mutates reports whether a deed surely becomes a command: some open a form or ask only.
func (d deed) mutates() bool {
	words := strings.Fields(d.text)
	if d.act == types {
		return len(words) > 1 && !slices.Contains([]string{"status", "list", "points", "debt", "readiness", "jobs", "reprotect"}, words[1])
	}
	return d.asks || d.act != submits && d.text != "Reprotect" && d.text != "Clean up" && d.text != "Show all"
}

// complained reports whether a person was told that it is not known, or that it failed.
func (e *evidence) complained(d deed) bool {
	return slices.ContainsFunc(e.told, func(t told) bool {
		return t.who == d.who && !t.at.Before(d.at) && t.at.Sub(d.at) < 26*time.Minute &&
			(strings.Contains(t.text, "failed with the error") || strings.Contains(t.text, "trouble connecting") || strings.Contains(t.text, "Not confirmed") || strings.Contains(t.text, "could not be stored"))
	})
}

func everythingEnds(e *evidence) (broken []string) {
	for id, op := range e.stream.ops {
		switch {
		case !op.Exists() || op.Phase.Final() || op.Verb.Declares():
		case op.Phase == failover.AwaitingApproval && !op.Started() && !op.ExpiresAt.IsZero() && e.over.Sub(op.ExpiresAt) > time.Minute:
			broken = append(broken, fmt.Sprintf("%s waits for an approval at %s, and was to expire at %s", id, e.over, op.ExpiresAt))
		case op.Phase == failover.Running && op.OnHold != nil && strings.Contains(strings.ToLower(e.latest[id].text), "resume"):
		case op.Phase == failover.Running:
			broken = append(broken, fmt.Sprintf("%s runs at the end: %s", id, e.latest[id].text))
		case !strings.Contains(e.latest[id].text, "Waits for") && !strings.Contains(e.latest[id].text, "waits for") && !strings.Contains(e.latest[id].text, "What to do"):
			broken = append(broken, fmt.Sprintf("%s is %s, and its card does not say who is waited for:\n%s", id, op.Phase, e.latest[id].text))
		}
	}
	for message, cmd := range e.stream.commands {
		if !slices.ContainsFunc(slices.Collect(maps.Values(e.stream.ops)), func(op failover.Operation) bool { _, ok := op.Answers[message]; return ok }) {
			broken = append(broken, fmt.Sprintf("nobody decided the command %+v", cmd))
		}
	}
	return broken
}

// answerWithin is Slack's own patience, and a little for what is written at its end.
const answerWithin = 3*time.Second + 200*time.Millisecond

func everybodyIsAnswered(e *evidence) (broken []string) {
	used := map[int]bool{}
	for _, d := range e.deeds {
		if e.excuses(d.at, answerWithin) {
			continue
		}
		answered := false
		for n, t := range e.told {
			if late := t.at.Sub(d.at); t.who == d.who && late >= 0 && late <= answerWithin && !used[n] {
				used[n], answered = true, true
				break
			}
		}
		if !answered {
			broken = append(broken, fmt.Sprintf("%s %s %q at %s and heard nothing within %s", d.who, d.act, d.text, d.at.Format(time.TimeOnly), answerWithin))
		}
	}
	return broken
}

// answersHold counts, for each person: no more was said to be lost, refused or accepted than is.
func answersHold(e *evidence) (broken []string) {
	lost, heard := map[string]int{}, map[string]int{}
	for _, d := range e.deeds {
		if _, stored := e.stream.commands[d.command]; !stored {
			lost[d.who]++
		}
	}
	known := map[string]bool{"op-aaaaaaaa": true, "op-bbbbbbbb": true} // which people made up
	for id, op := range e.stream.ops {
		known[string(id)] = true
		for message := range op.Answers {
			known[string(failover.OpIDOf(message, 0))] = true
		}
	}
	for _, t := range e.told {
		if strings.Contains(t.text, "could not be stored") {
			heard[t.who]++
		}
		for _, word := range strings.FieldsFunc(t.text, func(r rune) bool { return strings.ContainsRune(" .,:()", r) || r == '\n' }) {
			if failover.IsOpID(word) && !known[word] {
				broken = append(broken, fmt.Sprintf("%s was told of %s, which does not exist: %s", t.who, word, t.text))
			}
		}
	}
	for _, t := range e.told {
		if e.liesAbout(t) {
			broken = append(broken, fmt.Sprintf("%s was told at %s, and no such request of theirs was accepted: %s", t.who, t.at.Format(time.TimeOnly), t.text))
		}
	}
	for who, n := range heard {
		if n > 3*lost[who] { // Slack may have delivered each three times, to different bots
			broken = append(broken, fmt.Sprintf("%s was told %d times that something is not stored, and %d were not", who, n, lost[who]))
		}
	}
	return broken
}

// liesAbout reports whether somebody was told that something of theirs has started or waits for approval, and nothing was
// accepted from them about that operation.
func (e *evidence) liesAbout(t told) bool {
	if !strings.Contains(t.text, " has started. Follow it") && !strings.Contains(t.text, " waits for approval by ") || !strings.HasPrefix(t.text, "op-") {
		return false
	}
	op := e.stream.ops[failover.OpID(t.text[:min(len(t.text), len("op-aaaaaaaa"))])]
	return !slices.ContainsFunc(e.deeds, func(d deed) bool {
		answer, decided := op.Answers[d.command]
		return d.who == t.who && decided && answer.Refused == nil
	})
}

func fewCards(e *evidence) (broken []string) {
	posted := map[failover.OpID][]shown{}
	for _, c := range e.cards {
		if c.posted {
			posted[c.op] = append(posted[c.op], c)
		}
	}
	for id, op := range e.stream.ops {
		cards := posted[id]
		switch {
		case op.Exists() && len(cards) == 0:
			broken = append(broken, fmt.Sprintf("%s has no card", id))
		case len(cards) > 1+e.deaths+e.slack:
			broken = append(broken, fmt.Sprintf("%s has %d cards after %d crashes", id, len(cards), e.deaths))
		}
		for _, c := range cards[min(1, len(cards)):] {
			if !strings.Contains(strings.ToLower(c.text), "continued") {
				broken = append(broken, fmt.Sprintf("a further card of %s does not say that it goes on here:\n%s", id, c.text))
			}
		}
	}
	return broken
}

// oneHolder follows who holds each VM: only who has it lets it go, only a free one is taken, and nothing is begun before all are held.
func oneHolder(e *evidence) (broken []string) {
	holders := map[string]failover.OpID{}
	for _, m := range e.stream.messages {
		hold, err := events.DecodeHold(m)
		if err != nil {
			broken = append(broken, e.unheld(m, holders)...)
			continue
		}
		if before := holders[hold.Key]; before != "" && hold.Op != "" && before != hold.Op {
			broken = append(broken, fmt.Sprintf("message %d: %s takes what %s holds", m.Seq, hold.Op, before))
		}
		holders[hold.Key] = hold.Op
	}
	held := map[string]failover.OpID{}
	for id, op := range e.stream.ops {
		if !op.Exists() || op.Phase.Final() {
			continue
		}
		for _, t := range op.Targets {
			if other := held[t.Item.Key]; other != "" || holders[t.Item.Key] != id {
				broken = append(broken, fmt.Sprintf("%s of %s is held by %q, and also open is %q", t.Item.Name, id, holders[t.Item.Key], other))
			}
			held[t.Item.Key] = id
		}
	}
	for key, id := range holders {
		if id != "" && e.stream.ops[id].Phase.Final() {
			broken = append(broken, fmt.Sprintf("%s is over and still holds %s", id, key))
		}
	}
	return broken
}

// unheld are the VMs of an operation that begins a step and does not hold them.
func (e *evidence) unheld(m events.Message, holders map[string]failover.OpID) (broken []string) {
	record, err := events.DecodeFact(m)
	if _, begins := record.Fact.(failover.StepStarted); err != nil || !begins {
		return nil
	}
	id := failover.OpID(events.LastToken(m.Subject))
	for _, t := range e.stream.ops[id].Targets {
		if holders[t.Item.Key] != id {
			broken = append(broken, fmt.Sprintf("message %d: %s begins, and %s is held by %q", m.Seq, id, t.Item.Name, holders[t.Item.Key]))
		}
	}
	return broken
}

// audited: the hash that the executors kept through it all is that of the stream, to its end.
func audited(e *evidence) []string {
	switch {
	case e.unread != nil:
		return complain("not read: %v", e.unread)
	case e.audit.Err() != nil:
		return complain("%v", e.audit.Err())
	case e.audit.Head.Seq != e.audit.Last:
		return complain("it is kept to %d, and the stream ends at %d", e.audit.Head.Seq, e.audit.Last)
	}
	return nil
}

func replays(e *evidence) []string {
	broken := slices.Clone(e.stream.faults)
	for id, op := range e.stream.ops {
		if !same(op, e.stream.board[id]) {
			broken = append(broken, fmt.Sprintf("%s: folded anew it is %+v, on the board %+v", id, op, e.stream.board[id]))
		}
	}
	return broken
}
