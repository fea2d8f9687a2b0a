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
	v, at, err := s.locateTarget(call)
	if err != nil {
		return failover.Accepted{}, err
	}
	if call.ClientRequestID == "" {
		return failover.Accepted{}, refuse("NoClientRequestID", "A call without a client request id could not be found again.")
	}
	if lacks := incomplete(call); lacks != "" {
		return failover.Accepted{}, refuse("Incomplete", "The step %s needs %s.", call.Kind, lacks)
	}
	send, o, err := v.sender(ctx, call, at)
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

// incomplete says what a call lacks that Azure would fill in by itself, or let its job fail for.
func incomplete(call failover.Call) string {
	r := call.Reversal
	switch {
	case call.Kind == failover.StepTest && call.Network == "":
		return "a network"
	case call.Kind == failover.StepChange && call.PointID == "":
		return "a recovery point"
	case call.Kind == failover.StepResize && call.Size == "":
		return "a size"
	case call.Kind != failover.StepReprotect && call.Kind != failover.StepReprotectAgain:
	case r == nil || r.Container == "" || r.Policy == "" || r.ResourceGroup == "" || len(r.Disks) == 0:
		return "a container, a policy, a resource group and disks"
	}
	return ""
}

// locateTarget finds the item or the recovery plan that a call is about.
func (s *Site) locateTarget(call failover.Call) (*vault, resource, error) {
	if !call.Recovery {
		return s.locateItem(call.Item)
	}
	v, at, err := s.locate(call.Item.ID)
	if err == nil && at.plan == "" {
		err = refuse("InvalidPlan", "%q is no recovery plan.", call.Item.ID)
	}
	return v, at, err
}

// sender prepares a call, which for a change of the size means reading the item. The poller that the SDK returns is dropped: its
// errors say nothing about the call, it asks with rights that the built-in role lacks (documented), and the job tells more.
func (v *vault) sender(ctx context.Context, call failover.Call, at resource) (func(context.Context) error, operation, error) {
	if call.Recovery {
		return v.planSender(call, at.plan)
	}
	item := func(action string, begin func(context.Context) error) (func(context.Context) error, operation, error) {
		return begin, beginItem(action), nil
	}
	switch call.Kind {
	case failover.StepFailover:
		return item("unplannedFailover", func(ctx context.Context) error {
			_, err := v.items.BeginUnplannedFailover(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, failoverInput(call), nil)
			return err
		})
	case failover.StepChange:
		return item("applyRecoveryPoint", func(ctx context.Context) error {
			_, err := v.items.BeginApplyRecoveryPoint(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, changeInput(call), nil)
			return err
		})
	case failover.StepCommit:
		return item("failoverCommit", func(ctx context.Context) error {
			_, err := v.items.BeginFailoverCommit(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, nil)
			return err
		})
	case failover.StepTest:
		return item("testFailover", func(ctx context.Context) error {
			_, err := v.items.BeginTestFailover(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, testInput(call), nil)
			return err
		})
	case failover.StepCleanup:
		input := siterecovery.TestFailoverCleanupInput{Properties: &siterecovery.TestFailoverCleanupInputProperties{Comments: &call.Notes}}
		return item("testFailoverCleanup", func(ctx context.Context) error {
			_, err := v.items.BeginTestFailoverCleanup(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, input, nil)
			return err
		})
	case failover.StepReprotect, failover.StepReprotectAgain:
		return func(ctx context.Context) error {
			_, err := v.containers.BeginSwitchProtection(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, switchInput(call, at.item), nil)
			return err
		}, beginSwitch(), nil
	case failover.StepResize:
		input, err := v.resize(ctx, at, call.Size)
		return func(ctx context.Context) error {
			_, err := v.items.BeginUpdate(ctx, v.ResourceGroup, v.Name, at.fabric, at.container, at.item, input, nil)
			return err
		}, updateItem(), err
	case failover.StepProbe, failover.StepCheck, failover.StepSurvey:
	}
	return nil, operation{}, refuse("UnknownStep", "Ferry has no call for the step %q.", call.Kind)
}

func changeInput(call failover.Call) siterecovery.ApplyRecoveryPointInput {
	return siterecovery.ApplyRecoveryPointInput{Properties: &siterecovery.ApplyRecoveryPointInputProperties{
		RecoveryPointID: &call.PointID, ProviderSpecificDetails: &siterecovery.A2AApplyRecoveryPointInput{},
	}}
}

func testInput(call failover.Call) siterecovery.TestFailoverInput {
	details := &siterecovery.A2ATestFailoverInput{}
	if call.PointID != "" {
		details.RecoveryPointID = &call.PointID
	}
	return siterecovery.TestFailoverInput{Properties: &siterecovery.TestFailoverInputProperties{
		FailoverDirection: new("PrimaryToRecovery"), NetworkType: new("VmNetworkAsInput"), NetworkID: &call.Network,
		ProviderSpecificDetails: details,
	}}
}

// switchInput is posted to the container that the item is in before the switch. reProtect, which sounds like it, makes a
// job that fails for managed disks (documented).
func switchInput(call failover.Call, item string) siterecovery.SwitchProtectionInput {
	r := call.Reversal
	details := &siterecovery.A2ASwitchProtectionInput{RecoveryContainerID: &r.Container, PolicyID: &r.Policy, RecoveryResourceGroupID: &r.ResourceGroup}
	if r.AvailabilitySet != "" {
		details.RecoveryAvailabilitySetID = &r.AvailabilitySet
	}
	if r.Zone != "" {
		details.RecoveryAvailabilityZone = &r.Zone
	}
	for _, d := range r.Disks {
		disk := &siterecovery.A2AVMManagedDiskInputDetails{DiskID: &d.ID, PrimaryStagingAzureStorageAccountID: &d.Cache, RecoveryResourceGroupID: &r.ResourceGroup}
		if d.Type != "" {
			disk.RecoveryReplicaDiskAccountType, disk.RecoveryTargetDiskAccountType = &d.Type, &d.Type
		}
		details.VMManagedDisks = append(details.VMManagedDisks, disk)
	}
	return siterecovery.SwitchProtectionInput{Properties: &siterecovery.SwitchProtectionInputProperties{
		ReplicationProtectedItemName: &item, ProviderSpecificDetails: details,
	}}
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

// accepted goes by the answer to the call itself: a transport that follows redirects may bring that of a GET.
func (a *attempt) accepted() bool {
	return a.answer != nil && !a.redirected() &&
		(a.answer.StatusCode == http.StatusOK || a.answer.StatusCode == http.StatusAccepted)
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
