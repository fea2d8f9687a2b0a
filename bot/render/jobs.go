package render

import (
	"fmt"
	"strings"
	"time"

	"ferry/bot"
	"ferry/failover"
)

// JobsTable lists what runs in the vaults and what has ended lately. A job without an operation was started outside Ferry.
func JobsTable(l failover.JobList, now time.Time, screen int) string {
	running := [][]string{{"RUNNING", "VM", "VAULT", "STATE", "SINCE (UTC)", "FOR", "BY"}}
	ended := [][]string{{"ENDED", "VM", "VAULT", "STATE", "AT (UTC)", "TOOK", "BY"}}
	foreign := false
	for _, j := range l.Jobs {
		by := "outside Ferry"
		if j.Op != "" {
			by = string(j.Op)
		}
		if j.Unsure {
			by += " (probably)"
		}
		row := func(at, d string) []string {
			return []string{bot.Scenario(j.Scenario), j.Target, j.Vault, bot.JobState(j.Job), at, d, by}
		}
		if j.Running() {
			running = append(running, row(clock(j.StartedAt, now), lasted(j.StartedAt, now)))
			foreign = foreign || j.Op == ""
		} else {
			ended = append(ended, row(clock(j.EndedAt, now), lasted(j.StartedAt, j.EndedAt)))
		}
	}
	where := "the configured vaults"
	if l.Missing != "" {
		where = "the vaults that have answered"
	}
	text := "No job runs in " + where + ".\n"
	if len(running) > 1 {
		text = fitted(running, screen)
	}
	if foreign {
		text += "Ferry starts nothing on a VM while a job from outside Ferry runs on it.\n"
	}
	text += "\n"
	if len(ended) > 1 {
		text += fitted(ended, screen)
	} else {
		text += fmt.Sprintf("No job has ended there within the last %s.\n", strings.TrimPrefix(bot.UpTo(l.At.Sub(l.Since)), "up to "))
	}
	return text + jobNotes(l) + asOf(l.At, now)
}

// jobNotes say what is not in the list.
func jobNotes(l failover.JobList) string {
	text := ""
	if l.LeftOut > 0 {
		text += fmt.Sprintf("%d jobs that ended earlier are left out.\n", l.LeftOut)
	}
	if l.Missing != "" {
		text += "Not every vault has answered, so jobs may be missing. " + sentence(clip(inert(l.Missing), 400)) + "\n"
	}
	return text
}

// clock is a time of day, with the date when that is not today's; "" for none.
func clock(at, now time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case at.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly):
		return at.UTC().Format(time.TimeOnly)
	}
	return at.UTC().Format(time.DateTime)
}

// lasted is how long something took; "" when that is not known.
func lasted(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return duration(to.Sub(from))
}
