package jetstream

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// DeniedError says that the server does not let this identity publish, or hear its answers, or with no subject in at all.
// Nothing was stored.
type DeniedError struct{ Subject string }

// Error implements error.
func (e *DeniedError) Error() string {
	switch {
	case e.Subject == "":
		return "the NATS server does not know this identity: nats.nkey or nats.creds has to be one that was given out for it, and not withdrawn"
	case strings.HasPrefix(e.Subject, Inbox(RoleCLI, "")+"."):
		return "the NATS server does not permit this identity to hear its answers: nats.identity has to be the name that the key was given out for"
	case strings.HasPrefix(e.Subject, "_INBOX_"):
		return "the NATS server does not permit this identity to hear its answers: its key is that of another role"
	}
	return fmt.Sprintf("the NATS server does not permit this identity to use %q", e.Subject)
}

// denials tell who waits for an answer that it will not come: a refusal arrives by itself, and without it looks like silence.
type denials struct {
	mu      sync.Mutex
	inbox   error // set when the answers themselves may not be heard
	waiting map[*denial]bool
}

type denial struct {
	subject string
	cancel  context.CancelCauseFunc
}

// watch gives a context that a refusal of the subject ends. done gives the refusal in place of an error that came of it.
func (d *denials) watch(ctx context.Context, subject string) (_ context.Context, done func(error) error) {
	ctx, cancel := context.WithCancelCause(ctx)
	one := &denial{subject, cancel}
	d.mu.Lock()
	if d.inbox != nil {
		cancel(d.inbox)
	}
	if d.waiting == nil {
		d.waiting = map[*denial]bool{}
	}
	d.waiting[one] = true
	d.mu.Unlock()
	return ctx, func(err error) error {
		d.mu.Lock()
		delete(d.waiting, one)
		d.mu.Unlock()
		if denied, ok := errors.AsType[*DeniedError](context.Cause(ctx)); ok && err != nil {
			err = denied
		}
		cancel(nil)
		return err
	}
}

// violation is how a server says it.
var violation = regexp.MustCompile(`(?i)permissions violation for (publish|subscription) to "([^"]*)"`)

// heard takes what the connection reports out of turn.
func (d *denials) heard(err error, inbox string) {
	m := violation.FindStringSubmatch(err.Error())
	if m == nil || !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	denied := &DeniedError{Subject: m[2]}
	deaf := strings.EqualFold(m[1], "subscription") && strings.HasPrefix(m[2], inbox+".")
	d.mu.Lock()
	defer d.mu.Unlock()
	if deaf {
		d.inbox = denied
	}
	for one := range d.waiting {
		if deaf || one.subject == denied.Subject {
			one.cancel(denied)
		}
	}
}
