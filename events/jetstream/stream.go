package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ferry/events"
)

// duplicateWindow is how long a message id is remembered: the same click, however often it is delivered, is stored once.
const duplicateWindow = 24 * time.Hour

// ackWait is how long a silent consumer keeps a message: the failure detector of executors and bots, not a lock.
const ackWait = 10 * time.Second

// Buckets hold projections only: rebuildable, or harmless to lose. Nothing is decided on them, but for who is in Slack's
// groups, while that is young.
const (
	bucketMessages  = "ferry-messages"
	bucketInventory = "ferry-inventory"
	bucketAudit     = "ferry-audit"
	bucketMembers   = "ferry_members"
)

// The durable consumers.
const (
	consumerDecide   = "decide"
	consumerDrive    = "drive"
	consumerAnnounce = "announce"
	announceGroup    = "bots"
)

// streamConfig lays what Ferry needs of the one stream over a configuration: the record is the state, so nothing may leave it,
// and a full disk stops the system loudly instead of forgetting silently. All else is the operator's.
func (c *Client) streamConfig(s jetstream.StreamConfig) jetstream.StreamConfig {
	s.Name = events.Stream
	s.Description = "Ferry: every command, fact and hold; the only durable truth"
	s.Subjects = []string{events.CommandSubjects, events.OpSubjects, events.TargetSubjects, events.DriveSubjects}
	s.Retention, s.Storage, s.Discard = jetstream.LimitsPolicy, jetstream.FileStorage, jetstream.DiscardNew
	s.Replicas, s.Duplicates = c.replicas, duplicateWindow
	s.AllowAtomicPublish, s.DenyDelete, s.DenyPurge, s.AllowDirect = true, true, true, false
	return s
}

// durables are the consumers' names and filters.
func durables() map[string]string {
	return map[string]string{consumerDecide: events.CommandSubjects, consumerDrive: events.DriveSubjects, consumerAnnounce: events.OpSubjects}
}

// consumerConfig lays what Ferry needs of a durable over a configuration.
func consumerConfig(name string, s jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	s.Durable, s.FilterSubject = name, durables()[name]
	s.AckPolicy, s.AckWait, s.MaxDeliver, s.MaxAckPending = jetstream.AckExplicitPolicy, ackWait, -1, 1000
	if name == consumerAnnounce {
		// One bot announces at a time. The pin is for liveness only: a second card is caught by the message references.
		s.PriorityPolicy, s.PriorityGroups, s.PinnedTTL = jetstream.PriorityPolicyPinned, []string{announceGroup}, ackWait
	}
	return s
}

// Ensure creates the stream, its consumers and the buckets. What is there and fits it leaves alone: executors come and go
// while others work, and a server does not take its consumers being made while the stream is changed. What is not there is
// created and never updated, since executors also start together. It is an executor's to do; see [Client.Present].
func (c *Client) Ensure(ctx context.Context) error {
	if err := c.ensureStream(ctx); err != nil {
		return fmt.Errorf("ensuring stream %s: %w", events.Stream, err)
	}
	for _, name := range slices.Sorted(maps.Keys(durables())) {
		if err := c.ensureConsumer(ctx, name); err != nil {
			return fmt.Errorf("ensuring consumer %s: %w", name, err)
		}
	}
	for _, bucket := range []string{bucketMessages, bucketInventory, bucketAudit, bucketMembers} {
		if err := c.ensureBucket(ctx, bucket); err != nil {
			return fmt.Errorf("ensuring bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// errGone is no trouble that passes: somebody has to say what is to be done.
var errGone = errors.New("it is gone")

func (c *Client) ensureStream(ctx context.Context) error {
	// Before the stream is looked for: an executor that makes it meanwhile remembers it only then.
	before, err := c.remembered(ctx)
	if err != nil {
		return err
	}
	have, write := jetstream.StreamConfig{}, c.js.CreateStream
	switch s, err := c.js.Stream(ctx, events.Stream); {
	case err == nil:
		have, write = s.CachedInfo().Config, c.js.UpdateStream
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return err
	case before > 0: // a new one would know nothing of what is held and frozen
		return fmt.Errorf("%w, and bucket %s remembers %d messages of it: restore its backup; to begin anew without it, delete that bucket", errGone, bucketAudit, before)
	}
	want := c.streamConfig(have)
	if reflect.DeepEqual(have, want) {
		return nil
	}
	return c.seam("ensure", func() error {
		_, err := write(ctx, want)
		return err
	})
}

// remembered is the last message of the stream that the audit has kept.
func (c *Client) remembered(ctx context.Context) (uint64, error) {
	_, page, _, err := c.openAudit(ctx)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return 0, nil
	}
	return page.Last, err
}

func (c *Client) ensureConsumer(ctx context.Context, name string) error {
	have, write := jetstream.ConsumerConfig{}, c.js.CreateConsumer
	switch s, err := c.js.Consumer(ctx, events.Stream, name); {
	case err == nil:
		have, write = s.CachedInfo().Config, c.js.UpdateConsumer
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return err
	}
	want := consumerConfig(name, have)
	if reflect.DeepEqual(have, want) {
		return nil
	}
	return c.seam("ensure", func() error {
		_, err := write(ctx, events.Stream, want)
		return err
	})
}

func (c *Client) ensureBucket(ctx context.Context, name string) error {
	want, write := jetstream.KeyValueConfig{Bucket: name, Replicas: c.replicas}, c.js.CreateKeyValue
	kv, err := c.js.KeyValue(ctx, name)
	if err == nil {
		status, err := kv.Status(ctx)
		if err != nil {
			return err
		}
		have := status.Config()
		if have.Replicas == c.replicas {
			return nil
		}
		want, write = have, c.js.UpdateKeyValue
		want.Replicas = c.replicas
	} else if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return err
	}
	return c.seam("ensure", func() error {
		_, err := write(ctx, want)
		return err
	})
}

// Present is nil when everything is there that a bot needs and an executor sets up: a bot has no right to make it.
func (c *Client) Present(ctx context.Context) error {
	ctx, done := c.denials.watch(ctx, "") // of the answers
	return done(c.present(ctx))
}

func (c *Client) present(ctx context.Context) error {
	if _, err := c.stream(ctx); err != nil {
		return err
	}
	if _, err := c.OpenAnnouncements(ctx); err != nil {
		return err
	}
	_, err := c.OpenMessages(ctx)
	return err
}

// IsMissing reports whether an error of [Client.Present] tells that something is not there, rather than that the server or a
// permission stood in the way.
func IsMissing(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrBucketNotFound)
}
