package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/sandbox/workspace"
)

// channel is the one of the sandbox.
const channel = "#incident"

// expectWithin is how long an expectation may take to come true, unless the script says otherwise with "within".
const expectWithin = 30 * time.Second

// errScript is a script that did not go as it says.
var errScript = errors.New("the script did not go as it says")

// player runs the lines of a script against the world.
type player struct {
	*world
	within time.Duration
	// asked typed the last command when had messages of others were there to see.
	asked string
	had   int
}

// answerWithin is how long the end of a script waits for the answer to its last command.
const answerWithin = 15 * time.Second

// play runs a script, printing the channel as text while it goes. The error names the line and what was there instead.
func play(ctx context.Context, w *world, script string, out io.Writer) error {
	t := transcribe(w.workspace, out)
	defer t.stop()
	p := &player{world: w, within: expectWithin}
	for n, line := range strings.Split(script, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		t.said("> " + line)
		if err := p.line(ctx, line); err != nil {
			return exit(exitFailed, fmt.Errorf("line %d: %s: %w", n+1, line, err))
		}
	}
	p.answered(ctx, t)
	return nil
}

// answered lets the bot answer what was typed last, and t print it: who ends a script with a question wants to read the answer.
func (p *player) answered(ctx context.Context, t *transcript) {
	p.within = answerWithin
	_ = p.until(ctx, func() error { // no answer is no failure: nothing was expected
		_, open := p.workspace.Modal(p.asked)
		answered := p.asked == "" || open || p.told(p.asked) > p.had
		if answered && t.complete() && (!open || t.has(p.id(p.asked))) {
			return nil
		}
		return errScript
	})
}

// told counts the messages that somebody sees and has not written.
func (p *player) told(who string) int {
	id, n := p.id(who), 0
	for _, m := range p.workspace.Messages(channel, id) {
		if m.User != id {
			n++
		}
	}
	return n
}

// line runs one line of the script.
func (p *player) line(ctx context.Context, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "expect":
		return p.expect(ctx, rest)
	case "speed":
		speed, err := strconv.ParseFloat(rest, 64)
		if err != nil || speed <= 0 {
			return errors.New("say speed N, in simulated seconds per second")
		}
		p.vault.SetSpeed(speed)
		return nil
	case "within":
		d, err := time.ParseDuration(rest)
		if err != nil || d <= 0 {
			return errors.New("say within DURATION, such as within 30s")
		}
		p.within = d
		return nil
	case "wait":
		return p.wait(ctx, rest)
	}
	if done, err := p.nature(word, rest); done {
		return err
	}
	who, what, ok := strings.Cut(line, ": ")
	if !ok {
		return errors.New("a line is NAME: TEXT, NAME: click LABEL [on TEXT], NAME: choose \"OPTION\" in \"MENU\" [on TEXT],\n" +
			"NAME: fill \"FIELD\" with VALUE[, VALUE], NAME: submit, NAME: dismiss, NAME: reply to TEXT: TEXT,\n" +
			"NAME: shortcut NAME [on TEXT], NAME: home, NAME: channel,\n" +
			"expect ..., speed N, wait DURATION, within DURATION, fault ..., slack ..., portal ..., source ..., role ..., person ..., channel ..., or # a comment")
	}
	return p.act(ctx, who, what)
}

// forms are what people can do besides typing.
func forms() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(click) (.+)|(choose) "([^"]+)" in "([^"]+)"(?: on (.+))?|(fill) "([^"]+)" with (.*)|(submit)|(dismiss)|(reply) to (.+?): (.+)|(home)|(channel)|(shortcut) (.+))$`)
}

func (p *player) act(ctx context.Context, who, what string) error {
	m := forms().FindStringSubmatch(what)
	switch {
	case m == nil:
		if strings.HasPrefix(what, "/") || strings.HasPrefix(what, "@ferry") {
			what = p.named(what)
			p.asked, p.had = who, p.told(who)
		}
		return p.workspace.Type(who, channel, what)
	case m[1] != "":
		return p.click(ctx, who, m[2])
	case m[3] != "":
		return p.until(ctx, func() error { return p.workspace.Choose(who, channel, m[5], m[4], workspace.Containing(m[6])) })
	case m[7] != "":
		return p.until(ctx, func() error { return p.workspace.Fill(who, m[8], values(m[9])...) })
	case m[10] != "":
		return p.until(ctx, func() error { return p.workspace.Submit(who) })
	case m[11] != "":
		return p.until(ctx, func() error { return p.workspace.Dismiss(who) })
	case m[15] != "":
		return p.workspace.OpenHome(who)
	case m[16] != "":
		return p.workspace.LeaveHome(who)
	case m[17] != "":
		name, on, _ := strings.Cut(m[18], " on ")
		return p.until(ctx, func() error { return p.workspace.Shortcut(who, channel, name, workspace.Containing(on)) })
	default:
		return p.reply(ctx, who, m[13], m[14])
	}
}

// named puts the id of the newest card's operation in the place of the word OP.
func (p *player) named(line string) string {
	id := regexp.MustCompile(`op-[a-z2-7]{8}`).FindString(p.card("op-"))
	return cmp.Or(regexp.MustCompile(`\bOP\b`).ReplaceAllString(line, id), line)
}

// values are separated by commas; none empties a field.
func values(text string) []string {
	var all []string
	for value := range strings.SplitSeq(text, ", ") {
		if value != "" {
			all = append(all, value)
		}
	}
	return all
}

// reply writes into the thread of the newest message that contains a text, once it is there.
func (p *player) reply(ctx context.Context, who, on, text string) error {
	thread := ""
	err := p.until(ctx, func() error {
		for _, m := range slices.Backward(p.workspace.Messages(channel, "")) {
			if strings.Contains(strings.Join(p.workspace.Render(m), "\n"), on) {
				thread = m.TS
				return nil
			}
		}
		return fmt.Errorf("no message contains %q", on)
	})
	if err != nil {
		return err
	}
	return p.workspace.Reply(who, channel, thread, text)
}

// wait lets simulated time go by, as people do who are in no hurry.
func (p *player) wait(ctx context.Context, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("say wait DURATION, such as wait 2h, in simulated time")
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(float64(d) / p.vault.Speed())):
		return nil
	}
}

// click waits for the button to be there, as a person would.
func (p *player) click(ctx context.Context, who, label string) error {
	var options []workspace.ClickOption
	if button, on, ok := strings.Cut(label, " on "); ok {
		label, options = button, append(options, workspace.Containing(on))
	}
	return p.until(ctx, func() error {
		_, err := p.workspace.Click(who, channel, label, options...)
		return err
	})
}

// expect checks one expectation, waiting for it to come true.
func (p *player) expect(ctx context.Context, what string) error {
	words := strings.Fields(what)
	switch {
	case len(words) >= 3 && words[0] == "card":
		text := strings.Join(words[2:], " ")
		return p.until(ctx, func() error { return has(p.card(words[1]), text, "the card of "+words[1]) })
	case len(words) >= 2 && words[0] == "channel":
		text := strings.Join(words[1:], " ")
		return p.until(ctx, func() error { return has(p.text(""), text, "the channel") })
	case len(words) >= 2 && words[0] == "topic":
		text := strings.Join(words[1:], " ")
		return p.until(ctx, func() error { return has(p.workspace.Topic(channel), text, "the topic") })
	case len(words) >= 2 && words[0] == "pinned":
		text := strings.Join(words[1:], " ")
		return p.until(ctx, func() error { return p.pinned(text) })
	case len(words) >= 3 && words[1] == "modal":
		text := strings.Join(words[2:], " ")
		return p.until(ctx, func() error { return p.modal(words[0], text) })
	case len(words) >= 3 && words[1] == "home":
		text := strings.Join(words[2:], " ")
		return p.until(ctx, func() error { return p.home(words[0], text) })
	case len(words) >= 3 && words[1] == "sees":
		text := strings.Join(words[2:], " ")
		return p.until(ctx, func() error { return has(p.text(p.id(words[0])), text, "what "+words[0]+" sees") })
	case len(words) == 3 && words[0] == "ledger":
		want, err := strconv.Atoi(words[2])
		if err != nil {
			break
		}
		return p.until(ctx, func() error { return p.ledger(words[1], want) })
	}
	return errors.New("say expect card VM TEXT, expect channel TEXT, expect topic TEXT, expect pinned TEXT (or none), expect NAME sees TEXT, expect NAME modal TEXT (or none), expect NAME home TEXT, or expect ledger OPERATION N")
}

// modal looks at what a person has open in front of the channel.
func (p *player) modal(name, text string) error {
	m, open := p.workspace.Modal(name)
	switch {
	case !open && text == "none":
		return nil
	case !open:
		return fmt.Errorf("%s has no modal open", name)
	}
	return has(strings.Join(p.workspace.RenderModal(m), "\n"), text, "the modal of "+name)
}

// pinned looks at all pinned messages together.
func (p *player) pinned(text string) error {
	var all []string
	pins := p.workspace.Pins(channel)
	for _, m := range p.workspace.Messages(channel, "") {
		if slices.Contains(pins, m.TS) {
			all = append(all, p.workspace.Render(m)...)
		}
	}
	if len(pins) == 0 && text == "none" {
		return nil
	}
	return has(strings.Join(all, "\n"), text, "what is pinned")
}

// home looks at the Home tab that a person has open.
func (p *player) home(name, text string) error {
	h, published := p.workspace.Home(name)
	switch {
	case !h.Open:
		return fmt.Errorf("%s does not have the Home tab open; say %s: home", name, name)
	case !published:
		return fmt.Errorf("nothing is published to the Home tab of %s", name)
	}
	return has(strings.Join(p.workspace.RenderHome(h), "\n"), text, "the Home tab of "+name)
}

// ledger compares the accepted mutating calls that reached the vault.
func (p *player) ledger(operation string, want int) error {
	got := 0
	for _, call := range p.vault.Ledger() {
		if call.Accepted && call.Operation == operation {
			got++
		}
	}
	if got != want {
		return fmt.Errorf("the ledger has %d accepted %s", got, operation)
	}
	return nil
}

// until tries again with each change in the channel, and at least each 100 ms: the ledger is not in the channel.
func (p *player) until(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w after %s: %w", errScript, p.within, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// card is the newest message with a header that names a VM: notices have none.
func (p *player) card(vm string) string {
	for _, m := range slices.Backward(p.workspace.Messages(channel, "")) {
		text := strings.Join(p.workspace.Render(m), "\n")
		if strings.HasPrefix(text, "# ") && strings.Contains(text, vm) {
			return text
		}
	}
	return ""
}

// text is the whole channel as a person sees it.
func (p *player) text(viewer string) string {
	var all []string
	for _, m := range p.workspace.Messages(channel, viewer) {
		all = append(all, p.workspace.Render(m)...)
	}
	return strings.Join(all, "\n")
}

func (p *player) id(name string) string {
	for _, person := range people() {
		if person.Name == name {
			return person.ID
		}
	}
	return ""
}

// has compares words, without regard to case, line ends and the difference of "awaiting_commit" and "awaiting commit".
func has(text, want, where string) error {
	flat := func(s string) string {
		return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "_", " ")), " "))
	}
	if strings.Contains(flat(text), flat(want)) {
		return nil
	}
	return fmt.Errorf("%s says instead:\n%s", where, cmp.Or(text, "(nothing)"))
}
