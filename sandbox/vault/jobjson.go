package vault

import (
	"net/http"
	"slices"
	"time"
)

// listJobs is thin, as recorded: what it leaves null comes only with one job. Newest first (guessed).
func (v *Vault) listJobs(c *call) reply {
	wanted, err := v.jobFilter(c)
	if err != nil {
		return refused(err)
	}
	var all []*job
	for _, j := range slices.Backward(v.jobs) {
		if !j.hidden(c.at) && wanted(j) {
			all = append(all, j)
		}
	}
	return paged(v, c, all, func(j *job) object { return v.jobJSON(j, v.thinProperties(j, c.at)) })
}

func (v *Vault) getJob(c *call) reply {
	j := v.findJob(c)
	if j == nil {
		return v.notFound(c)
	}
	r := ok(v.jobJSON(j, v.fullProperties(j, c.at)))
	r.header.Set("X-Ms-Request-Id", v.jobID(j))
	return r
}

func (v *Vault) jobJSON(j *job, properties object) object {
	return object{
		"id": v.jobID(j), "name": j.id, "type": typePrefix + "/replicationJobs", "properties": properties,
	}
}

// thinProperties are those of the list. endTime is absent while the job runs.
func (v *Vault) thinProperties(j *job, now time.Duration) object {
	state, description := j.state(now)
	name, kind := j.about()
	p := object{
		"activityId": nil, "scenarioName": j.action.scenario, "friendlyName": j.action.friendlyName,
		"state": state, "stateDescription": description,
		"tasks": []object{}, "errors": []object{}, "startTime": v.timeText(j.start), "allowedActions": v.allowedActions(j, now),
		"targetObjectId": j.target, "targetObjectName": name, "targetInstanceType": kind,
		"customDetails": nil,
	}
	if j.ended(now) {
		p["endTime"] = v.timeText(j.end())
	}
	return p
}

func (v *Vault) fullProperties(j *job, now time.Duration) object {
	p := v.thinProperties(j, now)
	p["activityId"] = j.clientRequestID + " ActivityId: " + j.correlationID
	p["customDetails"] = v.jobDetails(j, now)
	p["tasks"] = v.tasksJSON(j, now)
	if e, level := j.complaint(now); e != nil {
		p["errors"] = []object{v.errorJSON(j, e, level)}
	}
	return p
}

func (v *Vault) tasksJSON(j *job, now time.Duration) []object {
	if j.plan != nil {
		return v.planTasks(j, now)
	}
	tasks := []object{}
	for _, r := range j.runs() {
		tasks = append(tasks, v.taskJSON(j, r, now))
	}
	return tasks
}

// complaint is what errors[] of an ended job says, nil when nothing.
func (j *job) complaint(now time.Duration) (e *serviceError, level string) {
	switch {
	case !j.ended(now) || j.cancelled != nil:
		return nil, ""
	case j.failure != nil:
		return j.failure, "Error"
	case j.informs:
		return j.warning, "Info"
	default:
		return j.warning, "Warning"
	}
}

func (v *Vault) taskJSON(j *job, r run, now time.Duration) object {
	state, description := r.state(now, j.failure != nil && r.id == j.action.tasks[j.action.works].id)
	task := object{
		"taskId": r.id, "name": r.id, "startTime": notYet, "endTime": notYet, "allowedActions": []string{},
		"friendlyName": r.friendlyName, "state": state, "stateDescription": description, "taskType": "TaskDetails",
		"customDetails": object{"instanceType": "TaskDetails"}, "groupTaskCustomDetails": nil, "errors": []object{},
	}
	if r.skipped || state == "NotStarted" {
		return task // recorded: a skipped task keeps both empty times
	}
	task["startTime"] = v.timeText(r.from)
	if now >= r.to {
		task["endTime"] = v.timeText(r.to)
	}
	if j.inner != nil && r.id == "ProtectReplicaTask" {
		task["taskType"] = "GroupTaskDetails"
		task["groupTaskCustomDetails"] = object{"instanceType": "GroupTaskDetails", "childTasks": []object{v.childTask(j.inner, now)}}
	}
	return task
}

// childTask follows an inner job.
func (v *Vault) childTask(j *job, now time.Duration) object {
	state, description := j.state(now)
	child := object{
		"taskId": j.action.scenario, "name": j.action.scenario, "startTime": v.timeText(j.start), "endTime": notYet, "allowedActions": []string{},
		"friendlyName": j.action.friendlyName, "state": state, "stateDescription": description, "taskType": "JobTaskDetails",
		"customDetails": object{"instanceType": "JobTaskDetails", "jobTask": object{
			"jobId": v.jobID(j), "jobFriendlyName": j.action.friendlyName, "jobScenarioName": j.action.scenario,
			"targetObjectId": j.target, "targetObjectName": j.item.vm, "targetInstanceType": "Vm",
		}},
		"groupTaskCustomDetails": nil, "errors": []object{},
	}
	if j.ended(now) {
		child["endTime"] = v.timeText(j.end())
	}
	return child
}

func (v *Vault) addDrillDetails(details object, j *job, now time.Duration) {
	state, _ := j.state(now)
	details["instanceType"], details["testFailoverStatus"], details["comments"] = "TestFailoverJobDetails", state, j.input.comments
	details["networkName"], details["networkFriendlyName"], details["networkType"] = j.input.network, lastSegment(j.input.network), "VmNetworkAsInput"
}

func (v *Vault) errorJSON(j *job, e *serviceError, level string) object {
	return object{
		"creationTime": v.timeText(j.end()), "errorLevel": level, "taskId": j.action.tasks[j.action.works].id,
		"serviceErrorDetails": object{
			"code": e.code, "message": e.message, "possibleCauses": e.causes, "recommendedAction": e.action,
			"activityId": j.correlationID,
		},
		"providerErrorDetails": nil,
	}
}

// jobDetails is customDetails. Only a failover that is done says which point it used.
func (v *Vault) jobDetails(j *job, now time.Duration) object {
	if j.plan != nil {
		return planJobDetails()
	}
	it, primary, recovery := j.item, j.primary, j.recovery
	details := object{"instanceType": "AsrJobDetails", "affectedObjectDetails": object{
		"primaryVmId": j.target, "primaryVmName": it.vm, "recoveryVmId": "", "recoveryVmName": it.vm,
		"protectionProfileId": guid("policy"),
		"primaryCloudId":      primary.containerGUID, "primaryCloudName": primary.container,
		"recoveryCloudId": recovery.containerGUID, "recoveryCloudName": recovery.container,
		"primaryVmmId": guid(primary.location, "fabric"), "primaryVmmName": primary.name,
		"recoveryVmmId": guid(recovery.location, "fabric"), "recoveryVmmName": recovery.name,
		"primaryFabricProviderId": "Azure", "recoveryFabricProviderId": "Azure",
	}}
	switch j.action.operation {
	case opUnplannedFailover, opApplyRecoveryPoint:
		details["instanceType"] = "FailoverJobDetails"
	case opTestFailover:
		v.addDrillDetails(details, j, now)
	case opSwitchProtection:
		details["instanceType"], details["newReplicationProtectedItemId"] = "SwitchProtectionJobDetails", nil
		if j.succeeded(now) {
			details["newReplicationProtectedItemId"] = v.containerID(recovery) + "/replicationProtectedItems/" + it.name
		}
		return details
	default:
		return details
	}
	used := nulls(`testVmName testVmFriendlyName networkConnectionStatus networkFriendlyName subnet recoveryPointId recoveryPointTime`)
	used["name"], used["friendlyName"] = j.target, it.vm
	if j.succeeded(now) {
		used["recoveryPointId"], used["recoveryPointTime"] = j.point.name, v.timeText(j.point.at)
	}
	if j.action.operation == opTestFailover {
		used["testVmName"], used["testVmFriendlyName"] = it.vm+"-test", it.vm+"-test"
		used["networkConnectionStatus"], used["networkFriendlyName"], used["subnet"] = "Connected", lastSegment(j.input.network), "default"
	}
	details["protectedItemDetails"] = []object{used}
	return details
}

// getStatus is the URL of Azure-AsyncOperation. A failed operation is answered with 200, too.
func (v *Vault) getStatus(c *call) reply {
	j := v.findJob(c)
	if j == nil {
		return v.notFound(c)
	}
	status := object{
		"error": nil, "id": nil, "name": j.id, "properties": nil, "status": "InProgress",
		"startTime": v.clock.wall(j.start).Format("2006-01-02T15:04:05.0000000Z"), "endTime": nil, "percentComplete": nil,
	}
	if j.ended(c.at) {
		status["status"], _ = j.state(c.at)
		// Recorded: whole seconds, so that a short operation ends before it starts.
		status["endTime"] = v.clock.wall(j.end()).Format("2006-01-02T15:04:05") + ".0000000Z"
		if j.failure != nil {
			status["error"] = object{"code": j.failure.code, "message": j.failure.message, "details": nil}
		}
	}
	r := ok(status)
	r.header.Set("X-Ms-Request-Id", v.jobID(j))
	return r
}

// getResult is the URL of Location: 202 while the job runs, then the item (after a failure, too: guessed).
func (v *Vault) getResult(c *call) reply {
	it, j := v.findItem(c), v.findJob(c)
	if it == nil || j == nil || j.item != it {
		return v.notFound(c)
	}
	return v.result(c, j, v.itemJSON(it, c.at))
}

// getContainerResult is the same for a reprotect, whose result is the container that the item has left.
func (v *Vault) getContainerResult(c *call) reply {
	container, j := v.findRegion(c), v.findJob(c)
	if container == nil || j == nil || j.location != v.containerID(container) {
		return v.notFound(c)
	}
	return v.result(c, j, v.containerJSON(container))
}

func (v *Vault) result(c *call, j *job, body object) reply {
	r := ok(body)
	if !j.ended(c.at) {
		r = reply{status: http.StatusAccepted, header: http.Header{}}
		v.pollHeaders(c, r, j)
	}
	r.header.Set("X-Ms-Request-Id", v.jobID(j))
	return r
}
