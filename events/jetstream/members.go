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

// PutMembers stores who is in which Slack user group; it is the bot's to do.
func (c *Client) PutMembers(ctx context.Context, m failover.Membership) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding the members of Slack's groups: %w", err)
	}
	kv, err := c.js.KeyValue(ctx, bucketMembers)
	if err != nil {
		return fmt.Errorf("opening bucket %s: %w", bucketMembers, err)
	}
	return c.seam("members.put", func() error {
		_, err := kv.Put(ctx, membersKey, data)
		return err
	})
}

// Members reads it; the zero membership when none was stored. It is never younger than the server's word of when it was
// stored, whatever the bot's clock said.
func (c *Client) Members(ctx context.Context) (m failover.Membership, err error) {
	kv, err := c.js.KeyValue(ctx, bucketMembers)
	if err != nil {
		return m, fmt.Errorf("opening bucket %s: %w", bucketMembers, err)
	}
	entry, err := kv.Get(ctx, membersKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("reading the members of Slack's groups: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &m); err != nil {
		return failover.Membership{}, fmt.Errorf("decoding the members of Slack's groups: %w", err)
	}
	if stored := entry.Created(); m.At.After(stored) {
		m.At = stored
	}
	return m, nil
}
