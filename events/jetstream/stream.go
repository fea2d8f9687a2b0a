package jetstream

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
)

// duplicateWindow is how long a message id is remembered: the same click, however often it is delivered, is stored once.
const duplicateWindow = 24 * time.Hour

// ackWait is how long a silent consumer keeps a message: the failure detector of executors and bots, not a lock.
const ackWait = 10 * time.Second

// Buckets hold projections only: rebuildable, or harmless to lose. Nothing is decided on them.
const (
	bucketMessages  = "ferry-messages"
	bucketInventory = "ferry-inventory"
	bucketAudit     = "ferry-audit"
)

// The durable consumers.
const (
	consumerDecide   = "decide"
	consumerDrive    = "drive"
	consumerAnnounce = "announce"
	announceGroup    = "bots"
)

// streamConfig is the one stream: the record is the state, so nothing may leave it, and a full disk stops the system
// loudly instead of forgetting silently.
func (c *Client) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        events.Stream,
		Description: "Ferry: every command, fact and hold; the only durable truth",
		Subjects:    []string{events.CommandSubjects, events.OpSubjects, events.TargetSubjects, events.DriveSubjects},
		Retention:   jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
		Replicas: c.replicas, Duplicates: duplicateWindow,
		AllowAtomicPublish: true, DenyDelete: true, DenyPurge: true, AllowDirect: false,
	}
}

func consumerConfigs() []jetstream.ConsumerConfig {
	base := jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 1000}
	decide, drive, announce := base, base, base
	decide.Durable, decide.FilterSubject = consumerDecide, events.CommandSubjects
	drive.Durable, drive.FilterSubject = consumerDrive, events.DriveSubjects
	announce.Durable, announce.FilterSubject = consumerAnnounce, events.OpSubjects
	// One bot announces at a time. The pin is for liveness only: a second card is caught by the message references.
	announce.PriorityPolicy, announce.PriorityGroups, announce.PinnedTTL = jetstream.PriorityPolicyPinned, []string{announceGroup}, ackWait
	return []jetstream.ConsumerConfig{decide, drive, announce}
}

// Ensure creates the stream, its consumers and the buckets, or leaves them as they are when they fit. It is an executor's
// to do; see [Client.Present].
func (c *Client) Ensure(ctx context.Context) error {
	err := c.seam("ensure", func() error {
		_, err := c.js.CreateOrUpdateStream(ctx, c.streamConfig())
		return err
	})
	if err != nil {
		return fmt.Errorf("ensuring stream %s: %w", events.Stream, err)
	}
	for _, cfg := range consumerConfigs() {
		err := c.seam("ensure", func() error {
			_, err := c.js.CreateOrUpdateConsumer(ctx, events.Stream, cfg)
			return err
		})
		if err != nil {
			return fmt.Errorf("ensuring consumer %s: %w", cfg.Durable, err)
		}
	}
	for _, bucket := range []string{bucketMessages, bucketInventory, bucketAudit} {
		err := c.seam("ensure", func() error {
			_, err := c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, Replicas: c.replicas})
			return err
		})
		if err != nil {
			return fmt.Errorf("ensuring bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// Present is nil when everything is there that a bot needs and an executor sets up: a bot has no right to make it.
func (c *Client) Present(ctx context.Context) error {
	if _, err := c.stream(ctx); err != nil {
		return err
	}
	if _, err := c.OpenAnnouncements(ctx); err != nil {
		return err
	}
	_, err := c.OpenMessages(ctx)
	return err
}
