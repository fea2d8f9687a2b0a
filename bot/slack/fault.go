package slack

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"

	slackapi "github.com/slack-go/slack"
)

// The settings that errors tell people to fix.
const (
	botSetting = "slack.bot_token"
	appSetting = "slack.app_token"
)

// fatalError is a refusal by Slack that no retry changes.
type fatalError struct{ code, fix string }

// Error names what to fix; it holds no secret.
func (e *fatalError) Error() string { return "slack refuses the bot (" + e.code + "): " + e.fix }

func isFatal(err error) bool {
	_, ok := errors.AsType[*fatalError](err)
	return ok
}

// fatal says what to fix when an error of a token is for good, nil when it may pass. slack-go itself gives up on four of
// these only and retries the others for ever.
func fatal(err error, setting string) error {
	if status, ok := errors.AsType[slackapi.StatusCodeError](err); ok && status.Code == http.StatusNotFound {
		return &fatalError{"HTTP 404", "there is no Web API at slack.api_url; for Slack itself it is " + slackapi.APIURL}
	}
	code := slackCode(err)
	switch code {
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired":
		return &fatalError{code, "the token is wrong or no longer valid; install the app again and set " + setting}
	case "not_allowed_token_type":
		return &fatalError{code, setting + " holds a token of the wrong kind; app tokens begin with xapp-, bot tokens with xoxb-"}
	case "missing_scope", "no_permission", "missing_args":
		return &fatalError{code, "the token of " + setting + " lacks a scope; compare the app with the output of `ferry manifest` and install it again"}
	case "link_disabled", "socket_mode_disabled":
		return &fatalError{code, "Socket Mode is switched off; switch it on in the settings of the Slack app"}
	case "team_access_not_granted", "app_uninstalled", "access_denied", "org_login_required":
		return &fatalError{code, "the app is not (any more) installed in this workspace; install it and set " + setting}
	}
	return nil
}

// Why nothing is shown in the channel of slack.channel.
var (
	errShared    = errors.New("the channel is shared with another organisation")
	errUnchecked = errors.New("it is not known whether the channel is shared with another organisation")
)

// slackCode is Slack's own word for what went wrong, "" when the error is not Slack's.
func slackCode(err error) string {
	if answer, ok := errors.AsType[slackapi.SlackErrorResponse](err); ok {
		return answer.Err
	}
	return ""
}

// cause is an error without the URL that it happened at: response URLs and Socket Mode addresses are secrets.
func cause(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	return err
}

// surelyNotDone reports whether a failed call had no effect. Of a timeout, a broken connection or a server error this is
// not known.
func surelyNotDone(err error) bool {
	if errors.Is(err, errShared) || errors.Is(err, errUnchecked) {
		return true
	}
	if slackCode(err) != "" {
		return slackCode(err) != "fatal_error" && slackCode(err) != "internal_error"
	}
	if _, limited := errors.AsType[*slackapi.RateLimitedError](err); limited {
		return true
	}
	if status, ok := errors.AsType[slackapi.StatusCodeError](err); ok {
		return status.Code < http.StatusInternalServerError || status.Code == http.StatusServiceUnavailable
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// lasting reports whether Slack refuses for a reason that does not pass by itself.
func lasting(err error) bool {
	switch slackCode(err) {
	case "", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited":
		return false
	}
	return true
}

// setupFix says what a person has to do before messages can be posted; "" for any other trouble.
func setupFix(err error) string {
	if errors.Is(err, errShared) {
		return "set slack.channel to a channel of this organisation alone; where others take part, nothing is shown"
	}
	switch slackCode(err) {
	case "not_in_channel":
		return "invite the bot: type /invite @ferry in the channel of slack.channel"
	case "channel_not_found":
		return "slack.channel must be the id (C…) of a channel that the bot can see; in a private one, invite it"
	case "is_archived":
		return "the channel of slack.channel is archived; set another one, or unarchive it"
	case "restricted_action", "restricted_action_read_only_channel":
		return "who may post in the channel of slack.channel is restricted; allow the app there"
	}
	if refused, ok := errors.AsType[*fatalError](fatal(err, botSetting)); ok {
		return refused.fix
	}
	return ""
}

// isGone reports that a message that should be edited or answered is not there any more, or not editable.
func isGone(err error) bool {
	switch slackCode(err) {
	case "message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found":
		return true
	}
	return false
}

// isContent reports that Slack refuses the message for what stands in it.
func isContent(err error) bool {
	switch slackCode(err) {
	case "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "metadata_too_large", "no_text":
		return true
	}
	return false
}

// over reports that the bot is being stopped or that the time for something has passed: no fault of what was tried.
func over(ctx context.Context) bool { return ctx.Err() != nil }
