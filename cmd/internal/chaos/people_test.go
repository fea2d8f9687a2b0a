package chaos_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

// people is the channel as those see it who work in it, and what they do there: to one VM after the other a drill, its
// clean-up, a failover and its commit. What had no effect is done again, as people do.
type people struct {
	*outside
	how    size
	events chan struct{} // holds one: somebody did something, or a card changed

	mu      sync.Mutex
	cards   []cardSeen  // oldest first
	shown   []time.Time // when a card was posted or edited
	changed chan struct{}
	chains  int // that came to their end
}

type cardSeen struct {
	ts, text string
	op       failover.OpID
}

const (
	patience = 15 * time.Second // before something without effect is done again: the command of a dead executor waits for ten
	limit    = 10 * time.Minute // a call whose answer was lost is made again after three minutes, at most twice in four
)

func (o *outside) people(how size) *people {
	p := &people{outside: o, how: how, events: make(chan struct{}, 1), changed: make(chan struct{})}
	changes, cancel := o.workspace.Subscribe()
	o.Cleanup(cancel)
	go func() {
		for c := range changes {
			p.see(c)
		}
	}()
	return p
}

func (p *people) see(c workspace.Change) {
	if c.Kind != workspace.Posted && c.Kind != workspace.Edited {
		return
	}
	text := strings.Join(p.workspace.Render(c.Message), "\n")
	if !strings.HasPrefix(text, "# ") {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, c.At)
	if i := slices.IndexFunc(p.cards, func(s cardSeen) bool { return s.ts == c.Message.TS }); i >= 0 {
		p.cards[i].text = text
	} else {
		p.cards = append(p.cards, cardSeen{c.Message.TS, text, ofOperation(c.Message)})
	}
	close(p.changed)
	p.changed = make(chan struct{})
	p.happened()
}

// ofOperation is what a card names for other programs.
func ofOperation(m workspace.Message) failover.OpID {
	var metadata struct {
		Payload struct{ Op failover.OpID } `json:"event_payload"`
	}
	_ = json.Unmarshal(m.Metadata, &metadata) // without it no operation has the card, which the judge sees
	return metadata.Payload.Op
}

// happened tells whoever waits for a moment that matters.
func (p *people) happened() {
	select {
	case p.events <- struct{}{}:
	default:
	}
}

// newest is the newest card with such a heading.
func (p *people) newest(heading string) (card cardSeen, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Backward(p.cards) {
		if strings.HasPrefix(c.text, heading) {
			return c, p.changed
		}
	}
	return cardSeen{}, p.changed
}

// sees waits until the newest card with a heading says one of some things.
func (p *people) sees(heading string, within time.Duration, says ...string) bool {
	end := time.After(within)
	for {
		card, changed := p.newest(heading)
		if slices.ContainsFunc(says, func(s string) bool { return strings.Contains(card.text, s) }) {
			return true
		}
		select {
		case <-changed:
		case <-end:
			return false
		case <-p.Context().Done(): // the test has ended
			return false
		}
	}
}

// insists does something until the newest card with a heading says one of some things.
func (p *people) insists(heading string, do func() error, says ...string) bool {
	for end := time.Now().Add(limit); time.Now().Before(end) && p.Context().Err() == nil; {
		wait := patience
		if do() != nil { // nobody was there to take it
			wait = time.Second
		}
		p.happened()
		if p.sees(heading, wait, says...) {
			return true
		}
	}
	return p.lost(heading, says)
}

func (p *people) lost(heading string, says []string) bool {
	if p.Context().Err() != nil {
		return false
	}
	card, _ := p.newest(heading)
	p.Errorf("the card %q never said %q:\n%s", heading, says, card.text)
	return false
}

// gets waits for what Azure takes time for. A person who has to look is an end, too.
func (p *people) gets(heading, says string) (ok, attention bool) {
	if !p.sees(heading, limit, says, attentionSays) {
		return p.lost(heading, []string{says}), false
	}
	card, _ := p.newest(heading)
	return true, !strings.Contains(card.text, says)
}

const attentionSays = ": needs attention"

// typing types a line, or several in turn: what was typed again may have been done twice, and is then in the way.
func (p *people) typing(lines ...string) func() error {
	turn := len(lines)
	return func() error {
		turn++
		return p.workspace.Type("ana", incident, lines[turn%len(lines)])
	}
}

// pressing presses a button of the newest card with a heading; a button that is gone had its effect.
func (p *people) pressing(heading, label string) func() error {
	return func() error {
		card, _ := p.newest(heading)
		_, err := p.workspace.Click("ben", incident, label, workspace.OnMessage(card.ts))
		return err
	}
}

// chain is what is done to one VM.
func (p *people) chain(vm string) {
	drill, cleanup, over := "# Test failover of "+vm, "# Clean-up of "+vm, "# Failover of "+vm
	steps := []func() (ok, attention bool){
		func() (bool, bool) { return p.insists(drill, p.typing("/failover test "+vm), drill), false },
		func() (bool, bool) { return p.gets(drill, "the test VM is up") },
		func() (bool, bool) {
			return p.insists(cleanup, p.typing("/failover cleanup "+vm+" --notes fine"), cleanup), false
		},
		func() (bool, bool) { return p.gets(cleanup, "cleaned up") },
		func() (bool, bool) {
			return p.insists(over, p.typing("/failover cleanup "+vm+" --notes twice", "/failover "+vm+" latest"), over), false
		},
		func() (bool, bool) { return p.gets(over, "[ Approve ]") },
		func() (bool, bool) {
			return p.insists(over, p.pressing(over, "Approve"), ": running", "[ Commit ]", attentionSays), false
		},
		func() (bool, bool) { return p.gets(over, "[ Commit ]") },
		func() (bool, bool) {
			return p.insists(over, p.pressing(over, "Commit"), ": running", ": committed", attentionSays), false
		},
		func() (bool, bool) { return p.gets(over, ": committed") },
	}
	if p.how.brief {
		steps = steps[:2]
	}
	for _, step := range steps {
		if ok, attention := step(); !ok || attention {
			return
		}
	}
	p.mu.Lock()
	p.chains++
	p.mu.Unlock()
}

// work has some VMs handled at a time until done is closed and what was begun is over.
func (p *people) work(done <-chan struct{}) {
	var vms []string
	for _, i := range p.vault.Items() {
		vms = append(vms, i.Name)
	}
	next := make(chan string)
	go func() {
		defer close(next)
		for _, vm := range vms {
			select {
			case next <- vm:
			case <-done:
				return
			}
		}
	}()
	var working sync.WaitGroup
	for range p.how.atOnce {
		working.Go(func() {
			for vm := range next {
				p.chain(vm)
			}
		})
	}
	working.Wait()
}
