package world

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"ferry/failover"
	"ferry/sandbox/workspace"
)

// deed is one thing that a person did in Slack.
type deed struct {
	at      time.Time
	who     string // id
	act     doing
	text    string        // line or label
	op      failover.OpID // of the button, or named in the line
	command string        // message id of the command that Ferry makes of it
	asks    bool          // by the form of a failover
	lost    bool          // Slack itself told the person that nobody took it
}

// shown is a card as everybody saw it from a moment on.
type shown struct {
	at     time.Time
	ts     string
	op     failover.OpID
	text   string
	posted bool
}

// title is the first line without its mark, such as "Failover of vm-x: running".
func (s shown) title() string {
	line, _, _ := strings.Cut(s.text, "\n")
	return strings.TrimPrefix(line, "# ")
}

// told is what one person was shown, by the bot or by Slack.
type told struct {
	at   time.Time
	who  string
	text string
}

// span is a time within which a promise cannot be kept.
type span struct{ from, to time.Time }

// record is what people did and saw, as the workspace has it.
type record struct {
	workspace *workspace.Workspace
	ended     sync.WaitGroup
	cancel    func()

	mu       sync.Mutex
	deeds    []deed
	versions []workspace.Message // of messages with buttons, as they once were
	cards    []shown
	told     []told
	excused  []span
}

func (w *world) records() *record {
	r := &record{workspace: w.workspace}
	changes, cancel := w.workspace.Subscribe()
	r.cancel = cancel
	r.ended.Go(func() {
		for c := range changes {
			r.note(c)
		}
	})
	return r
}

// close returns when everything that happened is noted.
func (r *record) close() {
	r.cancel()
	r.ended.Wait()
}

func (r *record) note(c workspace.Change) {
	text := ""
	if c.Kind != workspace.Viewed {
		text = strings.Join(r.workspace.Render(c.Message), "\n")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.Kind == workspace.Viewed:
		if c.Modal != nil && !c.Modal.Busy { // else it is only on its way
			r.told = append(r.told, told{c.At, c.Person, strings.Join(r.workspace.RenderModal(*c.Modal), "\n")})
		}
	case c.Message.EphemeralFor != "":
		r.told = append(r.told, told{c.At, c.Message.EphemeralFor, text})
	case c.Kind == workspace.Posted, c.Kind == workspace.Edited:
		if len(c.Message.Buttons) > 0 {
			r.versions = append(r.versions, c.Message)
		}
		if strings.HasPrefix(text, "# ") {
			r.cards = append(r.cards, shown{c.At, c.Message.TS, opOf(c.Message), text, c.Kind == workspace.Posted})
		}
	}
}

// opOf reads which operation a message is about.
func opOf(m workspace.Message) failover.OpID {
	var data struct {
		Payload struct {
			Op failover.OpID `json:"op"`
		} `json:"event_payload"`
	}
	if json.Unmarshal(m.Metadata, &data) != nil {
		return ""
	}
	return data.Payload.Op
}

func (r *record) did(d deed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deeds = append(r.deeds, d)
}

// excuse says that from now on for so long nobody can be answered.
func (r *record) excuse(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.excused = append(r.excused, span{time.Now(), time.Now().Add(d)})
}

// ops lists the operations in the order of their first cards.
func (r *record) ops() []failover.OpID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []failover.OpID
	seen := map[failover.OpID]bool{}
	for _, c := range r.cards {
		if !seen[c.op] {
			all = append(all, c.op)
		}
		seen[c.op] = true
	}
	return all
}

// latest gives the newest version of each operation's newest card.
func (r *record) latest() map[failover.OpID]shown {
	r.mu.Lock()
	defer r.mu.Unlock()
	newest := map[failover.OpID]shown{}
	for _, c := range r.cards {
		if c.ts >= newest[c.op].ts {
			newest[c.op] = c
		}
	}
	return newest
}
