package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

const drillVM = "/subscriptions/" + subscription + "/resourceGroups/rg-workload-asr/providers/Microsoft.Compute/virtualMachines/vm-x-test"

func TestDrill(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		m := newTraveller(w, "vm-x")
		if got := dig(w.T, m.property("healthErrors"), 0, "errorCode"); got != "161011" || m.property("failoverHealth") != "Warning" {
			w.Errorf("before the first drill: %v", got)
		}
		started := m.post(m.id, "testFailover", drillBody)
		job := started.header.Get("X-Ms-Request-Id")
		pause(10 * time.Second)
		if m.property("currentScenario", "scenarioName") != "TestFailover" || m.property("testFailoverState") != "None" {
			w.Errorf("while the drill starts: %v", m.property("currentScenario"))
		}
		before := w.vm("vm-x").NewestPoint
		pause(170 * time.Second)
		w.matches("job_drill", w.get(job).body, job)
		m.drillState("WaitingForCompletion", "Waiting for user input")
		if got := w.get(drillVM).body; dig(w.T, got, "location") != "northeurope" || m.detail("testFailoverRecoveryFabricObjectId") != drillVM {
			w.Errorf("the test VM is %v", got)
		}
		nics := w.get(groups + "rg-workload-asr/providers/Microsoft.Network/networkInterfaces").text
		if !strings.Contains(nics, "/virtualNetworks/vnet-drill/subnets/default") {
			w.Errorf("the test VM is in another network: %s", nics)
		}
		pause(10 * time.Minute)
		if !w.vm("vm-x").NewestPoint.After(before) {
			w.Error("replication stopped for a drill")
		}
		if len(m.property("healthErrors").([]any)) != 0 || m.property("failoverHealth") != "Normal" {
			w.Errorf("after a drill: %v", m.property("healthErrors"))
		}
		if got := m.property("lastSuccessfulTestFailoverTime"); got != "2000-01-01T00:03:00Z" {
			w.Errorf("lastSuccessfulTestFailoverTime %v", got)
		}
		cleanup := m.post(m.id, "testFailoverCleanup", `{"properties":{"comments":"fine"}}`)
		m.drillState("MarkedForDeletion", "Cleaning up test environment")
		m.follows(cleanup, 69*time.Second)
		m.drillState("None", "None")
		if got := w.do(http.MethodGet, drillVM+apiVersion, ""); got.status != http.StatusNotFound || m.detail("testFailoverRecoveryFabricObjectId") != nil {
			w.Errorf("the test VM answers %d after the clean-up", got.status)
		}
	})
}

func (m *traveller) drillState(state, description string) {
	m.Helper()
	if m.property("testFailoverState") != state || m.property("testFailoverStateDescription") != description {
		m.Errorf("testFailoverState %v, %v", m.property("testFailoverState"), m.property("testFailoverStateDescription"))
	}
}

func TestDrillToAPoint(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		m := newTraveller(w, "vm-x")
		point := dig(w.T, m.get(m.id+"/recoveryPoints").body, "value", 3)
		body := strings.Replace(drillBody, `"A2A"`, `"A2A","recoveryPointId":"`+dig(w.T, point, "id").(string)+`"`, 1)
		job := m.does("testFailover", body, 180*time.Second)
		used := dig(w.T, job, "properties", "customDetails", "protectedItemDetails", 0)
		if dig(w.T, used, "recoveryPointId") != dig(w.T, point, "name") || dig(w.T, used, "testVmName") != "vm-x-test" {
			w.Errorf("used %v", used)
		}
	})
}

func TestFailedDrillLeavesNothing(t *testing.T) {
	bubble(t, vault.Options{VMs: 1}, func(w *world) {
		w.vault.Fault(vault.Fault{Operation: "testFailover", Kind: vault.JobFails})
		m := newTraveller(w, "vm-x")
		m.post(m.id, "testFailover", drillBody)
		pause(180 * time.Second)
		m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover")
		if w.vm("vm-x").Drill != "" || m.property("lastSuccessfulTestFailoverTime") != nil {
			w.Errorf("after a failed drill %+v", w.vm("vm-x"))
		}
	})
}

func TestGuessesAboutDrills(t *testing.T) {
	guesses := vault.Guesses{DrillKeepsFailover: true, DrillWaitsForCleanup: true}
	bubble(t, vault.Options{VMs: 1, Guesses: guesses}, func(w *world) {
		m := newTraveller(w, "vm-x")
		m.does("testFailover", drillBody, 180*time.Second)
		m.expect("Protected", "Primary", "UnplannedFailover", "DisableProtection", "TestFailover", "TestFailoverCleanup")
		m.drillState("WaitingForCleanup", "Waiting for Test Failover Cleanup to start")
	})
}
