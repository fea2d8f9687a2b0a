package vault

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Plan is a recovery plan: which VMs fail over together, and in which order.
type Plan struct {
	Name    string
	Vault   string     // its vault's name; empty is the first
	Boot    [][]string // friendly names of the VMs by boot group, seven groups at most
	Actions []PlanAction
}

// PlanAction is a step between the VMs of a plan. The stand-in shows it and does not run it.
type PlanAction struct {
	Group   int // of Boot, from 0
	After   bool
	Name    string
	Runbook string // ARM id; empty is a manual action
}

// defaultPlans is a small shop in three waves, where the VMs for it are there.
func defaultPlans(vms int) []Plan {
	if vms < 8 {
		return nil
	}
	return []Plan{{
		Name: "plan-shop", Boot: [][]string{{"sql-01", "sql-02"}, {"app-01", "app-02"}, {"web-01", "web-02"}},
		Actions: []PlanAction{{Group: 0, After: true, Name: "Check the databases"}},
	}}
}

// plan is one of a vault.
type plan struct {
	name             string
	boot             [][]*item
	actions          []PlanAction
	ids              map[*item]string // as they were when the plan was made
	job              *job             // the last one, nil at first
	drilled, doneFor *time.Duration   // when the last test failover and the last failover began
}

// addPlans makes the vault's plans; VMs that it does not have are left out.
func (v *Vault) addPlans(plans []Plan) {
	for _, described := range plans {
		if described.Vault != "" && described.Vault != v.options.VaultName || described.Vault == "" && len(v.vaults) > 0 {
			continue
		}
		p := &plan{name: described.Name, actions: described.Actions, ids: map[*item]string{}}
		for _, names := range described.Boot {
			group := []*item{}
			for _, it := range v.items {
				if slices.Contains(names, it.vm) {
					group = append(group, it)
					p.ids[it] = v.itemID(it)
				}
			}
			p.boot = append(p.boot, group)
		}
		v.plans = append(v.plans, p)
	}
}

func (p *plan) items() []*item { return slices.Concat(p.boot...) }

func (p *plan) busy(now time.Duration) bool { return p.job != nil && !p.job.ended(now) }

func (v *Vault) planID(p *plan) string { return v.vaultID() + "/replicationRecoveryPlans/" + p.name }

func planRoutes() []route {
	const plans = vaultPath + "/replicationrecoveryplans"
	all := []route{
		{http.MethodGet, plans, "plans", (*Vault).listPlans},
		{http.MethodGet, plans + "/{plan}", "plan", (*Vault).getPlan},
		{http.MethodGet, plans + "/{plan}/operationresults/{job}", "result", (*Vault).getPlanResult},
	}
	for _, a := range planActions() {
		all = append(all, route{http.MethodPost, plans + "/{plan}/" + strings.ToLower(a.operation), a.name(), (*Vault).operatePlan})
	}
	for _, operation := range []string{"reProtect", "plannedFailover", "failoverCancel"} {
		all = append(all, route{http.MethodPost, plans + "/{plan}/" + strings.ToLower(operation), planOperation(operation), (*Vault).refusePlan})
	}
	return all
}

func (v *Vault) planNamed(name string) *plan {
	for _, p := range v.plans {
		if strings.EqualFold(p.name, name) {
			return p
		}
	}
	return nil
}

func (v *Vault) findPlan(c *call) *plan { return v.planNamed(c.value("plan")) }

// inPlan applies RecoveryPlanName of a $filter. A plan that is not there has no items (guessed).
func (v *Vault) inPlan(f filter, it *item) bool {
	name, asked := f["recoveryplanname"]
	if !asked {
		return true
	}
	p := v.planNamed(name)
	return p != nil && slices.Contains(p.items(), it)
}

// listPlans leaves the groups out, as was seen.
func (v *Vault) listPlans(c *call) reply {
	value := []object{}
	for _, p := range v.plans {
		value = append(value, v.planJSON(p, []object{}, c.at))
	}
	return page(value)
}

func (v *Vault) getPlan(c *call) reply {
	p := v.findPlan(c)
	if p == nil {
		return v.notFound(c)
	}
	return ok(v.planJSON(p, v.groupsJSON(p), c.at))
}

func (v *Vault) getPlanResult(c *call) reply {
	p, j := v.findPlan(c), v.findJob(c)
	if p == nil || j == nil || j.plan == nil || j.plan.plan != p {
		return v.notFound(c)
	}
	return v.result(c, j, v.planJSON(p, v.groupsJSON(p), c.at))
}

// allowedOfPlan lists what at least one of its VMs allows, in the order seen for a fresh plan. That the words of other states are
// these, and that a running job leaves none, is guessed.
func (v *Vault) allowedOfPlan(p *plan, now time.Duration) []string {
	allowed := []string{}
	if p.busy(now) {
		return allowed
	}
	for _, a := range planActions() {
		if len(v.members(p, a)) > 0 {
			allowed = append(allowed, a.word)
		}
	}
	return allowed
}

func (v *Vault) planJSON(p *plan, groups []object, now time.Duration) object {
	from, to := &v.regions[0], &v.regions[1] // as it was made; that a reprotect does not turn them is guessed
	properties := object{
		"friendlyName": p.name, "failoverDeploymentModel": "ResourceManager", "replicationProviders": []string{"A2A"},
		"primaryFabricId": v.fabricID(from), "primaryFabricFriendlyName": from.name,
		"recoveryFabricId": v.fabricID(to), "recoveryFabricFriendlyName": to.name,
		"allowedOperations": v.allowedOfPlan(p, now), "groups": groups,
		"lastPlannedFailoverTime": nil, "lastUnplannedFailoverTime": v.momentText(p.doneFor), "lastTestFailoverTime": v.momentText(p.drilled),
		"currentScenario": nil, "currentScenarioStatus": nil, "currentScenarioStatusDescription": nil,
		"providerSpecificDetails": []object{{
			"instanceType": "A2A", "primaryZone": nil, "recoveryZone": nil, "primaryExtendedLocation": nil, "recoveryExtendedLocation": nil,
		}},
	}
	if p.job != nil { // documented by samples: a plan goes on naming its last job
		properties["currentScenario"] = object{
			"scenarioName": p.job.action.scenario, "jobId": v.jobID(p.job), "startTime": v.timeText(p.job.start),
		}
		properties["currentScenarioStatus"], properties["currentScenarioStatusDescription"] = p.job.state(now)
	}
	return object{"id": v.planID(p), "name": p.name, "type": typePrefix + "/replicationRecoveryPlans", "properties": properties}
}

func (v *Vault) momentText(at *time.Duration) any {
	if at == nil {
		return nil
	}
	return v.timeText(*at)
}

// groupsJSON has the VMs in the boot groups; the other two concern all of them and name none, as in samples.
func (v *Vault) groupsJSON(p *plan) []object {
	group := func(kind string, items, before, after []object) object {
		return object{"groupType": kind, "replicationProtectedItems": items, "startGroupActions": before, "endGroupActions": after}
	}
	none := []object{}
	groups := []object{group("Shutdown", none, none, none), group("Failover", none, none, none)}
	for i, boot := range p.boot {
		items, before, after := []object{}, []object{}, []object{}
		for _, it := range boot {
			items = append(items, object{"id": v.spelled(v.idInPlan(p, it)), "virtualMachineId": strings.ToLower(it.source.id())})
		}
		for _, a := range p.actions {
			switch {
			case a.Group != i:
			case a.After:
				after = append(after, a.json())
			default:
				before = append(before, a.json())
			}
		}
		groups = append(groups, group("Boot", items, before, after))
	}
	return groups
}

// idInPlan is the item's id as the plan has it: after a reprotect moved the item, the old one or the new one.
func (v *Vault) idInPlan(p *plan, it *item) string {
	if v.options.Guesses.PlanFollowsItems {
		return v.itemID(it)
	}
	return p.ids[it]
}

func (a PlanAction) json() object {
	details := object{"instanceType": "ManualActionDetails", "description": a.Name}
	if a.Runbook != "" {
		details = object{"instanceType": "AutomationRunbookActionDetails", "runbookId": a.Runbook, "timeout": nil, "fabricLocation": "Recovery"}
	}
	return object{
		"actionName": a.Name, "failoverTypes": []string{"UnplannedFailover", "TestFailover"},
		"failoverDirections": []string{"PrimaryToRecovery"}, "customDetails": details,
	}
}
