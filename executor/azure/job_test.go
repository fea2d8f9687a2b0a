package azure_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ferry/failover"
)

// A failover that ended, with every oddity that was recorded.
const failedJob = `{"id":"/Subscriptions/SUB/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr/replicationJobs/` + jobName + `","name":"` + jobName + `",
"properties":{"activityId":"` + requestID + ` ActivityId: d28bef63","scenarioName":"UnplannedFailover","friendlyName":"Failover","state":"Failed","stateDescription":"Failed",
"startTime":"2025-04-09T08:00:00.1234567Z","endTime":"2025-04-09T08:02:20Z","targetObjectId":"x","targetObjectName":"vm-x","allowedActions":[],
"tasks":[null,
{"taskId":"T1","name":"T1","friendlyName":"Prerequisites check for failover","state":"Succeeded","stateDescription":"Completed","startTime":"2025-04-09T08:00:00Z","endTime":"2025-04-09T08:00:02Z","customDetails":{"instanceType":"TaskDetails"},"errors":[]},
{"taskId":"T2","name":null,"friendlyName":null,"state":"Other","stateDescription":"Skipped","startTime":"0001-01-01T00:00:00","endTime":"0001-01-01T00:00:00","customDetails":null,"groupTaskCustomDetails":null,"errors":null},
{"taskId":"T3","name":"Odd","friendlyName":"","state":"Other","stateDescription":null,"startTime":"1753-01-01T01:01:01Z","endTime":"9999-12-31T23:59:59.9999999Z"},
{"taskId":"T4","friendlyName":"Start failover","state":"Failed","startTime":"2025-04-09T08:00:02Z","endTime":"9999-12-31T23:59:59.9999999","errors":[{"serviceErrorDetails":{"code":"unused"}}]}],
"errors":[null,
{"serviceErrorDetails":{"code":"28031","message":"No VM.","possibleCauses":"Quota.","recommendedAction":"Raise it.","activityId":"a"},"providerErrorDetails":{"errorCode":95,"errorId":"E","errorMessage":"Compute said no.","possibleCauses":"Quota.","recommendedAction":"Ask."}},
{"serviceErrorDetails":null,"providerErrorDetails":{"errorCode":0,"errorId":"Denied","errorMessage":"Policy.","possibleCauses":null,"recommendedAction":null}}],
"customDetails":{"instanceType":"FailoverJobDetails","affectedObjectDetails":{"PrimaryVmName":"vm-x","primaryVmmName":null},"protectedItemDetails":[{"name":"n","friendlyName":"vm-x","recoveryPointId":null,"recoveryPointTime":null}]}}}`

// jobOf serves a body as the job of a fixed name and returns what it is read as.
func jobOf(t *testing.T, body string) failover.Job {
	t.Helper()
	w := pages(map[string]any{"/replicationJobs/" + jobName: body})
	j, err := siteOver(t, w).Job(t.Context(), jobPath+jobName)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJob(t *testing.T) {
	got := jobOf(t, failedJob)
	at := func(second int) time.Time { return time.Date(2025, 4, 9, 8, 0, second, 0, time.UTC) }
	want := failover.Job{
		ID: jobPath + jobName, Scenario: "UnplannedFailover", State: failover.JobFailed, Description: "Failed", Target: "vm-x", Vault: "vault-dr",
		StartedAt: at(0).Add(123456700), EndedAt: at(140), ActivityID: requestID + " ActivityId: d28bef63",
		Tasks: []failover.Task{
			{Name: "Prerequisites check for failover", State: "Succeeded", StartedAt: at(0), EndedAt: at(2)},
			{Name: "T2", State: "Skipped"},
			{Name: "Odd", State: "Other"},
			{Name: "Start failover", State: "Failed", StartedAt: at(2)},
		},
		Errors: []failover.Fault{
			{Code: "28031", Message: "No VM. Compute said no.", Cause: "Quota.", Action: "Raise it. Ask.", Capacity: "the VM's size, or for more than the quota"},
			{Code: "Denied", Message: "Policy."},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("job\n%+v, want\n%+v", got, want)
	}
}

func TestJobIDIsSpeltInOneWay(t *testing.T) {
	w := pages(map[string]any{"/replicationJobs/" + strings.ToUpper(jobName): failedJob})
	spelt := strings.Replace(jobPath, "/subscriptions/sub/", "/Subscriptions/SUB/", 1) + strings.ToUpper(jobName)
	got, err := siteOver(t, w).Job(t.Context(), spelt)
	if err != nil || got.ID != jobPath+jobName {
		t.Errorf("id %s, %v", got.ID, err)
	}
}

func TestJobStates(t *testing.T) {
	tests := []struct {
		state, description string
		want               failover.JobState
		says               string
	}{
		{"NotStarted", "NotStarted", failover.JobNotStarted, "NotStarted"},
		{"InProgress", "InProgress", failover.JobInProgress, "InProgress"},
		{"succeeded", "PartiallySucceeded", failover.JobSucceeded, "PartiallySucceeded"},
		{"Succeeded", "CompletedWithInformation", failover.JobSucceeded, "CompletedWithInformation"},
		{"Failed", "", failover.JobFailed, ""},
		{"Cancelled", "Cancelled", failover.JobCancelled, "Cancelled"},
		{"Suspended", "WaitingForStopTestFailover", failover.JobSuspended, "WaitingForStopTestFailover"},
		{"Other", "Skipped", failover.JobOther, "Skipped"},
		{"Cancelling", "Cancelling", failover.JobOther, "Cancelling"},
		{"Levitating", "Slowly", failover.JobOther, "Levitating: Slowly"},
		{"", "", failover.JobOther, ""},
	}
	for _, test := range tests {
		body := fmt.Sprintf(`{"properties":{"state":%q,"stateDescription":%q}}`, test.state, test.description)
		got := jobOf(t, body)
		if got.State != test.want || got.Description != test.says {
			t.Errorf("%s/%s: %s %q, want %s %q", test.state, test.description, got.State, got.Description, test.want, test.says)
		}
	}
}

func TestPointUsed(t *testing.T) {
	const used = `{"friendlyName":"vm-x","recoveryPointId":"p","recoveryPointTime":"2025-04-09T07:59:00Z"}`
	const another = `{"friendlyName":"vm-y","recoveryPointTime":"2025-04-09T01:00:00Z"}`
	want := time.Date(2025, 4, 9, 7, 59, 0, 0, time.UTC)
	tests := map[string]struct {
		details string
		want    time.Time
	}{
		"alone":                  {`{"instanceType":"FailoverJobDetails","protectedItemDetails":[` + used + `]}`, want},
		"alone, under any name":  {`{"instanceType":"FailoverJobDetails","protectedItemDetails":[` + strings.Replace(used, "vm-x", "x", 1) + `]}`, want},
		"among others":           {`{"instanceType":"FailoverJobDetails","protectedItemDetails":[null,` + another + `,` + used + `]}`, want},
		"others only":            {`{"instanceType":"FailoverJobDetails","protectedItemDetails":[` + another + `,` + another + `]}`, time.Time{}},
		"odd date":               {`{"instanceType":"FailoverJobDetails","protectedItemDetails":[{"recoveryPointTime":"0001-01-01T00:00:00"}]}`, time.Time{}},
		"none":                   {`{"instanceType":"FailoverJobDetails","protectedItemDetails":null}`, time.Time{}},
		"of a drill":             {`{"instanceType":"TestFailoverJobDetails","testFailoverStatus":"Succeeded","protectedItemDetails":[` + used + `]}`, want},
		"another job":            {`{"instanceType":"AsrJobDetails","affectedObjectDetails":{}}`, time.Time{}},
		"details never seen yet": {`{"instanceType":"Levitation","x":1}`, time.Time{}},
		"null":                   {`null`, time.Time{}},
	}
	for name, test := range tests {
		got := jobOf(t, `{"properties":{"targetObjectName":"vm-x","customDetails":`+test.details+`}}`)
		if !got.PointUsed.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got.PointUsed, test.want)
		}
	}
}

// The last task of a reprotect follows a job of its own (recorded).
const reprotectJob = `{"properties":{"scenarioName":"SwitchReplicationGroupProtection","state":"InProgress","targetObjectName":"vm-x","errors":[],"tasks":[
{"taskId":"CommitFailoverTask","friendlyName":"Committing failover","state":"Other","stateDescription":"Skipped","taskType":"TaskDetails","customDetails":{"instanceType":"TaskDetails"},"groupTaskCustomDetails":null,"errors":[]},
{"taskId":"ProtectReplicaTask","friendlyName":"Reprotecting virtual machine (1)","state":"InProgress","startTime":"2025-04-09T08:01:00Z","endTime":"0001-01-01T00:00:00","taskType":"GroupTaskDetails","customDetails":{"instanceType":"TaskDetails"},
"groupTaskCustomDetails":{"instanceType":"GroupTaskDetails","childTasks":[null,{"taskId":"EnableDr","name":"EnableDr","friendlyName":"Enable replication","state":"InProgress","startTime":"2025-04-09T08:01:10Z","endTime":"0001-01-01T00:00:00","taskType":"JobTaskDetails",
"customDetails":{"instanceType":"JobTaskDetails","jobTask":{"jobId":"x","jobScenarioName":"EnableDr","targetObjectName":"vm-x"}},
"groupTaskCustomDetails":{"instanceType":"InlineWorkflowTaskDetails","childTasks":[{"name":"too deep"}]},"errors":[{"serviceErrorDetails":{"code":"150253"}}]}]}},
{"taskId":"T","friendlyName":"Odd","state":"NotStarted","groupTaskCustomDetails":{"instanceType":"NeverSeen","childTasks":null}},
{"taskId":"P","friendlyName":"Group","state":"NotStarted","groupTaskCustomDetails":{"instanceType":"RecoveryPlanGroupTaskDetails","name":"g","childTasks":[{"friendlyName":"vm-y","state":"NotStarted"},{"friendlyName":"Failover","state":"NotStarted","customDetails":{"instanceType":"JobTaskDetails","jobTask":{"targetObjectName":"vm-z"}}}]}}]}}`

func TestTasksWithinTasks(t *testing.T) {
	at := time.Date(2025, 4, 9, 8, 1, 0, 0, time.UTC)
	got := jobOf(t, reprotectJob)
	want := []failover.Task{
		{Name: "Committing failover", State: "Skipped"},
		{Name: "Reprotecting virtual machine (1)", State: "InProgress", StartedAt: at},
		{Name: "Enable replication", State: "InProgress", StartedAt: at.Add(10 * time.Second), Part: true},
		{Name: "Odd", State: "NotStarted"},
		{Name: "Group", State: "NotStarted"},
		{Name: "vm-y", State: "NotStarted", Part: true},
		{Name: "Failover of vm-z", State: "NotStarted", Part: true},
	}
	if !reflect.DeepEqual(got.Tasks, want) {
		t.Errorf("tasks\n%+v, want\n%+v", got.Tasks, want)
	}
	if len(got.Errors) != 1 || got.Errors[0].Code != "150253" {
		t.Errorf("errors %+v, want that of the part: the job itself says nothing", got.Errors)
	}
}

func TestErrorsOfTasksAloneCount(t *testing.T) {
	got := jobOf(t, `{"properties":{"state":"Failed","errors":[],"tasks":[{"name":"T","errors":[{"serviceErrorDetails":{"code":"28092","message":"No NIC."}}]}]}}`)
	if want := []failover.Fault{{Code: "28092", Message: "No NIC."}}; !reflect.DeepEqual(got.Errors, want) {
		t.Errorf("errors %+v, want %+v", got.Errors, want)
	}
	if got := jobOf(t, `{"properties":null}`); got.State != failover.JobOther || got.ID != jobPath+jobName {
		t.Errorf("job without properties: %+v", got)
	}
}

func TestJobsSince(t *testing.T) {
	since := time.Date(2025, 4, 9, 8, 0, 0, 0, time.UTC)
	thin := func(name, target string, started time.Time) string {
		return fmt.Sprintf(`{"id":"x","name":%q,"properties":{"activityId":null,"tasks":[],"targetObjectName":%q,"startTime":%q}}`,
			name, target, started.Format(time.RFC3339Nano))
	}
	bodies := map[string]any{}
	var all []string
	for name, j := range map[string]struct {
		target string
		after  time.Duration
	}{
		"mine": {"vm-x", time.Minute}, "upper": {"VM-X", 0}, "skewed": {"vm-x", -30 * time.Second},
		"early": {"vm-x", -31 * time.Second}, "other": {"vm-y", time.Minute},
		"current": {"renamed", time.Minute}, "running-since-long": {"vm-x", -time.Hour},
	} {
		body := thin(name, j.target, since.Add(j.after))
		all = append(all, body)
		bodies["/replicationJobs/"+name] = strings.Replace(body, "null", `"activity of `+name+`"`, 1)
	}
	bodies["/replicationJobs"] = list(append(all, "null", `{"name":"n","properties":null}`, `{"properties":{"targetObjectName":"vm-x"}}`)...)
	w := pages(bodies)
	site := siteOver(t, w)
	for current, want := range map[string]string{"": "mine skewed upper", "CURRENT": "current mine skewed upper", "mine": "mine skewed upper", "running-since-long": "mine skewed upper"} {
		item := anItem()
		if current != "" {
			item.JobID = jobPath + strings.ToLower(current)
		}
		jobs, err := site.JobsSince(t.Context(), item, since)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, j := range jobs {
			names = append(names, strings.TrimPrefix(j.ActivityID, "activity of "))
		}
		slices.Sort(names)
		if slices.ContainsFunc(w.sent, func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/early") }) {
			t.Error("a job that the list shows to be too old was read")
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("with current job %q: %s, want %s", current, got, want)
		}
	}
}
