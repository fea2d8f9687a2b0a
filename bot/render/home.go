package render

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// Overview is what Home tabs are made of. It is the same for everybody; who looks decides what of it waits for them.
type Overview struct {
	Operations []failover.Operation // all that are open, and the newest that are over; in any order
	Debt       failover.DebtList
	Readiness  failover.ReadinessList
	Policy     failover.Policy // with the members of the roles as far as they are known
	Health     Health
}

// Health is how the bot that draws is itself.
type Health struct {
	Bot     string // its name among several
	Version string
	// Sockets is how many connections to Slack are up, of how many; none of none where Slack posts to the bot.
	Sockets, OfSockets int
	Lagging            int  // operations of which this bot should have shown the newest state by now
	NATS               bool // it answers
	Executor           bool // one answers
}

// homeCallback names the view.
const homeCallback = "ferry_home"

// maxHome bounds a Home tab in characters, as JSON. Slack takes 250 kB of a view; nobody reads that much.
const maxHome = 20_000

// last is how many operations that are over a Home tab tells of.
const last = 10

// room is how much of each list fits.
type room struct {
	detail
	waiting, open, worst, last int
}

// rooms are tried in turn until the view is small enough; the last one always is.
func rooms() []room {
	d := details()
	return []room{{d[1], 6, 10, 5, last}, {d[2], 4, 6, 3, last}, {d[2], 2, 4, 2, 5}, {d[3], 1, 2, 1, 3}}
}

// Home draws the Home tab of a person who may look. said is what their last press there came to, if anything.
func Home(o Overview, who failover.Actor, said *Message, now time.Time) slack.HomeTabViewRequest {
	var blocks []slack.Block
	for _, r := range rooms() {
		h := homeOf{o, who, now, r}
		if blocks = h.blocks(said); size(blocks) <= maxHome {
			break
		}
	}
	return homeView(blocks)
}

// HomeBarred is the Home tab of somebody who may not look: it says so, and nothing else.
func HomeBarred(refusal *failover.Refusal) slack.HomeTabViewRequest {
	return homeView([]slack.Block{richText("home.barred", []line{words("%s", clip(inert(bot.RefusalText(refusal)), maxText))})})
}

func homeView(blocks []slack.Block) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, CallbackID: homeCallback, Blocks: slack.Blocks{BlockSet: blocks}}
}

type homeOf struct {
	Overview
	who failover.Actor
	now time.Time
	room
}

func (h homeOf) blocks(said *Message) []slack.Block {
	var out []slack.Block
	if said != nil {
		out = append(out, homeHeader("said", "Your last press here"))
		out = append(out, richText("home.said", []line{words("%s", clipLines(unescaped(said.Text), maxText))}))
	}
	trouble := h.trouble()
	if len(trouble) > 0 { // it stands above everything that it makes doubtful
		out = append(out, homeHeader("health", "Ferry itself"), richText("home.health", trouble))
	}
	waiting, asked, open, over := h.sorted()
	out = append(out, h.waiting(waiting)...)
	out = append(out, h.asked(asked)...)
	out = append(out, homeHeader("open", "Open"), richText("home.open", h.open(open)))
	out = append(out, homeHeader("debt", "Left open"), richText("home.debt", h.debt()))
	out = append(out, homeHeader("readiness", "Readiness"), richText("home.readiness", h.readiness()))
	out = append(out, homeHeader("last", "Last operations"), richText("home.last", h.over(over)))
	if len(trouble) == 0 {
		well := words("All is well: NATS and an executor answer, Azure is read, every card that this bot keeps is up to date.")
		out = append(out, homeHeader("health", "Ferry itself"), richText("home.health", []line{well}))
	}
	return append(out, h.foot())
}

func homeHeader(role, text string) slack.Block {
	return slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, text, false, false), slack.HeaderBlockOptionBlockID("home.title."+role))
}

// sorted puts every operation into one list: what waits for who looks, what they asked for and nobody has decided, what else is
// open, and what is over. What needs a person stands first, then the oldest; of what is over the newest.
func (h homeOf) sorted() (waiting, asked, open, over []failover.Operation) {
	all := slices.Clone(h.Operations)
	slices.SortFunc(all, func(a, b failover.Operation) int {
		return cmp.Or(urgency(a.Phase)-urgency(b.Phase), a.RequestedAt.Compare(b.RequestedAt), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, op := range all {
		_, gate := op.Pending()
		switch {
		case h.Policy.Awaits(op, h.who) || h.Policy.Reviews(op, h.who) || h.Policy.Steers(op, h.who):
			waiting = append(waiting, op)
		case op.Phase.Final():
			over = append(over, op)
		case gate && op.RequestedBy.ID == h.who.ID:
			asked = append(asked, op)
		default:
			open = append(open, op)
		}
	}
	slices.SortStableFunc(over, func(a, b failover.Operation) int { return b.FinishedAt.Compare(a.FinishedAt) })
	return waiting, asked, open, over
}

// waiting are the gates that who looks may decide, and what they may let go on, each as its card shows it and with its buttons.
func (h homeOf) waiting(ops []failover.Operation) []slack.Block {
	out := []slack.Block{homeHeader("waiting", "Waiting for you")}
	if len(ops) == 0 {
		text := "Nothing waits for you."
		if h.Policy.Unread() {
			text = "Nothing that is known waits for you. Who is in Slack's user groups is not known now, so something may be missing."
		}
		return append(out, richText("home.waiting", []line{words("%s", text)}))
	}
	for _, op := range ops[:min(len(ops), h.room.waiting)] {
		c := cardOf{op, h.now, h.detail}
		d := draft{id: op.ID, seq: op.Seq}
		if h.Policy.Awaits(op, h.who) {
			d.buttons = c.presses()
		}
		if h.Policy.Steers(op, h.who) {
			d.buttons = append(d.buttons, c.steering()...)
		}
		if h.Policy.Reviews(op, h.who) {
			d.buttons = append(d.buttons, c.reviews()...)
		}
		lines := slices.Concat([]line{{bold(c.title())}}, c.lead(), c.frozen(), c.glass(), c.trouble(), c.what())
		out = append(out, richText(d.blockID("home"), append(lines, words("%s", string(op.ID)+c.digest()))))
		if len(d.buttons) > 0 {
			out = append(out, d.actions())
		}
	}
	if more := len(ops) - h.room.waiting; more > 0 {
		out = append(out, richText("home.waiting.more", []line{h.more(more, "status")}))
	}
	return out
}

// asked are the requests of who looks that others have not decided yet.
func (h homeOf) asked(ops []failover.Operation) []slack.Block {
	if len(ops) == 0 {
		return nil
	}
	out := []slack.Block{homeHeader("asked", "Asked for by you")}
	for _, op := range ops[:min(len(ops), h.room.waiting)] {
		c := cardOf{op, h.now, h.detail}
		d := draft{id: op.ID, seq: op.Seq}
		lines := append([]line{{bold(c.title()), plain(" (" + string(op.ID) + ")")}}, c.lead()...)
		out = append(out, richText(d.blockID("home"), append(lines, c.frozen()...)))
		if op.Phase == failover.AwaitingApproval && !op.Started() {
			d.buttons = []button{{action: ActionWithdraw, label: "Withdraw", ask: &question{
				title: "Withdraw the request?", text: "Nothing is started. The " + bot.Noun(op.Verb) + " of " + clip(c.target(), 60) + " can be asked for again.", yes: "Withdraw", no: "Keep it",
			}}}
			out = append(out, d.actions())
		}
	}
	if more := len(ops) - h.room.waiting; more > 0 {
		out = append(out, richText("home.asked.more", []line{h.more(more, "status")}))
	}
	return out
}

func (h homeOf) more(n int, verb string) line {
	return words("and %d more: %s %s.", n, bot.Command, verb)
}

func (h homeOf) open(ops []failover.Operation) []line {
	if len(ops) == 0 {
		return []line{words("Nothing else is open. To fail a VM over, type %[1]s VM in a channel; to see what can be typed, %[1]s help.", bot.Command)}
	}
	var lines []line
	for _, op := range ops[:min(len(ops), h.room.open)] {
		c := cardOf{op, h.now, h.detail}
		l := line{plain("• "), bold(c.title()), plain(" (" + string(op.ID) + "), asked for by "), c.person(op.RequestedBy), plain(" at "), moment(op.RequestedAt, h.now)}
		lines = append(lines, append(l, plain(". Waits for "+c.say(bot.WaitsFor(op))+".")))
	}
	if more := len(ops) - h.room.open; more > 0 {
		lines = append(lines, h.more(more, "status"))
	}
	return lines
}

func (h homeOf) over(ops []failover.Operation) []line {
	if len(ops) == 0 {
		return []line{words("No operation is over yet.")}
	}
	var lines []line
	for _, op := range ops[:min(len(ops), h.last)] {
		c := cardOf{op, h.now, h.detail}
		l := line{plain("• "), bold(c.title()), plain(" (" + string(op.ID) + "), asked for by "), c.person(op.RequestedBy)}
		if !op.FinishedAt.IsZero() {
			l = append(l, plain(", ended "), moment(op.FinishedAt, h.now))
		}
		lines = append(lines, append(l, plain(".")))
	}
	return lines
}

func (h homeOf) debt() []line {
	l := h.Debt
	switch {
	case l.At.IsZero() && len(l.Debts) == 0:
		return []line{words("%s", strings.TrimSpace(notRead))}
	case len(l.Debts) == 0:
		return []line{words("Nothing is owed.")}
	}
	var lines []line
	all := owing(l.Debts)
	for _, o := range all[:min(len(all), h.worst)] {
		lines = append(lines, o.line(h.now))
	}
	if more := vmsOf(all[min(len(all), h.worst):]); more > 0 {
		lines = append(lines, h.more(more, "debt"))
	}
	return lines
}

func (h homeOf) readiness() []line {
	l := h.Readiness
	switch {
	case l.At.IsZero():
		return []line{words("%s", strings.TrimSpace(notRead))}
	case len(l.Items) == 0:
		return []line{words("%s", noVM)}
	}
	lines, all := []line{{bold(readinessHead(l))}}, reasonsOf(l)
	for _, r := range all[:min(len(all), h.worst)] {
		lines = append(lines, r.line(h.detail, false))
	}
	if len(all) > 0 {
		lines = append(lines, words("Each reason, and what to do: %s readiness.", bot.Command))
	}
	return lines
}

// trouble says what does not work, and what that means for who looks.
func (h homeOf) trouble() []line {
	var lines []line
	if !h.Health.NATS {
		lines = append(lines, line{bold("NATS does not answer this bot."), plain(" What stands here is how it was before. What you press is stored as soon as NATS is back, for ten minutes at most.")})
	}
	if h.Health.NATS && !h.Health.Executor {
		lines = append(lines, line{bold("No executor answers."), plain(" What you ask for is stored, and decided when one is up again, within ten minutes.")})
	}
	switch at := h.Readiness.At; {
	case at.IsZero():
		lines = append(lines, line{bold("Azure has not been read yet."), plain(" What is owed and what is ready is not known.")})
	case h.now.Sub(at) > oldReading:
		lines = append(lines, line{bold("Azure was last read at "), moment(at, h.now), plain(": nothing newer could be read. If it stays so, look at the executor's log.")})
	}
	if h.Health.OfSockets > 0 && h.Health.Sockets < h.Health.OfSockets {
		lines = append(lines, words("%d of %d connections to Slack are up.", h.Health.Sockets, h.Health.OfSockets))
	}
	if h.Health.Lagging > 0 {
		lines = append(lines, words("Cards that are not up to date: %d. They are brought up to date as Slack allows.", h.Health.Lagging))
	}
	return lines
}

// foot is what changes without anything having happened.
func (h homeOf) foot() slack.Block {
	l := line{plain("Drawn "), stamp(h.now)}
	if !h.Readiness.At.IsZero() {
		l = append(l, plain(" · Azure read "), moment(h.Readiness.At, h.now))
	}
	l = append(l, plain(" · by "+orNot(h.name(h.Health.Bot))+", version "+orNot(h.name(h.Health.Version))))
	return slack.NewContextBlock("home.foot", slack.NewTextBlockObject(slack.MarkdownType, mrkdwn(l), false, true))
}

// unescaped undoes [Escape].
func unescaped(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}
