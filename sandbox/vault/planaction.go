package vault

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// planAction is what can be asked of a plan, and what it asks of its VMs.
type planAction struct {
	operation    string // last segment of the path and of the VMs' operation
	word         string // in allowedOperations
	friendlyName string
	scenario     string
	title        string        // of a group's task
	inWaves      bool          // one boot group after another, or all at once
	checks       time.Duration // the first task takes
	read         func([]byte) (planInput, error)
}

// planActions are in the order of allowedOperations. Scenario and names are guessed to be those of a single VM.
func planActions() []planAction {
	return []planAction{
		{opUnplannedFailover, "UnplannedFailover", "Failover", "UnplannedFailover", "failover", true, 10 * time.Second, readPlanFailover},
		{opTestFailover, "TestFailover", "Test failover", "TestFailover", "test failover", true, 10 * time.Second, readPlanDrill},
		{opTestFailoverCleanup, "TestFailoverCleanup", "Cleanup test failover", "TestFailoverCleanup", "clean up", false, 2 * time.Second, readPlanCleanup},
		{opFailoverCommit, "Commit", "Commit", "CommitFailover", "commit", false, 2 * time.Second, nil},
	}
}

// planOperation is the name by which faults and the ledger know an operation of a plan.
func planOperation(operation string) string {
	return "plan" + strings.ToUpper(operation[:1]) + operation[1:]
}

func (a planAction) name() string { return planOperation(a.operation) }

// job is the plan's own part of the work as an action.
func (a planAction) job() action {
	return action{
		operation: a.name(), scenario: a.scenario, friendlyName: a.friendlyName,
		tasks: []task{{id: "RecoveryPlanPreflightTask", friendlyName: "Prerequisites check for the recovery plan", takes: a.checks}},
	}
}

// planInput is what a body says.
type planInput struct {
	shutdown          bool
	pointType         string // recoveryPointType
	network, comments string
}

// planDetails are providerSpecificDetails of a plan's bodies: a list, one for each kind of replication.
type planDetails []struct {
	InstanceType           string `json:"instanceType"`
	RecoveryPointType      string `json:"recoveryPointType"`
	MultiVMSyncPointOption string `json:"multiVmSyncPointOption"`
}

// check returns recoveryPointType. The points of a consistency group are of the same moments anyway, so that
// multiVmSyncPointOption changes nothing.
func (d planDetails) check() (string, error) {
	for _, a := range d {
		switch {
		case a.InstanceType != "A2A":
			continue
		case !slices.Contains([]string{"Latest", "LatestProcessed", "LatestApplicationConsistent", "LatestCrashConsistent"}, a.RecoveryPointType):
			return "", invalid("recoveryPointType %q is not valid", a.RecoveryPointType)
		case !slices.Contains([]string{"", "UseMultiVmSyncRecoveryPoint", "UsePerVmRecoveryPoint"}, a.MultiVMSyncPointOption):
			return "", invalid("multiVmSyncPointOption %q is not valid", a.MultiVMSyncPointOption)
		}
		return a.RecoveryPointType, nil
	}
	return "", invalid("providerSpecificDetails has nothing for A2A")
}

func readPlanFailover(body []byte) (planInput, error) {
	p, err := readProperties[struct {
		FailoverDirection       string      `json:"failoverDirection"`
		SourceSiteOperations    string      `json:"sourceSiteOperations"`
		ProviderSpecificDetails planDetails `json:"providerSpecificDetails"`
	}](body)
	if err != nil {
		return planInput{}, err
	}
	switch {
	case p.FailoverDirection != "PrimaryToRecovery":
		return planInput{}, invalid("failoverDirection %q is not valid for A2A", p.FailoverDirection)
	case p.SourceSiteOperations != "Required" && p.SourceSiteOperations != "NotRequired":
		return planInput{}, invalid("sourceSiteOperations %q is not valid", p.SourceSiteOperations)
	}
	pointType, err := p.ProviderSpecificDetails.check()
	return planInput{shutdown: p.SourceSiteOperations == "Required", pointType: pointType}, err
}

func readPlanDrill(body []byte) (planInput, error) {
	p, err := readProperties[struct {
		FailoverDirection       string      `json:"failoverDirection"`
		NetworkType             string      `json:"networkType"`
		NetworkID               string      `json:"networkId"`
		ProviderSpecificDetails planDetails `json:"providerSpecificDetails"`
	}](body)
	if err != nil {
		return planInput{}, err
	}
	switch {
	case p.FailoverDirection != "PrimaryToRecovery":
		return planInput{}, invalid("failoverDirection %q is not valid for A2A", p.FailoverDirection)
	case p.NetworkType != "VmNetworkAsInput":
		return planInput{}, invalid("networkType %q is not valid here", p.NetworkType)
	case !networkPattern.MatchString(p.NetworkID):
		return planInput{}, invalid("networkId %q is not the id of a virtual network", p.NetworkID)
	}
	pointType, err := p.ProviderSpecificDetails.check()
	return planInput{network: p.NetworkID, pointType: pointType}, err
}

func readPlanCleanup(body []byte) (planInput, error) {
	p, err := readProperties[struct {
		Comments string `json:"comments"`
	}](body)
	return planInput{comments: p.Comments}, err
}

// inputOf is what the plan asks of one VM.
func (v *Vault) inputOf(it *item, in planInput, now time.Duration) input {
	return input{shutdown: in.shutdown, network: in.network, comments: in.comments, pointID: v.planPoint(it, in.pointType, now)}
}

// planPoint resolves recoveryPointType for one VM. Without such a point it names one that is not there, and the VM's job fails
// (guessed).
func (v *Vault) planPoint(it *item, pointType string, now time.Duration) string {
	kind := strings.TrimPrefix(pointType, "Latest")
	if kind == "" {
		return "" // of a clean-up or a commit, too
	}
	var newest point
	for _, p := range it.points(now) {
		if (kind == "Processed" || kind == p.kind) && (newest.name == "" || p.at > newest.at) {
			newest = p
		}
	}
	return v.pointID(it, it.primary.container, cmp.Or(newest.name, "none"))
}

// members are the VMs that allow the action now; the others are left out (guessed).
func (v *Vault) members(p *plan, a planAction) []*item {
	var all []*item
	for _, it := range p.items() {
		if slices.Contains(v.allowed(it), a.word) {
			all = append(all, it)
		}
	}
	return all
}

// operatePlan answers the POST of an operation of a plan.
func (v *Vault) operatePlan(c *call) reply {
	p := v.findPlan(c)
	if p == nil {
		return v.notFound(c)
	}
	all := planActions()
	a := all[slices.IndexFunc(all, func(a planAction) bool { return a.name() == c.route.operation })]
	var in planInput
	if a.read != nil {
		var err error
		if in, err = a.read(c.body); err != nil {
			return refused(err)
		}
	}
	j, err := v.startPlan(p, a, in, origin{cmp.Or(c.clientRequestID, c.correlationID), c.correlationID}, c.at)
	if err != nil {
		return failure(v.options.ConflictStatus, v.options.ConflictCode, err.Error())
	}
	return v.accepted(c, j)
}

// refusePlan answers what a plan of Azure VMs never lists in allowedOperations. That Azure refuses a plan's reProtect, as
// PowerShell does before it asks, is guessed.
func (v *Vault) refusePlan(c *call) reply {
	p := v.findPlan(c)
	if p == nil {
		return v.notFound(c)
	}
	operation := c.path[strings.LastIndexByte(c.path, '/')+1:]
	return failure(v.options.ConflictStatus, v.options.ConflictCode, operation+" is not an operation of the recovery plan "+p.name+", whose machines are Azure VMs.")
}
