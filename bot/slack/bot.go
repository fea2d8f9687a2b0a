// Package slack is the bot's one door to Slack: Socket Mode or signed requests in, the Web API and response_url out.
//
// It owns the order verify, store, acknowledge; the two and a half seconds within which a person is answered in any case;
// one card per operation, posted once and edited in place; and the budget of calls that a workspace allows. It refuses to
// know NATS and Azure (ports.go is all it sees of them), what words mean (package bot) and what a message looks like
// (package render), and it decides nothing: a click is a command like any other. It does find out who asks, and from where
// ([failover.Standing]), and says so with the command; it tells the executors who is in Slack's user groups; and it shows
// nothing in a channel where other organisations take part.
//
// Every Slack event runs in a goroutine of its own, of which there are boundedly many; the loops that read the sockets do
// nothing that can wait, because a reader that stalls makes slack-go deaf for good. Cards are drawn by one goroutine, so
// two edits of a card never race. [Bot.Run] owns all of them and returns when they have ended.
package slack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
	"golang.org/x/sync/semaphore"
)

const (
	maxHandlers  = 256                    // events that are not acknowledged yet
	maxFollowers = 1024                   // commands that only wait: for the store, the decision or Slack
	flushTime    = 100 * time.Millisecond // for what is acknowledged to be written: the SDK only queues it
	drainTime    = 3 * time.Second        // for handlers at the end; Slack waits no longer for an acknowledgement
)

// Bot connects one Slack workspace with Ferry; made by [New].
type Bot struct {
	opts  Options
	api   *slackapi.Client
	calls *budget // of api
	team  string  // written by Run before it starts anything, like the next three
	// enterprise is the organisation of a workspace in Enterprise Grid, else empty; wholeOrg says that all its workspaces are ours.
	enterprise string
	wholeOrg   bool
	orgToken   bool     // of no workspace, so that some calls have to name one
	self       string   // the user that the bot is
	granted    []string // scopes of its token; nil: not told
	connected  chan struct{}
	hello      func() // closes connected, once

	handling  *semaphore.Weighted
	following *semaphore.Weighted
	handlers  sync.WaitGroup
	strangers strangers
	names     sync.Map // of people who were asked for, by id

	announcer *announcer
	homes     *homes
	link      *link

	people   *lookups
	channels *lookups
	changed  chan struct{} // holds one: the members of a user group changed

	views   views
	lists   sync.Map // when the list of all VMs was posted last, by operation
	reports sync.Map // *posting, by the view that asked for it

	mu    sync.Mutex
	asked map[string]time.Time // when a message id was first delivered, for as long as it may come again
}

// New checks the options; nothing is sent before [Bot.Run].
func New(o Options) (*Bot, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return newBot(o.withDefaults()), nil
}

func newBot(o Options) *Bot {
	calls := newBudget(o.HTTPClient.Transport, o.APIURL)
	paced := *o.HTTPClient
	paced.Transport = calls
	b := &Bot{
		opts: o, calls: calls,
		// The SDK's own log and its retries stay off: the one prints message bodies, the others can post twice.
		api: slackapi.New(o.BotToken, slackapi.OptionAppLevelToken(o.AppToken), slackapi.OptionAPIURL(o.APIURL),
			slackapi.OptionHTTPClient(&paced), slackapi.OptionLog(log.New(io.Discard, "", 0))),
		connected: make(chan struct{}),
		link:      newLink(),
		handling:  semaphore.NewWeighted(maxHandlers),
		following: semaphore.NewWeighted(maxFollowers),
		changed:   make(chan struct{}, 1),
		asked:     map[string]time.Time{},
	}
	b.people, b.channels = newLookups(b.handlers.Go, b.readPerson), newLookups(b.handlers.Go, b.readChannel)
	b.announcer, b.homes = newAnnouncer(b), newHomes(b)
	b.hello = sync.OnceFunc(func() { close(b.connected) })
	return b
}

// Connected is closed when Slack has greeted the first connection, or has accepted the token and requests are listened for: from
// then on commands arrive.
func (b *Bot) Connected() <-chan struct{} { return b.connected }

// greetedOnce reports whether Slack has let the bot in since it was started.
func (b *Bot) greetedOnce() bool {
	select {
	case <-b.connected:
		return true
	default:
		return false
	}
}

// Run works until ctx ends, and then returns nil after what was already received had up to 3 s to be stored and
// acknowledged. An error means that Slack has not let this bot in as it is configured, and says what to fix: one that
// was let in before only logs it and tries on. Call it once.
func (b *Bot) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer b.opts.HTTPClient.CloseIdleConnections()
	if b.opts.Listener != nil {
		defer func() { _ = b.opts.Listener.Close() }()
	}
	if err := b.findHome(ctx); err != nil || over(ctx) {
		return err
	}
	// The sockets outlive ctx a little: an acknowledgement needs the connection that it answers on.
	sockets, closeSockets := context.WithCancel(context.WithoutCancel(ctx))
	defer closeSockets()
	var loops sync.WaitGroup
	loops.Go(func() { b.announcer.run(ctx) })
	if b.opts.Homes != nil {
		loops.Go(func() { b.homes.run(ctx) })
	}
	loops.Go(func() { newRoster(b).run(ctx) })
	loops.Go(func() { (&herald{bot: b, me: rand.Text()}).run(ctx) })
	if b.opts.Listener != nil {
		loops.Go(func() { b.serve(ctx, sockets, cancel) })
	} else {
		loops.Go(func() { b.listen(sockets, cancel) })
		loops.Go(func() { b.listenToo(sockets, cancel) })
	}
	<-ctx.Done()
	b.drain(sockets)
	closeSockets()
	loops.Wait()
	b.handlers.Wait()
	if cause := context.Cause(ctx); isFatal(cause) || errors.Is(cause, errListener) {
		return cause
	}
	return nil
}

// drain waits until every event that was received is acknowledged on the wire, and lets no more in.
func (b *Bot) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	if b.handling.Acquire(ctx, maxHandlers) != nil {
		b.opts.Log.WarnContext(ctx, "stopping while commands are not stored yet; who gave them sees an error from Slack")
	}
	time.Sleep(flushTime)
}

// claim makes the caller the one who answers a command; false when an earlier delivery of it is, or was.
func (b *Bot) claim(messageID string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.asked, func(_ string, at time.Time) bool { return now.Sub(at) > answerLife })
	if _, again := b.asked[messageID]; again {
		return false
	}
	b.asked[messageID] = now
	return true
}

// guarded turns a panic into an error: one bad payload must not take the bot down.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do()
}

// seam does something in a way that a test can cut, and survives a panic in it.
func (b *Bot) seam(name string, do func() error) error {
	return guarded(func() error { return b.opts.Seam(name, do) })
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
