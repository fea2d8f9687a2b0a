package vault

import (
	"fmt"
	"time"
)

// planStep is a task of a plan's job in words.
type planStep struct {
	id, friendlyName   string
	state, description string
	from, to           time.Duration
	wave               *wave // nil for a plain task
	details            string
}

// steps are the tasks of a plan's job. That there are a check, the shutdown and then the groups was seen; the rest is guessed,
// ids among it.
func (j *job) steps(now time.Duration) []planStep {
	run := j.plan
	check := j.runs()[0]
	state, description := check.state(now, j.failure != nil && run.at < 0)
	steps := []planStep{{id: check.id, friendlyName: check.friendlyName, state: state, description: description, from: check.from, to: check.to}}
	if run.action.operation == opUnplannedFailover {
		steps = append(steps, run.shutdown())
	}
	for i := range run.waves {
		w := &run.waves[i]
		step := planStep{
			id: fmt.Sprintf("RecoveryPlanGroup%dTask", w.group+1), friendlyName: w.title, state: "NotStarted", description: "NotStarted",
			from: w.from, to: w.to, wave: w, details: "RecoveryPlanGroupTaskDetails",
		}
		switch failures := w.failures(); {
		case i > run.at || len(w.children) == 0:
		case !w.ended(now):
			step.state, step.description = "InProgress", "InProgress"
		case failures == len(w.children):
			step.state, step.description = "Failed", "Failed"
		case failures > 0:
			step.state, step.description = "Succeeded", "PartiallySucceeded"
		default:
			step.state, step.description = "Succeeded", "Completed"
		}
		steps = append(steps, step)
	}
	return steps
}

// shutdown is the group that comes first. Each VM's own job shuts its source down, so that it takes no time here.
func (run *planRun) shutdown() planStep {
	step := planStep{
		id: "RecoveryPlanShutdownGroupTask", friendlyName: "All groups shutdown", state: "NotStarted", description: "NotStarted",
		wave: &wave{group: -1}, details: "RecoveryPlanShutdownGroupTaskDetails",
	}
	switch {
	case !run.input.shutdown:
		step.state, step.description = "Other", "Skipped"
	case run.at >= 0:
		step.state, step.description = "Succeeded", "Completed"
		step.from, step.to = run.waves[0].from, run.waves[0].from
	}
	return step
}

func (v *Vault) planTasks(j *job, now time.Duration) []object {
	tasks := []object{}
	for _, s := range j.steps(now) {
		task := object{
			"taskId": s.id, "name": s.id, "startTime": notYet, "endTime": notYet, "allowedActions": []string{},
			"friendlyName": s.friendlyName, "state": s.state, "stateDescription": s.description, "taskType": "TaskDetails",
			"customDetails": object{"instanceType": "TaskDetails"}, "groupTaskCustomDetails": nil, "errors": []object{},
		}
		if s.state != "NotStarted" && s.description != "Skipped" {
			task["startTime"] = v.timeText(s.from)
			if s.state != "InProgress" {
				task["endTime"] = v.timeText(s.to)
			}
		}
		if s.wave != nil {
			task["taskType"] = s.details
			task["groupTaskCustomDetails"] = v.waveJSON(s, now)
		}
		tasks = append(tasks, task)
	}
	return tasks
}

func (v *Vault) waveJSON(s planStep, now time.Duration) object {
	children := []object{}
	for _, c := range s.wave.children {
		if c.job == nil {
			children = append(children, v.refusedTask(c, s.from))
			continue
		}
		task := v.childTask(c.job, now)
		if e, level := c.job.complaint(now); e != nil {
			task["errors"] = []object{v.errorJSON(c.job, e, level)}
		}
		children = append(children, task)
	}
	kind := "Boot"
	if s.details == "RecoveryPlanShutdownGroupTaskDetails" {
		kind = "Shutdown"
	}
	return object{"instanceType": s.details, "name": s.friendlyName, "groupId": guid(s.id), "rpGroupType": kind, "childTasks": children}
}

// refusedTask is a VM that could not be started.
func (v *Vault) refusedTask(c child, at time.Duration) object {
	return object{
		"taskId": "VirtualMachineTask", "name": "VirtualMachineTask", "startTime": v.timeText(at), "endTime": v.timeText(at),
		"allowedActions": []string{}, "friendlyName": c.item.vm, "state": "Failed", "stateDescription": "Failed", "taskType": "VirtualMachineTaskDetails",
		"customDetails": object{
			"instanceType": "VirtualMachineTaskDetails", "skippedReason": nil, "skippedReasonString": nil,
			"jobTask": nil,
		},
		"groupTaskCustomDetails": nil,
		"errors": []object{{
			"creationTime": v.timeText(at), "errorLevel": "Error", "taskId": "VirtualMachineTask",
			"serviceErrorDetails": object{
				"code": c.refused.code, "message": c.refused.message, "possibleCauses": c.refused.causes, "recommendedAction": c.refused.action,
				"activityId": nil,
			},
			"providerErrorDetails": nil,
		}},
	}
}

// planJobDetails is customDetails of a plan's job.
func planJobDetails() object {
	return object{"instanceType": "AsrJobDetails", "affectedObjectDetails": object{}}
}
