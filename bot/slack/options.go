package slack

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

// callTimeout bounds every call to Slack; the SDK's own client has none.
const callTimeout = 10 * time.Second

// Options is what a [Bot] needs. Tokens, Channel and the four ports are required.
type Options struct {
	BotToken string // xoxb-…, with the scopes of [Scopes]
	AppToken string // xapp-…, with connections:write; for Socket Mode
	// Listener, when there is one, is where Slack posts to in place of Socket Mode; Run closes it. What comes there counts only
	// when it is signed with one of SigningSecrets; there are several during a rotation.
	Listener       net.Listener
	SigningSecrets []string
	APIURL         string // base of the Web API; empty is Slack's own
	TeamID         string // the only workspace that is listened to; empty: the bot token's own, or all of its enterprise
	Channel        string // id of the channel where operations are announced
	Topic          bool   // its topic says what is under way, behind what people wrote there
	// Approvers names the Slack users and user groups to mention when an operation waits for a decision; nil mentions nobody. It is called
	// often, from one goroutine, and must not block.
	Approvers func(op failover.Operation) []string
	// MayRead says no to who may not look at VMs and operations; nil: anyone in good standing may.
	MayRead func(failover.Actor) *failover.Refusal
	// Policy gives the rules of now, with who is in Slack's groups, by which help leaves out what somebody may not do; nil: it
	// leaves nothing out.
	Policy func() failover.Policy

	// Networks are the ARM ids of the isolated networks, to be offered for drills.
	Networks []string

	Commands Commands
	Reads    Reads
	Feed     Feed
	Refs     Refs
	// Groups are the ids of the Slack user groups whose members are told to Members, which may be nil when there are none.
	Groups  []string
	Members Members

	Homes Homes // nil: there are no Home tabs

	// Heads gives the head of the audit, and Daily the newest time, not after another, at which it is due; nil: none is posted.
	Heads Heads
	Daily func(now time.Time) time.Time

	HTTPClient *http.Client      // nil: one of the bot's own
	Dialer     *websocket.Dialer // of the Socket Mode connections; nil: the SDK's default
	Log        *slog.Logger      // nil: nothing is logged
	// Now is the time that all processes share; nil is this host's.
	Now func() time.Time
	// Seam runs every store, Slack call and acknowledgement under a stable name, so that a test can cut it: slack.store,
	// slack.ack, slack.answer, slack.open, slack.view, slack.home, slack.post, slack.update, slack.history, slack.pin, slack.topic, refs.put, feed.ack. nil just does it. Called from many goroutines.
	Seam func(name string, do func() error) error
}

func (o Options) withDefaults() Options {
	if o.APIURL == "" {
		o.APIURL = slackapi.APIURL
	}
	if !strings.HasSuffix(o.APIURL, "/") { // method names are appended as they are
		o.APIURL += "/"
	}
	if o.Approvers == nil {
		o.Approvers = func(failover.Operation) []string { return nil }
	}
	if o.MayRead == nil {
		o.MayRead = func(by failover.Actor) *failover.Refusal { return by.Standing.Barred() }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: callTimeout}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Seam == nil {
		o.Seam = func(_ string, do func() error) error { return do() }
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.BotToken == "":
		return errors.New("slack: no bot token; set slack.bot_token")
	case o.Listener != nil && (len(o.SigningSecrets) == 0 || slices.Contains(o.SigningSecrets, "")):
		return errors.New("slack: no signing secret, without which anybody could speak as Slack; set slack.signing_secret")
	case o.Listener == nil && o.AppToken == "":
		return errors.New("slack: no app-level token, which Socket Mode needs; set slack.app_token")
	case o.Channel == "":
		return errors.New("slack: no channel to announce operations in; set slack.channel")
	case len(o.Groups) > 0 && o.Members == nil:
		return errors.New("slack: user groups need Members")
	case o.Commands == nil || o.Reads == nil || o.Feed == nil || o.Refs == nil:
		return errors.New("slack: Commands, Reads, Feed and Refs are all needed")
	}
	return nil
}
