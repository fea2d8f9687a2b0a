package vault_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// ways are the states that a VM goes through, in order, and how a person at the portal gets it from one to the next.
var ways = []struct {
	state     string
	operation string // leads here from the state before; empty waits
	takes     time.Duration
	allowed   []string
}{
	{"protected", "", 0, []string{"unplannedFailover", "testFailover", "update"}},
	{"drilling", "testFailover", 90 * time.Second, nil},
	{"drill open", "", 90 * time.Second, []string{"testFailoverCleanup", "update"}},
	{"cleaning up", "testFailoverCleanup", 30 * time.Second, nil},
	{"protected and tested", "", 39 * time.Second, []string{"unplannedFailover", "testFailover", "update"}},
	{"failing over", "unplannedFailover", 70 * time.Second, nil},
	{"failed over", "", 70 * time.Second, []string{"failoverCommit", "applyRecoveryPoint"}},
	{"changing the point", "applyRecoveryPoint", 60 * time.Second, nil},
	{"failed over to another point", "", 52 * time.Second, []string{"failoverCommit", "applyRecoveryPoint"}},
	{"committing", "failoverCommit", 4 * time.Second, nil},
	{"committed", "", 4 * time.Second, []string{"switchprotection"}},
	{"reprotecting", "switchprotection", 300 * time.Second, nil},
	{"initial replication", "", 210 * time.Second, []string{"update"}},
	{"waiting for the first point", "", 47*time.Minute + 30*time.Second, []string{"update"}},
	{"protected the other way", "", 6 * time.Minute, []string{"unplannedFailover", "testFailover", "update"}},
}

var operations = []string{
	"unplannedFailover", "failoverCommit", "testFailover", "testFailoverCleanup", "applyRecoveryPoint", "switchprotection",
	"reProtect", "failoverCancel", "plannedFailover", "remove", "update",
}

// TestEveryStateAllowsAndRefuses tries every operation in every state: by a dry run on a world that has come this far.
func TestEveryStateAllowsAndRefuses(t *testing.T) {
	for i, way := range ways {
		for _, operation := range operations {
			t.Run(way.state+"/"+operation, func(t *testing.T) {
				bubble(t, vault.Options{VMs: 1}, func(w *world) {
					w.reach(i)
					before := w.get(w.vm("vm-x").ID).text
					got := w.tries(operation)
					if allowed := slices.Contains(way.allowed, operation); allowed != (got.status == http.StatusAccepted) {
						w.Fatalf("answered %d %s, want allowed %v", got.status, got.text, allowed)
					} else if allowed {
						return
					}
					if after := w.get(w.vm("vm-x").ID).text; after != before {
						w.Errorf("a refused call changed the item from %s to %s", before, after)
					}
				})
			})
		}
	}
}

// reach takes vm-x to a state.
func (w *world) reach(state int) {
	w.Helper()
	for _, way := range ways[:state+1] {
		if way.operation != "" {
			if err := w.vault.Portal("vm-x", way.operation); err != nil {
				w.Fatal(err)
			}
		}
		pause(way.takes)
	}
}

// named is the index of a state.
func named(w *world, state string) int {
	w.Helper()
	for i, way := range ways {
		if way.state == state {
			return i
		}
	}
	w.Fatalf("no state %s", state)
	return 0
}

// tries posts an operation of vm-x with a body that is right wherever one can be.
func (w *world) tries(operation string) answer {
	w.Helper()
	m := newTraveller(w, "vm-x")
	switch operation {
	case "update":
		return m.patch(m.id, resized(larger))
	case "unplannedFailover":
		return m.post(m.id, operation, latest("Required"))
	case "testFailover":
		return m.post(m.id, operation, drillBody)
	case "testFailoverCleanup":
		return m.post(m.id, operation, `{"properties":{"comments":""}}`)
	case "applyRecoveryPoint":
		return m.post(m.id, operation, changeTo(m.id+"/recoveryPoints/x"))
	case "switchprotection":
		if m.detail("recoveryFabricObjectId") == nil {
			return m.post(containerOf(m.id), operation, `{"properties":{"replicationProtectedItemName":"`+lastOf(m.id)+`","providerSpecificDetails":{"instanceType":"A2A"}}}`)
		}
		return m.post(containerOf(m.id), operation, m.switchBody())
	default:
		return m.post(m.id, operation, "")
	}
}

func lastOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

func TestPortalRefusesWhatTheStateForbids(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.reach(named(w, "drill open"))
		for _, operation := range []string{"unplannedFailover", "testFailover", "switchprotection", "applyRecoveryPoint", "failoverCommit"} {
			if err := w.vault.Portal("vm-x", operation); !errors.Is(err, vault.ErrNotAllowed) {
				w.Errorf("%s while a drill is open: %v", operation, err)
			}
		}
	})
}

func TestBodiesThatAreRefused(t *testing.T) {
	const point = "/recoveryPoints/x"
	group := "/subscriptions/" + subscription + "/resourceGroups/rg-workload"
	edits := []struct{ state, operation, from, to, code string }{
		{"protected", "testFailover", "PrimaryToRecovery", "RecoveryToPrimary", "InvalidParameter"},
		{"protected", "testFailover", "VmNetworkAsInput", "NoNetworkAttach", "InvalidParameter"},
		{"protected", "testFailover", "/virtualNetworks/", "/networkInterfaces/", "InvalidParameter"},
		{"protected", "testFailover", `"A2A"`, `"InMageRcm"`, "InvalidParameter"},
		{"drill open", "testFailoverCleanup", "properties", "comments", "InvalidParameter"},
		{"failed over", "applyRecoveryPoint", point, "", "InvalidParameter"},
		{"failed over", "applyRecoveryPoint", `"A2A"`, `""`, "InvalidParameter"},
		{"committed", "switchprotection", `"A2A"`, `"A2ACrossClusterMigration"`, "InvalidParameter"},
		{"committed", "switchprotection", "westeurope-container", "northeurope-container", "InvalidParameter"},
		{"committed", "switchprotection", "24-hour", "48-hour", "InvalidParameter"},
		{"committed", "switchprotection", `"recoveryResourceGroupId":"` + group + `","vmM`, `"vmM`, "InvalidParameter"},
		{"committed", "switchprotection", "rg-workload-asr/providers/Microsoft.Storage/storageAccounts/ferryasrcachedr", "rg-workload/providers/Microsoft.Storage/storageAccounts/ferryasrcache", "InvalidParameter"},
		{"committed", "switchprotection", "vmManagedDisks", "vmDisks", "VMDisksMissing"},
		{"committed", "switchprotection", "vm-x_OsDisk_1", "vm-y_OsDisk_1", "VMDisksMissing"},
		{"committed", "reProtect", "", "", "VMDisksMissing"},
	}
	for _, e := range edits {
		bubble(t, vault.Options{VMs: 1}, func(w *world) {
			w.reach(named(w, e.state))
			got := w.triesWith(e.operation, e.from, e.to)
			if got.status != http.StatusBadRequest || dig(w.T, got.body, "error", "code") != e.code {
				w.Errorf("%s with %q for %q: %d %s", e.operation, e.to, e.from, got.status, got.text)
			}
			if w.vm("vm-x").Job != "" {
				w.Errorf("%s with %q started a job", e.operation, e.to)
			}
		})
	}
}

// triesWith is tries with a part of the body replaced.
func (w *world) triesWith(operation, from, to string) answer {
	w.Helper()
	m := newTraveller(w, "vm-x")
	body, id := "", m.id
	switch operation {
	case "testFailover":
		body = drillBody
	case "testFailoverCleanup":
		body = `{"properties":{"comments":""}}`
	case "applyRecoveryPoint":
		body = changeTo(m.id + "/recoveryPoints/x")
		if to == "" {
			body, from = changeTo(""), ""
		}
	case "switchprotection":
		body, id = m.switchBody(), containerOf(m.id)
	}
	if !strings.Contains(body, from) {
		w.Fatalf("%q is not in %s", from, body)
	}
	if from != "" {
		body = strings.Replace(body, from, to, 1)
	}
	return m.post(id, operation, body)
}
