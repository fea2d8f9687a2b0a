package pipe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"ferry/sandbox/pipe"
)

// A real server and a real client meet in fake time; after the end nobody waits.
func TestListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := pipe.Listen()
		slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			<-time.After(time.Hour)
			_, _ = io.WriteString(w, "hello")
		})
		server := &http.Server{Handler: slow, ReadHeaderTimeout: time.Minute}
		go func() { _ = server.Serve(l) }()
		transport := &http.Transport{DialContext: l.Dial}
		begun := time.Now()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://anything.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil || string(body) != "hello" || time.Since(begun) != time.Hour {
			t.Errorf("%q after %s, %v", body, time.Since(begun), err)
		}
		transport.CloseIdleConnections()
		if err := errors.Join(server.Close(), l.Close()); err != nil {
			t.Error(err)
		}
		if _, err := l.Dial(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dialled after the end: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accepted after the end: %v", err)
		}
	})
}

// Who dials where nobody accepts waits as long as the context says.
func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := pipe.Listen().Dial(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
