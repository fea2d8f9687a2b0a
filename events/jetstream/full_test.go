package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ferry/events"
	"ferry/events/jetstream"
)

// A store that is full says so, and nothing that it could not keep was confirmed.
func TestEmbeddedTellsOfAFullStore(t *testing.T) {
	realTime(t)
	e, err := jetstream.StartSmall(t.TempDir(), 64<<10, logger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := connect(t, e.Options(jetstream.RoleExecutor)).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := connect(t, e.Options(jetstream.RoleBot))
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() {
		told <- e.Watch(ctx)
		cancel()
	}()
	for i := 0; ctx.Err() == nil; i++ {
		if err := c.Submit(ctx, events.SourceSlack, command(fmt.Sprint("m", i))); err != nil && !errors.Is(err, jetstream.ErrNotConfirmed) {
			t.Errorf("what is not stored: %v", err)
		}
	}
	if err := <-told; err == nil || !strings.Contains(err.Error(), "its limit of 65536 bytes is reached") {
		t.Errorf("it says: %v", err)
	}
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}
