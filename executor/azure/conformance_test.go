package azure_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"ferry/executor/azure"
	"ferry/executor/sitetest"
	"ferry/failover"
	"ferry/sandbox/pipe"
	"ferry/sandbox/vault"
)

// The host must be loopback for plain HTTP; it is dialled to a pipe.
const host = "http://127.0.0.1:80"

func TestConformance(t *testing.T) {
	setIdentity(t)
	sitetest.Run(t, newHarness)
}

// The answer to an operation that the state forbids was never recorded, so any likely one must do.
func TestAnyConflictIsRefused(t *testing.T) {
	setIdentity(t)
	for _, status := range []int{http.StatusBadRequest, http.StatusForbidden, http.StatusPreconditionFailed, http.StatusUnprocessableEntity} {
		synctest.Test(t, func(t *testing.T) {
			h := harnessOf(t, vault.Options{VMs: 1, ConflictStatus: status, ConflictCode: "150001"})
			items, err := h.Site.Items(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			commit := failover.Call{Kind: failover.StepCommit, Item: items[0], ClientRequestID: requestID}
			_, err = h.Site.Begin(t.Context(), commit)
			if e := siteError(t, err); e.Kind != failover.RefusedBySite || e.Fault.Code != "150001" {
				t.Errorf("%d: %s %+v, want a refusal", status, e.Kind, e.Fault)
			}
		})
	}
}

// The list is taken apart by other types than a single item is, and has to say the same of it, whatever it is doing.
func TestListSaysWhatItemsSay(t *testing.T) {
	setIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		world := vault.New(vault.Options{BaseURL: host, VMs: 6, PageSize: 4})
		site := newSite(t, serve(t, world), nil)
		for _, step := range [][2]string{{"vm-x", "unplannedFailover"}, {"vm-x", "failoverCommit"}, {"vm-x", "switchprotection"}, {"vm-y", "unplannedFailover"}, {"sql-01", "testFailover"}} {
			if err := world.Portal(step[0], step[1]); err != nil {
				t.Fatal(err)
			}
			<-time.After(10 * time.Minute)
		}
		if err := world.Portal("sql-02", "unplannedFailover"); err != nil {
			t.Fatal(err)
		}
		items, err := site.Items(t.Context())
		if err != nil || len(items) != 6 {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for _, listed := range items {
			if one, err := site.Item(t.Context(), listed); err != nil || !reflect.DeepEqual(one, listed) {
				t.Errorf("the list says\n%+v\nand the item\n%+v %v", listed, one, err)
			}
		}
	})
}

// setIdentity must be called outside a bubble.
func setIdentity(t *testing.T) {
	t.Helper()
	t.Setenv("IDENTITY_ENDPOINT", host+"/identity/token")
	t.Setenv("IDENTITY_HEADER", "sandbox")
}

func newHarness(t *testing.T) sitetest.Harness {
	t.Helper()
	return harnessOf(t, vault.Options{VMs: 2})
}

func harnessOf(t *testing.T, o vault.Options) sitetest.Harness {
	t.Helper()
	o.BaseURL = host
	world := vault.New(o)
	fault := func(kind failover.StepKind, f vault.Fault) {
		f.Operation = operationOf(kind)
		world.Fault(f)
	}
	spoil := func(k failover.StepKind, kind vault.Kind, f failover.Fault) {
		fault(k, vault.Fault{Kind: kind, Code: f.Code, Message: f.Message, Causes: f.Cause, Action: f.Action})
	}
	return sitetest.Harness{
		Site: newSite(t, serve(t, world), world.CacheAccounts()),
		VM:   "vm-x", Other: "vm-y", Network: world.DrillNetwork(),
		Calls:      func() []sitetest.Call { return callsOf(t, world) },
		LoseAnswer: func(k failover.StepKind) { fault(k, vault.Fault{Kind: vault.LostAnswer}) },
		Throttle: func(k failover.StepKind, after time.Duration) {
			fault(k, vault.Fault{Kind: vault.Throttle, RetryAfter: after})
		},
		Break: func(k failover.StepKind, status int) {
			fault(k, vault.Fault{Kind: vault.ServerError, Status: status})
		},
		FailJob: func(k failover.StepKind, f failover.Fault) { spoil(k, vault.JobFails, f) },
		WarnJob: func(k failover.StepKind, description string, f failover.Fault) {
			spoil(k, map[string]vault.Kind{"PartiallySucceeded": vault.JobWarns, "CompletedWithInformation": vault.JobInforms}[description], f)
		},
		VanishJob: func(k failover.StepKind, after time.Duration) {
			fault(k, vault.Fault{Kind: vault.JobVanishes, Delay: after})
		},
		Stick: func() { world.Fault(vault.Fault{Kind: vault.Stuck}) },
		Show: func(state string) {
			if err := world.Show("vm-x", state); err != nil {
				t.Error(err)
			}
		},
		Restrict: func() { world.SetOperator(true) },
		Unmap:    func() { world.SetReverseMapped(false) },
		Down:     func() { world.SourceDown(true) },
	}
}

// operations are the stand-in's words for the steps.
func operations() map[failover.StepKind]string {
	return map[failover.StepKind]string{
		failover.StepFailover: "unplannedFailover", failover.StepChange: "applyRecoveryPoint", failover.StepCommit: "failoverCommit",
		failover.StepTest: "testFailover", failover.StepCleanup: "testFailoverCleanup", failover.StepReprotect: "switchprotection",
		failover.StepResize: "update",
	}
}

func operationOf(kind failover.StepKind) string {
	if kind == failover.StepReprotectAgain {
		kind = failover.StepReprotect
	}
	return operations()[kind]
}

func kindOf(operation string) failover.StepKind {
	for kind, word := range operations() {
		if word == operation {
			return kind
		}
	}
	return ""
}

func callsOf(t *testing.T, world *vault.Vault) []sitetest.Call {
	t.Helper()
	var calls []sitetest.Call
	for _, c := range world.Ledger() {
		var body struct {
			Properties struct {
				SourceSiteOperations    string
				RecoveryPointID         string
				RecoveryAzureVMSize     string
				ProviderSpecificDetails struct{ RecoveryPointID string }
			}
		}
		if len(c.Body) > 0 {
			if err := json.Unmarshal(c.Body, &body); err != nil {
				t.Fatal(err)
			}
		}
		calls = append(calls, sitetest.Call{
			Kind: kindOf(c.Operation), ClientRequestID: c.ClientRequestID, Accepted: c.Accepted,
			Shutdown: body.Properties.SourceSiteOperations == "Required",
			PointID:  cmp.Or(body.Properties.RecoveryPointID, body.Properties.ProviderSpecificDetails.RecoveryPointID),
			Size:     body.Properties.RecoveryAzureVMSize,
		})
	}
	return calls
}

func newSite(t *testing.T, client policy.Transporter, caches map[string]string) *azure.Site {
	t.Helper()
	o := optionsOf(t, client)
	o.Caches = caches
	site, err := azure.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func optionsOf(t *testing.T, client policy.Transporter) azure.Options {
	t.Helper()
	credential, err := azure.NewCredential("managed_identity", host, client)
	if err != nil {
		t.Fatal(err)
	}
	return azure.Options{
		// Neither name is spelt as Azure spells it.
		Endpoint: host, Vaults: []azure.Vault{{SubscriptionID: strings.ToUpper("3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30"), ResourceGroup: "RG-dr", Name: "vault-DR"}},
		Credential: credential, Transport: client, Version: "test", Tags: true,
	}
}

// serve is a server in memory: a bubble's time advances only while nothing waits for a real network.
func serve(t *testing.T, h http.Handler) *http.Client {
	t.Helper()
	l := pipe.Listen()
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	transport := &http.Transport{DialContext: l.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{Transport: transport}
}

// What nobody knows of Azure may be the other way round.
func TestConformanceOtherGuesses(t *testing.T) {
	if testing.Short() {
		t.Skip("the same calls with other answers; go test without -short plays them")
	}
	setIdentity(t)
	sitetest.Run(t, func(t *testing.T) sitetest.Harness {
		t.Helper()
		return harnessOf(t, vault.Options{
			VMs: 2, ConflictStatus: http.StatusBadRequest, ConflictCode: "150001", RecoveryNames: map[string]string{"vm-x": "vm-x-dr"},
			Guesses: vault.Guesses{DrillWaitsForCleanup: true, ChangeScenario: "ChangePit", UpdateScenario: "UpdateSettings", FailedJobsRestart: true},
		})
	})
}
