package vault

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

func jobRoutes() []route {
	const one = vaultPath + "/replicationjobs/{job}"
	return []route{
		{http.MethodPost, one + "/cancel", "cancelJob", (*Vault).cancelJob},
		{http.MethodPost, one + "/restart", "restartJob", (*Vault).restartJob},
		{http.MethodPost, one + "/resume", "resumeJob", (*Vault).resumeJob},
		{http.MethodGet, vaultPath + "/replicationjobs/{of}/operationresults/{job}", "result", (*Vault).getJobResult},
	}
}

// cancelTakes is how long a job goes on after it was told to stop (guessed).
const cancelTakes = 4 * time.Second

// allowedActions is what may be done to a job: recorded for a running one, guessed for a failed one.
func (v *Vault) allowedActions(j *job, now time.Duration) []string {
	switch {
	case j.plan != nil || j.outer != nil || j.cancelled != nil:
		return []string{}
	case !j.ended(now):
		return []string{"Cancel"}
	case j.failure != nil && v.options.Guesses.FailedJobsRestart:
		return []string{"Restart"}
	default:
		return []string{}
	}
}

// cancelJob stops a running job after its [cancelTakes]. The work that is done stays done: a cancelled failover leaves the VM
// without replication for good, as documented.
func (v *Vault) cancelJob(c *call) reply {
	j := v.findJob(c)
	if j == nil {
		return v.notFound(c)
	}
	c.item = j.item
	if !slices.Contains(v.allowedActions(j, c.at), "Cancel") {
		return v.jobConflict(j, c.at)
	}
	control := &job{
		id: uuid.NewString(), item: j.item, start: c.at, location: v.jobID(j), target: j.target, primary: j.primary, recovery: j.recovery,
		clientRequestID: cmp.Or(c.clientRequestID, c.correlationID), correlationID: c.correlationID,
		action: action{operation: "cancelJob", scenario: "CancelJob", friendlyName: "Cancel job", tasks: []task{
			{id: "CancelJobTask", friendlyName: "Cancel job", takes: cancelTakes},
		}},
	}
	if at := c.at + cancelTakes; at < j.end() {
		j.cancelled = new(at)
		if j.inner != nil {
			j.inner.cancelled = new(at)
		}
	}
	v.jobs = append(v.jobs, control)
	return v.accepted(c, control)
}

// restartJob runs what a failed job did once more, as a job of its own (guessed).
func (v *Vault) restartJob(c *call) reply {
	j := v.findJob(c)
	if j == nil {
		return v.notFound(c)
	}
	c.item = j.item
	if !slices.Contains(v.allowedActions(j, c.at), "Restart") {
		return v.jobConflict(j, c.at)
	}
	return v.startCall(c, j.item, j.action, j.input)
}

// resumeJob is refused: only a job that waits for a person can be resumed, and none of a single VM does.
func (v *Vault) resumeJob(c *call) reply {
	j := v.findJob(c)
	if j == nil {
		return v.notFound(c)
	}
	c.item = j.item
	return v.jobConflict(j, c.at)
}

func (v *Vault) jobConflict(j *job, now time.Duration) reply {
	state, _ := j.state(now)
	return failure(v.options.ConflictStatus, v.options.ConflictCode, "The job "+j.id+" is "+state+" and does not allow this.")
}

// getJobResult is the Location of a cancelJob: the job that it was about.
func (v *Vault) getJobResult(c *call) reply {
	control := v.findJob(c)
	for _, j := range v.jobs {
		if control != nil && j.id == c.value("of") && control.location == v.jobID(j) {
			return v.result(c, control, v.jobJSON(j, v.fullProperties(j, c.at)))
		}
	}
	return v.notFound(c)
}

// cancelledJob is the end of the item's job that was cancelled.
func (it *item) cancelledJob(j *job) {
	if !j.action.stopsReplication || j.waiting() {
		return
	}
	it.stopped = true
	kept := it.madePoints[:0]
	for _, p := range it.madePoints {
		if p.at <= j.end() {
			kept = append(kept, p)
		}
	}
	it.madePoints = kept
}
