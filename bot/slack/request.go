package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

const (
	maxBody    = 1 << 20         // bytes of a request; a press carries its message, some tens of kB
	maxHeader  = 16 << 10        // bytes
	headerTime = 5 * time.Second // for the header of a request
	readTimeIn = 8 * time.Second // for all of it
	writeTime  = 15 * time.Second
	idleTime   = time.Minute
	// patience is longer than Slack waits for an answer: by then nobody looks at it.
	patience = 4 * time.Second
)

var errListener = errors.New("the listener of slack.listen failed")

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// handler does what one event asks for, and acknowledges it.
type handler func(context.Context, *envelope)

// entrance is one request URL of the app.
type entrance struct {
	contentType string
	// parse reads a body that Slack has signed; false: it is nothing that Slack sends there.
	parse func(body []byte) (handler, bool)
}

func (b *Bot) entrances() map[string]entrance {
	return map[string]entrance{
		"/slack/commands":     {formType, b.parseCommand},
		"/slack/interactions": {formType, b.parseInteraction},
		"/slack/events":       {jsonType, b.parseEvent},
	}
}

// serve answers Slack's requests until ctx ends, and then those that have come. Handlers work as long as life.
func (b *Bot) serve(ctx, life context.Context, stop context.CancelCauseFunc) {
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.receive(life, w, r) }),
		ReadHeaderTimeout: headerTime, ReadTimeout: readTimeIn, WriteTimeout: writeTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0), // it quotes what came
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(b.opts.Listener); !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("%w: %w", errListener, err))
		}
	})
	b.link.open()
	defer b.link.lost()
	b.hello()
	b.opts.Log.InfoContext(ctx, "listening for Slack's requests", slog.String("address", b.opts.Listener.Addr().String()))
	<-ctx.Done()
	limited, cancel := context.WithTimeout(context.WithoutCancel(life), drainTime)
	defer cancel()
	if server.Shutdown(limited) != nil {
		_ = server.Close() // whoever is not answered by now is not waited for
	}
	serving.Wait()
}

// receive answers one request. Until its signature is checked it is bytes, and whoever sent it learns nothing but that.
func (b *Bot) receive(life context.Context, w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	at, ok := b.entrances()[r.URL.Path]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed)
		return
	case !carries(r.Header, at.contentType):
		refuse(w, http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, status)
		return
	}
	signed, err := verify(r.Header, body, b.opts.SigningSecrets, b.opts.Now())
	if err != nil {
		b.strangers.report(life, b.opts.Log, err)
		refuse(w, http.StatusUnauthorized)
		return
	}
	handle, ok := at.parse(body)
	if !ok {
		b.opts.Log.WarnContext(life, "a request of Slack's cannot be read and is refused", slog.String("path", r.URL.Path))
		refuse(w, http.StatusBadRequest)
		return
	}
	env := &envelope{bot: b, id: failover.MessageID(string(body)), received: received, sent: signed, direct: true}
	b.exchange(life, w, r, env, handle)
}

// carries reports whether a request says once that its body is of a type, and not that it is packed.
func carries(h http.Header, want string) bool {
	types := h.Values("Content-Type")
	if len(types) != 1 || len(h.Values("Content-Encoding")) > 0 {
		return false
	}
	kind, _, err := mime.ParseMediaType(types[0])
	return err == nil && kind == want
}

// refuse answers with a status alone. None of these requests is any better the next time.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("X-Slack-No-Retry", "1")
	w.WriteHeader(status)
}

// exchange has a request handled, and answers it with the acknowledgement. Without one Slack shows an error, which is true:
// nothing is surely stored. An event then comes again.
func (b *Bot) exchange(life context.Context, w http.ResponseWriter, r *http.Request, env *envelope, handle handler) {
	answers, gone := make(chan []byte, 1), make(chan struct{})
	env.send = func(_ context.Context, _ string, payload any) error {
		var answer []byte
		if payload != nil {
			var err error
			if answer, err = json.Marshal(payload); err != nil {
				return err
			}
		}
		select {
		case <-gone:
			return errors.New("too late: Slack does not wait for it any more")
		case answers <- answer:
			return nil
		}
	}
	defer close(gone)
	ended, ok := b.hand(life, env, handle)
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	select {
	case answer := <-answers:
		acknowledged(w, answer)
	case <-ended:
		select {
		case answer := <-answers:
			acknowledged(w, answer)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case <-time.After(time.Until(env.received.Add(patience))):
		w.WriteHeader(http.StatusServiceUnavailable)
	case <-r.Context().Done():
	}
}

func acknowledged(w http.ResponseWriter, answer []byte) {
	if answer != nil {
		w.Header().Set("Content-Type", jsonType)
	}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(answer) // who is gone sees an error, or asks again and gets the same answer
}

func (b *Bot) parseCommand(body []byte) (handler, bool) {
	c, err := slackapi.SlashCommandParse(formRequest(body))
	return func(ctx context.Context, env *envelope) { b.slash(ctx, env, c) }, err == nil && c.UserID != ""
}

// formRequest is a request without a URL: what a form holds is taken from the signed body alone.
func formRequest(body []byte) *http.Request {
	return &http.Request{
		Method: http.MethodPost, Header: http.Header{"Content-Type": {formType}}, Body: io.NopCloser(bytes.NewReader(body)),
	}
}

func (b *Bot) parseInteraction(body []byte) (handler, bool) {
	form, err := url.ParseQuery(string(body))
	var c slackapi.InteractionCallback
	if err != nil || len(form["payload"]) != 1 || json.Unmarshal([]byte(form["payload"][0]), &c) != nil || c.User.ID == "" {
		return nil, false
	}
	return func(ctx context.Context, env *envelope) { b.interaction(ctx, env, c) }, true
}

// parseEvent also answers the question whether this URL is the app's, which Slack asks when somebody enters it.
func (b *Bot) parseEvent(body []byte) (handler, bool) {
	var c struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(body, &c) != nil {
		return nil, false
	}
	if c.Type == "url_verification" {
		return func(ctx context.Context, env *envelope) {
			env.acknowledge(ctx, map[string]string{"challenge": c.Challenge})
		}, true
	}
	return func(ctx context.Context, env *envelope) { b.event(ctx, env, body) }, true
}

// strangers keeps the log short when somebody knocks who is not Slack.
type strangers struct {
	mu    sync.Mutex
	told  time.Time
	count int
}

// report logs at most once a minute why requests were refused, and how many since.
func (s *strangers) report(ctx context.Context, to *slog.Logger, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if now := time.Now(); now.Sub(s.told) >= time.Minute {
		to.WarnContext(ctx, "a request is not surely Slack's and is refused", slog.Any("cause", why), slog.Int("since_last", s.count))
		s.told, s.count = now, 0
	}
}
