package azure_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
	"ferry/sandbox/vault"
)

func aResize() failover.Call {
	return failover.Call{Kind: failover.StepResize, Item: anItem(), ClientRequestID: requestID, Size: "Standard_E4s_v5"}
}

// updating answers a GET with an item, and an update with a status; 0 cuts the connection.
func updating(item string, status int, headers ...string) *transport {
	return &transport{answer: func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Method == http.MethodGet:
			return response(http.StatusOK, item), nil
		case status == 0:
			return nil, errors.New("reset")
		}
		return response(status, errorBody("C", "M."), headers...), nil
	}}
}

// sent are the methods of the requests.
func sent(w *transport) (methods []string) {
	for _, r := range w.sent {
		methods = append(methods, r.Method)
	}
	return methods
}

// configured is every setting that somebody may have made of vm-x, as its item names it; no two are alike.
func configured(item map[string]any) string {
	details := item["properties"].(map[string]any)["providerSpecificDetails"].(map[string]any)
	nic, disk := details["vmNics"].([]any)[0].(map[string]any), details["protectedManagedDisks"].([]any)[0].(map[string]any)
	return `{"properties":{"recoveryAzureVMName":"vm-x-dr","selectedRecoveryAzureNetworkId":"/net","selectedTfoAzureNetworkId":"/net-drill",
"recoveryAvailabilitySetId":"/set","vmNics":[{"nicId":"` + nic["nicId"].(string) + `","selectionType":"SelectedByUser","recoveryNetworkSecurityGroupId":"/nsg",
"tfoNetworkSecurityGroupId":"/nsg-drill","enableAcceleratedNetworkingOnRecovery":true,"enableAcceleratedNetworkingOnTfo":true,"recoveryNicName":"nic",
"recoveryNicResourceGroupName":"rg-nic","reuseExistingNic":true,"targetNicName":"nic-target","tfoNicName":"nic-drill","tfoNicResourceGroupName":"rg-drill",
"tfoReuseExistingNic":true,"ipConfigs":[{"ipConfigName":"one","isPrimary":true,"isSeletedForFailover":true,"recoverySubnetName":"front","recoveryStaticIPAddress":"10.1.0.4",
"recoveryPublicIPAddressId":"/ip","recoveryLBBackendAddressPoolIds":["/pool"],"tfoSubnetName":"test","tfoStaticIPAddress":"10.9.0.4","tfoPublicIPAddressId":"/ip-drill",
"tfoLBBackendAddressPoolIds":["/pool-drill"]},{"ipConfigName":"two","isPrimary":false,"isSeletedForFailover":false,"recoverySubnetName":"back"}]}],
"providerSpecificDetails":{"instanceType":"A2A","recoveryResourceGroupId":"/subscriptions/s/resourceGroups/rg-other","recoveryCloudServiceId":"/cloud",
"recoveryBootDiagStorageAccountId":"/boot","recoveryProximityPlacementGroupId":"/near","recoveryVirtualMachineScaleSetId":"/scale",
"recoveryCapacityReservationGroupId":"/reserved","tfoAzureVMName":"vm-x-drill","managedDiskUpdateDetails":[{"diskId":"` + disk["diskId"].(string) + `",
"recoveryReplicaDiskAccountType":"StandardSSD_LRS","recoveryTargetDiskAccountType":"Premium_ZRS","failoverDiskName":"os-dr","tfoDiskName":"os-drill"}]}}}`
}

// plain asks the stand-in without Ferry, and returns what it answers.
func plain(t *testing.T, client *http.Client, method, path, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, host+path+"?api-version=2025-01-01", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	token, err := optionsOf(t, client).Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.core.windows.net//.default"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Token)
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	var got map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil && method == http.MethodGet {
		t.Fatal(err)
	}
	return got
}

// The stand-in clears what an update leaves out, so that a client which forgets a setting loses it.
func TestResizeChangesTheSizeAlone(t *testing.T) {
	setIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		world := vault.New(vault.Options{BaseURL: host, VMs: 1, Sizes: map[string]string{"vm-x": "Standard_D8s_v5"}})
		client, id := serve(t, world), world.Items()[0].ID
		plain(t, client, http.MethodPatch, id, configured(plain(t, client, http.MethodGet, id, "")))
		<-time.After(10 * time.Second)
		before := plain(t, client, http.MethodGet, id, "")
		site := newSite(t, client, nil)
		items, err := site.Items(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := failover.Call{Kind: failover.StepResize, Item: items[0], ClientRequestID: requestID, Size: "Standard_E4s_v5"}
		if _, err := site.Begin(t.Context(), call); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Second)
		after := plain(t, client, http.MethodGet, id, "")
		if want := []string{`recoveryAzureVMSize: Standard_D8s_v5, then Standard_E4s_v5`}; !slices.Equal(differences("", before, after), want) {
			t.Errorf("changed %q, want %q", differences("", before, after), want)
		}
	})
}

// differences lists the values that differ, but for those that time changes.
func differences(name string, before, after any) (all []string) {
	switch b := before.(type) {
	case map[string]any:
		a, _ := after.(map[string]any)
		for key := range b {
			if !slices.Contains([]string{"lastHeartbeat", "lastRpoCalculatedTime", "rpoInSeconds"}, key) {
				all = append(all, differences(key, b[key], a[key])...)
			}
		}
	case []any:
		a, _ := after.([]any)
		for i := range b {
			if i < len(a) {
				all = append(all, differences(name, b[i], a[i])...)
			} else {
				all = append(all, name+" is gone")
			}
		}
	default:
		if before != after {
			all = append(all, fmt.Sprintf("%s: %v, then %v", name, before, after))
		}
	}
	return all
}

// Whatever an update may say of what an item shows is said: a field that the SDK adds fails here until it is sent, too.
func TestResizeSendsAllSettings(t *testing.T) {
	details := &siterecovery.A2AReplicationDetails{}
	fill(reflect.ValueOf(details).Elem(), 0)
	item, err := json.Marshal(siterecovery.ReplicationProtectedItem{Properties: &siterecovery.ReplicationProtectedItemProperties{ProviderSpecificDetails: details}})
	if err != nil {
		t.Fatal(err)
	}
	w := updating(string(item), http.StatusAccepted, "X-Ms-Request-Id", jobPath+jobName)
	if accepted, err := siteOver(t, w).Begin(t.Context(), aResize()); err != nil || accepted.JobID != jobPath+jobName {
		t.Fatalf("%+v, %v", accepted, err)
	}
	if got := sent(w); !slices.Equal(got, []string{http.MethodGet, http.MethodPatch}) || w.sent[1].URL.Path != itemPath {
		t.Fatalf("requests %v", got)
	}
	if got := w.sent[1].Header.Values("X-Ms-Client-Request-Id"); !slices.Equal(got, []string{requestID}) {
		t.Errorf("client request ids %q, want one", got)
	}
	var input siterecovery.UpdateReplicationProtectedItemInput
	if err := json.Unmarshal([]byte(bodyOf(t, w.sent[1])), &input); err != nil {
		t.Fatal(err)
	}
	if got := *input.Properties.RecoveryAzureVMSize; got != "Standard_E4s_v5" {
		t.Errorf("size %s", got)
	}
	// What no item shows. The keys of a disk are those of its source.
	unknown := []string{"EnableRdpOnTargetOption", "LicenseType", "DiskEncryptionInfo", "DiskEncryptionInfo", "SelectedSourceNicID"}
	if got := unset(reflect.ValueOf(input), nil); !slices.Equal(got, unknown) {
		t.Errorf("not sent are %v, want %v", got, unknown)
	}
}

// fill sets all fields, down to some depth: lists have one entry.
func fill(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < 8 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for _, f := range v.Fields() {
			fill(f, depth+1)
		}
	case reflect.String:
		v.SetString("A2A")
	case reflect.Bool:
		v.SetBool(true)
	default:
	}
}

// unset lists the fields without a value.
func unset(v reflect.Value, names []string) []string {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return unset(v.Elem(), names)
	case reflect.Slice:
		for i := range v.Len() {
			names = unset(v.Index(i), names)
		}
	case reflect.Struct:
		for field, f := range v.Fields() {
			if f.Kind() != reflect.Struct && f.IsNil() {
				names = append(names, field.Name)
				continue
			}
			names = unset(f, names)
		}
	default:
	}
	return names
}

// A read that fails sends nothing.
func TestResizeThatCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, want := range map[int]failover.SiteErrorKind{404: failover.RefusedBySite, 403: failover.RefusedBySite, 429: failover.Retry, 503: failover.Retry, 0: failover.Retry} {
			w := fixed(status, errorBody("C", "M."))
			if status == 0 {
				w = failing(errors.New("connection reset"))
			}
			_, err := siteOver(t, w).Begin(t.Context(), aResize())
			if e := siteError(t, err); e.Kind != want || slices.Contains(sent(w), http.MethodPatch) {
				t.Errorf("%d: %s, %v, want %s and no update", status, e.Kind, sent(w), want)
			}
		}
		for _, item := range []string{vmwareItem, `{"properties":null}`, `{}`} {
			w := fixed(http.StatusOK, item)
			_, err := siteOver(t, w).Begin(t.Context(), aResize())
			if e := siteError(t, err); e.Kind != failover.RefusedBySite || len(w.sent) != 1 {
				t.Errorf("%s: %s after %d requests", item, e.Kind, len(w.sent))
			}
		}
	})
}

// The update itself goes out once, whatever becomes of it.
func TestResizeIsSentOnce(t *testing.T) {
	tests := map[string]struct {
		w    *transport
		want failover.SiteErrorKind
		says string
	}{
		"accepted without a job": {updating(fullItem, 200, "X-Ms-Request-Id", requestID+" 11/23/2025 8:00:00 AM"), failover.Unknown, "without naming its job"},
		"lost":                   {updating(fullItem, 0), failover.Unknown, "answer was lost"},
		"broken":                 {updating(fullItem, 503), failover.Unknown, "M."},
		"throttled":              {updating(fullItem, 429), failover.Retry, "M."},
		"conflict":               {updating(fullItem, 409), failover.RefusedBySite, "M."},
		"forbidden":              {updating(fullItem, 403), failover.RefusedBySite, "replicationProtectedItems/write on the vault, by the role Site Recovery Contributor"},
	}
	for name, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			_, err := siteOver(t, test.w).Begin(t.Context(), aResize())
			e := siteError(t, err)
			if e.Kind != test.want || !strings.Contains(e.Fault.Message+e.Fault.Action, test.says) || !slices.Equal(sent(test.w), []string{http.MethodGet, http.MethodPatch}) {
				t.Errorf("%s: %s %+v after %v, want %s", name, e.Kind, e.Fault, sent(test.w), test.want)
			}
		})
	}
}

// A transport that follows redirects turns the PATCH into a GET, whose success is none.
func TestResizeThatIsRedirected(t *testing.T) {
	w := &transport{answer: func(r *http.Request) (*http.Response, error) {
		answer := response(http.StatusOK, fullItem, "X-Ms-Request-Id", jobPath+jobName)
		answer.Request = r.Clone(r.Context())
		answer.Request.Method = http.MethodGet
		return answer, nil
	}}
	_, err := siteOver(t, w).Begin(t.Context(), aResize())
	if e := siteError(t, err); e.Kind != failover.Unknown || !strings.Contains(e.Fault.Message, "redirected") {
		t.Errorf("%s %+v, want unknown", e.Kind, e.Fault)
	}
}

// Any value of the item may be null: what is left is sent.
func TestNullsOfAResize(t *testing.T) {
	setIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		world := vault.New(vault.Options{BaseURL: host, VMs: 1})
		item, err := json.Marshal(plain(t, serve(t, world), http.MethodGet, world.Items()[0].ID, ""))
		if err != nil {
			t.Fatal(err)
		}
		for _, broken := range nulled(t, string(item)) {
			w := updating(broken, http.StatusAccepted, "X-Ms-Request-Id", jobPath+jobName)
			if _, err := siteOver(t, w).Begin(t.Context(), aResize()); err != nil {
				siteError(t, err)
			}
		}
	})
}

// If an update makes no job, its answer names none: what became of it shows at the item.
func TestResizeWithoutAJob(t *testing.T) {
	setIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		h := harnessOf(t, vault.Options{VMs: 1, Guesses: vault.Guesses{UpdatesWithoutJob: true}})
		items, err := h.Site.Items(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := failover.Call{Kind: failover.StepResize, Item: items[0], ClientRequestID: requestID, Size: "Standard_E4s_v5"}
		_, err = h.Site.Begin(t.Context(), call)
		if e := siteError(t, err); e.Kind != failover.Unknown || e.Fault.Code != "NoJobNamed" {
			t.Errorf("%s %+v", e.Kind, e.Fault)
		}
		now, err := h.Site.Item(t.Context(), items[0])
		if calls := h.Calls(); err != nil || now.Size != call.Size || len(calls) != 1 || !calls[0].Accepted {
			t.Errorf("%v: size %s, calls %+v", err, now.Size, calls)
		}
	})
}
