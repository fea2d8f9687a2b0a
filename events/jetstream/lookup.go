package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/nats-io/nats.go/micro"

	"ferry/events"
	"ferry/failover"
)

// Azure is what an executor reads for people. What cannot be read is refused; an error is the context's only.
type Azure interface {
	// Points lists the recovery points of a VM as typed, or of the item with a key.
	Points(ctx context.Context, typed, key string) (failover.PointList, *failover.Refusal, error)
	// Jobs lists what runs in the vaults and what has ended lately.
	Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error)
	// Review reads what a reprotect would do to a VM as typed, or to the VM of an operation.
	Review(ctx context.Context, typed string, op failover.OpID) (failover.Review, *failover.Refusal, error)
	// Forecast says how long a failover would take.
	Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error)
}

// maxJobs is how many jobs fit into an answer: a message holds 1 MB, and a job has about 500 bytes.
const maxJobs = 1000

const (
	// lookupLimit bounds the reading for one answer. A region that fails makes Azure slow, and a slow answer is worth having.
	lookupLimit = 20 * time.Second
	// lookupKept is how long an answer waits for those who were told to ask again. Everybody else gets a new one.
	lookupKept = 3 * time.Second
)

// lookup is one reading of Azure. It outlives the request that began it.
type lookup struct {
	done  chan struct{}
	reply any       // written before done is closed
	ended time.Time // zero while it runs; with owed guarded by reads.mu
	owed  int       // how many were told to ask again
}

// fromAzure gives the answer of the lookup of that name, beginning it if nobody has, or says that it takes longer.
func (s *reads) fromAzure(name string, read func(context.Context) any) (any, error) {
	l, err := s.lookup(name, read)
	if err != nil {
		return nil, err
	}
	select {
	case <-l.done:
		return l.reply, nil
	case <-time.After(events.HoldFor):
		s.mu.Lock()
		l.owed++
		s.mu.Unlock()
		return events.Pending{V: 1, Pending: true}, nil
	}
}

func (s *reads) lookup(name string, read func(context.Context) any) (*lookup, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, context.Canceled
	}
	maps.DeleteFunc(s.lookups, func(_ string, l *lookup) bool {
		return !l.ended.IsZero() && (l.owed == 0 || time.Since(l.ended) > lookupKept)
	})
	if l := s.lookups[name]; l != nil {
		l.owed = max(0, l.owed-1)
		return l, nil
	}
	l := &lookup{done: make(chan struct{})}
	s.lookups[name] = l
	s.answering.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, lookupLimit)
		defer cancel()
		l.reply = read(ctx)
		s.mu.Lock()
		l.ended = time.Now()
		s.mu.Unlock()
		close(l.done)
	})
	return l, nil
}

func (s *reads) points(r micro.Request) (any, error) {
	var req events.PointsRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	return s.fromAzure("points/"+req.Key+"/"+req.VM, func(ctx context.Context) any {
		list, refusal, err := s.azure.Points(ctx, req.VM, req.Key)
		return events.PointsReply{V: 1, Refused: silence(refusal, err), List: list}
	})
}

func (s *reads) jobs(micro.Request) (any, error) {
	return s.fromAzure("jobs", func(ctx context.Context) any {
		list, refusal, err := s.azure.Jobs(ctx)
		return events.JobsReply{V: 1, Refused: silence(refusal, err), List: list.Claimed(s.board.All(), maxJobs)}
	})
}

func (s *reads) review(r micro.Request) (any, error) {
	var req events.ReviewRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	return s.fromAzure("review/"+string(req.Op)+"/"+req.VM, func(ctx context.Context) any {
		review, refusal, err := s.azure.Review(ctx, req.VM, req.Op)
		return events.ReviewReply{V: 1, Refused: silence(refusal, err), Review: review}
	})
}

func (s *reads) forecast(r micro.Request) (any, error) {
	var req failover.ForecastOf
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	return s.fromAzure("forecast/"+req.Group+"/"+req.Plan+"/"+req.VMs, func(ctx context.Context) any {
		f, refusal, err := s.azure.Forecast(ctx, req)
		return events.ForecastReply{V: 1, Refused: silence(refusal, err), Forecast: f}
	})
}

// silence makes an answer of a reading that ran out of time.
func silence(refusal *failover.Refusal, err error) *failover.Refusal {
	if err != nil {
		return failover.AzureSilent()
	}
	return refusal
}

// Points asks for the recovery points of a VM until ctx ends. No answer from Azure is a refusal, none from an executor
// [ErrNoAnswer].
func (c *Client) Points(ctx context.Context, req events.PointsRequest) (failover.PointList, *failover.Refusal, error) {
	var reply events.PointsReply
	refusal, err := c.requestAzure(ctx, events.ServicePoints, req, &reply)
	return reply.List, cmp.Or(refusal, reply.Refused), err
}

// Jobs asks for what runs in the vaults and what has ended lately, like Points.
func (c *Client) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	var reply events.JobsReply
	refusal, err := c.requestAzure(ctx, events.ServiceJobs, struct{}{}, &reply)
	return reply.List, cmp.Or(refusal, reply.Refused), err
}

// Review asks what a reprotect would do, until ctx ends; see [Client.Points].
func (c *Client) Review(ctx context.Context, req events.ReviewRequest) (failover.Review, *failover.Refusal, error) {
	var reply events.ReviewReply
	refusal, err := c.requestAzure(ctx, events.ServiceReview, req, &reply)
	return reply.Review, cmp.Or(refusal, reply.Refused), err
}

// Forecast asks how long a failover would take; see [Client.Points].
func (c *Client) Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	var reply events.ForecastReply
	refusal, err := c.requestAzure(ctx, events.ServiceForecast, of, &reply)
	return reply.Forecast, cmp.Or(refusal, reply.Refused), err
}

// requestAzure asks again while an executor waits for Azure, until ctx ends.
func (c *Client) requestAzure(ctx context.Context, subject string, req, reply any) (*failover.Refusal, error) {
	for pending := false; ; pending = true {
		var raw json.RawMessage
		if err := c.request(ctx, subject, req, &raw); err != nil {
			if pending && ctx.Err() != nil {
				return failover.AzureSilent(), nil
			}
			return nil, err
		}
		var waits events.Pending
		if err := json.Unmarshal(raw, &waits); err != nil || !waits.Pending {
			return nil, json.Unmarshal(raw, reply)
		}
	}
}
