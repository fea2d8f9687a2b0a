package events

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Chain is the rolling hash of the stream up to a sequence: whoever knows it knows whether any message up to there was
// changed, taken out or put in. The zero Chain is that of nothing.
type Chain struct {
	Seq uint64
	Sum [sha256.Size]byte // zero before the first message
}

// Add takes the next message into the hash; its sequence has to follow. The new sum is the SHA-256 of, in this order: the
// old sum; the sequence and the time at which the server stored the message (nanoseconds since 1970), 8 bytes each; the
// subject; the number of header names; for each name, sorted by its bytes, the name, the number of its values and each
// value in the order in which it stands; the payload. Numbers are 8 bytes, big-endian, and every text has its length before it.
// Headers that are none, which no client library reads, count as one of the name [Undecodable], with their bytes as its value.
func (c Chain) Add(m Message, stored time.Time) Chain {
	h := sha256.New()
	h.Write(c.Sum[:])
	number(h, m.Seq)
	number(h, uint64(stored.UnixNano()))
	text(h, m.Subject)
	number(h, uint64(len(m.Header)))
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		text(h, name)
		number(h, uint64(len(m.Header[name])))
		for _, value := range m.Header[name] {
			text(h, value)
		}
	}
	text(h, string(m.Data))
	next := Chain{Seq: m.Seq}
	h.Sum(next.Sum[:0])
	return next
}

func number(h hash.Hash, n uint64) { h.Write(binary.BigEndian.AppendUint64(nil, n)) }

func text(h hash.Hash, s string) {
	number(h, uint64(len(s)))
	h.Write([]byte(s))
}

// String is the head as it is published: sequence and sum.
func (c Chain) String() string { return fmt.Sprintf("%d:%s", c.Seq, hex.EncodeToString(c.Sum[:])) }

// ParseChain reads a head as it is published.
func ParseChain(text string) (Chain, error) {
	seq, sum, ok := strings.Cut(text, ":")
	var c Chain
	n, err := strconv.ParseUint(seq, 10, 64)
	raw, err2 := hex.DecodeString(sum)
	if !ok || err != nil || err2 != nil || len(raw) != sha256.Size {
		return c, fmt.Errorf("%q is no head; write it as it was published: the number of a message, a colon, and 64 hexadecimal digits", text)
	}
	c.Seq = n
	copy(c.Sum[:], raw)
	return c, nil
}

// Undecodable is the name under which headers stand that cannot be read. No header that can is called so: a name ends at a colon.
const Undecodable = ":undecodable"

// linkSize is how much of each sum a page keeps: enough to tell where a chain begins to differ, not to prove it.
const linkSize = 8

// PageSize is how many messages a full page is about.
const PageSize = 1024

// Page is a stretch of the chain, kept beside the stream: the sum at its end, and of each sum within it the beginning.
type Page struct {
	First uint64    `json:"first"` // sequence of its first message
	Last  uint64    `json:"last"`
	Sum   []byte    `json:"sum"`
	Links []byte    `json:"links"` // linkSize bytes for each message
	At    time.Time `json:"at"`    // when its last message was stored, by the server's clock
}

// NewPage begins a page after a chain.
func NewPage(after Chain) Page {
	return Page{First: after.Seq + 1, Last: after.Seq, Sum: after.Sum[:]}
}

// Chain is the chain at the end of the page.
func (p Page) Chain() Chain {
	c := Chain{Seq: p.Last}
	copy(c.Sum[:], p.Sum)
	return c
}

// Add takes the next message onto the page.
func (p Page) Add(m Message, stored time.Time) Page {
	c := p.Chain().Add(m, stored)
	p.Last, p.Sum, p.At = c.Seq, c.Sum[:], stored.UTC()
	p.Links = append(slices.Clip(p.Links), c.Sum[:linkSize]...)
	return p
}

// Full reports whether the next message goes onto another page.
func (p Page) Full() bool { return p.Last+1-p.First >= PageSize }

// Confirms reports whether the page knows the chain as it is at its sequence. It must be within the page.
func (p Page) Confirms(c Chain) bool {
	at := (c.Seq - p.First) * linkSize
	if c.Seq == p.Last && p.Chain() != c {
		return false
	}
	return at+linkSize <= uint64(len(p.Links)) && slices.Equal(p.Links[at:at+linkSize], c.Sum[:linkSize])
}

// Verdict is what verifying the stream against what is kept of its chain has found.
type Verdict struct {
	Head Chain     // as kept
	At   time.Time // when its message was stored
	Last uint64    // sequence of the stream's last message; what is behind the head is not kept yet
	// LastAt is when the last message was stored that is as it was.
	LastAt time.Time
	// Wrong is the first sequence at which the stream is not what it was, and What says how; 0 and empty: there is none.
	Wrong uint64
	What  Damage
	Until uint64 // with Rewritten: the message whose head was kept elsewhere; Wrong is the earliest that may differ
	// Subject is where the wrong message stands, as far as it is there.
	Subject string
}

// Damage is how the stream differs from what is kept.
type Damage string

// The kinds of damage.
const (
	Changed   Damage = "changed"   // a message, or one before it that is not kept any more, has other bytes
	Missing   Damage = "missing"   // there is no message, or none that can be read, and later ones are there
	Truncated Damage = "truncated" // the stream ends before the head
	Rewritten Damage = "rewritten" // a head that was kept elsewhere is another, whatever is kept beside the stream
)

// Err is nil when nothing is wrong.
func (v Verdict) Err() error {
	const not = "the stream is not what it was: "
	after := "; the last that is as it was is of " + v.LastAt.UTC().Format("2006-01-02 15:04:05 UTC")
	if v.LastAt.IsZero() {
		after = ""
	}
	switch v.What {
	case "":
		return nil
	case Rewritten:
		return fmt.Errorf(not+"the head that was kept elsewhere of message %d is another, so one of the messages %d to %d was changed", v.Until, v.Wrong, v.Until)
	case Truncated:
		return fmt.Errorf(not+"message %d is truncated, and all after it; what is kept ends at %d, the stream at %d%s", v.Wrong, v.Head.Seq, v.Last, after)
	case Missing:
		return fmt.Errorf(not+"message %d is missing; what is kept ends at %d, the stream at %d%s", v.Wrong, v.Head.Seq, v.Last, after)
	case Changed:
	}
	return fmt.Errorf(not+"message %d is changed; it stands on %s; what is kept ends at %d, the stream at %d%s", v.Wrong, v.Subject, v.Head.Seq, v.Last, after)
}
