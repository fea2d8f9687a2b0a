package world

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ferry/sandbox/vault"
)

// drawn draws a schedule. What stands several times in a list is drawn that much more often.
func drawn(t *rapid.T) schedule {
	s := schedule{Decide: rapid.Bool().Draw(t, "decide"), Approvals: one(t, "approvals", 0, 0, 2), Group: index(t, "group", 3) == 0}
	if index(t, "topology", 4) > 0 {
		s.Replicas = one[uint64](t, "replicas", 0, 1, 2)
		s.Bots, s.Executors = 1+index(t, "bots", 2), 1+index(t, "executors", 3)
	}
	if index(t, "begin", 8) > 0 {
		s.Steps = []step{{After: 20, Act: types, Who: "ana", Text: one(t, "first", typed()[:14]...)}}
	}
	if index(t, "story", 2) > 0 {
		s.Steps = disturbed(t, one(t, "which", stories()...))
		if of := slices.IndexFunc(s.Steps, func(s step) bool { return s.Text == "/failover plan plan-shop" }); of >= 0 && !testing.Short() && index(t, "many", 4) == 0 {
			s.Many, s.Steps[of].Text = 300, "/failover plan big --confirm big" // more than are taken at once; a thousand have a test of their own
		}
		return s
	}
	for range 5 { // one slice would mostly be short
		s.Steps = append(s.Steps, rapid.SliceOfN(rapid.Custom(drawnStep), 0, 16).Draw(t, "steps")...)
	}
	return s
}

// disturbed is a story in which something happens before each of its steps, and at times the step is left out or delayed.
func disturbed(t *rapid.T, story []step) (steps []step) {
	for _, s := range story {
		between := rapid.SliceOfN(rapid.Custom(drawnStep), 0, 3).Draw(t, "between")
		for i := range between {
			between[i].After = min(between[i].After, 60)
		}
		steps = append(steps, between...)
		if index(t, "left out", 12) == 0 {
			continue
		}
		if index(t, "delayed", 12) == 0 {
			s.After += one(t, "after", pauses()...)
		}
		if s.Act == freezes && index(t, "elsewhere", 2) > 0 {
			s.Seat, s.N = index(t, "seat", 5), max(1, s.N+index(t, "nth", 5)-2)
		}
		steps = append(steps, s)
	}
	return steps
}

// stories are what people mostly do with Ferry, with the troubles at the moments at which they hurt most.
func stories() [][]step {
	types := func(after seconds, who, line string) step {
		return step{After: after, Act: types, Who: who, Text: line}
	}
	press := func(after seconds, label string) step {
		return step{After: after, Act: presses, Who: "ben", Text: label}
	}
	decides := func(label string) []step { return []step{{Act: awaits, Text: label, For: 2 * 3600}, press(2, label)} }
	frozen := func(seam string, nth int, d seconds) step {
		return step{After: 1, Act: freezes, Text: seam, N: nth, For: d}
	}
	asked := append([]step{types(20, "ana", "/failover vm-x latest")}, decides("Approve")...)
	failover := slices.Concat(asked, decides("Commit"))
	// Azure asks to wait, and meanwhile one of those who pressed is no approver any more, or somebody freezes.
	busy := step{After: 0, Act: fault, Text: string(vault.Throttle), Operation: "unplannedFailover", N: 1, For: 600}
	pair := slices.Concat([]step{types(20, "ana", "/failover vm-x latest"), busy}, decides("Approve"), []step{{After: 3, Act: presses, Who: "dan", Text: "Approve"}, {After: 20, Act: regroups, Text: "dan"}, {After: 600, Act: presses, Who: "dan", Text: "Approve"}}, decides("Commit"))
	frost := slices.Concat([]step{types(20, "ana", "/failover vm-x latest"), busy}, decides("Approve"), []step{types(30, "ana", "/failover freeze vm-* --reason storm"), types(900, "ana", "/failover unfreeze vm-*")}, decides("Approve"), decides("Commit"))
	glass := slices.Concat([]step{types(20, "ben", "/failover vm-x --break-glass --reason storm")}, []step{{Act: awaits, Text: "Commit", For: 2 * 3600}, {After: 2, Act: presses, Who: "dan", Text: "Commit"}, {After: 60, Act: presses, Who: "dan", Text: "Sign off"}})
	home := slices.Concat(
		[]step{types(60, "ana", "/failover reprotect vm-x"), {After: 10, Act: submits, Who: "ana"}}, decides("Approve"),
		[]step{types(1500, "ana", "/failover failback vm-x")}, decides("Approve"), decides("It works"), decides("Commit"), []step{press(120, "Reprotect")},
	)
	drill := append([]step{types(20, "ana", "/failover test vm-x"), types(600, "ana", "/failover cleanup vm-x --notes fine"), types(300, "ana", "/failover VM-X")}, decides("Approve")...)
	plan := slices.Concat([]step{types(20, "ana", "/failover plan plan-shop"), types(5, "cat", "/failover vm-y")}, decides("Approve"), decides("Commit"))
	// A group, whose first VM fails at times; somebody tries again, or lets the others go on.
	group := slices.Concat([]step{types(20, "ana", "/failover group shop"), {After: 0, Act: fault, Text: string(vault.JobFails), Operation: "unplannedFailover", N: 1}}, decides("Approve"),
		[]step{types(300, "ana", "/failover retry {op}"), types(5, "ana", "/failover hold {op}"), types(200, "cat", "/failover resume {op}")}, decides("Commit all"))
	// The region has no room for the size of one, and the vault takes long to name another.
	sizes := slices.Concat([]step{types(20, "ana", "/failover group shop"), {After: 0, Act: fault, Text: string(vault.JobNoCapacity), Operation: "unplannedFailover", N: 2}, {After: 0, Act: fault, Text: string(vault.LostAnswer), Operation: "update", N: 1}}, decides("Approve"), decides("Commit all"))
	row := slices.Concat([]step{types(20, "ana", "/failover vm-x vm-y sql-01 latest"), types(5, "cat", "/failover vm-y")}, decides("Approve"), decides("Commit all"))
	change := slices.Concat(asked, []step{types(600, "ana", "/failover change vm-x -90m")}, decides("Change point"), decides("Commit"))
	// Two people ask for one VM at once, of different executors.
	rush := slices.Concat([]step{frozen("journal.append", 1, 8), types(20, "ana", "/failover vm-x latest"), types(0, "cat", "/failover VM-X -30m")}, decides("Approve"), decides("Commit"))
	// Nobody is there for a night, or the executor is not.
	night := slices.Concat([]step{types(20, "ana", "/failover vm-x")}, []step{frozen("journal.append", 3, 6*3600)}, decides("Approve"), []step{{After: 1, Act: presses, Who: "dan", Text: "Approve"}, {After: 7 * 3600, Act: awaits, Text: "Commit", For: 60}})
	parked := slices.Concat(asked, []step{frozen("journal.append", 10, 6)}, decides("Commit"))
	elsewhere := slices.Concat(asked, []step{{Act: awaits, Text: "Commit", For: 2 * 3600}, {After: 300, Act: portal, VM: "vm-x", Operation: "failoverCommit"}})
	// The call arrives after it has been given up, or just before it is made again.
	late := slices.Concat([]step{
		types(20, "ana", "/failover vm-x latest"),
		{Act: fault, Text: string(vault.Late), Operation: "unplannedFailover", N: 1, For: 183},
		frozen("azure.failover", 2, 5),
	}, decides("Approve"), decides("Commit"))
	form := slices.Concat([]step{{After: 20, Act: asks, Who: "ana", VM: "vm-x"}, {After: 5, Act: submits, Who: "ana"}}, decides("Approve"), decides("Commit"))
	circle := slices.Concat(failover, home)
	all := [][]step{failover, failover, circle, drill, plan, plan, group, group, sizes, sizes, row, change, rush, rush, parked, elsewhere, late, late, pair, frost, glass, form}
	if testing.Short() { // without hours
		return all
	}
	return append(all, circle, night, night, night)
}

func drawnStep(t *rapid.T) step {
	s := step{
		After: one(t, "after", pauses()...),
		Act: one(t, "act", []doing{
			types, types, types, types, types, types, presses, presses, presses, presses, presses, presses, presses, presses, pressOld, submits, asks,
			doubles, dies, dies, dies, dies, freezes, freezes, drains, fault, fault, fault, portal, slackGone, slackFail, natsGone, natsCut, cluster, cluster, regroups, regroups,
		}...),
	}
	pick := func(name string, of ...string) string { return one(t, name, of...) }
	number := func(name string, from, to int) int { return from + index(t, name, to-from+1) }
	switch s.Act {
	case awaits: // of stories only
	case types:
		s.Who, s.Text = pick("who", "ana", "ana", "ana", "ana", "ana", "ana", "cat", "cat", "ben", "eve"), pick("line", typed()...)
		if strings.Contains(s.Text, "--break-glass") {
			s.Who = pick("who", "ben", "cat", "dan", "ana")
		}
	case presses, pressOld:
		s.Who, s.Text = pick("who", "ben", "ben", "ben", "ben", "ben", "ben", "dan", "dan", "cat", "ana", "eve"), pick("label", labels()...)
	case asks:
		s.Who, s.VM = pick("who", "ana", "ana", "ana", "cat", "eve"), pick("vm", "vm-x", "vm-x", "vm-y", "sql-01")
	case submits:
		s.Who = pick("who", "ana", "ana", "ben", "cat")
	case doubles:
		s.N = number("n", 1, 2)
	case dies:
		s.Seat, s.Late, s.N = number("seat", 0, 4), rapid.Bool().Draw(t, "late"), number("n", 1, 4)
		s.Text = pick("seam", append(seams(), "")...)
	case freezes:
		s.Seat, s.Late, s.N = number("seat", 0, 4), rapid.Bool().Draw(t, "late"), number("n", 1, 6)
		s.Text, s.For = pick("seam", append(seams(), "")...), one(t, "for", []seconds{3, 8, 20, 60, 240, 900}...)
	case drains:
		s.Seat = number("seat", 0, 4)
	case fault:
		s.Text, s.Operation = pick("kind", faultKinds()...), pick("operation", faultOperations()...)
		s.N, s.For = one(t, "n", 1, 1, 1, 2, 5, 40), one(t, "for", []seconds{10, 90, 150, 183, 300, 1200}...)
	case portal:
		s.VM, s.Operation = pick("vm", "vm-x", "vm-x", "vm-y", "sql-01"), pick("operation", "unplannedFailover", "failoverCommit", "switchprotection", "applyRecoveryPoint", "testFailover", "testFailoverCleanup")
	case regroups:
		s.Text = pick("approvers", "ben cat dan", "ben cat dan", "ben", "cat dan", "dan", "ana ben")
	case cluster:
		s.Text, s.N = pick("trouble", loseAcks, breakBatches, staleReads, noLeader, cutOffLeader, badLuck), number("n", 1, 3)
		s.For = one(t, "for", []seconds{1, 4, 8, 8, 8, 20}...)
	case slackGone, natsGone, natsCut:
		s.For = one(t, "for", []seconds{1, 4, 8, 20, 60, 600, 1800}...)
	case slackFail:
		s.Text, s.Late, s.N = pick("method", "chat.postMessage", "chat.update", "apps.connections.open", "views.open"), rapid.Bool().Draw(t, "late"), number("n", 1, 3)
	}
	return s
}

// index is a number below n, each as likely as any other: rapid alone prefers the first and the last. It shrinks to 0.
func index(t *rapid.T, name string, n int) int {
	return rapid.Custom(func(t *rapid.T) int {
		i := 0
		for range 10 {
			i *= 2
			if rapid.Bool().Draw(t, "bit") {
				i++
			}
		}
		return i % n
	}).Draw(t, name)
}

func one[T any](t *rapid.T, name string, of ...T) T { return of[index(t, name, len(of))] }

// pauses are between two steps; what takes hours is rare, because the vault is read all the while, and with -short there is
// none of it.
func pauses() []seconds {
	short := []seconds{0, 0, 0, 0, 1, 1, 2, 3, 5, 5, 10, 10, 20, 30, 30, 45, 60, 60, 90, 120, 180, 240, 300, 600}
	if testing.Short() {
		return short
	}
	return append(slices.Repeat(short, 16), 3600, 3600, 6*3600)
}

// typed is what people type; {op} stands for the newest operation in the channel, {old} for the one before.
func typed() []string {
	return []string{
		"/failover vm-x latest", "/failover vm-x latest", "/failover vm-x latest", "/failover VM-X", "/failover Vm-x -30m", "/failover vm-x latest-app --no-shutdown",
		"/failover vm-y", "/failover VM-y latest-processed", "/failover sql-01 --reason storm",
		"/failover plan plan-shop", "/failover plan PLAN-SHOP latest-processed",
		"/failover test vm-x", "/failover test vm-y", "/failover cleanup vm-x --notes fine", "/failover cleanup vm-y --notes fine",
		"/failover change vm-x -90m", "/failover change {op} latest-app", "/failover commit vm-x", "/failover commit {op}", "/failover commit {old}",
		"/failover reprotect vm-x", "/failover failback vm-x", "/failover failback vm-x", "/failover reprotect {op}",
		"/failover approve {op}", "/failover approve {old}", "/failover deny {op}", "/failover withdraw {op}", "/failover cancel {op}", "/failover cancel {old}",
		"/failover incident -10m", "/failover incident over", "/failover status", "/failover status vm-x", "/failover list", "/failover points vm-x", "/failover debt", "/failover readiness", "/failover vm-z",
		"/failover freeze --reason storm", "/failover freeze vm-* --reason storm", "/failover unfreeze", "/failover unfreeze vm-*", "/failover deny {op} --reason no",
		"/failover group shop", "/failover group SHOP latest-processed", "/failover vm-x sql-01", "/failover hold {op}", "/failover resume {op}", "/failover skip {op} vm-y", "/failover retry {op}", "/failover retry {op} sql-01",
		"/failover vm-x --break-glass --reason storm", "/failover vm-y --break-glass --reason storm",
	}
}

// labels are of buttons; empty is the first that is there.
func labels() []string {
	return []string{"", "", "", "", "", "", "", "", "Approve", "Approve", "Approve", "Approve", "Deny", "Commit", "Commit", "Commit", "Commit all", "Change point", "It works", "Fail back", "Reprotect", "Clean up", "Hold", "Resume", "Resume", "Retry failed", "Skip failed"}
}

// seams are the moments at which a process stores, calls, posts or acknowledges.
func seams() []string {
	return []string{
		"journal.append", "journal.append", "journal.append", "decide.ack", "drive.ack", "drive.nak", "drive.heartbeat", "inventory.put",
		"azure.failover", "azure.failover", "azure.resize", "azure.commit", "azure.change", "azure.test", "azure.cleanup", "azure.reprotect",
		"slack.store", "slack.store", "slack.ack", "slack.answer", "slack.post", "slack.update", "slack.open", "slack.view", "slack.history", "slack.pin", "refs.put", "feed.ack",
	}
}

func faultKinds() []string {
	var kinds []string
	for _, k := range []vault.Kind{
		vault.Throttle, vault.ServerError, vault.ErrorAfterWork, vault.Forbid, vault.LostAnswer, vault.LostAnswer, vault.Slow, vault.Late, vault.Late,
		vault.JobFails, vault.JobNoCapacity, vault.JobWarns, vault.JobInforms, vault.JobVanishes,
	} {
		kinds = append(kinds, string(k))
	}
	return kinds
}

func faultOperations() []string {
	return []string{"write", "write", "write", "unplannedFailover", "failoverCommit", "switchprotection", "applyRecoveryPoint", "testFailover", "update", "read", "job", "jobs", "item", "items", "points", ""}
}
