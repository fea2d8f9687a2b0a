package workspace_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"ferry/sandbox/workspace"
)

func TestErrorStrings(t *testing.T) {
	text := slack.MsgOptionText("text", false)
	call := map[string]func(ctx context.Context, l *lab) error{
		"not_authed": func(ctx context.Context, l *lab) error {
			_, err := l.client("").AuthTestContext(ctx)
			return err
		},
		"invalid_auth": func(ctx context.Context, l *lab) error {
			_, _, err := l.client("xoxb-stolen").PostMessageContext(ctx, incident, text)
			return err
		},
		"not_allowed_token_type": func(ctx context.Context, l *lab) error {
			_, err := l.client("xapp-sandbox").AuthTestContext(ctx)
			return err
		},
		"unknown_method": func(ctx context.Context, l *lab) error {
			return l.api.AddReactionContext(ctx, "eyes", slack.NewRefToMessage(incident, "1.000001"))
		},
		"channel_not_found": func(ctx context.Context, l *lab) error {
			_, _, err := l.api.PostMessageContext(ctx, "C0OTHER", text)
			return err
		},
		"no_text": func(ctx context.Context, l *lab) error {
			_, _, err := l.api.PostMessageContext(ctx, incident)
			return err
		},
		"msg_too_long": func(ctx context.Context, l *lab) error {
			_, _, err := l.api.PostMessageContext(ctx, incident, slack.MsgOptionText(strings.Repeat("ü", 40001), false))
			return err
		},
		"msg_blocks_too_long": func(ctx context.Context, l *lab) error {
			block := slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", strings.Repeat("x", 2700), false, false), nil, nil)
			_, _, err := l.api.PostMessageContext(ctx, incident, slack.MsgOptionBlocks(block, block, block, block, block))
			return err
		},
		"thread_not_found": func(ctx context.Context, l *lab) error {
			_, _, err := l.api.PostMessageContext(ctx, incident, text, slack.MsgOptionTS("1.000001"))
			return err
		},
		"message_not_found": func(ctx context.Context, l *lab) error {
			ts, err := l.api.PostEphemeralContext(ctx, incident, "U0ANA", text)
			if err != nil {
				return err
			}
			_, _, _, err = l.api.UpdateMessageContext(ctx, incident, ts, text)
			return err
		},
		"cant_update_message": func(ctx context.Context, l *lab) error {
			err := l.Type("ana", incident, "hello")
			if err != nil {
				return err
			}
			_, _, _, err = l.api.UpdateMessageContext(ctx, incident, l.Messages(incident, "")[0].TS, text)
			return err
		},
		"invalid_metadata_schema": func(ctx context.Context, l *lab) error {
			_, _, err := l.api.PostMessageContext(ctx, incident, text, slack.MsgOptionMetadata(slack.SlackMetadata{EventType: ""}))
			return err
		},
		"no_such_subteam": func(ctx context.Context, l *lab) error {
			_, err := l.api.GetUserGroupMembersContext(ctx, "S0OPS")
			return err
		},
		"user_not_found": func(ctx context.Context, l *lab) error {
			_, err := l.api.GetUserInfoContext(ctx, "U0NOBODY")
			return err
		},
	}
	for want, call := range call {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, workspace.Options{})
				if err := call(t.Context(), l); err == nil || err.Error() != want {
					t.Errorf("err = %v", err)
				}
				if calls := l.Calls(); calls[len(calls)-1].Status != want {
					t.Errorf("ledger: %+v", calls)
				}
			})
		})
	}
}

func TestLookups(t *testing.T) {
	people := []workspace.Person{{ID: "U0GUS", Name: "gus", Kind: workspace.Guest}, {ID: "U0XIA", Name: "xia", Kind: workspace.Stranger}}
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{People: people, Channel: workspace.Channel{Sharing: workspace.Shared}})
		me, err := l.api.AuthTestContext(t.Context())
		check(t, err)
		gus, err := l.api.GetUserInfoContext(t.Context(), "U0GUS")
		check(t, err)
		xia, err := l.api.GetUserInfoContext(t.Context(), "U0XIA")
		check(t, err)
		channel, err := l.api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: incident})
		check(t, err)
		if me.UserID != "U0FERRY" || me.TeamID != "T0SANDBOX" || me.BotID == "" {
			t.Errorf("auth.test: %+v", me)
		}
		if !gus.IsRestricted || gus.TeamID != me.TeamID || !xia.IsStranger || xia.TeamID == me.TeamID {
			t.Errorf("users.info: %+v %+v", gus, xia)
		}
		if channel.Name != "incident" || !channel.IsMember || !channel.IsExtShared {
			t.Errorf("conversations.info: %+v", channel)
		}
		if err := l.Type("xia", incident, "/failover vm-x"); err == nil || errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("an external person used the command: %v", err)
		}
	})
}

func TestThreadMetadataAndPermalink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		ts := l.post(t, slack.MsgOptionText("card", false), slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType: "operation", EventPayload: map[string]any{"id": "op-1"},
		}))
		reply := l.post(t, slack.MsgOptionText("step 1", false), slack.MsgOptionTS(ts), slack.MsgOptionBroadcast())
		if nested := l.post(t, slack.MsgOptionText("step 1b", false), slack.MsgOptionTS(reply)); nested <= reply {
			t.Errorf("ts %s after %s", nested, reply)
		}
		if reply <= ts {
			t.Errorf("ts %s after %s", reply, ts)
		}
		messages := l.Messages(incident, "")
		if string(messages[0].Metadata) != `{"event_type":"operation","event_payload":{"id":"op-1"}}` {
			t.Errorf("metadata: %s", messages[0].Metadata)
		}
		if m := messages[1]; m.ThreadTS != ts || !m.Broadcast {
			t.Errorf("reply: %+v", m)
		}
		if m := messages[2]; m.ThreadTS != ts || m.Broadcast {
			t.Errorf("reply to the reply: %+v", m)
		}
		link, err := l.api.GetPermalinkContext(t.Context(), &slack.PermalinkParameters{Channel: incident, Ts: ts})
		check(t, err)
		if link != "http://slack.test/archives/C0INCIDENT/p"+strings.ReplaceAll(ts, ".", "") {
			t.Errorf("permalink %s", link)
		}
		_, _, err = l.api.DeleteMessageContext(t.Context(), incident, ts)
		check(t, err)
		if left := l.Messages(incident, ""); len(left) != 2 || left[0].TS != reply {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestTypedTextIsEscapedAndMentionsGetIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		check(t, l.Type("@ana", incident, "@ferry, ask @ben: a < b & <!channel>? @nobody"))
		m, text := l.newest(t, "")
		if m.Text != "<@U0FERRY>, ask <@U0BEN>: a &lt; b &amp; &lt;!channel&gt;? @nobody" || m.User != "U0ANA" {
			t.Errorf("stored: %+v", m)
		}
		if text != "@ferry, ask @ben: a < b & <!channel>? @nobody" {
			t.Errorf("shown: %s", text)
		}
	})
}

func TestUpdateWithoutBlocksKeepsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		ts := l.post(t, approveCard("vm-x"))
		_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, ts, slack.MsgOptionText("done", false))
		check(t, err)
		if m, _ := l.newest(t, ""); len(m.Buttons) != 2 || m.Edits != 1 || m.EditedAt.IsZero() || m.Text != "done" {
			t.Errorf("after a text: %+v", m)
		}
		_, _, _, err = l.api.UpdateMessageContext(t.Context(), incident, ts, slack.MsgOptionText("done", false), slack.MsgOptionBlocks())
		check(t, err)
		if m, _ := l.newest(t, ""); m.Blocks != nil {
			t.Errorf("after []: %s", m.Blocks)
		}
	})
}

func TestRateLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		text := slack.MsgOptionText("text", false)
		limited := func(call func() error) (int, time.Duration) {
			for n := range 1000 {
				var limit *slack.RateLimitedError
				if err := call(); errors.As(err, &limit) {
					return n, limit.RetryAfter
				} else if err != nil {
					t.Fatal(err)
				}
			}
			return 1000, 0
		}
		posting := func() error {
			_, _, err := l.api.PostMessageContext(t.Context(), incident, text)
			return err
		}
		if n, wait := limited(posting); n != 4 || wait != time.Second {
			t.Errorf("chat.postMessage: %d, then %s", n, wait)
		}
		pass(time.Second)
		if n, _ := limited(posting); n != 1 {
			t.Errorf("chat.postMessage: %d after the wait it asked for", n)
		}
		ts := l.Messages(incident, "")[0].TS
		updating := func() error {
			_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, ts, text)
			return err
		}
		if n, wait := limited(updating); n != 10 || wait != 2*time.Second {
			t.Errorf("chat.update: %d, then %s", n, wait)
		}
		start, done := time.Now(), 0
		for time.Since(start) < time.Hour {
			n, wait := limited(updating)
			done += n
			pass(wait)
		}
		if done < 2900 || done > 3010 {
			t.Errorf("chat.update: %d in an hour, want 50 a minute", done)
		}
		if c := l.Calls(); c[len(c)-1].Status != "ratelimited" {
			t.Errorf("ledger: %+v", c[len(c)-1])
		}
	})
}

func TestNoRateLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		var seen []string
		for range 100 {
			seen = append(seen, l.post(t, slack.MsgOptionText("text", false)))
		}
		if sorted := slices.Sorted(slices.Values(seen)); !slices.Equal(sorted, seen) || len(slices.Compact(sorted)) != 100 {
			t.Errorf("ts not increasing or not unique: %v", seen)
		}
	})
}

func TestJSONBodyIsAcceptedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		body := `{"channel":"C0INCIDENT","blocks":[{"type":"divider"}]}`
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://slack.test/api/chat.postMessage", strings.NewReader(body))
		check(t, err)
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
		request.Header.Set("Authorization", "Bearer xoxb-sandbox")
		response, err := l.http.Do(request)
		check(t, err)
		defer func() { check(t, response.Body.Close()) }()
		var answer struct {
			OK      bool
			TS      string
			Message struct {
				Blocks []struct {
					BlockID string `json:"block_id"`
				}
			}
		}
		check(t, json.NewDecoder(response.Body).Decode(&answer))
		if !answer.OK || answer.TS == "" || len(answer.Message.Blocks) != 1 || answer.Message.Blocks[0].BlockID == "" {
			t.Errorf("answer: %+v", answer)
		}
	})
}

func TestChangesComeInOrderAndNeverBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{NoRateLimits: true})
		_, _ = l.Subscribe() // never read
		changes, cancel := l.Subscribe()
		ts := l.post(t, slack.MsgOptionText("one", false))
		_, _, _, err := l.api.UpdateMessageContext(t.Context(), incident, ts, slack.MsgOptionText("two", false))
		check(t, err)
		_, err = l.api.PostEphemeralContext(t.Context(), incident, "U0ANA", slack.MsgOptionText("psst", false))
		check(t, err)
		_, _, err = l.api.DeleteMessageContext(t.Context(), incident, ts)
		check(t, err)
		var got []string
		for range 4 {
			c := <-changes
			got = append(got, string(c.Kind)+" "+c.Message.Text)
		}
		if diff := cmp.Diff([]string{"posted one", "edited two", "ephemeral psst", "deleted two"}, got); diff != "" {
			t.Error(diff)
		}
		cancel()
		if _, open := <-changes; open {
			t.Error("open after cancel")
		}
	})
}
