package slack

import (
	"context"
	"slices"
	"testing"

	"github.com/slack-go/slack/socketmode"
)

type nothing struct {
	Commands
	Reads
	Feed
	Refs
}

// The SDK drops an acknowledgement that it could not write: without another try the person sees an error for a command
// that is stored.
func TestAcknowledgementThatWasNotWrittenIsSentAgain(t *testing.T) {
	var seams []string
	b, err := New(Options{
		BotToken: "xoxb", AppToken: "xapp", Channel: "C1", Commands: nothing{}, Reads: nothing{}, Feed: nothing{}, Refs: nothing{},
		Seam: func(name string, do func() error) error { seams = append(seams, name); return do() },
	})
	if err != nil {
		t.Fatal(err)
	}
	lost := &socketmode.ErrorWriteFailed{Cause: context.Canceled, Response: &socketmode.Response{EnvelopeID: "e1"}}
	if err := b.newSocket().take(t.Context(), socketmode.Event{Type: socketmode.EventTypeErrorWriteFailed, Data: lost}); err != nil {
		t.Fatal(err)
	}
	b.handlers.Wait()
	if !slices.Equal(seams, []string{"slack.ack"}) {
		t.Errorf("seams: %v", seams)
	}
}
