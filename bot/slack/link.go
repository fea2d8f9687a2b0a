package slack

import (
	"sync"
	"time"
)

// Link is how a bot and Slack are connected, as the bot knows without asking.
type Link struct {
	Up    bool      // Slack lets the bot in, and commands arrive
	Since time.Time // by the clock of this host
	// Why it is not up: the last cause, or Slack's refusal with what to fix. It holds no secret. Empty: not known, or it is up.
	Why string
}

// link is what the connections and the calls of a bot come to.
type link struct {
	mu      sync.Mutex
	sockets int    // connections that are up; in HTTP mode the listener is one
	barred  string // Slack's refusal of the connections
	mute    string // Slack's refusal of what the bot posts
	cause   string // of the last attempt at a connection that failed
	since   time.Time
}

func newLink() *link { return &link{since: time.Now()} }

// Link tells it as of now.
func (b *Bot) Link() Link { return b.link.now() }

func (l *link) now() Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := Link{Up: l.up(), Since: l.since}
	switch {
	case now.Up:
	case l.barred != "":
		now.Why = l.barred
	case l.mute != "":
		now.Why = l.mute
	default:
		now.Why = l.cause
	}
	return now
}

// up holds no longer when Slack has refused the bot for good, although the other connection lives on for some hours.
func (l *link) up() bool { return l.sockets > 0 && l.barred == "" && l.mute == "" }

func (l *link) change(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.up()
	do()
	if l.up() != was {
		l.since = time.Now()
	}
}

// open counts a connection that Slack has greeted, lost one that has ended.
func (l *link) open() { l.change(func() { l.sockets++; l.barred, l.cause = "", "" }) }
func (l *link) lost() { l.change(func() { l.sockets-- }) }

// failed notes why no connection comes about, refused that none will until somebody mends it.
func (l *link) failed(err error)  { l.change(func() { l.cause = cause(err).Error() }) }
func (l *link) refused(err error) { l.change(func() { l.barred = err.Error() }) }

// posted notes what came of a message: the bot's token may be refused while the connections, which need the app's, stay.
func (l *link) posted(err error) {
	refused := fatal(err, botSetting)
	if err != nil && refused == nil {
		return
	}
	l.change(func() {
		l.mute = ""
		if refused != nil {
			l.mute = refused.Error()
		}
	})
}

func (l *link) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sockets
}
