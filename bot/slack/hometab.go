package slack

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/bot/render"
	"ferry/failover"
)

const (
	// homeEvery is the least time between two publications to one person, unless they opened the tab or pressed something there.
	homeEvery = 5 * time.Second
	// homeRenew is how often it is looked whether anything has changed without a fact, such as what Azure says.
	homeRenew = time.Minute
	// homeLife is how long after it was opened, or used, a tab is kept up to date; maxHomes is of how many people.
	homeLife = 15 * time.Minute
	maxHomes = 40
	// overviewLife is how long what was read holds while nothing happens.
	overviewLife = 2 * time.Second
)

// homes keeps the Home tab of those up to date who have opened it lately. Nothing of it is stored: after a restart the next
// opening publishes it anew. The tab belongs to the person, so what several bots publish to it replaces each other.
type homes struct {
	bot  *Bot
	wake chan struct{} // holds one: somebody opened a tab, or pressed something there

	mu   sync.Mutex
	tabs map[string]*homeTab // by user id

	// Of the goroutine of run alone:
	overview render.Overview
	readAt   time.Time // zero: something has happened since
}

// homeTab is the tab of one person. Its fields are guarded by the lock of homes.
type homeTab struct {
	user      string
	barred    failover.Standing // as found when it was opened
	used      time.Time         // opened, or pressed in
	urgent    bool              // the person waits for it
	stale     bool              // something has happened
	published time.Time
	notBefore time.Time // after a failure
	failures  int
	likeness  string          // of what was published, without its foot
	said      *render.Message // what the last press there came to
}

func newHomes(b *Bot) *homes {
	return &homes{bot: b, wake: make(chan struct{}, 1), tabs: map[string]*homeTab{}}
}

// homeOpened takes that a person opened a tab of the app.
func (b *Bot) homeOpened(ctx context.Context, env *envelope, c callback) {
	b.ignore(ctx, env)
	env.linger()
	if c.Event.Tab != "home" || b.opts.Homes == nil {
		return
	}
	by, known := b.actor(ctx, env, c.origin())
	if !known || by.Standing == failover.StandingOtherApp || by.Standing == failover.StandingOtherWorkspace {
		return
	}
	b.homes.use(by.ID, func(t *homeTab) { t.barred, t.said = by.Standing, nil })
}

// use notes that a person looks at their tab, so that it is drawn as soon as Slack allows.
func (h *homes) use(user string, change func(*homeTab)) {
	h.mu.Lock()
	t := h.tabs[user]
	if t == nil {
		h.makeRoom()
		t = &homeTab{user: user}
		h.tabs[user] = t
	}
	t.used, t.urgent = time.Now(), true
	change(t)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// makeRoom lets go whoever has not used their tab for longest. It holds the lock.
func (h *homes) makeRoom() {
	for len(h.tabs) >= maxHomes {
		var oldest *homeTab
		for _, t := range h.tabs {
			if oldest == nil || t.used.Before(oldest.used) {
				oldest = t
			}
		}
		delete(h.tabs, oldest.user)
	}
}

// say puts into a person's tab what their press there came to.
func (h *homes) say(user string, m render.Message) {
	h.use(user, func(t *homeTab) { t.said = &m })
}

// run publishes until ctx ends.
func (h *homes) run(ctx context.Context) {
	changed := h.bot.opts.Homes.Changes()
	for !over(ctx) {
		select {
		case <-changed:
			changed = h.bot.opts.Homes.Changes()
			h.mark()
		default:
		}
		t, at := h.next(time.Now())
		if t == nil {
			select {
			case <-time.After(time.Until(at)):
			case <-h.wake:
			case <-changed: // seen again above
			case <-ctx.Done():
			}
			continue
		}
		if err := guarded(func() error { return h.publish(ctx, t) }); err != nil && !over(ctx) {
			h.failed(ctx, t, err)
		}
	}
}

// mark notes that something has happened.
func (h *homes) mark() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readAt = time.Time{}
	for _, t := range h.tabs {
		t.stale = true
	}
}

// next is the tab to draw now, or nil and when there will be one: whoever waits for it first, then the one that was drawn longest
// ago. Tabs that nobody looks at any more are let go.
func (h *homes) next(now time.Time) (*homeTab, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var best *homeTab
	at := now.Add(longWait)
	for user, t := range h.tabs {
		if now.Sub(t.used) > homeLife {
			delete(h.tabs, user)
			continue
		}
		due := h.due(t, now)
		switch {
		case due.After(now):
			if due.Before(at) {
				at = due
			}
		case best == nil || t.urgent && !best.urgent || t.urgent == best.urgent && t.published.Before(best.published):
			best = t
		}
	}
	return best, at
}

func (h *homes) due(t *homeTab, now time.Time) time.Time {
	wait := homeRenew
	switch {
	case t.urgent:
		wait = 0
	case t.stale:
		wait = homeEvery
	}
	return slices.MaxFunc([]time.Time{h.bot.calls.of("views.publish").at(now), t.published.Add(wait), t.notBefore}, time.Time.Compare)
}

// publish draws a tab and sends it, unless the person sees the same already.
func (h *homes) publish(ctx context.Context, t *homeTab) error {
	h.mu.Lock()
	urgent, barred, said := t.urgent, t.barred, t.said
	t.urgent, t.stale = false, false // what happens from here on counts anew
	h.mu.Unlock()
	view := h.draw(ctx, t.user, barred, said)
	likeness, err := likenessOf(view)
	if err != nil {
		return err
	}
	now := time.Now()
	if urgent || likeness != t.likeness {
		if !urgent {
			ctx = idle(ctx)
		}
		err = h.bot.seam("slack.home", func() error {
			call, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			_, err := h.bot.api.PublishViewContext(call, slackapi.PublishViewContextRequest{UserID: t.user, View: view})
			return err
		})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		t.published, t.failures, t.likeness = now, 0, likeness
	}
	return err
}

// likenessOf is a tab without its foot, which tells the time.
func likenessOf(v slackapi.HomeTabViewRequest) (string, error) {
	blocks := v.Blocks.BlockSet
	data, err := json.Marshal(blocks[:max(1, len(blocks)-1)])
	return string(data), err
}

// draw asks again whether the person may look: they may have lost the right since they opened the tab.
func (h *homes) draw(ctx context.Context, user string, barred failover.Standing, said *render.Message) slackapi.HomeTabViewRequest {
	who := failover.Actor{ID: user, Standing: barred}
	if barred == "" || barred == failover.StandingUnchecked {
		who.Standing, _ = h.bot.people.ask(ctx, user).answer(ctx, time.Now().Add(checkTime))
	}
	if refusal := h.bot.opts.MayRead(who); refusal != nil {
		return render.HomeBarred(refusal)
	}
	if time.Since(h.readAt) > overviewLife {
		h.overview, h.readAt = h.bot.opts.Homes.Overview(ctx), time.Now()
	}
	o := h.overview
	o.Health.Lagging = h.bot.announcer.board.late(time.Now())
	if h.bot.opts.Listener == nil {
		o.Health.Sockets, o.Health.OfSockets = h.bot.link.connections(), bothSockets
	}
	return render.Home(o, who, said, h.bot.opts.Now())
}

// failed tries a tab again later, or lets it go when Slack does not take it.
func (h *homes) failed(ctx context.Context, t *homeTab, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t.failures++
	t.urgent, t.likeness = true, "" // nobody knows what they see
	if isRefused(err) {
		delete(h.tabs, t.user)
		h.bot.opts.Log.WarnContext(ctx, "Slack does not take a Home tab", slog.String("user", t.user), slog.Any("cause", cause(err)),
			slog.String("fix", "compare the app with the output of `ferry manifest`"))
		return
	}
	t.notBefore = time.Now().Add(max(backoff(t.failures), retryAfter(err)))
	if t.failures == 1 {
		h.bot.opts.Log.WarnContext(ctx, "a Home tab is not published; trying again", slog.Any("cause", cause(err)))
	}
}
