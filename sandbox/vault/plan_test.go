package vault_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// shop is two waves: two databases, then a web server; vm-x is in no plan.
func shop() vault.Options {
	return vault.Options{VMs: 8, Plans: []vault.Plan{{
		Name: "plan-shop", Boot: [][]string{{"sql-01", "sql-02"}, {"web-01"}},
		Actions: []vault.PlanAction{
			{Group: 0, After: true, Name: "Check the databases"},
			{Group: 1, Name: "Move the names", Runbook: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Automation/automationAccounts/a/runbooks/dns"},
		},
	}}}
}

const planPath = "/replicationRecoveryPlans/plan-shop"

func (w *world) planURL() string { return vaultURL(subscription, group, vaultName) + planPath }

// planFailover is the body of a plan's failover.
func planFailover(shutdown, pointType string) string {
	return `{"properties":{"failoverDirection":"PrimaryToRecovery","sourceSiteOperations":"` + shutdown +
		`","providerSpecificDetails":[{"instanceType":"A2A","recoveryPointType":"` + pointType + `","multiVmSyncPointOption":"UseMultiVmSyncRecoveryPoint"}]}}`
}

const planDrill = `{"properties":{"failoverDirection":"PrimaryToRecovery","networkType":"VmNetworkAsInput","networkId":"/subscriptions/` + subscription +
	`/resourceGroups/rg-workload-asr/providers/Microsoft.Network/virtualNetworks/vnet-drill",` +
	`"providerSpecificDetails":[{"instanceType":"A2A","recoveryPointType":"LatestProcessed"}]}}`

// runPlan starts an operation of the plan and returns the answer and the job's id.
func (w *world) runPlan(operation, body string) (answer, string) {
	w.Helper()
	got := w.post(w.planURL(), operation, body)
	if got.status != http.StatusAccepted {
		w.Fatalf("%s of the plan: %d %s", operation, got.status, got.text)
	}
	return got, got.header.Get("X-Ms-Request-Id")
}

func (w *world) jobIs(id, state, description string) map[string]any {
	w.Helper()
	p := dig(w.T, w.get(id).body, "properties").(map[string]any)
	if p["state"] != state || p["stateDescription"] != description {
		w.Fatalf("the job is %v, %v, want %s, %s", p["state"], p["stateDescription"], state, description)
	}
	return p
}

func (w *world) planAllows(want string) {
	w.Helper()
	var words []string
	for _, word := range dig(w.T, w.get(w.planURL()).body, "properties", "allowedOperations").([]any) {
		words = append(words, word.(string))
	}
	if got := strings.Join(words, " "); got != want {
		w.Errorf("the plan allows %q, want %q", got, want)
	}
}

func TestPlanShapes(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		w.matches("plans", w.get(vaultURL(subscription, group, vaultName)+"/replicationRecoveryPlans").body, "")
		w.matches("plan", w.get(w.planURL()).body, "")
		first, job := w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		w.matches("headers_plan_accepted", headersOf(first), job)
		pause(160 * time.Second) // the databases are up since 150 s
		w.matches("plan_job_running", w.get(job).body, job)
		w.matches("plan_running", w.get(w.planURL()).body, job)
		if got := w.do(http.MethodGet, first.header.Get("Location"), ""); got.status != http.StatusAccepted {
			w.Errorf("Location while it runs: %d", got.status)
		}
		pause(130 * time.Second)
		w.matches("plan_job_done", w.get(job).body, job)
		got := w.do(http.MethodGet, first.header.Get("Location"), "")
		if got.status != http.StatusOK || dig(w.T, got.body, "name") != "plan-shop" || len(dig(w.T, got.body, "properties", "groups").([]any)) != 4 {
			w.Errorf("Location at the end: %d %s", got.status, got.text)
		}
		if status := w.do(http.MethodGet, first.header.Get("Azure-AsyncOperation"), ""); dig(w.T, status.body, "status") != "Succeeded" {
			w.Errorf("status %s", status.text)
		}
	})
}

// TestPlanWaves looks at the children's jobs, which are those of single VMs.
func TestPlanWaves(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		_, job := w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		w.planAllows("")
		// web-01, whose turn is yet to come, would allow it.
		if got := w.post(w.planURL(), "unplannedFailover", planFailover("Required", "Latest")); got.status != http.StatusConflict {
			w.Errorf("a second failover: %d", got.status)
		}
		pause(time.Hour) // nothing looks in between
		w.jobIs(job, "Succeeded", "Completed")
		start := w.vault.Ledger()[0].At
		starts := map[string]time.Duration{"sql-01": 10 * time.Second, "sql-02": 10 * time.Second, "web-01": 150 * time.Second}
		for _, j := range w.vault.Jobs() {
			if j.Plan == "" && j.Start.Sub(start) != starts[j.VM] {
				w.Errorf("%s began after %s, want %s", j.VM, j.Start.Sub(start), starts[j.VM])
			}
			delete(starts, j.VM)
		}
		if len(starts) > 0 {
			w.Errorf("no job for %v", starts)
		}
		if calls := w.vault.Ledger(); len(calls) != 2 || calls[0].Operation != "planUnplannedFailover" || calls[0].Plan != "plan-shop" ||
			calls[0].ItemID != w.vm("vm-x").ID[:strings.Index(w.vm("vm-x").ID, "/replicationFabrics")]+planPath || calls[1].Accepted {
			w.Errorf("ledger %+v", calls)
		}
		if w.vm("vm-x").Active != "Primary" {
			w.Error("vm-x is in no plan and failed over")
		}
		w.planAllows("Commit")
		_, commit := w.runPlan("failoverCommit", "")
		pause(10 * time.Second)
		w.jobIs(commit, "Succeeded", "Completed")
		if w.vm("web-01").ProtectionState != "UnplannedFailoverCommitted" {
			w.Errorf("web-01 is %+v", w.vm("web-01"))
		}
		w.planAllows("")
	})
}

func TestPlanDrill(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		_, job := w.runPlan("testFailover", planDrill)
		pause(370 * time.Second)
		p := w.jobIs(job, "Succeeded", "Completed")
		child := dig(w.T, p, "tasks", 1, "groupTaskCustomDetails", "childTasks", 0, "customDetails", "jobTask", "jobId").(string)
		if got := dig(w.T, w.get(child).body, "properties", "customDetails", "networkFriendlyName"); got != "vnet-drill" {
			w.Errorf("the drill of a VM is on %v", got)
		}
		w.planAllows("TestFailoverCleanup")
		if dig(w.T, w.get(w.planURL()).body, "properties", "lastTestFailoverTime") == nil {
			w.Error("no lastTestFailoverTime")
		}
		_, clean := w.runPlan("testFailoverCleanup", `{"properties":{"comments":"fine"}}`)
		pause(71 * time.Second)
		w.jobIs(clean, "Succeeded", "Completed")
		w.planAllows("UnplannedFailover TestFailover")
	})
}

func TestPlanPoints(t *testing.T) {
	for pointType, check := range map[string]func(p, newest time.Time, kind string) bool{
		"LatestProcessed":             func(at, newest time.Time, _ string) bool { return at.Equal(newest) },
		"LatestCrashConsistent":       func(_, _ time.Time, kind string) bool { return kind == "CrashConsistent" },
		"LatestApplicationConsistent": func(_, _ time.Time, kind string) bool { return kind == "ApplicationConsistent" },
		"Latest":                      func(at, newest time.Time, _ string) bool { return at.After(newest) },
	} {
		bubble(t, shop(), func(w *world) {
			sql := w.vm("sql-01")
			kinds := map[any]any{}
			for _, p := range dig(w.T, w.get(sql.ID+"/recoveryPoints").body, "value").([]any) {
				kinds[dig(w.T, p, "name")] = dig(w.T, p, "properties", "recoveryPointType")
			}
			_, job := w.runPlan("unplannedFailover", planFailover("Required", pointType))
			pause(10 * time.Minute)
			p := w.jobIs(job, "Succeeded", "Completed")
			child := dig(w.T, p, "tasks", 2, "groupTaskCustomDetails", "childTasks", 0, "customDetails", "jobTask", "jobId").(string)
			used := dig(w.T, w.get(child).body, "properties", "customDetails", "protectedItemDetails", 0)
			at, _ := time.Parse(time.RFC3339, dig(w.T, used, "recoveryPointTime").(string))
			kind, _ := kinds[dig(w.T, used, "recoveryPointId")].(string)
			if !check(at, sql.NewestPoint, kind) {
				w.Errorf("%s used a point of %s (%s), the newest was of %s", pointType, at, kind, sql.NewestPoint)
			}
		})
	}
}

func TestPlanWithAFailingVM(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", VM: "sql-02", Code: "28031", Message: "no cores"})
		first, job := w.runPlan("unplannedFailover", planFailover("NotRequired", "Latest"))
		pause(10 * time.Minute)
		p := w.jobIs(job, "Succeeded", "PartiallySucceeded")
		if got := dig(w.T, p, "errors", 0, "serviceErrorDetails", "message"); got != "The recovery plan did not succeed for sql-02." {
			w.Errorf("the plan's job says %v", got)
		}
		databases := dig(w.T, p, "tasks", 2)
		child := dig(w.T, databases, "groupTaskCustomDetails", "childTasks", 1)
		if dig(w.T, databases, "stateDescription") != "PartiallySucceeded" || dig(w.T, child, "state") != "Failed" ||
			dig(w.T, child, "errors", 0, "serviceErrorDetails", "code") != "28031" {
			w.Errorf("the group is %v", databases)
		}
		if shutdown := dig(w.T, p, "tasks", 1); dig(w.T, shutdown, "stateDescription") != "Skipped" {
			w.Errorf("the shutdown is %v", shutdown)
		}
		if w.vm("web-01").Active != "Recovery" || w.vm("sql-02").Active != "Primary" {
			w.Error("the plan did not go on with the next group")
		}
		status := w.do(http.MethodGet, first.header.Get("Azure-AsyncOperation"), "")
		if dig(w.T, status.body, "status") != "Succeeded" {
			w.Errorf("status %s", status.text)
		}
		// What failed can be asked for again, beside the commit of what did not.
		w.planAllows("UnplannedFailover TestFailover Commit")
		_, again := w.runPlan("unplannedFailover", planFailover("NotRequired", "Latest"))
		pause(10 * time.Minute)
		w.jobIs(again, "Succeeded", "Completed")
		w.planAllows("Commit")
	})
}

func TestPlanFailsAltogether(t *testing.T) {
	o := shop()
	o.Guesses.PlanStopsAtFailure = true
	bubble(t, o, func(w *world) {
		w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "unplannedFailover", VM: "sql-02"})
		first, job := w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		pause(10 * time.Minute)
		p := w.jobIs(job, "Failed", "Failed")
		if got := dig(w.T, p, "tasks", 3, "state"); got != "NotStarted" || w.vm("web-01").Active != "Primary" {
			w.Errorf("the second group is %v", got)
		}
		status := w.do(http.MethodGet, first.header.Get("Azure-AsyncOperation"), "")
		if status.status != http.StatusOK || dig(w.T, status.body, "status") != "Failed" || dig(w.T, status.body, "error", "code") != "RecoveryPlanIncomplete" {
			w.Errorf("status %s", status.text)
		}
		w.vault.Fault(vault.Fault{Kind: vault.JobFails, Operation: "planFailoverCommit", Code: "1", Message: "no"})
		_, commit := w.runPlan("failoverCommit", "")
		pause(time.Minute)
		w.jobIs(commit, "Failed", "Failed")
		if w.vm("sql-01").ProtectionState != "UnplannedFailoverCommitPendingStatesBegin" {
			w.Error("a plan's job that fails itself started its VMs")
		}
	})
}

// A person takes a VM of the second wave while the first one runs.
func TestPlanMeetsAForeignJob(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		_, job := w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		if err := w.vault.PortalAfter(100*time.Second, "web-01", "unplannedFailover"); err != nil {
			w.Fatal(err)
		}
		pause(10 * time.Minute)
		p := w.jobIs(job, "Succeeded", "PartiallySucceeded")
		child := dig(w.T, p, "tasks", 3, "groupTaskCustomDetails", "childTasks", 0)
		if dig(w.T, child, "friendlyName") != "web-01" || dig(w.T, child, "state") != "Failed" || len(dig(w.T, child, "errors").([]any)) != 1 {
			w.Errorf("the refused VM is %v", child)
		}
	})
}

func TestPlanItemsAfterAReprotect(t *testing.T) {
	for _, follows := range []bool{false, true} {
		o := shop()
		o.Guesses.PlanFollowsItems = follows
		o.InitialReplication = map[string]time.Duration{"web-01": time.Minute}
		bubble(t, o, func(w *world) {
			old := w.vm("web-01").ID
			for _, operation := range []string{"unplannedFailover", "failoverCommit", "switchprotection"} {
				if err := w.vault.Portal("web-01", operation); err != nil {
					w.Fatal(err)
				}
				pause(510 * time.Second)
			}
			moved := w.vm("web-01").ID
			want := map[bool]string{false: old, true: moved}[follows]
			if got := dig(w.T, w.get(w.planURL()).body, "properties", "groups", 3, "replicationProtectedItems", 0, "id"); moved == old || got != want {
				w.Errorf("the plan names %v, want %s", got, want)
			}
			list := w.do(http.MethodGet, vaultURL(subscription, group, vaultName)+"/replicationProtectedItems"+apiVersion+"&%24filter=RecoveryPlanName+eq+%27Plan-Shop%27", "")
			var ids []string
			for _, it := range dig(w.T, list.body, "value").([]any) {
				ids = append(ids, dig(w.T, it, "id").(string))
			}
			if len(ids) != 3 || !strings.Contains(strings.Join(ids, " "), moved) {
				w.Errorf("the items of the plan are %v", ids)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		for _, row := range []struct {
			operation, body string
			status          int
		}{
			{"reProtect", "", http.StatusConflict},
			{"plannedFailover", "", http.StatusConflict},
			{"failoverCommit", "", http.StatusConflict},
			{"testFailoverCleanup", `{"properties":{}}`, http.StatusConflict},
			{"unplannedFailover", "", http.StatusBadRequest},
			{"unplannedFailover", planFailover("Perhaps", "Latest"), http.StatusBadRequest},
			{"unplannedFailover", planFailover("Required", "Oldest"), http.StatusBadRequest},
			{"unplannedFailover", strings.Replace(planFailover("Required", "Latest"), "PrimaryToRecovery", "RecoveryToPrimary", 1), http.StatusBadRequest},
			{"unplannedFailover", strings.Replace(planFailover("Required", "Latest"), "A2A", "InMage", 1), http.StatusBadRequest},
			{"unplannedFailover", strings.Replace(planFailover("Required", "Latest"), "UseMulti", "Use", 1), http.StatusBadRequest},
			{"testFailover", strings.Replace(planDrill, "virtualNetworks", "nets", 1), http.StatusBadRequest},
		} {
			if got := w.post(w.planURL(), row.operation, row.body); got.status != row.status {
				w.Errorf("%s %s: %d %s", row.operation, row.body, got.status, got.text)
			}
		}
		missing := strings.Replace(w.planURL(), "plan-shop", "plan-none", 1)
		for method, path := range map[string]string{http.MethodGet: missing, http.MethodPost: missing + "/failoverCommit"} {
			if got := w.do(method, path+apiVersion, ""); got.status != http.StatusNotFound {
				w.Errorf("%s %s: %d", method, path, got.status)
			}
		}
		list := w.do(http.MethodGet, vaultURL(subscription, group, vaultName)+"/replicationProtectedItems"+apiVersion+"&$filter=RecoveryPlanName%20eq%20'plan-none'", "")
		if got := dig(w.T, list.body, "value").([]any); len(got) != 0 {
			w.Errorf("%d items of a plan that is not there", len(got))
		}
		if len(accepted(w)) != 0 {
			w.Errorf("accepted %+v", accepted(w))
		}
	})
}

// A consistency group fails over by a plan only.
func TestPlanFailsOverAConsistencyGroup(t *testing.T) {
	o := shop()
	o.Groups = map[string][]string{"databases": {"sql-01", "sql-02"}}
	bubble(t, o, func(w *world) {
		if got := w.post(w.vm("sql-01").ID, "unplannedFailover", latest("Required")); got.status != http.StatusConflict {
			w.Errorf("one VM of the group: %d", got.status)
		}
		_, job := w.runPlan("unplannedFailover", planFailover("Required", "LatestProcessed"))
		pause(10 * time.Minute)
		p := w.jobIs(job, "Succeeded", "Completed")
		var times [2]any
		for i := range times {
			child := dig(w.T, p, "tasks", 2, "groupTaskCustomDetails", "childTasks", i, "customDetails", "jobTask", "jobId").(string)
			times[i] = dig(w.T, w.get(child).body, "properties", "customDetails", "protectedItemDetails", 0, "recoveryPointTime")
		}
		if times[0] != times[1] {
			w.Errorf("the databases are of different moments: %v", times)
		}
	})
}

func TestPlanWithOneJobAtOnce(t *testing.T) {
	o := shop()
	o.JobsAtOnce = 1
	bubble(t, o, func(w *world) {
		_, job := w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		pause(time.Hour)
		p := w.jobIs(job, "Succeeded", "Completed")
		start, _ := time.Parse(time.RFC3339, p["startTime"].(string))
		if end, _ := time.Parse(time.RFC3339, p["endTime"].(string)); end.Sub(start) != 430*time.Second {
			w.Errorf("the plan took %s, want 10 s and three times 140 s", end.Sub(start))
		}
	})
}

func TestWorldShowsAPlan(t *testing.T) {
	bubble(t, shop(), func(w *world) {
		w.runPlan("unplannedFailover", planFailover("Required", "Latest"))
		pause(160 * time.Second)
		job := dig(w.T, w.state(), "jobs", 0)
		if dig(w.T, job, "plan") != "plan-shop" || dig(w.T, job, "vm") != "" || dig(w.T, job, "end") != nil ||
			dig(w.T, job, "tasks", 2, "state") != "Completed" || dig(w.T, job, "tasks", 3, "state") != "InProgress" {
			w.Errorf("the plan's job is %v", job)
		}
		if shown := w.vault.Jobs()[0]; shown.Plan != "plan-shop" || shown.Task != "Group 2: failover (1)" {
			w.Errorf("the plan's job is %+v", shown)
		}
	})
}
