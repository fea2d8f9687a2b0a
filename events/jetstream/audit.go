package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
	"ferry/failover"
)

// auditHead is the entry with the page that is being written; full pages have their own, see pageKey.
const auditHead = "head"

// auditIdle is how often the keeper looks at a stream on which nothing happens: one that was cut off shows nothing new until
// it is longer than before.
const auditIdle = 5 * time.Minute

// auditPause is how long the keeper lets a burst of messages pass before it reads them.
const auditPause = time.Second

// storedWithin bounds the reading of one message.
const storedWithin = 5 * time.Second

// auditSure is how often damage has to be seen, ten seconds apart, before it is called that.
const auditSure = 6

func pageKey(first uint64) string { return fmt.Sprintf("page.%d", first) }

// KeepAudit keeps the rolling hash of the stream in a bucket until ctx ends: from where it was kept before, whenever changes
// says that something was stored, and now and then besides. Any number of executors may keep it. A stream that is not what it was is reported and not
// kept any further: what is known of it must not be lost.
func (c *Client) KeepAudit(ctx context.Context, changes func() <-chan struct{}) error {
	for damaged := 0; ctx.Err() == nil; {
		next := changes()
		err := c.catchUp(ctx)
		retry := time.After(auditIdle)
		switch {
		case err == nil:
			damaged = 0
		case errors.Is(err, failover.ErrConflict):
			retry = time.After(auditPause) // another keeper has stored a part of it, or a leader that is cut off says so
		case errors.Is(err, errDamaged):
			damaged++
			next = nil // what is stored meanwhile does not make it surer
			fallthrough
		default:
			c.complain(ctx, err, damaged)
			retry = time.After(ackWait)
		}
		select {
		case <-next:
		case <-retry:
		case <-ctx.Done():
		}
		select {
		case <-time.After(auditPause):
		case <-ctx.Done():
		}
	}
	return nil
}

// complain says what keeps the hash from being kept. A leader that was cut off shows an old end of the stream for a while,
// so damage is only what stays.
func (c *Client) complain(ctx context.Context, err error, damaged int) {
	switch {
	case ctx.Err() != nil:
	case damaged == auditSure:
		c.log.ErrorContext(ctx, "audit: the stream is not what it was", slog.Any("error", err), slog.String("hint", "verify it, and compare it with the heads that were published"))
	case damaged < auditSure:
		c.log.WarnContext(ctx, "audit: not kept yet, trying again", slog.Any("error", err))
	}
}

var errDamaged = errors.New("the stream is not what it was")

// catchUp takes everything that is stored into the hash.
func (c *Client) catchUp(ctx context.Context) error {
	kv, page, rev, err := c.openAudit(ctx)
	if err != nil {
		return err
	}
	end, err := c.lastSeq(ctx)
	if err != nil {
		return err
	}
	if end < page.Last {
		return fmt.Errorf("%w: it is kept to %d, and ends at %d", errDamaged, page.Last, end)
	}
	if err := c.holds(ctx, page); err != nil {
		return err
	}
	for page.Last < end {
		m, stored, err := c.stored(ctx, page.Last+1)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("%w: message %d is missing", errDamaged, page.Last+1)
		}
		if err != nil {
			return err
		}
		page = page.Add(m, stored)
		if page.Last == end || page.Full() {
			if err := c.putPage(ctx, kv, &page, &rev); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds looks whether the last message that is kept is the one that the stream has there: what was cut off and grew again, or
// is another stream, must not be taken for what follows.
func (c *Client) holds(ctx context.Context, page events.Page) error {
	if page.At.IsZero() { // nothing is kept yet, or the page is new
		return nil
	}
	switch _, at, err := c.stored(ctx, page.Last); {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("%w: message %d is missing", errDamaged, page.Last)
	case err != nil:
		return err
	case !at.Equal(page.At):
		return fmt.Errorf("%w: message %d is another: it was stored at %s, and the one that is kept at %s", errDamaged, page.Last,
			at.UTC().Format(time.RFC3339Nano), page.At.Format(time.RFC3339Nano))
	}
	return nil
}

// putPage stores the page; a full one gets its own entry first. Whoever was faster has stored the same.
func (c *Client) putPage(ctx context.Context, kv jetstream.KeyValue, page *events.Page, rev *uint64) error {
	return c.seam("audit.put", func() error {
		if page.Full() {
			if err := put(ctx, kv, pageKey(page.First), *page, nil); err != nil {
				return err
			}
			*page = events.NewPage(page.Chain())
		}
		return put(ctx, kv, auditHead, *page, rev)
	})
}

// put stores an entry, guarded by its revision if there is one.
func put(ctx context.Context, kv jetstream.KeyValue, key string, page events.Page, rev *uint64) error {
	data, err := json.Marshal(page)
	if err != nil {
		return fmt.Errorf("encoding the audit: %w", err)
	}
	if rev == nil {
		_, err = kv.Put(ctx, key, data)
	} else {
		*rev, err = kv.Update(ctx, key, data, *rev)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return failover.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("storing the audit: %w", err)
	}
	return nil
}

func (c *Client) openAudit(ctx context.Context) (kv jetstream.KeyValue, page events.Page, rev uint64, err error) {
	kv, err = c.js.KeyValue(ctx, bucketAudit)
	if err != nil {
		return nil, page, 0, fmt.Errorf("opening bucket %s: %w", bucketAudit, err)
	}
	entry, err := kv.Get(ctx, auditHead)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return kv, events.NewPage(events.Chain{}), 0, nil
	}
	if err != nil {
		return nil, page, 0, fmt.Errorf("reading the audit: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &page); err != nil {
		return nil, page, 0, fmt.Errorf("reading the audit: %w", err)
	}
	return kv, page, entry.Revision(), nil
}

// stored reads the message with a sequence, and when the server stored it. It goes by itself about it: the client library
// gives no message whose headers it cannot read, and whoever may ask for something may have one stored.
func (c *Client) stored(ctx context.Context, seq uint64) (events.Message, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storedWithin)
	defer cancel()
	reply, err := c.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+events.Stream, fmt.Appendf(nil, `{"seq":%d}`, seq))
	if err != nil {
		return events.Message{}, time.Time{}, err
	}
	var got struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject string    `json:"subject"`
			Seq     uint64    `json:"seq"`
			Header  []byte    `json:"hdrs"`
			Data    []byte    `json:"data"`
			Time    time.Time `json:"time"`
		} `json:"message"`
	}
	switch err := json.Unmarshal(reply.Data, &got); {
	case err != nil:
		return events.Message{}, time.Time{}, fmt.Errorf("reading message %d: %w", seq, err)
	case got.Error != nil && got.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return events.Message{}, time.Time{}, jetstream.ErrMsgNotFound
	case got.Error != nil:
		return events.Message{}, time.Time{}, got.Error
	}
	m := events.Message{Subject: got.Message.Subject, Data: got.Message.Data, Seq: got.Message.Seq}
	if len(got.Message.Header) > 0 {
		header, err := nats.DecodeHeadersMsg(got.Message.Header)
		if err != nil {
			header = nats.Header{events.Undecodable: {string(got.Message.Header)}}
		}
		m.Header = events.Header(header)
	}
	return m, got.Message.Time, nil
}

func (c *Client) lastSeq(ctx context.Context) (uint64, error) {
	stream, err := c.stream(ctx)
	if err != nil {
		return 0, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the stream's end: %w", err)
	}
	return info.State.LastSeq, nil
}

// AuditHead is the head that is kept: the zero chain when there is none yet.
func (c *Client) AuditHead(ctx context.Context) (events.Chain, error) {
	_, page, _, err := c.openAudit(ctx)
	return page.Chain(), err
}

// VerifyAudit recomputes the hash from the first message on and compares it with what is kept, and with heads that were kept
// elsewhere: the verdict's Err says what is wrong with the stream, the error that it could not be read. It reads every
// message, some 20,000 a second.
func (c *Client) VerifyAudit(ctx context.Context, known ...events.Chain) (events.Verdict, error) {
	ctx, done := c.denials.watch(ctx, "") // of the answers
	v, err := c.verifyAudit(ctx, known)
	return v, done(err)
}

func (c *Client) verifyAudit(ctx context.Context, known []events.Chain) (events.Verdict, error) {
	kv, head, _, err := c.openAudit(ctx)
	if err != nil {
		return events.Verdict{}, err
	}
	last, err := c.lastSeq(ctx)
	if err != nil {
		return events.Verdict{}, err
	}
	slices.SortFunc(known, func(a, b events.Chain) int { return cmp.Compare(a.Seq, b.Seq) })
	v := events.Verdict{Head: head.Chain(), At: head.At, Last: last}
	if n := len(known); n > 0 && known[n-1].Seq > v.Head.Seq {
		v.Head = known[n-1]
	}
	page, sure := events.Page{}, uint64(0)
	for chain := (events.Chain{}); chain.Seq < last || chain.Seq < v.Head.Seq; {
		m, stored, err := c.stored(ctx, chain.Seq+1)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound) && chain.Seq >= last:
			v.Wrong, v.What = chain.Seq+1, events.Truncated
			return v, nil
		case errors.Is(err, jetstream.ErrMsgNotFound):
			v.Wrong, v.What = chain.Seq+1, events.Missing
			return v, nil
		case err != nil:
			return v, fmt.Errorf("reading message %d: %w", chain.Seq+1, err)
		}
		chain = chain.Add(m, stored)
		if chain.Seq <= head.Last {
			if chain.Seq > page.Last {
				if page, err = pageAt(ctx, kv, head, chain.Seq); err != nil {
					return v, err
				}
			}
			if !page.Confirms(chain) {
				v.Wrong, v.What, v.Subject = chain.Seq, events.Changed, m.Subject
				return v, nil
			}
		}
		for len(known) > 0 && known[0].Seq <= chain.Seq {
			if known[0].Seq == chain.Seq && known[0] != chain {
				v.Wrong, v.Until, v.What = sure+1, chain.Seq, events.Rewritten
				return v, nil
			}
			sure, known = known[0].Seq, known[1:]
		}
		v.LastAt = stored
	}
	return v, nil
}

// pageAt reads the page that begins at a sequence. One that was lost confirms nothing.
func pageAt(ctx context.Context, kv jetstream.KeyValue, head events.Page, seq uint64) (page events.Page, err error) {
	if seq >= head.First {
		return head, nil
	}
	entry, err := kv.Get(ctx, pageKey(seq))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return events.Page{First: seq, Last: seq}, nil
	}
	if err != nil {
		return page, fmt.Errorf("reading the audit: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &page); err != nil {
		return page, fmt.Errorf("reading the audit: %w", err)
	}
	return page, nil
}
