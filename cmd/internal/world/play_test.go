package world

import (
	"errors"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/events"
	"ferry/failover"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

const team = "T0SANDBOX"

// player acts a schedule out.
type player struct {
	*world
	fleet  *fleet
	record *record
	deaths int            // of processes, those that ended in good order too
	slack  int            // calls of Slack's that failed
	audit  events.Verdict // in the end
	unread error          // why there is none
	groups []groupWas     // oldest first
}

// approversGroup has those who approve in a schedule of which Group is set.
const approversGroup = "S0APP"

// rights is who may do what in an exploration: cat may ask and decide, but not decide what she asked for, also not as dan, who
// is she with another account. Those who decide may break the glass.
func (s schedule) rights(c *config.Config) {
	c.Access.People = map[string][]string{"cat": {"U0CAT", "U0DAN"}}
	approvers := config.Role{Users: []string{"U0BEN", "U0DAN", "U0CAT"}}
	if s.Group {
		approvers = config.Role{Groups: []string{approversGroup}}
	}
	c.Access.Roles = map[string]config.Role{"operator": {Users: []string{"U0ANA", "U0CAT"}}, "approver": approvers}
	c.Access.Rules[0].Approvals = s.approvals()
	c.Access.BreakGlass = &config.BreakGlass{Role: "approver", ReasonRequired: true}
}

// regroups has an administrator say who is in the group.
func (p *player) regroups(names string) {
	var ids []string
	for name := range strings.FieldsSeq(names) {
		ids = append(ids, idOf(name))
	}
	if err := p.workspace.SetGroup(workspace.UserGroup{ID: approversGroup, Handle: "approvers", Users: ids}); err != nil {
		p.t.Fatal(err)
	}
	p.groups = append(p.groups, groupWas{time.Now(), ids})
}

// groupWas is who is in the group from a moment on.
type groupWas struct {
	since time.Time
	users []string
}

// play acts all steps, and then lets everything come to rest.
func (p *player) play(s schedule) {
	p.configure, p.world.groups = func(c *config.Config) { s.rights(c); otherSizes(c) }, shop()
	p.regroups("ben cat dan")
	p.record = p.records()
	if p.fleet = p.newFleet(s.Bots, s.Executors); p.nats != nil && s.Replicas > 0 {
		p.nats.replicate(s.Replicas)
	}
	p.fleet.ends = p.ends
	p.fleet.start()
	p.settleIn()
	for _, step := range s.Steps {
		pass(step.After.duration())
		p.act(step)
	}
	p.heal()
	p.fleet.close()
	p.fleet = p.newFleet(min(1, s.Bots), min(1, s.Executors))
	p.fleet.start()
	p.settleIn()
	p.rest()
	for range 10 {
		if !s.Decide || !p.decide() {
			break
		}
		p.rest()
	}
	p.audit, p.unread = p.verify()
	p.fleet.close()
	p.record.close()
}

// verify has an executor read the stream and compare it with what is kept of it. What was stored this moment, as when a request
// expires, is kept a second later.
func (p *player) verify() (verdict events.Verdict, err error) {
	for range 3 {
		life, _ := p.fleet.seats[len(p.fleet.seats)-1].now()
		if verdict, err = life.app.VerifyAudit(p.t.Context()); err != nil || verdict.Err() != nil || verdict.Head.Seq == verdict.Last {
			break
		}
		pass(10 * time.Second)
	}
	return verdict, err
}

// settleIn gives the processes time to connect.
func (p *player) settleIn() {
	pass(15 * time.Second)
	synctest.Wait()
}

func (p *player) act(s step) {
	switch s.Act {
	case types:
		p.types(s.Who, s.Text)
	case presses:
		p.presses(s.Who, s.Text)
	case pressOld:
		p.pressesOld(s.Who, s.Text)
	case awaits:
		p.awaits(s)
	case asks:
		p.types(s.Who, "/failover")
		pass(2 * time.Second)
		synctest.Wait()
		_ = p.workspace.Fill(s.Who, "VM", s.VM) // no form came, or the search was not answered
	case submits:
		p.submits(s.Who)
	case doubles:
		p.workspace.Duplicate(s.N)
	case dies, freezes:
		p.stops(s)
	case drains:
		if life, _ := p.seat(s).now(); life != nil {
			life.drain()
		}
	case fault:
		p.vault.Fault(s.fault())
	case portal:
		if err := p.vault.Portal(s.VM, s.Operation); err != nil && !errors.Is(err, vault.ErrNotAllowed) {
			p.t.Fatal(err)
		}
	case slackGone:
		p.slack++
		p.record.excuse(s.For.duration())
		p.workspace.Outage(s.For.duration())
	case slackFail:
		p.slack += s.N
		if s.Late {
			p.workspace.LoseAnswer(s.Text, s.N)
		} else {
			p.workspace.FailNext(s.Text, 500, s.N)
		}
	case regroups:
		p.regroups(s.Text)
	case cluster:
		if p.nats != nil && p.nats.proxy != nil {
			troubleCluster(p.nats.proxy, s)
		}
	case natsGone:
		if p.nats != nil {
			p.nats.stop()
			time.AfterFunc(s.For.duration(), p.nats.start)
		}
	case natsCut:
		if p.nats != nil {
			p.nats.setCut(true)
			time.AfterFunc(s.For.duration(), func() { p.nats.setCut(false) })
		}
	}
}

// seat is the process that a step means, of those that come by its seam.
func (p *player) seat(s step) *seat {
	role := app.Executor
	for _, prefix := range []string{"slack.", "refs.", "feed."} {
		if strings.HasPrefix(s.Text, prefix) {
			role = app.Bot
		}
	}
	var some []*seat
	for _, seat := range p.fleet.seats {
		if s.Text == "" || slices.Contains(seat.roles, role) {
			some = append(some, seat)
		}
	}
	return some[s.Seat%len(some)]
}

// ends counts the end of a process. Whom a bot was about to answer then is not answered.
func (p *player) ends(s *seat) {
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	p.deaths++
	if slices.Contains(s.roles, app.Bot) {
		p.record.excused = append(p.record.excused, span{time.Now(), time.Now().Add(time.Millisecond)})
	}
}

// stops kills a process or freezes it, at once or where the step says. Whom a frozen bot was about to answer has to wait.
func (p *player) stops(s step) {
	seat := p.seat(s)
	life, _ := seat.now()
	if life == nil {
		return
	}
	if slices.Contains(seat.roles, app.Bot) {
		life.cut.tells(p.record.excuse)
	}
	switch {
	case s.Text != "":
		life.cut.arm(point{s.Text, s.N, s.Late}, s.For.duration())
	case s.Act == freezes:
		p.fleet.tasks.Go(func() { life.cut.freeze(s.For.duration()) })
	default:
		life.kill()
	}
}

// awaits gives up early when nothing is under way that could bring the button.
func (p *player) awaits(s step) {
	const hopeless = 5 * time.Minute
	idle := time.Now()
	for end := idle.Add(s.For.duration()); time.Now().Before(end) && time.Since(idle) < hopeless; pass(5 * time.Second) {
		synctest.Wait()
		if _, _, there := p.button(s.Text); there {
			return
		}
		if p.busy() {
			idle = time.Now()
		}
	}
}

// busy reports whether Ferry or Azure is at work.
func (p *player) busy() bool {
	for _, c := range p.record.latest() {
		if title := c.title(); strings.Contains(title, ": running") || strings.Contains(title, "not known") || strings.Contains(title, "is being prepared") {
			return true
		}
	}
	return slices.ContainsFunc(p.vault.Items(), func(it vault.Item) bool { return it.Job != "" })
}

// newestOps are the last operation in the channel, and the one before.
func (p *player) newestOps() (newest, old string) {
	newest, old = "op-aaaaaaaa", "op-bbbbbbbb"
	for _, op := range p.record.ops() {
		newest, old = string(op), newest
	}
	return newest, old
}

func (p *player) types(who, line string) {
	synctest.Wait()
	newest, old := p.newestOps()
	line = strings.NewReplacer("{op}", newest, "{old}", old).Replace(line)
	d := deed{who: idOf(who), act: types, text: line}
	for word := range strings.FieldsSeq(line) {
		if failover.IsOpID(word) {
			d.op = failover.OpID(word)
		}
	}
	p.does(d, func() error { return p.workspace.Type(who, incident, line) })
}

// presses has a person press a button of the newest message that has it. A modal covers the channel: it is closed first.
func (p *player) presses(who, label string) {
	synctest.Wait()
	_ = p.workspace.Dismiss(who) // none open is fine
	m, b, ok := p.button(label)
	if !ok { // whatever there is
		m, b, ok = p.button("")
	}
	if !ok {
		return
	}
	d := deed{who: idOf(who), act: presses, text: b.Label, op: buttonOp(b)}
	p.does(d, func() error {
		_, err := p.workspace.Click(who, incident, b.Label, workspace.OnMessage(m.TS))
		return err
	})
}

func (p *player) button(label string) (workspace.Message, workspace.Button, bool) {
	for _, m := range slices.Backward(p.workspace.Messages(incident, "")) {
		for _, b := range m.Buttons {
			if label == "" && b.ActionID != "ferry_points" || b.Label == label {
				return m, b, true
			}
		}
	}
	return workspace.Message{}, workspace.Button{}, false
}

func (p *player) pressesOld(who, label string) {
	synctest.Wait()
	_ = p.workspace.Dismiss(who)
	p.record.mu.Lock()
	versions := p.record.versions
	p.record.mu.Unlock()
	for _, m := range versions {
		for _, b := range m.Buttons {
			if b.Label == label || label == "" {
				d := deed{who: idOf(who), act: pressOld, text: b.Label, op: buttonOp(b)}
				p.does(d, func() error { return p.workspace.ClickShown(who, incident, m, b.Label) })
				return
			}
		}
	}
}

// submits sends the form that a person has open, as soon as it can be sent, and closes it.
func (p *player) submits(who string) {
	for range 10 {
		m, open := p.workspace.Modal(who)
		if !open {
			return
		}
		if m.Submit != "" {
			d := deed{who: idOf(who), act: submits, command: failover.MessageID(team, "view", m.ViewID)}
			d.asks = slices.ContainsFunc(m.Fields, func(f workspace.Field) bool { return f.Label == "VM" })
			p.does(d, func() error { return p.workspace.Submit(who) })
			break
		}
		pass(time.Second)
		synctest.Wait()
	}
	pass(3 * time.Second)
	_ = p.workspace.Dismiss(who)
}

// does notes a deed, with the id of the command that comes of it.
func (p *player) does(d deed, do func() error) {
	d.at = time.Now()
	before := len(p.workspace.Acks())
	err := do()
	if acks := p.workspace.Acks(); len(acks) > before {
		switch trigger := acks[before].TriggerID; {
		case d.command == "":
			d.command = failover.MessageID(team, trigger)
		case d.asks: // and can be sent again when it is refused
			d.command = failover.Sending(d.command, trigger)
		}
	}
	d.lost = errors.Is(err, workspace.ErrDispatchFailed)
	if err == nil || d.lost {
		p.record.did(d)
	}
}

func idOf(name string) string { return "U0" + strings.ToUpper(name) }

func buttonOp(b workspace.Button) failover.OpID {
	id, _, _ := strings.Cut(b.Value, "|")
	return failover.OpID(id)
}

// heal ends every trouble. What the last step set going goes first: the end of an outage of Slack cuts its connections.
func (p *player) heal() {
	synctest.Wait()
	p.vault.ClearFaults()
	p.workspace.Outage(0)
	if p.nats != nil {
		p.nats.setCut(false)
		p.nats.start()
		if proxy := p.nats.proxy; proxy != nil {
			for _, trouble := range []string{loseAcks, breakBatches, staleReads, noLeader, cutOffLeader, badLuck} {
				troubleCluster(proxy, step{Text: trouble})
			}
		}
	}
	for _, s := range p.fleet.seats {
		if life, _ := s.now(); life != nil {
			life.cut.disarm()
		}
	}
	pass(time.Minute)
}

// rest waits until nothing moves any more: at most for the hours of an initial replication.
func (p *player) rest() {
	pass(time.Minute)
	for range 6 * 60 {
		synctest.Wait()
		if !p.busy() {
			break
		}
		pass(time.Minute)
	}
	pass(2 * time.Minute) // what is watched slowly is seen, too
	synctest.Wait()
}

// decide has people press the first button of each card; false when none waits for them.
func (p *player) decide() bool {
	pressed, latest := false, p.record.latest()
	for _, m := range p.workspace.Messages(incident, "") {
		for _, b := range m.Buttons {
			if latest[buttonOp(b)].ts != m.TS {
				continue
			}
			switch b.Label {
			case "Approve", "Commit", "Commit all", "Change point", "It works", "Fail back":
			default:
				continue
			}
			for _, who := range []string{"ben", "dan"} {
				p.does(deed{who: idOf(who), act: presses, text: b.Label, op: buttonOp(b)}, func() error {
					_, err := p.workspace.Click(who, incident, b.Label, workspace.OnMessage(m.TS))
					return err
				})
			}
			pressed = true
			break
		}
	}
	return pressed
}
