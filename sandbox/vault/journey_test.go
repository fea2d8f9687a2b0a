package vault_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// traveller asks one VM for everything, by the wire alone, and follows it when it moves.
type traveller struct {
	*world
	name, id string
}

func newTraveller(w *world, name string) *traveller {
	return &traveller{world: w, name: name, id: w.vm(name).ID}
}

func (m *traveller) property(path ...any) any {
	m.Helper()
	return dig(m.T, m.get(m.id).body, append([]any{"properties"}, path...)...)
}

func (m *traveller) detail(key string) any { return m.property("providerSpecificDetails", key) }

func (m *traveller) expect(state, active string, allowed ...string) {
	m.Helper()
	got := m.property("allowedOperations").([]any)
	words := make([]string, 0, len(got))
	for _, word := range got {
		words = append(words, word.(string))
	}
	if m.property("protectionState") != state || m.property("activeLocation") != active || !slices.Equal(words, allowed) {
		m.Fatalf("%v in %v allows %v, want %s in %s and %v", m.property("protectionState"), m.property("activeLocation"), words, state, active, allowed)
	}
}

// does runs an operation of the item to its end and returns the job.
func (m *traveller) does(operation, body string, takes time.Duration) map[string]any {
	m.Helper()
	return m.follows(m.post(m.id, operation, body), takes)
}

func (m *traveller) follows(got answer, takes time.Duration) map[string]any {
	m.Helper()
	if got.status != http.StatusAccepted {
		m.Fatalf("%d %s", got.status, got.text)
	}
	job := got.header.Get("X-Ms-Request-Id")
	pause(takes - time.Second)
	if state := dig(m.T, m.get(job).body, "properties", "state"); state != "InProgress" {
		m.Fatalf("the job is %v a second before its end", state)
	}
	pause(time.Second)
	full := m.get(job).body
	if state := dig(m.T, full, "properties", "state"); state != "Succeeded" {
		m.Fatalf("the job is %v", state)
	}
	return full
}

// containerOf is what the item's id starts with.
func containerOf(id string) string {
	container, _, _ := strings.Cut(id, "/replicationProtectedItems/")
	return container
}

// switchBody is a complete reprotect of the VM as it is now.
func (m *traveller) switchBody() string {
	m.Helper()
	group, cache := "rg-workload", "rg-workload-asr/providers/Microsoft.Storage/storageAccounts/ferryasrcachedr"
	if m.detail("primaryFabricLocation") == "northeurope" {
		group, cache = "rg-workload-asr", "rg-workload/providers/Microsoft.Storage/storageAccounts/ferryasrcache"
	}
	root := "/subscriptions/" + subscription + "/resourceGroups/"
	machine := m.get(m.detail("recoveryFabricObjectId").(string)).body
	storage := dig(m.T, machine, "properties", "storageProfile")
	ids := []any{dig(m.T, storage, "osDisk", "managedDisk", "id")}
	for _, d := range dig(m.T, storage, "dataDisks").([]any) {
		ids = append(ids, dig(m.T, d, "managedDisk", "id"))
	}
	disks := make([]string, 0, len(ids))
	for _, id := range ids {
		disks = append(disks, fmt.Sprintf(`{"diskId":"%s","primaryStagingAzureStorageAccountId":"%s","recoveryResourceGroupId":"%s"}`, id, root+cache, root+group))
	}
	return fmt.Sprintf(`{"properties":{"replicationProtectedItemName":"%s","providerSpecificDetails":{"instanceType":"A2A",
		"recoveryContainerId":"%s","policyId":"%s","recoveryResourceGroupId":"%s","vmManagedDisks":[%s]}}}`,
		m.id[strings.LastIndexByte(m.id, '/')+1:], containerOf(m.id), m.property("policyId"), root+group, strings.Join(disks, ","))
}

const drillBody = `{"properties":{"failoverDirection":"PrimaryToRecovery","networkType":"VmNetworkAsInput","networkId":"/subscriptions/` + subscription +
	`/resourceGroups/rg-workload-asr/providers/Microsoft.Network/virtualNetworks/vnet-drill","providerSpecificDetails":{"instanceType":"A2A"}}}`

func TestTwiceAround(t *testing.T) {
	bubble(t, vault.Options{VMs: 3}, func(w *world) {
		for _, name := range []string{"vm-x", "sql-01"} {
			m := newTraveller(w, name)
			for range 2 {
				m.leg("westeurope", "northeurope")
				m.leg("northeurope", "westeurope")
			}
		}
	})
}

// leg is a drill, a failover, a change of the point, a commit and a reprotect.
func (m *traveller) leg(from, to string) {
	m.Helper()
	protected := []string{"UnplannedFailover", "DisableProtection", "TestFailover"}
	m.expect("Protected", "Primary", protected...)
	m.does("testFailover", drillBody, 180*time.Second)
	m.expect("Protected", "Primary", "DisableProtection", "TestFailoverCleanup")
	m.does("testFailoverCleanup", `{"properties":{"comments":"as it should be"}}`, 69*time.Second)
	m.expect("Protected", "Primary", protected...)

	m.does("unplannedFailover", latest("Required"), 140*time.Second)
	m.expect("UnplannedFailoverCommitPendingStatesBegin", "Recovery", "CompleteMigration", "Commit", "DisableProtection", "ChangePit")
	point := dig(m.T, m.get(m.id+"/recoveryPoints").body, "value", 0, "id").(string)
	m.does("applyRecoveryPoint", changeTo(point), 112*time.Second)
	m.expect("UnplannedFailoverCommitPendingStatesBegin", "Recovery", "CompleteMigration", "Commit", "DisableProtection", "ChangePit")
	if got := m.property("failoverRecoveryPointId").(string); !strings.HasSuffix(got, point[strings.LastIndexByte(point, '/'):]) {
		m.Errorf("failoverRecoveryPointId %s after a change to %s", got, point)
	}
	m.does("failoverCommit", "", 8*time.Second)
	m.expect("UnplannedFailoverCommitted", "Recovery", "CompleteMigration", "DisableProtection", "SwitchProtection")
	if points := m.get(m.id + "/recoveryPoints").body["value"].([]any); len(points) != 0 {
		m.Errorf("%d points after the commit", len(points))
	}

	runs, old := m.detail("recoveryFabricObjectId"), m.id
	job := m.follows(m.post(containerOf(m.id), "switchprotection", m.switchBody()), 510*time.Second)
	if got := m.do(http.MethodGet, old+apiVersion, ""); got.status != http.StatusNotFound {
		m.Errorf("the old id answers %d", got.status)
	}
	m.id = dig(m.T, job, "properties", "customDetails", "newReplicationProtectedItemId").(string)
	m.seeded(runs.(string))
	if m.detail("primaryFabricLocation") != to || m.detail("recoveryFabricLocation") != from || m.detail("initialPrimaryFabricLocation") != "westeurope" {
		m.Errorf("directions are wrong: %v", m.property("providerSpecificDetails"))
	}
}

func changeTo(point string) string {
	return `{"properties":{"recoveryPointId":"` + point + `","providerSpecificDetails":{"instanceType":"A2A"}}}`
}

// seeded follows the initial replication until the VM is protected.
func (m *traveller) seeded(runs string) {
	m.Helper()
	m.expect("InitialReplicationInProgress", "Primary", "DisableProtection")
	if m.detail("lifecycleId") != nil || m.detail("rpoInSeconds") != nil || m.detail("monitoringPercentageCompletion") != 0.0 {
		m.Errorf("at the start of the initial replication %v", m.property("providerSpecificDetails"))
	}
	last, began := 0.0, time.Now()
	for m.property("protectionState") == "InitialReplicationInProgress" {
		percent := m.detail("monitoringPercentageCompletion").(float64)
		if percent < last {
			m.Fatalf("%v %% after %v %%", percent, last)
		}
		last = percent
		if percent < 85 {
			pause(5 * time.Minute)
		} else {
			pause(30 * time.Second)
		}
	}
	if last < 97 || time.Since(began) < 47*time.Minute {
		m.Errorf("the initial replication took %s and reached %v %%", time.Since(began), last)
	}
	m.expect("InitialReplicationRecoveryCompletionPending", "Primary", "DisableProtection")
	pause(6 * time.Minute)
	m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover")
	if points := m.get(m.id + "/recoveryPoints").body["value"].([]any); len(points) < 1 || len(points) > 2 {
		m.Errorf("%d points right after the initial replication", len(points))
	}
	if m.detail("fabricObjectId") != strings.ToLower(runs) || m.detail("recoveryFabricObjectId") != nil || m.detail("lifecycleId") == nil {
		m.Errorf("after the initial replication %v", m.property("providerSpecificDetails"))
	}
}
