package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/failover"
)

// membersKey is the one entry of the bucket of who is in Slack's groups.
const membersKey = "groups"

// PutMembers stores who is in which Slack user group, unless a newer reading is stored; it is the bots' to do.
func (c *Client) PutMembers(ctx context.Context, m failover.Membership) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding the members of Slack's groups: %w", err)
	}
	kv, err := c.js.KeyValue(ctx, bucketMembers)
	if err != nil {
		return fmt.Errorf("opening bucket %s: %w", bucketMembers, err)
	}
	stored, revision, err := readMembers(ctx, kv)
	switch {
	case err != nil && revision == 0: // what is there and cannot be read is no reason to keep it
		return err
	case stored.At.After(m.At):
		return nil
	}
	return c.seam("members.put", func() error {
		_, err := kv.Update(ctx, membersKey, data, revision) // another bot that was quicker makes it fail, and it is read again
		return err
	})
}

// Members reads it; the zero membership when none was stored.
func (c *Client) Members(ctx context.Context) (failover.Membership, error) {
	kv, err := c.js.KeyValue(ctx, bucketMembers)
	if err != nil {
		return failover.Membership{}, fmt.Errorf("opening bucket %s: %w", bucketMembers, err)
	}
	m, _, err := readMembers(ctx, kv)
	return m, err
}

// readMembers gives it with its revision. It is never younger than the server's word of when it was stored, whatever the
// bot's clock said.
func readMembers(ctx context.Context, kv jetstream.KeyValue) (m failover.Membership, revision uint64, err error) {
	entry, err := kv.Get(ctx, membersKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return m, 0, nil
	}
	if err != nil {
		return m, 0, fmt.Errorf("reading the members of Slack's groups: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &m); err != nil {
		return failover.Membership{}, entry.Revision(), fmt.Errorf("decoding the members of Slack's groups: %w", err)
	}
	if stored := entry.Created(); m.At.After(stored) {
		m.At = stored
	}
	return m, entry.Revision(), nil
}
