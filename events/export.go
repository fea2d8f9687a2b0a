package events

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
	"unicode/utf8"

	"ferry/failover"
)

// exportedLine is one message of an export, or with File its last line.
type exportedLine struct {
	V       int       `json:"v"`
	Seq     uint64    `json:"seq,omitempty"`
	Stored  time.Time `json:"stored,omitzero"`
	Subject string    `json:"subject,omitempty"`
	Headers Header    `json:"headers,omitempty"`
	Data    string    `json:"data,omitempty"`
	// Bytes has what JSON cannot say as it is, which only a message has that Ferry did not write: headers and data, in base64.
	Bytes string `json:"bytes,omitempty"`
	Prev  string `json:"prev,omitempty"` // the hash before it, where the message before it is not on the line before
	Hash  string `json:"hash,omitempty"` // the chain's, up to this message

	Messages  int           `json:"messages,omitempty"`  // lines before this one
	Operation failover.OpID `json:"operation,omitempty"` // the export is about no other
	Head      string        `json:"head,omitempty"`      // of the whole stream when it was exported
	File      string        `json:"file,omitempty"`      // SHA-256 of all lines before this one, and of this one without it
}

// foreignParts are the parts of a message that are no UTF-8.
type foreignParts struct {
	Headers map[string][][]byte `json:"headers"`
	Data    []byte              `json:"data"`
}

// Export writes messages as JSON Lines, and what is needed to verify them without the stream.
type Export struct {
	w     io.Writer
	op    failover.OpID
	chain Chain // of all messages
	last  Chain // of what is written
	file  hash.Hash
	n     int
	err   error
}

// NewExport begins an export to w; of everything, or of what is about one operation.
func NewExport(w io.Writer, op failover.OpID) *Export {
	return &Export{w: w, op: op, file: sha256.New()}
}

// Add takes the next message of the stream; the first has sequence 1 and none may be left out. It is written if want.
func (e *Export) Add(m Message, stored time.Time, want bool) error {
	before := e.chain
	e.chain = e.chain.Add(m, stored)
	if !want || e.err != nil {
		return e.err
	}
	line, err := lineOf(m, stored)
	if err != nil {
		return fmt.Errorf("writing the export: %w", err)
	}
	line.Hash = hex.EncodeToString(e.chain.Sum[:])
	if before != e.last {
		line.Prev = hex.EncodeToString(before.Sum[:])
	}
	e.last = e.chain
	e.n++
	return e.write(line)
}

// End writes the last line. Without it the file is not whole.
func (e *Export) End() error {
	end := exportedLine{V: 1, Messages: e.n, Operation: e.op, Head: e.chain.String()}
	if err := e.seal(&end); err != nil {
		return err
	}
	return e.write(end)
}

// seal fills in the hash of the whole file.
func (e *Export) seal(end *exportedLine) error {
	data, err := json.Marshal(end)
	if err != nil {
		return err
	}
	e.file.Write(data)
	end.File = hex.EncodeToString(e.file.Sum(nil))
	return nil
}

func (e *Export) write(line exportedLine) error {
	data, err := json.Marshal(line)
	if err == nil {
		data = append(data, '\n')
		e.file.Write(data)
		_, err = e.w.Write(data)
	}
	if err != nil {
		e.err = fmt.Errorf("writing the export: %w", err)
	}
	return e.err
}

func lineOf(m Message, stored time.Time) (exportedLine, error) {
	line := exportedLine{V: 1, Seq: m.Seq, Stored: stored.UTC(), Subject: m.Subject, Headers: m.Header, Data: string(m.Data)}
	plain := utf8.Valid(m.Data)
	for name, values := range m.Header {
		plain = plain && utf8.ValidString(name)
		for _, v := range values {
			plain = plain && utf8.ValidString(v)
		}
	}
	if plain {
		return line, nil
	}
	parts := foreignParts{Headers: map[string][][]byte{}, Data: m.Data}
	for name, values := range m.Header {
		for _, v := range values {
			encoded := base64.StdEncoding.EncodeToString([]byte(name))
			parts.Headers[encoded] = append(parts.Headers[encoded], []byte(v))
		}
	}
	data, err := json.Marshal(parts)
	line.Headers, line.Data, line.Bytes = nil, "", base64.StdEncoding.EncodeToString(data)
	return line, err
}

// message is the message of a line.
func (l exportedLine) message() (Message, error) {
	m := Message{Seq: l.Seq, Subject: l.Subject, Header: l.Headers, Data: []byte(l.Data)}
	if l.Bytes == "" {
		return m, nil
	}
	data, err := base64.StdEncoding.DecodeString(l.Bytes)
	if err != nil {
		return m, err
	}
	var parts foreignParts
	if err := json.Unmarshal(data, &parts); err != nil {
		return m, err
	}
	m.Header, m.Data = Header{}, parts.Data
	for name, values := range parts.Headers {
		raw, err := base64.StdEncoding.DecodeString(name)
		if err != nil {
			return m, err
		}
		for _, v := range values {
			m.Header[string(raw)] = append(m.Header[string(raw)], string(v))
		}
	}
	return m, nil
}

// Exported is what verifying an export has found when nothing is wrong with it.
type Exported struct {
	Messages  int
	Operation failover.OpID // it is a part of the stream: that nothing is missing between its messages it cannot show
	Head      Chain         // of the stream when it was exported
	At        time.Time     // when the last message in it was stored
}

// maxLine bounds a line of an export: a message has up to 1 MB, and escapes.
const maxLine = 16 << 20

// VerifyExport checks an export without the stream: any byte that was changed, and anything that is missing from it. The
// error names the line. known are heads that were kept elsewhere: what was made up as a whole shows against one of them only.
func VerifyExport(r io.Reader, known ...Chain) (Exported, error) {
	v := &exportVerifier{file: sha256.New(), known: known}
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		text, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0:
			if !v.ended {
				return v.found, fmt.Errorf("line %d: the export is cut off: its last line, which says how many there are, is missing", n)
			}
			return v.found, v.missingHead()
		case err != nil:
			return v.found, fmt.Errorf("line %d: %w", n, err)
		}
		if err := v.line(text); err != nil {
			return v.found, fmt.Errorf("line %d: %w", n, err)
		}
	}
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, errors.New("it is longer than a message can be")
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(text) > 0:
			return nil, errors.New("it is cut off")
		default:
			return text, err
		}
	}
}

type exportVerifier struct {
	chain Chain
	file  hash.Hash
	known []Chain
	found Exported
	ended bool
	whole Chain // the chain as far as every message from the first on is there
}

func (v *exportVerifier) line(text []byte) error {
	var l exportedLine
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return fmt.Errorf("changed: it is not JSON of this version: %w", err)
	}
	m, err := l.message()
	if err != nil {
		return fmt.Errorf("changed: %w", err)
	}
	again := l
	if l.Bytes != "" {
		if again, err = lineOf(m, l.Stored); err != nil {
			return err
		}
		again.Prev, again.Hash = l.Prev, l.Hash
	}
	written, err := json.Marshal(again)
	if err != nil || !bytes.Equal(append(written, '\n'), text) { // the same said in other bytes is a change too
		return errors.New("changed: it was not written like this")
	}
	switch {
	case v.ended:
		return errors.New("something follows the last line")
	case l.V != 1:
		return fmt.Errorf("version %d is not known", l.V)
	case l.File != "":
		return v.end(l)
	}
	if err := v.message(l, m); err != nil {
		return err
	}
	v.file.Write(text)
	return nil
}

func (v *exportVerifier) message(l exportedLine, m Message) error {
	if l.Prev != "" {
		if l.Seq <= v.chain.Seq+1 {
			return fmt.Errorf("changed: message %d has its predecessor on the line before", l.Seq)
		}
		sum, err := hex.DecodeString(l.Prev)
		if err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != l.Prev {
			return errors.New("changed: the hash before it is none")
		}
		v.chain = Chain{Seq: l.Seq - 1, Sum: [sha256.Size]byte(sum)}
	}
	if l.Seq != v.chain.Seq+1 {
		return fmt.Errorf("missing: message %d follows %d", l.Seq, v.chain.Seq)
	}
	whole := v.whole == v.chain
	v.chain = v.chain.Add(m, l.Stored)
	if hex.EncodeToString(v.chain.Sum[:]) != l.Hash {
		return fmt.Errorf("changed: message %d (%s, stored %s), or its hash", l.Seq, l.Subject, l.Stored.Format(time.RFC3339))
	}
	if whole {
		v.whole = v.chain
	}
	for _, k := range v.known {
		if k.Seq == v.chain.Seq && k != v.chain {
			return fmt.Errorf("changed: the head that was kept for message %d is another; this message, or one before it, is not what it was", k.Seq)
		}
	}
	v.found.Messages++
	v.found.At = l.Stored
	return nil
}

func (v *exportVerifier) end(l exportedLine) error {
	sum := l.File
	l.File = ""
	if err := (&Export{file: v.file}).seal(&l); err != nil || l.File != sum {
		return errors.New("changed: the file is not the one that was written")
	}
	head, err := ParseChain(l.Head)
	if err != nil {
		return err
	}
	if l.Messages != v.found.Messages || l.Operation == "" && head != v.whole {
		return fmt.Errorf("missing: %d messages to %d were written, %d to %d are there", l.Messages, head.Seq, v.found.Messages, v.whole.Seq)
	}
	v.ended, v.found.Operation, v.found.Head = true, l.Operation, head
	return nil
}

// missingHead reports a head that was kept of messages which an export does not have, or is another than the export says that
// the stream had: the export of an operation need not have the message that it is of.
func (v *exportVerifier) missingHead() error {
	for _, k := range v.known {
		switch {
		case k.Seq == v.found.Head.Seq && k != v.found.Head:
			return fmt.Errorf("changed: the head that was kept of message %d is another than the one that the stream had when this was exported", k.Seq)
		case k.Seq > v.found.Head.Seq:
			return fmt.Errorf("missing: a head was kept of message %d, and the stream ended at %d when this was exported", k.Seq, v.found.Head.Seq)
		}
	}
	return nil
}
