package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/failover"
)

// inventoryKey is the one entry of the inventory bucket.
const inventoryKey = "items"

// SaveInventory stores what was last read of all replicated items, for whoever shows it.
func (c *Client) SaveInventory(ctx context.Context, inv failover.Inventory) error {
	data, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("encoding the inventory: %w", err)
	}
	if data, err = pack(data); err != nil {
		return fmt.Errorf("encoding the inventory: %w", err)
	}
	kv, err := c.js.KeyValue(ctx, bucketInventory)
	if err != nil {
		return fmt.Errorf("opening bucket %s: %w", bucketInventory, err)
	}
	return c.seam("inventory.put", func() error {
		_, err := kv.Put(ctx, inventoryKey, data)
		return err
	})
}

// Inventory reads it; the zero inventory when none was stored.
func (c *Client) Inventory(ctx context.Context) (inv failover.Inventory, err error) {
	kv, err := c.js.KeyValue(ctx, bucketInventory)
	if err != nil {
		return inv, fmt.Errorf("opening bucket %s: %w", bucketInventory, err)
	}
	entry, err := kv.Get(ctx, inventoryKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return inv, nil
	}
	if err != nil {
		return inv, fmt.Errorf("reading the inventory: %w", err)
	}
	return inv, unpack(entry.Value(), &inv)
}

// Messages is where the bot remembers which message of the chat shows which operation. A bucket is read from whichever
// server answers, also from one that does not know yet what was just written: what this process wrote itself it reads again.
type Messages struct {
	kv jetstream.KeyValue

	mu      sync.Mutex
	written map[failover.OpID]written
}

type written struct {
	value []byte
	rev   uint64
}

// OpenMessages opens the bucket.
func (c *Client) OpenMessages(ctx context.Context) (*Messages, error) {
	kv, err := c.js.KeyValue(ctx, bucketMessages)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", bucketMessages, err)
	}
	return &Messages{kv: kv, written: map[failover.OpID]written{}}, nil
}

// Get reads the value of an operation and its revision; both zero when there is none.
func (m *Messages) Get(ctx context.Context, op failover.OpID) ([]byte, uint64, error) {
	entry, err := m.kv.Get(ctx, string(op))
	if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, fmt.Errorf("reading the messages of %s: %w", op, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ours := m.written[op]
	if err != nil || entry.Revision() < ours.rev {
		return ours.value, ours.rev, nil
	}
	return entry.Value(), entry.Revision(), nil
}

// Put stores a value if the revision is still the one that was read; another bot's write in between is failover.ErrConflict.
func (m *Messages) Put(ctx context.Context, op failover.OpID, value []byte, rev uint64) (uint64, error) {
	next, err := m.kv.Update(ctx, string(op), value, rev)
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return 0, failover.ErrConflict
	}
	if err != nil {
		return 0, fmt.Errorf("storing the messages of %s: %w", op, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[op] = written{value, next}
	return next, nil
}
