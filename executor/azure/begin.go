package azure

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// beginTimeout bounds one mutating call. Azure answered within seconds in all recordings; after this the outcome is Unknown.
const beginTimeout = 60 * time.Second

// Begin sends one mutating call, once, and does not wait for its job. The call is accepted when Azure has answered 200 or
// 202 and named the job, even if the rest of the answer is lost. An acceptance without a name is Unknown: the job is there,
// and has to be looked for. An error of the caller's context says nothing about the outcome either.
func (s *Site) Begin(ctx context.Context, call failover.Call) (failover.Accepted, error) {
	v, at, err := s.locateItem(call.Item)
	if err != nil {
		return failover.Accepted{}, err
	}
	if call.ClientRequestID == "" {
		return failover.Accepted{}, refuse("NoClientRequestID", "A call without a client request id could not be found again.")
	}
	send, o, err := v.sender(call, at)
	if err != nil {
		return failover.Accepted{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	bounded = policy.WithRetryOptions(bounded, policy.RetryOptions{MaxRetries: -1})
	bounded = policy.WithHTTPHeader(bounded, http.Header{"X-Ms-Client-Request-Id": {call.ClientRequestID}})
	a := &attempt{}
	err = send(a.in(bounded))
	if a.accepted() {
		return v.acceptance(a.answer)
	}
	return failover.Accepted{}, o.failed(ctx, a, err)
}

// sender prepares a call. The poller that the SDK returns is dropped: its errors say nothing about the call, it asks with
// rights that the built-in role lacks (documented), and the job tells more.
func (v *vault) sender(call failover.Call, at resource) (func(context.Context) error, operation, error) {
	switch call.Kind {
	case failover.StepFailover:
		input := failoverInput(call)
		return func(ctx context.Context) error {
			_, err := v.items.BeginUnplannedFailover(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, input, nil)
			return err
		}, beginFailover(), nil
	case failover.StepCommit:
		return func(ctx context.Context) error {
			_, err := v.items.BeginFailoverCommit(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil)
			return err
		}, beginCommit(), nil
	}
	return nil, operation{}, refuse("UnknownStep", "Ferry has no call for the step %q.", call.Kind)
}

// failoverInput always goes from primary to recovery: a reprotect swaps the two, so that failing back does, too.
func failoverInput(call failover.Call) siterecovery.UnplannedFailoverInput {
	details, source := &siterecovery.A2AUnplannedFailoverInput{}, "NotRequired"
	if call.PointID != "" {
		details.RecoveryPointID = &call.PointID
	}
	if call.Shutdown {
		source = "Required"
	}
	return siterecovery.UnplannedFailoverInput{Properties: &siterecovery.UnplannedFailoverInputProperties{
		FailoverDirection:       new("PrimaryToRecovery"),
		SourceSiteOperations:    &source,
		ProviderSpecificDetails: details,
	}}
}

// accepted goes by the answer to the POST itself: a transport that follows redirects may bring that of a GET.
func (a *attempt) accepted() bool {
	return a.answer != nil &&
		(a.answer.StatusCode == http.StatusOK || a.answer.StatusCode == http.StatusAccepted) &&
		(a.answer.Request == nil || a.answer.Request.Method == http.MethodPost)
}

func (v *vault) acceptance(answer *http.Response) (failover.Accepted, error) {
	if id := v.namedJob(answer.Header); id != "" {
		return failover.Accepted{JobID: id, Poll: retryAfter(answer.Header)}, nil
	}
	return failover.Accepted{}, &failover.SiteError{Kind: failover.Unknown, Fault: failover.Fault{
		Code: "NoJobNamed", Message: "Azure accepted the call without naming its job.", Action: lookFirst,
	}}
}

// namedJob reads the id of the job, which is also the operation's. x-ms-request-id is the job's full id on an acceptance
// (recorded 2025) and something else on other answers, so that the URLs to poll are the second source.
func (v *vault) namedJob(h http.Header) string {
	if id := v.canonicalJob(h.Get("X-Ms-Request-Id")); id != "" {
		return id
	}
	for _, header := range []string{"Azure-Asyncoperation", "Location"} {
		path, _, _ := strings.Cut(h.Get(header), "?")
		words := strings.Split(path, "/")
		if n := len(words); n > 2 && (strings.EqualFold(words[n-2], "replicationOperationStatus") || strings.EqualFold(words[n-2], "operationresults")) {
			return v.jobID(words[n-1])
		}
	}
	return ""
}

// retryAfter reads seconds or a date; zero when there is none or it has passed.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
