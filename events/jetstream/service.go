package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"ferry/events"
	"ferry/failover"
)

// ErrNoAnswer says that nobody serves a request: no bot and no executor is up.
var ErrNoAnswer = errors.New("no executor answers")

// The headers by which a reply may be compressed, as in HTTP.
const (
	headerAccept   = "Accept-Encoding"
	headerEncoding = "Content-Encoding"
	encodingGzip   = "gzip"
)

// requestTimeout is how long a read may take before it is given up.
const requestTimeout = 2500 * time.Millisecond

// Sources are what reads are answered from, beside the inventory bucket.
type Sources struct {
	Board  *Board
	Azure  Azure           // an executor, for what has to be read from Azure; nil in a bot
	Policy failover.Policy // tells who watches an operation whether it waits for them, and whether a rule takes a failover
	RPO    time.Duration   // targets.rpo, which the age of data is held to; 0: none
	RTO    time.Duration   // targets.rto, which reports measure against; 0: none
}

// Serve answers reads until ctx ends. Every process of Ferry serves them. up is called once requests are taken.
func (c *Client) Serve(ctx context.Context, from Sources, version string, up func()) error {
	svc, err := micro.AddService(c.nc, micro.Config{Name: "ferry", Version: version})
	if err != nil {
		return fmt.Errorf("serving reads: %w", err)
	}
	s := &reads{ctx: ctx, client: c, board: from.Board, azure: from.Azure, policy: from.Policy, rpo: from.RPO, rto: from.RTO, lookups: map[string]*lookup{}}
	for subject, handle := range s.endpoints() {
		if err := svc.AddEndpoint(events.LastToken(subject), s.handler(handle), micro.WithEndpointSubject(subject)); err != nil {
			return errors.Join(fmt.Errorf("serving %s: %w", subject, err), svc.Stop())
		}
	}
	// Until the server knows of the endpoints, which it does at once unless it is away.
	for c.nc.FlushTimeout(attemptTimeout) != nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	if ctx.Err() == nil {
		up()
	}
	<-ctx.Done()
	err = svc.Stop()
	s.end()
	return err
}

// reads holds the context of the service: micro's handlers are not given one.
type reads struct {
	ctx    context.Context //nolint:containedctx // micro's handlers have no context of their own
	client *Client
	board  *Board
	azure  Azure
	policy failover.Policy
	rpo    time.Duration
	rto    time.Duration

	mu        sync.Mutex
	ended     bool
	answering sync.WaitGroup
	lookups   map[string]*lookup // what is being read from Azure, or was just now
}

func (s *reads) endpoints() map[string]func(micro.Request) (any, error) {
	all := map[string]func(micro.Request) (any, error){
		events.ServiceStatus: s.status, events.ServiceList: s.list, events.ServiceWatch: s.watch, events.ServiceDebt: s.debt,
		events.ServiceReadiness: s.readiness, events.ServiceReport: s.report,
	}
	if s.azure != nil {
		all[events.ServiceHealth] = func(micro.Request) (any, error) { return events.HealthReply{V: 1}, nil }
		all[events.ServiceForecast] = s.forecast
		all[events.ServicePoints], all[events.ServiceJobs], all[events.ServiceReview] = s.points, s.jobs, s.review
	}
	return all
}

// begin runs an answer in a goroutine. Requests that come while the ended service drains are answered too, at once.
func (s *reads) begin(answer func()) {
	s.mu.Lock()
	ended := s.ended
	if !ended {
		s.answering.Go(answer)
	}
	s.mu.Unlock()
	if ended {
		answer()
	}
}

func (s *reads) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.answering.Wait()
}

// readsAtOnce is how many requests of one kind are being answered at once. Whoever may look may ask any number of times, and an
// executor that ran out of memory could do nothing any more.
const readsAtOnce = 5000

// handler answers in a goroutine: a watch that waits must not hold up the others. What is too much waits its turn.
func (s *reads) handler(answer func(micro.Request) (any, error)) micro.Handler {
	slots := make(chan struct{}, readsAtOnce)
	return micro.HandlerFunc(func(r micro.Request) {
		slots <- struct{}{}
		s.begin(func() {
			defer func() { <-slots }()
			reply, err := answer(r)
			if err == nil {
				err = respond(r, reply)
			}
			if err != nil { // also when the reply is larger than a message may be: silence would mean that nobody is up
				err = r.Error("500", err.Error(), nil)
			}
			if err != nil && s.ctx.Err() == nil {
				s.client.log.Warn("answering a read", slog.String("subject", r.Subject()), slog.Any("error", err))
			}
		})
	})
}

// respond sends a reply, a large one compressed to whoever reads that.
func respond(r micro.Request, reply any) error {
	data, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("encoding the reply: %w", err)
	}
	if r.Headers().Get(headerAccept) == encodingGzip {
		if data, err = pack(data); err != nil {
			return err
		}
	}
	if packed(data) {
		return r.Respond(data, micro.WithHeaders(micro.Headers{headerEncoding: {encodingGzip}}))
	}
	return r.Respond(data)
}

func (s *reads) status(r micro.Request) (any, error) {
	var req events.StatusRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	reply := events.StatusReply{V: 1, Operations: s.board.Open()}
	if req.Ref != "" {
		reply.Operations = s.board.Find(req.Ref)
	}
	inv, err := s.inventory()
	if err != nil { // what is open is known all the same
		s.client.log.Warn("status without foreign jobs", slog.Any("error", err))
	}
	if req.Ref != "" && len(reply.Operations) == 0 {
		reply.Idle, reply.Unknown = inv.Lookup(req.Ref)
	}
	for _, i := range failover.ForeignJobs(inv.Items, s.board.All()) {
		if req.Ref == "" || i.Means(req.Ref) {
			reply.Foreign = append(reply.Foreign, i)
		}
	}
	for _, f := range failover.Freezes(s.board.Open()) {
		if req.Ref != "" && slices.ContainsFunc(inv.Items, func(i failover.Item) bool { return i.Means(req.Ref) && f.Stops(i) }) {
			reply.Freezes = append(reply.Freezes, f)
		}
	}
	return reply, nil
}

func (s *reads) inventory() (failover.Inventory, error) {
	ctx, cancel := context.WithTimeout(s.ctx, attemptTimeout)
	defer cancel()
	return s.client.Inventory(ctx)
}

func (s *reads) list(micro.Request) (any, error) {
	inv, err := s.inventory()
	ops := s.board.All()
	inv = inv.Since(ops)
	inv = inv.HoldBy(s.board.Open())
	for _, i := range failover.ForeignJobs(inv.Items, ops) {
		inv.Foreign = append(inv.Foreign, i.Key)
	}
	return events.ListReply{V: 1, Inventory: inv}, err
}

func (s *reads) debt(micro.Request) (any, error) {
	inv, err := s.inventory()
	return events.DebtReply{V: 1, List: failover.Debts(inv, s.board.All())}, err
}

func (s *reads) readiness(micro.Request) (any, error) {
	inv, err := s.inventory()
	return events.ReadinessReply{V: 1, List: inv.Readiness(s.board.All(), s.policy, s.rpo)}, err
}

func (s *reads) report(r micro.Request) (any, error) {
	var req events.ReportRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	all, reply := s.board.All(), events.ReportReply{V: 1}
	if req.Op == "" {
		for _, op := range slices.Backward(all[max(0, len(all)-events.NewestOperations):]) {
			reply.Newest = append(reply.Newest, op.Brief())
		}
		return reply, nil
	}
	found := s.board.Find(string(req.Op))
	if len(found) == 0 || !found[0].Exists() {
		return reply, nil
	}
	inv, err := s.inventory()
	if err != nil { // what happened is known all the same
		s.client.log.Warn("a report without what is owed by the inventory", slog.Any("error", err))
	}
	op := found[0]
	reply.Report = &failover.Report{Operation: op, Owed: op.Owes(failover.Debts(inv, all)), TargetRTO: int(s.rto.Seconds()), TargetRPO: int(s.rpo.Seconds())}
	return reply, nil
}

func (s *reads) watch(r micro.Request) (any, error) {
	var req events.WatchRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, events.WatchFor)
	defer cancel()
	var op failover.Operation
	var err error
	if req.Command != "" {
		op, _, err = s.board.Decision(ctx, req.Command)
	} else if op, err = s.board.Moved(ctx, req.Op, req.After); err != nil {
		op = s.board.Get(req.Op)
	}
	reply := events.StatusReply{V: 1, Operations: []failover.Operation{}}
	if op.Seq > req.After && (err == nil || req.Command == "") {
		reply.Operations = append(reply.Operations, op)
		reply.Yours = s.policy.Awaits(op, failover.Actor{ID: req.As})
	}
	return reply, nil
}

func decode(r micro.Request, into any) error {
	if len(r.Data()) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Data(), into); err != nil {
		return fmt.Errorf("the request is not the JSON that %s takes: %w", r.Subject(), err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, subject string, req, reply any) error {
	data, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", subject, err)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	watched, done := c.denials.watch(ctx, subject)
	m, err := c.nc.RequestMsgWithContext(watched, &nats.Msg{Subject: subject, Data: data, Header: nats.Header{headerAccept: {encodingGzip}}})
	err = done(err)
	for _, silence := range []error{nats.ErrNoResponders, context.DeadlineExceeded, nats.ErrTimeout, nats.ErrReconnectBufExceeded} {
		if errors.Is(err, silence) {
			return ErrNoAnswer
		}
	}
	if err != nil {
		return fmt.Errorf("asking %s: %w", subject, err)
	}
	if problem := m.Header.Get(micro.ErrorHeader); problem != "" {
		return fmt.Errorf("asking %s: %s", subject, problem)
	}
	return unpack(m.Data, reply)
}

// Status asks for the operation that a reference means, or with "" for all that are open.
func (c *Client) Status(ctx context.Context, ref string) (failover.Found, error) {
	var reply events.StatusReply
	err := c.request(ctx, events.ServiceStatus, events.StatusRequest{Ref: ref}, &reply)
	return failover.Found{Operations: reply.Operations, Foreign: reply.Foreign, Freezes: reply.Freezes, Idle: reply.Idle, Unknown: reply.Unknown}, err
}

// List asks for the replicated items and who holds them.
func (c *Client) List(ctx context.Context) (failover.Inventory, error) {
	var reply events.ListReply
	err := c.request(ctx, events.ServiceList, struct{}{}, &reply)
	return reply.Inventory, err
}

// Debt asks for what failovers and drills have left open.
func (c *Client) Debt(ctx context.Context) (failover.DebtList, error) {
	var reply events.DebtReply
	err := c.request(ctx, events.ServiceDebt, struct{}{}, &reply)
	return reply.List, err
}

// Readiness asks what would not fail over now.
func (c *Client) Readiness(ctx context.Context) (failover.ReadinessList, error) {
	var reply events.ReadinessReply
	err := c.request(ctx, events.ServiceReadiness, struct{}{}, &reply)
	return reply.List, err
}

// ExecutorAnswers is nil when an executor is up.
func (c *Client) ExecutorAnswers(ctx context.Context) error {
	return c.request(ctx, events.ServiceHealth, struct{}{}, &events.HealthReply{})
}

// Report asks for the story of an operation; false when there is none.
func (c *Client) Report(ctx context.Context, op failover.OpID) (failover.Report, bool, error) {
	var reply events.ReportReply
	if err := c.request(ctx, events.ServiceReport, events.ReportRequest{Op: op}, &reply); err != nil || reply.Report == nil {
		return failover.Report{}, false, err
	}
	return *reply.Report, true, nil
}

// Newest asks for the newest operations in brief, newest first.
func (c *Client) Newest(ctx context.Context) ([]failover.Operation, error) {
	var reply events.ReportReply
	err := c.request(ctx, events.ServiceReport, events.ReportRequest{}, &reply)
	return reply.Newest, err
}

// Watch waits a little for an operation to move beyond what is known, or for a command to be decided; false is not yet.
func (c *Client) Watch(ctx context.Context, req events.WatchRequest) (events.Watched, bool, error) {
	var reply events.StatusReply
	if err := c.request(ctx, events.ServiceWatch, req, &reply); err != nil || len(reply.Operations) == 0 {
		return events.Watched{}, false, err
	}
	return events.Watched{Operation: reply.Operations[0], Yours: reply.Yours}, true, nil
}

// Ask sends a request to somebody else's service and returns the answer as it is.
func (c *Client) Ask(ctx context.Context, subject string, data []byte) ([]byte, error) {
	m, err := c.nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", subject, err)
	}
	return m.Data, nil
}
