package azure_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
	"ferry/failover"
)

// thin is a job as the recorded list has it.
func thin(name, state, times string) string {
	return `{"name":"` + name + `","properties":{"activityId":null,"tasks":[],"errors":[],"customDetails":null,"scenarioName":"UnplannedFailover","state":"` + state + `","stateDescription":"` + state + `","targetObjectName":"vm-x",` + times + `}}`
}

// What runs is listed however old it is, what has ended only since the time asked for; and the vaults that answer are
// listed although one does not.
func TestJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := pages(map[string]any{"/replicationJobs": list(
			thin("old", "Succeeded", `"startTime":"2025-04-09T06:00:00Z","endTime":"2025-04-09T07:59:59Z"`),
			thin("new", "Failed", `"startTime":"2025-04-09T06:00:00Z","endTime":"2025-04-09T08:00:00Z"`),
			thin("runs", "InProgress", `"startTime":"2025-04-01T06:00:00Z"`),
			thin("waits", "Suspended", `"startTime":"2025-04-01T06:00:00Z","endTime":"9999-12-31T23:59:59.9999999Z"`),
			thin("endless", "Cancelled", `"startTime":"2025-04-09T09:00:00Z","endTime":null`),
			thin("forgotten", "Cancelled", `"startTime":"2025-04-01T09:00:00Z","endTime":null`),
			`null`, `{"name":"empty"}`, `{"properties":{}}`,
		)})
		site, err := azure.New(azure.Options{Endpoint: endpoint, Credential: credential{}, Transport: w, Vaults: []azure.Vault{
			{SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "gone"}, {SubscriptionID: "sub", ResourceGroup: "rg-dr", Name: "vault-dr"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := site.Jobs(t.Context(), time.Date(2025, 4, 9, 8, 0, 0, 0, time.UTC))
		if e := siteError(t, err); e.Kind != failover.RefusedBySite {
			t.Errorf("error %+v", e)
		}
		var names []string
		for _, j := range jobs {
			if j.Vault != "vault-dr" || j.Target != "vm-x" || !strings.HasPrefix(j.ID, vaultPath) {
				t.Errorf("job %+v", j)
			}
			names = append(names, j.ID[strings.LastIndexByte(j.ID, '/')+1:])
		}
		if got := strings.Join(names, " "); got != "new runs waits endless" {
			t.Errorf("listed %s", got)
		}
	})
}
