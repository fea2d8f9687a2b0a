package azure_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"ferry/failover"
)

func aReprotect(c *failover.Call) {
	c.Kind = failover.StepReprotect
	c.Reversal = &failover.Reversal{
		From: "northeurope", To: "westeurope", Container: "/box", Policy: "/policy", ResourceGroup: "/group", Network: "/not-sent", FullCopy: true, Creates: []string{"not sent"},
		Disks: []failover.ReversalDisk{{ID: "/os", Name: "os", Bytes: 1, Type: "Premium_LRS", Cache: "/cache"}, {ID: "/data", Cache: "/cache"}},
	}
}

func TestBeginOnTheWire(t *testing.T) {
	const (
		point     = itemPath + "/recoveryPoints/p1"
		network   = "/subscriptions/sub/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/drill"
		drill     = `{"properties":{"failoverDirection":"PrimaryToRecovery","networkId":"` + network + `","networkType":"VmNetworkAsInput","providerSpecificDetails":{"instanceType":"A2A"}}}`
		switching = `{"properties":{"providerSpecificDetails":{"instanceType":"A2A","policyId":"/policy","recoveryContainerId":"/box","recoveryResourceGroupId":"/group","vmManagedDisks":[` +
			`{"diskId":"/os","primaryStagingAzureStorageAccountId":"/cache","recoveryReplicaDiskAccountType":"Premium_LRS","recoveryResourceGroupId":"/group","recoveryTargetDiskAccountType":"Premium_LRS"},` +
			`{"diskId":"/data","primaryStagingAzureStorageAccountId":"/cache","recoveryResourceGroupId":"/group"}]},"replicationProtectedItemName":"item"}}`
	)
	inBox := strings.TrimSuffix(itemPath, "/replicationProtectedItems/item") // of before the switch
	tests := map[string]struct {
		call func(*failover.Call)
		path string
		body string
	}{
		"latest": {
			func(*failover.Call) {}, "/unplannedFailover",
			`{"properties":{"failoverDirection":"PrimaryToRecovery","providerSpecificDetails":{"instanceType":"A2A"},"sourceSiteOperations":"NotRequired"}}`,
		},
		"point and shutdown": {
			func(c *failover.Call) { c.PointID, c.Shutdown = point, true }, "/unplannedFailover",
			`{"properties":{"failoverDirection":"PrimaryToRecovery","providerSpecificDetails":{"instanceType":"A2A","recoveryPointId":"` + point + `"},"sourceSiteOperations":"Required"}}`,
		},
		"commit": {func(c *failover.Call) { c.Kind = failover.StepCommit }, "/failoverCommit", ""},
		"change": {
			func(c *failover.Call) { c.Kind, c.PointID, c.Shutdown = failover.StepChange, point, true }, "/applyRecoveryPoint",
			`{"properties":{"providerSpecificDetails":{"instanceType":"A2A"},"recoveryPointId":"` + point + `"}}`,
		},
		"drill": {func(c *failover.Call) { c.Kind, c.Network = failover.StepTest, network }, "/testFailover", drill},
		"drill of a point": {
			func(c *failover.Call) { c.Kind, c.Network, c.PointID = failover.StepTest, network, point }, "/testFailover",
			strings.Replace(drill, `"A2A"`, `"A2A","recoveryPointId":"`+point+`"`, 1),
		},
		"clean-up":          {func(c *failover.Call) { c.Kind, c.Notes = failover.StepCleanup, "went well" }, "/testFailoverCleanup", `{"properties":{"comments":"went well"}}`},
		"clean-up, no note": {func(c *failover.Call) { c.Kind = failover.StepCleanup }, "/testFailoverCleanup", `{"properties":{"comments":""}}`},
		"reprotect":         {aReprotect, inBox + "/switchprotection", switching},
		"reprotect again": {func(c *failover.Call) {
			aReprotect(c)
			c.Kind, c.Reversal.AvailabilitySet, c.Reversal.Zone = failover.StepReprotectAgain, "/set", "2"
		}, inBox + "/switchprotection", strings.Replace(switching, `"recoveryContainerId"`, `"recoveryAvailabilitySetId":"/set","recoveryAvailabilityZone":"2","recoveryContainerId"`, 1)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := fixed(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName, "Retry-After", "30")
			call := aFailover()
			test.call(&call)
			accepted, err := siteOver(t, w).Begin(t.Context(), call)
			if err != nil || accepted.JobID != jobPath+jobName || accepted.Poll != 30*time.Second {
				t.Fatalf("accepted %+v, %v", accepted, err)
			}
			if len(w.sent) != 1 {
				t.Fatalf("%d requests, want 1", len(w.sent))
			}
			r, path := w.sent[0], test.path
			if !strings.HasPrefix(path, vaultPath) {
				path = itemPath + path
			}
			if r.Method != http.MethodPost || r.URL.Path != path || r.URL.Query().Get("api-version") != "2025-01-01" {
				t.Errorf("%s %s", r.Method, r.URL)
			}
			if got := r.Header.Values("X-Ms-Client-Request-Id"); !slices.Equal(got, []string{requestID}) {
				t.Errorf("client request ids %q, want one", got)
			}
			if got := r.Header.Get("User-Agent"); got[:len("ferry/0.1 azsdk-go")] != "ferry/0.1 azsdk-go" {
				t.Errorf("User-Agent %q", got)
			}
			if body := bodyOf(t, r); body != test.body {
				t.Errorf("body %s, want %s", body, test.body)
			}
		})
	}
}

func bodyOf(t *testing.T, r *http.Request) string {
	t.Helper()
	if r.Body == nil {
		return ""
	}
	if s, ok := r.Body.(io.Seeker); ok {
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAcceptanceNamesTheJob(t *testing.T) {
	const upper = "/Subscriptions/SUB/resourcegroups/RG-DR/providers/microsoft.recoveryservices/VAULTS/Vault-DR/replicationjobs/0F0E0D0C-1111-4222-8333-444455556666"
	tests := map[string]struct {
		status  int
		headers []string
	}{
		"request id":            {http.StatusAccepted, []string{"X-Ms-Request-Id", jobPath + jobName}},
		"request id, twice":     {http.StatusAccepted, []string{"X-Ms-Request-Id", jobPath + jobName, "X-Ms-Request-Id", jobPath + jobName}},
		"another spelling":      {http.StatusAccepted, []string{"X-Ms-Request-Id", upper}},
		"200":                   {http.StatusOK, []string{"X-Ms-Request-Id", jobPath + jobName}},
		"Azure-AsyncOperation":  {http.StatusAccepted, []string{"X-Ms-Request-Id", requestID + " 11/23/2025 8:00:00 AM", "Azure-AsyncOperation", endpoint + vaultPath + "/replicationOperationStatus/" + jobName + "?api-version=2025-01-01&s=" + secret}},
		"Location":              {http.StatusAccepted, []string{"Location", endpoint + itemPath + "/operationresults/" + jobName + "?s=" + secret}},
		"polling URLs unusable": {http.StatusAccepted, []string{"X-Ms-Request-Id", jobPath + jobName, "Azure-AsyncOperation", "::", "Location", "/relative"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			accepted, err := siteOver(t, fixed(test.status, "", test.headers...)).Begin(t.Context(), aFailover())
			if err != nil || accepted.JobID != jobPath+jobName {
				t.Errorf("accepted %+v, %v", accepted, err)
			}
		})
	}
}

func TestAcceptanceWithoutJobIsUnknown(t *testing.T) {
	for _, headers := range [][]string{nil, {"X-Ms-Request-Id", jobPath + "None"}, {"Location", endpoint + itemPath}} {
		_, err := siteOver(t, fixed(http.StatusAccepted, "", headers...)).Begin(t.Context(), aFailover())
		if e := siteError(t, err); e.Kind != failover.Unknown {
			t.Errorf("%v with %v, want unknown", e, headers)
		}
	}
}

func TestAcceptanceCountsWhateverFollows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	tests := map[string]func(*http.Request) (*http.Response, error){
		"body cut off": func(*http.Request) (*http.Response, error) {
			answer := response(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName)
			answer.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return answer, nil
		},
		"context ends with the answer": func(*http.Request) (*http.Response, error) {
			cancel()
			return response(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName), nil
		},
	}
	for _, name := range []string{"body cut off", "context ends with the answer"} {
		accepted, err := siteOver(t, &transport{answer: tests[name]}).Begin(ctx, aFailover())
		if err != nil || accepted.JobID != jobPath+jobName {
			t.Errorf("%s: %+v, %v", name, accepted, err)
		}
	}
}

func TestPollIsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"30": 30 * time.Second, "": 0, "-5": 0, "soon": 0,
			time.Now().Add(2 * time.Minute).Format(http.TimeFormat): 2 * time.Minute,
			time.Now().Add(-time.Hour).Format(http.TimeFormat):      0,
		} {
			w := fixed(http.StatusAccepted, "", "X-Ms-Request-Id", jobPath+jobName, "Retry-After", value)
			accepted, err := siteOver(t, w).Begin(t.Context(), aFailover())
			if err != nil || accepted.Poll != want {
				t.Errorf("Retry-After %q: poll %s, %v, want %s", value, accepted.Poll, err, want)
			}
		}
	})
}

// Whatever the step, its call goes out once.
func TestNoStepIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []failover.StepKind{failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepTest, failover.StepCleanup, failover.StepReprotect, failover.StepReprotectAgain} {
			for _, status := range []int{408, 429, 500, 502, 503, 504, 0} {
				w := fixed(status, errorBody("C", "M."))
				if status == 0 {
					w = failing(io.ErrUnexpectedEOF)
				}
				call := aFailover()
				aReprotect(&call)
				call.Kind, call.PointID, call.Network = kind, "/p", "/n"
				want := failover.Unknown
				if status == 429 {
					want = failover.Retry
				}
				_, err := siteOver(t, w).Begin(t.Context(), call)
				if e := siteError(t, err); e.Kind != want || len(w.sent) != 1 {
					t.Errorf("%s, %d: %s after %d requests, want %s after one", kind, status, e.Kind, len(w.sent), want)
				}
			}
		}
	})
}

func TestBeginRefusesWithoutSending(t *testing.T) {
	tests := map[string]func(*failover.Call){
		"no item":            func(c *failover.Call) { c.Item.ID = vaultPath },
		"foreign vault":      func(c *failover.Call) { c.Item.ID = "/subscriptions/other" + itemPath[len("/subscriptions/sub"):] },
		"no request id":      func(c *failover.Call) { c.ClientRequestID = "" },
		"step of a stranger": func(c *failover.Call) { c.Kind = "" },
		"step without call":  func(c *failover.Call) { c.Kind = failover.StepSurvey },
		"drill anywhere":     func(c *failover.Call) { c.Kind = failover.StepTest },
		"change to nothing":  func(c *failover.Call) { c.Kind = failover.StepChange },
		"resize to no size":  func(c *failover.Call) { c.Kind = failover.StepResize },
		"reprotect blindly":  func(c *failover.Call) { c.Kind = failover.StepReprotect },
		"reprotect, no disk": func(c *failover.Call) { aReprotect(c); c.Reversal.Disks = nil },
		"reprotect nowhere":  func(c *failover.Call) { aReprotect(c); c.Reversal.Container = "" },
		"reprotect groupless": func(c *failover.Call) {
			aReprotect(c)
			c.Kind, c.Reversal.ResourceGroup = failover.StepReprotectAgain, ""
		},
	}
	for name, twist := range tests {
		w := fixed(http.StatusAccepted, "")
		call := aFailover()
		twist(&call)
		_, err := siteOver(t, w).Begin(t.Context(), call)
		if e := siteError(t, err); e.Kind != failover.RefusedBySite || e.Fault.Action == "" || len(w.sent) != 0 {
			t.Errorf("%s: %+v after %d requests, want a refusal after none", name, e, len(w.sent))
		}
	}
}

func TestCancelledContextIsNoSiteError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &transport{answer: func(*http.Request) (*http.Response, error) {
		cancel()
		return nil, context.Canceled
	}}
	if _, err := siteOver(t, w).Begin(ctx, aFailover()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if len(w.sent) != 1 {
		t.Errorf("%d requests, want 1", len(w.sent))
	}
}
