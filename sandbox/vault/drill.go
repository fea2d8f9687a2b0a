package vault

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
)

// drill is a test failover that was not cleaned up yet.
type drill struct{ machine *machine }

// networkPattern is the ARM id of a virtual network.
var networkPattern = regexp.MustCompile(`(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+$`)

func drillActions() []action {
	return []action{
		{
			operation: opTestFailoverCleanup, word: "TestFailoverCleanup", scenario: "TestFailoverCleanup", friendlyName: "Cleanup test failover",
			read: readCleanup, done: drillCleaned,
			tasks: []task{{id: "TestFailoverCleanupTask", friendlyName: "Clean up test environment", takes: 69 * time.Second}},
		},
		{
			operation: opTestFailover, word: "TestFailover", scenario: "TestFailover", friendlyName: "Test failover",
			works: 1, unreachable: "28031", read: readDrill, begin: (*Vault).chooseDrillPoint, done: drilled,
			tasks: []task{
				{id: "TestFailoverPreflightTask", friendlyName: "Prerequisites check for test failover", takes: 8 * time.Second},
				{id: "CreateTestVirtualMachineTask", friendlyName: "Create test virtual machine", takes: 105 * time.Second},
				{id: "PrepareTestVirtualMachineTask", friendlyName: "Preparing the virtual machine", takes: 7 * time.Second},
				{id: "StartTestVirtualMachineTask", friendlyName: "Start the virtual machine", takes: 60 * time.Second},
			},
		},
	}
}

// readDrill checks the body of testFailover.
func readDrill(_ *Vault, _ *item, body []byte) (input, error) {
	p, err := readProperties[struct {
		FailoverDirection       string `json:"failoverDirection"`
		NetworkType             string `json:"networkType"`
		NetworkID               string `json:"networkId"`
		ProviderSpecificDetails a2a    `json:"providerSpecificDetails"`
	}](body)
	if err == nil {
		err = p.ProviderSpecificDetails.check()
	}
	switch {
	case err != nil:
		return input{}, err
	case p.FailoverDirection != "PrimaryToRecovery":
		return input{}, invalid("failoverDirection %q is not valid for A2A", p.FailoverDirection)
	case p.NetworkType != "VmNetworkAsInput":
		return input{}, invalid("networkType %q is not valid here", p.NetworkType)
	case !networkPattern.MatchString(p.NetworkID):
		return input{}, invalid("networkId %q is not the id of a virtual network", p.NetworkID)
	}
	return input{network: p.NetworkID, pointID: p.ProviderSpecificDetails.RecoveryPointID}, nil
}

// readCleanup checks the body of testFailoverCleanup.
func readCleanup(_ *Vault, _ *item, body []byte) (input, error) {
	p, err := readProperties[struct {
		Comments string `json:"comments"`
	}](body)
	return input{comments: p.Comments}, err
}

// chooseDrillPoint takes the newest point for "latest"; that a drill makes no new one is guessed.
func (v *Vault) chooseDrillPoint(j *job, in input, now time.Duration) {
	in.shutdown = false
	v.choosePoint(j, in, now)
}

func drilled(it *item, j *job) {
	it.drill = &drill{machine: it.newReplica(it.vm+"-test", j.end())}
	it.drill.machine.network = j.input.network
	it.tested = new(j.end())
}

func drillCleaned(it *item, _ *job) { it.drill = nil }

// drillState returns testFailoverState and its description.
func (v *Vault) drillState(it *item) (state, description string) {
	switch {
	case it.drill == nil:
		return "None", "None"
	case it.job != nil && it.job.action.operation == opTestFailoverCleanup:
		return "MarkedForDeletion", "Cleaning up test environment"
	case v.options.Guesses.DrillWaitsForCleanup:
		return "WaitingForCleanup", "Waiting for Test Failover Cleanup to start"
	default:
		return "WaitingForCompletion", "Waiting for user input"
	}
}

func (v *Vault) testedText(it *item) any {
	if it.tested == nil {
		return nil
	}
	return v.timeText(*it.tested)
}

// a2a is the part of providerSpecificDetails that several bodies share.
type a2a struct {
	InstanceType    string `json:"instanceType"`
	RecoveryPointID string `json:"recoveryPointId"`
}

func (a a2a) check() error {
	if a.InstanceType != "A2A" {
		return invalid("instanceType %q is not valid here", a.InstanceType)
	}
	return nil
}

// readProperties decodes the object under "properties", which every body of Site Recovery has.
func readProperties[T any](body []byte) (T, error) {
	var in struct {
		Properties *T `json:"properties"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return *new(T), invalid("the request body is not valid JSON: %v", err)
	}
	if in.Properties == nil {
		return *new(T), invalid("properties is required")
	}
	return *in.Properties, nil
}

// lastSegment is what follows the last slash of an ARM id.
func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
