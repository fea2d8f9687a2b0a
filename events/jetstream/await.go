package jetstream

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sayAgain is how often the log repeats what is waited for.
const sayAgain = 30 * time.Second

const (
	codeNoPeers   = 10005 // not enough servers of a cluster are there to keep that many copies
	codeNoCluster = 10074 // one server alone is asked to keep several
)

// Await tries until it works: processes and servers may start in any order, and a cluster that forms or elects a leader
// refuses for some seconds. The log names what is waited for and why. What will not pass by itself ends it, and so does ctx.
func Await(ctx context.Context, log *slog.Logger, what string, try func(context.Context) error) error {
	var began, said time.Time
	var last string
	for {
		err := try(ctx)
		switch {
		case err == nil:
			if !said.IsZero() {
				log.InfoContext(ctx, "NATS is there", slog.String("for", what), slog.Duration("after", time.Since(began).Round(time.Millisecond)))
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case !Passing(err):
			return fmt.Errorf("%s: %w", what, err)
		}
		if began.IsZero() {
			began = time.Now()
		}
		if why := err.Error(); why != last || time.Since(said) >= sayAgain {
			last, said = why, time.Now()
			log.WarnContext(ctx, "waiting for NATS", slog.String("for", what), slog.String("why", why))
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// Passing reports whether waiting can help: not against a refused identity, a file or a stream that is gone, or a request that
// the server finds wrong.
func Passing(err error) bool {
	var api *jetstream.APIError
	var cut Cut
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid):
		return false
	case errors.As(err, &cut):
		return !cut.Cut()
	case errors.Is(err, errSeed), errors.Is(err, errGone), errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return false
	case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse), errors.Is(err, jetstream.ErrConsumerExists): // made by another process just now
		return true
	case errors.As(err, &api):
		return (api.Code != http.StatusBadRequest || api.ErrorCode == codeNoPeers) && api.ErrorCode != codeNoCluster
	}
	return true
}
