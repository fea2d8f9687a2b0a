package jetstream_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"ferry/events/jetstream"
)

// What will pass is waited for; what will not ends it, and so does whoever waits.
func TestAwait(t *testing.T) {
	bubble(t, func(l *lab) {
		l.stop()
		begin := time.Now()
		time.AfterFunc(5*time.Second, l.start)
		var c *jetstream.Client
		err := jetstream.Await(l.ctx, logger(t), "a connection", func(context.Context) (err error) {
			c, err = jetstream.Connect(jetstream.Options{InProcess: l, Name: "late", Log: logger(t)})
			return err
		})
		if err != nil || time.Since(begin) < 5*time.Second {
			t.Fatalf("after %s: %v", time.Since(begin), err)
		}
		defer c.Close()
		if err := jetstream.Await(l.ctx, logger(t), "what is there", c.Present); err != nil {
			t.Error(err)
		}

		three, err := jetstream.Connect(jetstream.Options{InProcess: l, Name: "setup", Replicas: 3, Log: logger(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer three.Close()
		if err := jetstream.Await(l.ctx, logger(t), "three copies on one server", three.Ensure); err == nil {
			t.Error("one server keeps no three copies")
		}
		_, err = jetstream.Connect(jetstream.Options{InProcess: l, Creds: "none", Name: "stranger", Log: logger(t)})
		if err := jetstream.Await(l.ctx, logger(t), "an identity", func(context.Context) error { return err }); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without the file of its identity: %v", err)
		}
		ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
		defer cancel()
		if err := jetstream.Await(ctx, logger(t), "nothing", func(context.Context) error { return errors.New("away") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("told to end: %v", err)
		}
	})
}
