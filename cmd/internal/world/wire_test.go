package world

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// wire is what the outside got from Ferry, by the seam that it has to come through.
type wire struct {
	mu      sync.Mutex
	through map[string]int
	strays  map[string]int // what came through none
}

func newWire() *wire { return &wire{through: map[string]int{}, strays: map[string]int{}} }

// came notes something that may only come through a seam, and whether that is being passed.
func (w *wire) came(seam, what string, within bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.through[seam]++
	if !within {
		w.strays[what+" came outside "+seam]++
	}
}

func (w *wire) stray(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.strays[what+" came, which has no seam and is no reading"]++
}

// tapped is a connection to NATS whose messages are looked at as they are sent.
type tapped struct {
	net.Conn
	wire    *wire
	process *process
	rest    []byte // of a command that is not complete yet
}

func (c *tapped) Write(b []byte) (int, error) {
	c.rest = append(c.rest, b...)
	for {
		m, n := published(c.rest)
		if n == 0 {
			return c.Conn.Write(b)
		}
		c.rest = c.rest[n:]
		if m.subject != "" {
			c.look(m)
		}
	}
}

// message is one publish of NATS's client protocol.
type message struct {
	subject       string
	head, payload string
}

// published takes the first command off what was sent, and says how long it is: 0 when it is not complete.
func published(sent []byte) (message, int) {
	line, after, ok := bytes.Cut(sent, []byte("\r\n"))
	words := strings.Fields(string(line))
	switch {
	case !ok:
		return message{}, 0
	case len(words) < 3 || words[0] != "PUB" && words[0] != "HPUB":
		return message{}, len(line) + 2
	}
	total, _ := strconv.Atoi(words[len(words)-1])
	if len(after) < total+2 {
		return message{}, 0
	}
	head := 0
	if words[0] == "HPUB" {
		head, _ = strconv.Atoi(words[len(words)-2])
	}
	return message{words[1], string(after[:head]), string(after[head:total])}, len(line) + 2 + total + 2
}

func (c *tapped) look(m message) {
	seam := seamOf(m)
	switch seam {
	case reading, partOfBatch:
	case "":
		c.wire.stray(m.subject)
	default:
		// nats.go sends what needs no answer when it has time, so that only the number tells.
		c.wire.came(seam, m.subject, strings.HasSuffix(seam, ".heartbeat") || c.process.cut.within(seam))
	}
}

const (
	reading     = "reading"
	partOfBatch = "part of a batch"
)

// seamOf is the seam that a message to NATS has to come through; empty when nobody knows.
func seamOf(m message) string {
	subject := strings.Split(m.subject, ".")
	switch {
	case strings.HasPrefix(m.subject, "ferry."):
		if strings.Contains(m.head, "Nats-Batch-Id:") && !strings.Contains(m.head, "Nats-Batch-Commit:") {
			return partOfBatch
		}
		if subject[1] == "command" {
			return "command.store"
		}
		return "journal.append"
	case strings.HasPrefix(m.subject, "$KV.ferry-messages."):
		return "refs.put"
	case strings.HasPrefix(m.subject, "$KV.ferry-inventory."):
		return "inventory.put"
	case strings.HasPrefix(m.subject, "$KV.ferry_members."):
		return "members.put"
	case strings.HasPrefix(m.subject, "$KV.ferry-audit."):
		return "audit.put"
	case strings.HasPrefix(m.subject, "$JS.ACK.FERRY."):
		return ackSeam(subject[3], m.payload)
	case strings.HasPrefix(m.subject, "$JS.API."):
		return requestSeam(subject)
	case strings.HasPrefix(m.subject, "ferrysvc."), strings.HasPrefix(m.subject, "_INBOX"): // questions and answers
		return reading
	}
	return ""
}

func ackSeam(consumer, payload string) string {
	kind := map[string]string{"+ACK": "ack", "-NAK": "nak", "+WPI": "heartbeat"}[payload[:min(4, len(payload))]]
	switch {
	case consumer == "announce" && kind == "ack":
		return "feed.ack"
	case kind != "" && (consumer == "decide" || consumer == "drive"):
		return consumer + "." + kind
	}
	return ""
}

// requestSeam is of a request to JetStream. An ordered consumer is a way of reading and is gone with its connection.
func requestSeam(subject []string) string {
	switch what := strings.Join(subject[2:min(4, len(subject))], "."); what {
	case "INFO", "STREAM.INFO", "STREAM.MSG", "CONSUMER.INFO", "CONSUMER.MSG", "DIRECT.GET", "CONSUMER.DELETE":
		return reading
	case "STREAM.CREATE", "STREAM.UPDATE":
		return ensure
	case "CONSUMER.CREATE":
		if len(subject) > 5 && (subject[5] == "decide" || subject[5] == "drive" || subject[5] == "announce") {
			return ensure
		}
		return reading
	}
	return ""
}

// again ends the name of a step that makes the same call to Azure as another.
const again = "_again"

// ensure is the seam of stream, consumers and buckets; of each the client may send more than one request.
const ensure = "ensure"

// watch looks at what Azure and Slack get over HTTP.
func (w *wire) watch(f *fleet, h http.Handler) http.Handler {
	within := func(seam string) bool {
		for _, s := range f.seats {
			if life, _ := s.now(); life != nil && (life.cut.within(seam) || life.cut.within(seam+again)) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch seam := requestedSeam(r); seam {
		case reading:
		case "":
			w.stray(r.Method + " " + r.URL.Path)
		default:
			w.came(seam, fmt.Sprint(r.Method, " ", r.URL.Path), within(seam))
		}
		h.ServeHTTP(rw, r)
	})
}

// requestedSeam is the seam that an HTTP request has to come through.
func requestedSeam(r *http.Request) string {
	method, isSlack := strings.CutPrefix(r.URL.Path, "/api/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/commands/"), strings.HasPrefix(r.URL.Path, "/actions/"), method == "chat.postEphemeral":
		return "slack.answer"
	case isSlack:
		return map[string]string{
			"chat.postMessage": "slack.post", "chat.update": "slack.update", "views.open": "slack.open", "views.update": "slack.view", "conversations.history": "slack.history", "pins.add": "slack.pin", "pins.remove": "slack.pin", "conversations.setTopic": "slack.topic",
			"apps.connections.open": reading, "auth.test": reading, "users.info": reading, "conversations.info": reading,
			"usergroups.list": reading, "usergroups.users.list": reading,
		}[method]
	case r.Method == http.MethodGet:
		return reading
	}
	for suffix, seam := range azureSeams() {
		if strings.HasSuffix(strings.ToLower(r.URL.Path), "/"+strings.ToLower(suffix)) {
			return "azure." + seam
		}
	}
	return ""
}

// azureSeams are the calls by the last word of their path.
func azureSeams() map[string]string {
	return map[string]string{
		"unplannedFailover": "failover", "failoverCommit": "commit", "applyRecoveryPoint": "change", "testFailover": "test",
		"testFailoverCleanup": "cleanup", "switchprotection": "reprotect",
	}
}
