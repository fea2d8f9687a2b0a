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
	} {
		if got, err := vault.ParseFault(line); err == nil {
			t.Errorf("%q is taken as %+v", line, got)
		}
	}
}
