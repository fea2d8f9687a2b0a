package replicas

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// frame is one operation of the client protocol as it came: the control line, and what follows it.
type frame struct {
	op   string   // upper-case
	args []string // of the control line
	line []byte   // with its end
	body []byte   // headers and payload, with their end; nil when the operation has none
}

func readFrame(r *bufio.Reader) (frame, error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return frame{}, err
	}
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return frame{line: line}, nil
	}
	f := frame{op: strings.ToUpper(words[0]), args: words[1:], line: line}
	switch f.op {
	case "PUB", "HPUB", "MSG", "HMSG":
	default:
		return f, nil
	}
	size, err := strconv.Atoi(f.args[len(f.args)-1])
	if err != nil {
		return f, fmt.Errorf("the size in %q: %w", line, err)
	}
	f.body = make([]byte, size+2)
	_, err = io.ReadFull(r, f.body)
	return f, err
}

func (f frame) bytes() []byte { return append(bytes.Clone(f.line), f.body...) }

func (f frame) published() bool { return f.op == "PUB" || f.op == "HPUB" }

// headed reports how many sizes end the control line.
func (f frame) sizes() int {
	if f.op == "HPUB" || f.op == "HMSG" {
		return 2
	}
	return 1
}

func (f frame) subject() string { return f.args[0] }

// reply is the subject that an answer goes to, "" for none.
func (f frame) reply() string {
	first := 1 // PUB subject [reply] sizes
	if !f.published() {
		first = 2 // MSG subject sid [reply] sizes
	}
	if len(f.args) == first+1+f.sizes() {
		return f.args[first]
	}
	return ""
}

// sid is the subscription that a delivered message is for.
func (f frame) sid() string { return f.args[1] }

func (f frame) headerSize() int {
	if f.sizes() == 1 {
		return 0
	}
	n, err := strconv.Atoi(f.args[len(f.args)-2])
	if err != nil {
		return 0
	}
	return min(n, len(f.body)-2)
}

func (f frame) payload() []byte { return f.body[f.headerSize() : len(f.body)-2] }

// header are the message's headers. Those of NATS that matter here are written in the canonical way.
func (f frame) header() textproto.MIMEHeader {
	_, rest, _ := bytes.Cut(f.body[:f.headerSize()], []byte("\r\n"))
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(rest))).ReadMIMEHeader()
	if err != nil {
		return nil
	}
	return h
}

// delivered makes the frame of a message for a subscription.
func delivered(subject, sid string, payload []byte) []byte {
	return append(fmt.Appendf(nil, "MSG %s %s %d\r\n%s", subject, sid, len(payload), payload), "\r\n"...)
}

// noResponders makes the frame that tells a requester that nobody listens.
func noResponders(subject, sid string) []byte {
	const status = "NATS/1.0 503\r\n\r\n"
	return fmt.Appendf(nil, "HMSG %s %s %d %d\r\n%s\r\n", subject, sid, len(status), len(status), status)
}

// request makes the frame of a request with another payload.
func request(subject, reply string, payload []byte) []byte {
	return fmt.Appendf(nil, "PUB %s %s %d\r\n%s\r\n", subject, reply, len(payload), payload)
}

// matches reports whether a subject is covered by a filter with wildcards.
func matches(filter, subject string) bool {
	want, have := strings.Split(filter, "."), strings.Split(subject, ".")
	for i, token := range want {
		switch {
		case token == ">":
			return len(have) > i
		case i >= len(have), token != "*" && token != have[i]:
			return false
		}
	}
	return len(want) == len(have)
}
