package world

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ferry/config"
	"ferry/sandbox/confidential"
	"ferry/sandbox/pipe"
	"ferry/sandbox/workspace"
)

// signingSecret is what the workspace of a world signs its requests with.
const signingSecret = "canary-signing-secret"

// modeOfSlack is how the bots hear of what people do, where a test does not say so itself: FERRY_SLACK_MODE=http plays every
// test of this package over HTTP.
func modeOfSlack() string {
	if os.Getenv("FERRY_SLACK_MODE") == config.ModeHTTP {
		return config.ModeHTTP
	}
	return config.ModeSocket
}

// bubbleHTTP is bubble with bots that Slack posts to.
func bubbleHTTP(t *testing.T, test func(*world)) {
	t.Helper()
	bubbleOf(t, quick(), config.ModeHTTP, test)
}

// requestURLs are those of the app, all of them behind one balancer.
func (w *world) requestURLs() workspace.RequestURLs {
	if w.mode != config.ModeHTTP {
		return workspace.RequestURLs{}
	}
	const base = "http://ferry.test/slack/"
	return workspace.RequestURLs{
		Commands: base + "commands", Interactions: base + "interactions", Events: base + "events",
		SigningSecret: signingSecret, Dial: w.balancer.dial,
	}
}

// balancer stands before the bots: each connection goes to another one that listens.
type balancer struct {
	mu   sync.Mutex
	bots []*entrance
	turn int
}

func (b *balancer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	b.mu.Lock()
	bots, turn := slices.Clone(b.bots), b.turn
	b.turn++
	b.mu.Unlock()
	for i := range bots {
		if c, err := bots[(turn+i)%len(bots)].Dial(ctx, network, addr); err == nil {
			return c, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
}

// entrance is the port of one bot, which breaks with its process.
type entrance struct {
	*pipe.Listener
	process  *process
	balancer *balancer
}

func (p *process) listen(context.Context, string, string) (net.Listener, error) {
	b := p.world.balancer
	e := &entrance{pipe.Listen(), p, b}
	b.mu.Lock()
	b.bots = append(b.bots, e)
	b.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports = append(p.ports, e)
	return e, nil
}

func (e *entrance) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	e.process.mu.Lock()
	defer e.process.mu.Unlock()
	e.process.conns = append(e.process.conns, c)
	return c, nil
}

func (e *entrance) Close() error {
	e.balancer.mu.Lock()
	e.balancer.bots = slices.DeleteFunc(e.balancer.bots, func(other *entrance) bool { return other == e })
	e.balancer.mu.Unlock()
	return e.Listener.Close()
}

// The story of the README with a bot that Slack posts to: a failover, its approval and commit by buttons, the reprotect by a
// form, and a question by mention.
func TestStoryOverHTTP(t *testing.T) {
	bubbleHTTP(t, func(w *world) {
		w.committedVM()
		w.opens("ana", "Reprotect", "northeurope to westeurope", "replica disk")
		w.submits("ana", "Reason", "the region is back", "reprotect of vm-x: awaiting approval")
		w.presses("ben", "Approve", "reprotect of vm-x: protected")
		for _, operation := range []string{"unplannedFailover", "failoverCommit", "switchprotection"} {
			w.ledger(operation, 1)
		}
		w.reads("eve", "@ferry status vm-x", "reprotect of vm-x")
		for _, r := range w.workspace.Requests() { // and nothing of it is logged, which overheard watches for
			for _, secret := range []string{signingSecret, r.Header.Get("X-Slack-Signature")} {
				if confidential.Leak([]byte(secret)) == "" {
					t.Errorf("not recognised as a secret: %q", secret)
				}
			}
			if r.Status != 200 {
				t.Errorf("answered %d %s: %s", r.Status, r.Failure, r.URL)
			}
		}
		for _, a := range w.workspace.Acks() {
			if a.AckedAt.IsZero() || a.AckedAt.Sub(a.SentAt) > 3*time.Second {
				t.Errorf("acknowledged after %s: %+v", a.AckedAt.Sub(a.SentAt), a)
			}
		}
	})
}

// The same approval over HTTP by whoever has captured it, at another bot, and after the operation has gone on.
func TestReplayOverHTTP(t *testing.T) {
	bubbleHTTP(t, func(w *world) {
		f := w.newFleet(2, 1)
		f.start()
		defer f.close()
		pass(time.Minute)
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		w.presses("ben", "Approve", "running")
		approval := w.newestRequest("ferry_approve")
		for range 6 {
			if r := w.workspace.Send(approval); r.Status != 200 || r.Answer != "" {
				t.Errorf("replayed: %d %q", r.Status, r.Answer)
			}
		}
		w.sees("[ Commit ]")
		told := w.toldAlone("U0BEN")
		if n := len(told); n < 2 || n > 3 { // by each bot once more at most
			t.Errorf("ben is told %d times: %q", n, told)
		}
		if same := slices.Compact(told); len(same) != 1 || !strings.Contains(same[0], "is approved") {
			t.Errorf("ben is told: %q", same)
		}
		w.ledger("unplannedFailover", 1)
		w.reads("eve", "/failover status vm-x", "awaiting commit")
		if r := w.workspace.Send(w.newestRequest("status+vm-x")); !strings.Contains(r.Answer, "awaiting commit") {
			t.Errorf("a question that is sent again: %d %q", r.Status, r.Answer)
		}
		pass(5 * time.Minute)
		if r := w.workspace.Send(approval); r.Status != 401 {
			t.Errorf("after five minutes: %d", r.Status)
		}
	})
}

// toldAlone are the messages that nobody else sees.
func (w *world) toldAlone(person string) []string {
	var all []string
	for _, m := range w.workspace.Messages(incident, workspace.Everyone) {
		if m.EphemeralFor == person {
			all = append(all, strings.Join(w.workspace.Render(m), "\n"))
		}
	}
	return all
}

// newestRequest is the last one that has a text in its body.
func (w *world) newestRequest(text string) workspace.Request {
	w.t.Helper()
	for _, r := range slices.Backward(w.workspace.Requests()) {
		if strings.Contains(r.Body, text) {
			return r
		}
	}
	w.t.Fatalf("no request with %q", text)
	return workspace.Request{}
}

func TestRepeatsOverHTTP(t *testing.T) {
	bubbleHTTP(t, deliveredAgain)
}
