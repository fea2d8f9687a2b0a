package vault_test

import (
	"testing"
	"time"

	"ferry/sandbox/vault"
)

func TestParseFault(t *testing.T) {
	for line, want := range map[string]vault.Fault{
		"lost-answer": {Kind: vault.LostAnswer},
		`throttle poll vm=vault-two/vm-x retry=90s times=always`: {
			Kind: vault.Throttle, Operation: "poll", VM: "vault-two/vm-x", RetryAfter: 90 * time.Second, Times: vault.Always,
		},
		`job-fails failoverCommit times=2 code=150253 message="Protection could not be enabled." causes="a quota" action=retry`: {
			Kind: vault.JobFails, Operation: "failoverCommit", Times: 2,
			Code: "150253", Message: "Protection could not be enabled.", Causes: "a quota", Action: "retry",
		},
		"job-fails unplannedFailover share=3% seed=7": {Kind: vault.JobFails, Operation: "unplannedFailover", Share: 0.03, Seed: 7},
		"brown-out for=10m delay=90s":                 {Kind: vault.BrownOut, For: 10 * time.Minute, Delay: 90 * time.Second},
		"job-no-capacity size=Standard_E8s_v5 code=SkuNotAvailable share=0.5 times=always for=1h": {
			Kind: vault.JobNoCapacity, Size: "Standard_E8s_v5", Code: "SkuNotAvailable", Share: 0.5, Times: vault.Always, For: time.Hour,
		},
		"late delay=3m":                                   {Kind: vault.Late, Delay: 3 * time.Minute},
		"server-error  job status=500":                    {Kind: vault.ServerError, Operation: "job", Status: 500},
		"portal-first item vm=vm-x portal=failoverCommit": {Kind: vault.PortalFirst, Operation: "item", VM: "vm-x", Portal: "failoverCommit"},
	} {
		if got, err := vault.ParseFault(line); err != nil || got != want {
			t.Errorf("%s: %+v %v", line, got, err)
		}
	}
	for _, line := range []string{
		"", "earthquake", "throttle nosuchrequest", "throttle retry", "late", "slow item", "portal-first item", `job-fails message="no`,
		"throttle colour=red", "throttle times=-3", "throttle retry=soon", "throttle item vm-x",
		"job-fails share=300%", "job-fails share=some", "brown-out for=-1m", "job-fails seed=-1",
	} {
		if got, err := vault.ParseFault(line); err == nil {
			t.Errorf("%q is taken as %+v", line, got)
		}
	}
}
