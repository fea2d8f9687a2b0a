package slack_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/bot/slack"
	"ferry/failover"
	"ferry/sandbox/workspace"
)

// forged is a request that anybody who reaches the port can make, as of now and signed with a secret.
func forged(path, body, secret string) workspace.Request {
	return signedAt(path, body, secret, time.Now())
}

func signedAt(path, body, secret string, at time.Time) workspace.Request {
	kind := "application/x-www-form-urlencoded"
	if path == "events" {
		kind = "application/json"
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return workspace.Request{URL: "http://ferry.test/slack/" + path, Body: body, Header: http.Header{
		"Content-Type": {kind}, "X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))},
	}}
}

// typing is the body of a slash command; ben approves with it.
func typing(text string) string {
	return url.Values{
		"team_id": {"T0SANDBOX"}, "api_app_id": {"A0FERRY"}, "user_id": {"U0BEN"}, "user_name": {"ben"}, "command": {"/failover"},
		"text": {text}, "trigger_id": {"1.2.captured"}, "response_url": {"http://slack.test/commands/T0SANDBOX/hook-of-ben"}, "channel_id": {incident},
	}.Encode()
}

const approval = "approve op-aaaaaaaa"

// pressing is the payload of a press of Approve.
const pressing = `{"type":"block_actions","team":{"id":"T0SANDBOX"},"user":{"id":"U0BEN","name":"ben","team_id":"T0SANDBOX"},"api_app_id":"A0FERRY",
	"trigger_id":"1.2.pressed","actions":[{"type":"button","block_id":"b","action_id":"ferry_approve","value":"op-aaaaaaaa"}]}`

// wantNothing checks that a request was refused with a status and that nothing came of it.
func (l *lab) wantNothing(r workspace.Request, status int) {
	l.t.Helper()
	synctest.Wait()
	if r.Status != status || r.Answer != "" {
		l.t.Errorf("answered %d %q (%s), want %d and nothing else", r.Status, r.Answer, r.Failure, status)
	}
	r.AnswerHeader.Del("Date")
	if got, want := fmt.Sprint(r.AnswerHeader), "map[Cache-Control:[no-store] Content-Length:[0] X-Content-Type-Options:[nosniff] X-Slack-No-Retry:[1]]"; status == 401 && got != want {
		l.t.Errorf("the answer tells more than that it is refused: %s", got)
	}
	if got := l.commands.all(); len(got) != 0 {
		l.t.Errorf("stored: %+v", got)
	}
	if log := l.log.String(); strings.Contains(log, approval) || strings.Contains(log, "hook-of-ben") || strings.Contains(log, "v0=") {
		l.t.Errorf("the log quotes what came:\n%s", log)
	}
}

func TestOnlySlackIsListenedTo(t *testing.T) {
	body := typing(approval)
	attacks := map[string]struct {
		give   func() workspace.Request
		status int
	}{
		"no signature at all": {func() workspace.Request { return without(forged("commands", body, secret), "X-Slack-Signature") }, 401},
		"no time": {func() workspace.Request {
			return without(forged("commands", body, secret), "X-Slack-Request-Timestamp")
		}, 401},
		"another secret":  {func() workspace.Request { return forged("commands", body, "other") }, 401},
		"an empty secret": {func() workspace.Request { return forged("commands", body, "") }, 401},
		"another body":    {func() workspace.Request { r := forged("commands", typing("status"), secret); r.Body = body; return r }, 401},
		"another time": {func() workspace.Request {
			return with(signedAt("commands", body, secret, ago(time.Hour)), "X-Slack-Request-Timestamp", strconv.FormatInt(time.Now().Unix(), 10))
		}, 401},
		"signed six minutes ago": {func() workspace.Request { return signedAt("commands", body, secret, ago(6*time.Minute)) }, 401},
		"signed for the future":  {func() workspace.Request { return signedAt("commands", body, secret, ago(-6*time.Minute)) }, 401},
		"signed for all times":   {func() workspace.Request { return signedAt("commands", body, secret, time.Unix(1<<38, 0)) }, 401},
		"a time that overflows":  {func() workspace.Request { return stamped(body, "9223372036854775807") }, 401},
		"a time with a sign":     {func() workspace.Request { return stamped(body, "+"+strconv.FormatInt(time.Now().Unix(), 10)) }, 401},
		"another scheme": {func() workspace.Request {
			r := forged("commands", body, secret)
			return with(r, "X-Slack-Signature", strings.Replace(r.Header.Get("X-Slack-Signature"), "v0", "v1", 1))
		}, 401},
		"two signatures, true first": {func() workspace.Request {
			return twice(forged("commands", body, secret), forged("commands", body, "other"), "X-Slack-Signature")
		}, 401},
		"no scheme": {func() workspace.Request {
			r := forged("commands", body, secret)
			return with(r, "X-Slack-Signature", strings.TrimPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
		}, 401},
		"two signatures": {func() workspace.Request {
			return twice(forged("commands", body, "other"), forged("commands", body, secret), "X-Slack-Signature")
		}, 401},
		"two times": {func() workspace.Request {
			return twice(signedAt("commands", body, secret, ago(0)), signedAt("commands", body, secret, ago(time.Hour)), "X-Slack-Request-Timestamp")
		}, 401},
		"a form sent as JSON": {func() workspace.Request {
			return with(forged("commands", body, secret), "Content-Type", "application/json")
		}, 415},
		"two types": {func() workspace.Request {
			return twice(forged("commands", body, secret), forged("events", body, secret), "Content-Type")
		}, 415},
		"a packed body":    {func() workspace.Request { return with(forged("commands", body, secret), "Content-Encoding", "gzip") }, 415},
		"another path":     {func() workspace.Request { return forged("command", body, secret) }, 404},
		"a path that ends": {func() workspace.Request { return forged("commands/", body, secret) }, 404},
		"payload in the query": {func() workspace.Request {
			return forged("interactions?payload="+url.QueryEscape(pressing), "x=y", secret)
		}, 400},
		"no payload": {func() workspace.Request { return forged("interactions", "", secret) }, 400},
		"two payloads": {func() workspace.Request {
			return forged("interactions", "payload={}&"+url.Values{"payload": {pressing}}.Encode(), secret)
		}, 400},
		"a payload that is none":        {func() workspace.Request { return forged("interactions", "payload=[", secret) }, 400},
		"an event that is none":         {func() workspace.Request { return forged("events", "[", secret) }, 400},
		"what cannot be read, unsigned": {func() workspace.Request { return forged("events", "[", "other") }, 401},
		"a challenge, unsigned": {func() workspace.Request {
			return forged("events", `{"type":"url_verification","challenge":"c"}`, "other")
		}, 401},
		"command in the query": {func() workspace.Request { return forged("commands?"+body, "", secret) }, 400},
		"another kind of payload": {func() workspace.Request {
			return forged("interactions", "payload="+url.QueryEscape(strings.Replace(pressing, "block_actions", "shortcut", 1)), secret)
		}, 200},
		"nobody's command": {func() workspace.Request {
			return forged("commands", strings.Replace(body, "user_id", "user", 1), secret)
		}, 400},
		"nobody's press": {func() workspace.Request {
			return forged("interactions", "payload="+url.QueryEscape(strings.Replace(pressing, `"id":"U0BEN"`, `"id":""`, 1)), secret)
		}, 400},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			overHTTP(t, func(l *lab) {
				l.start()
				r := l.Send(attack.give())
				if attack.status == 200 {
					r.Answer = "" // a refusal
				}
				l.wantNothing(r, attack.status)
			})
		})
	}
}

func ago(d time.Duration) time.Time { return time.Now().Add(-d) }

func without(r workspace.Request, header string) workspace.Request {
	r.Header.Del(header)
	return r
}

func with(r workspace.Request, header, value string) workspace.Request {
	r.Header.Set(header, value)
	return r
}

func twice(r, other workspace.Request, header string) workspace.Request {
	r.Header[http.CanonicalHeaderKey(header)] = append(r.Header[http.CanonicalHeaderKey(header)], other.Header.Get(header))
	return r
}

// stamped is signed as of a time that is none.
func stamped(body, stamp string) workspace.Request {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return with(with(forged("commands", body, secret), "X-Slack-Request-Timestamp", stamp), "X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// The same requests, signed as Slack does, are what they say: the attacks above fail for the reason that is meant.
func TestSignedRequestsAreCommands(t *testing.T) {
	for path, body := range map[string]string{"commands": typing(approval), "interactions": "payload=" + url.QueryEscape(pressing)} {
		for _, at := range []time.Duration{0, 4*time.Minute + 59*time.Second, -4*time.Minute - 59*time.Second} {
			overHTTP(t, func(l *lab) {
				l.start()
				if r := l.Send(signedAt(path, body, secret, ago(at))); r.Status != 200 || r.Answer != "" {
					t.Errorf("%s signed %s ago: %d %q", path, at, r.Status, r.Answer)
				}
				got := l.commands.all()
				if len(got) != 1 || got[0].Verb != failover.VerbApprove || got[0].By.ID != "U0BEN" {
					l.t.Fatalf("stored: %+v", got)
				}
				if want := ago(max(at, 0)); !got[0].At.Equal(want) { // what was held back on the way is no newer for that
					t.Errorf("asked at %s, want %s", got[0].At, want)
				}
			})
		}
	}
}

func TestOtherMethods(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		for _, method := range []string{"GET", "HEAD", "PUT", "OPTIONS", "DELETE", "TRACE"} {
			for target, want := range map[string]string{"/slack/commands": "405", "/": "404", "*": "404", "//slack/commands": "404"} {
				if target == "*" && method != "OPTIONS" {
					continue
				}
				answer := l.raw(method + " " + target + " HTTP/1.1\r\nHost: ferry.test\r\nConnection: close\r\nX-Mark: <mark>\r\n\r\n")
				if !strings.Contains(answer, want) || strings.Contains(answer, "mark") || strings.Contains(answer, "Location") {
					t.Errorf("%s %s: %s", method, target, answer)
				}
			}
		}
	})
}

// raw sends bytes and returns all that comes back before the connection ends.
func (l *lab) raw(request string) string {
	l.t.Helper()
	c, err := l.ports.dial(l.t.Context(), "tcp", "")
	if err != nil {
		l.t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, request) }()
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// A signed body that is too large is refused when its length says so, and when it comes in pieces of no known length.
func TestLargeBodies(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		r := forged("commands", typing(approval)+"&x="+strings.Repeat("x", 1<<20), secret)
		head := "POST /slack/commands HTTP/1.1\r\nHost: ferry.test\r\nConnection: close\r\nX-Slack-Signature: " + r.Header.Get("X-Slack-Signature") +
			"\r\nX-Slack-Request-Timestamp: " + r.Header.Get("X-Slack-Request-Timestamp") + "\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		for _, body := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(r.Body), r.Body),
			fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(r.Body), r.Body),
		} {
			if answer := l.raw(head + body); !strings.HasPrefix(answer, "HTTP/1.1 413 ") {
				t.Errorf("answer: %q", answer)
			}
		}
		synctest.Wait()
		if got := l.commands.all(); len(got) != 0 {
			t.Errorf("stored: %+v", got)
		}
	})
}

func TestRotationOfSigningSecrets(t *testing.T) {
	for _, secrets := range [][]string{{secret, "new"}, {"new", secret}, {"new"}} {
		overHTTP(t, func(l *lab) {
			l.opts.SigningSecrets = secrets
			l.start()
			want := 401
			if slices.Contains(secrets, secret) {
				want = 200
			}
			if r := l.Send(forged("commands", typing(approval), secret)); r.Status != want {
				t.Errorf("with %q: %d, want %d", secrets, r.Status, want)
			}
			if r := l.Send(forged("commands", typing(approval), "third")); r.Status != 401 {
				t.Errorf("with %q and a third secret: %d", secrets, r.Status)
			}
		})
	}
}

func TestNoSigningSecretNoBot(t *testing.T) {
	overHTTP(t, func(l *lab) {
		for _, secrets := range [][]string{nil, {}, {""}, {secret, ""}} {
			l.opts.Listener, l.opts.SigningSecrets = l.ports.listen(), secrets
			if _, err := slack.New(l.opts); err == nil || !strings.Contains(err.Error(), "slack.signing_secret") {
				t.Errorf("with %q: %v", secrets, err)
			}
		}
	})
}

// Somebody has captured ben's press of Approve and sends it again: it acts once, ben is told once more at most, and after five
// minutes it is not even read.
func TestReplayedPressActsOnce(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		op := operation("op-aaaaaaaa", 1, requested())
		l.feed.publish(op)
		pass(time.Second)
		l.clicked("U0BEN", "Approve")
		captured := l.Requests()[0]
		for range 7 {
			if r := l.Send(captured); r.Status != 200 || r.Answer != "" {
				t.Errorf("replayed: %d %q", r.Status, r.Answer)
			}
		}
		synctest.Wait()
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands", n)
		}
		told := l.told("U0BEN")
		if len(told) != 2 || told[0] != told[1] {
			t.Errorf("ben was told %q", told)
		}
		pass(5*time.Minute + time.Second)
		if r := l.Send(captured); r.Status != 401 {
			t.Errorf("after five minutes: %d", r.Status)
		}
	})
}

// A command that comes again is answered with the same decision, in the answer to the request itself, by whichever bot gets it.
func TestRepeatedCommandGetsTheFirstAnswer(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		l.start()
		l.typed("U0ANA", "/failover vm-x")
		captured := l.Requests()[0]
		for range 3 {
			l.Send(captured)
			synctest.Wait()
		}
		decision := l.told("U0ANA")[0]
		inAnswers := 0
		for _, r := range l.Requests()[1:] {
			if strings.Contains(r.Answer, decision) {
				inAnswers++
			}
		}
		told := l.told("U0ANA")
		if len(told) > 2 || told[0] != told[len(told)-1] || inAnswers+len(told) != 4 {
			t.Errorf("ana was told %q, and %d answers carry the decision", told, inAnswers)
		}
		if n := len(l.commands.all()); n != 1 {
			t.Errorf("%d commands", n)
		}
	})
}

func TestLostAnswerIsNoSecondCommand(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		l.FaultRequests(workspace.RequestFault{LoseAnswer: true}, 1)
		l.typed("U0ANA", "/failover vm-x")
		pass(5 * time.Second)
		l.wantTold("U0ANA", "waits for approval", "operation_timeout")
		l.FaultRequests(workspace.RequestFault{Delay: 4 * time.Second}, 1)
		l.typed("U0ANA", "/failover vm-y")
		pass(5 * time.Second)
		l.wantTold("U0ANA", "waits for approval", "operation_timeout", "operation_timeout", "waits for approval")
	})
}

func TestFaultsOfSigningShowAnError(t *testing.T) {
	for _, fault := range []workspace.RequestFault{{Forge: true}, {Age: 6 * time.Minute}, {Age: -6 * time.Minute}} {
		overHTTP(t, func(l *lab) {
			l.start()
			l.FaultRequests(fault, 1)
			l.typed("U0ANA", "/failover vm-x")
			l.wantTold("U0ANA", "dispatch_failed")
			if n := len(l.commands.all()); n != 0 {
				t.Errorf("%d commands", n)
			}
		})
	}
}

// Who sends a header or a body a byte at a time is cut off, and everybody else is served meanwhile.
func TestSlowRequestsAreCutOff(t *testing.T) {
	for name, begin := range map[string]string{
		"header": "POST /slack/commands HTTP/1.1\r\nHost: ferry.test\r\nX-Slow: ",
		"body":   "POST /slack/commands HTTP/1.1\r\nHost: ferry.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n",
		"silent": "",
	} {
		t.Run(name, func(t *testing.T) {
			overHTTP(t, func(l *lab) {
				l.start()
				c, err := l.ports.dial(l.t.Context(), "tcp", "")
				if err != nil {
					t.Fatal(err)
				}
				ended, started := make(chan time.Time, 1), time.Now()
				go func() {
					_, _ = io.Copy(io.Discard, bufio.NewReader(c))
					ended <- time.Now()
				}()
				go func() {
					_, err := io.WriteString(c, begin)
					for err == nil {
						<-time.After(time.Second)
						if begin != "" {
							_, err = io.WriteString(c, "x")
						} else {
							_, err = c.Write(nil)
						}
					}
				}()
				l.typed("U0ANA", "/failover help")
				l.wantTold("U0ANA", "Look")
				pass(20 * time.Second)
				select {
				case at := <-ended:
					if at.Sub(started) > 10*time.Second {
						t.Errorf("cut off after %s", at.Sub(started))
					}
				default:
					t.Error("never cut off")
				}
				_ = c.Close()
			})
		})
	}
}

// What was acknowledged is stored, also when the bot is told to stop while it stores.
func TestDrainOverHTTP(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.commands.store = func(context.Context, int) error { <-time.After(time.Second); return nil }
		stop := l.start()
		l.typed("U0ANA", "/failover vm-x")
		stopped := make(chan struct{})
		go func() { stop(); close(stopped) }()
		pass(100 * time.Millisecond)
		if err := l.Type("U0ANA", incident, "/failover vm-y"); !errors.Is(err, workspace.ErrDispatchFailed) {
			t.Errorf("a bot that stops takes more: %v", err)
		}
		<-stopped
		synctest.Wait()
		r := l.Requests()
		first := r[slices.IndexFunc(r, func(r workspace.Request) bool { return strings.Contains(r.Body, "vm-x") })]
		if first.Status != 200 || len(l.commands.all()) != 1 {
			t.Errorf("answered %d %s, %d stored", first.Status, first.Failure, len(l.commands.all()))
		}
	})
}

func TestListenerThatFailsEndsTheBot(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.opts.Listener = broken{l.ports.listen()}
		b, err := slack.New(l.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(l.t.Context()); err == nil || !strings.Contains(err.Error(), "slack.listen") {
			t.Errorf("Run: %v", err)
		}
	})
}

type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, errCut }

func TestChallengeIsAnsweredOnceSigned(t *testing.T) {
	overHTTP(t, func(l *lab) {
		l.start()
		if err := l.VerifyEvents(); err != nil {
			t.Error(err)
		}
	})
}
