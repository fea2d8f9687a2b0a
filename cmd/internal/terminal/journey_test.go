package terminal_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"ferry/events"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// alone makes cli:local operator and approver of everything, so that the terminal plays the journey by itself.
const alone = `
access:
  roles:
    operator: {users: ["cli:local"]}
    approver: {users: ["cli:local"]}
  rules:
    - {match: {vm: ["*"]}, verbs: [failover, commit, change, reprotect, failback], may: [operator], approvals: 1, approvers: [approver], self_approval: true}
    - {match: {vm: ["*"]}, verbs: [test, cleanup, cancel, freeze], may: [operator], approvals: 0}
`

// traveller is who types the journey, and what Azure must have accepted so far.
type traveller struct {
	*outside
	ledger map[string]int
}

func newTraveller(t *testing.T) *traveller {
	t.Helper()
	shop := vault.Plan{Name: "plan-shop", Boot: [][]string{{"vm-x"}, {"vm-y", "sql-01"}}}
	o := newOutsideWith(t, vault.Options{Speed: 1200, VMs: 3, Plans: []vault.Plan{shop}}, alone)
	o.up()
	return &traveller{o, map[string]int{}}
}

// types a command that is accepted, as JSON, and checks where it leaves the operation.
func (j *traveller) types(phase failover.Phase, args ...string) events.Status {
	j.t.Helper()
	var s events.Status
	errs := j.reads(&s, args...)
	if s.V != 1 || s.Phase != phase {
		j.t.Fatalf("%v: want %s: %+v %s", args, phase, s, errs)
	}
	waitsForMe := strings.Contains(errs, "It waits for you: ferry ")
	if waits := phase == failover.AwaitingApproval || phase == failover.AwaitingCommit; args[len(args)-1] == "--wait" && waits != waitsForMe {
		j.t.Fatalf("%v: %s, and it says %q", args, phase, errs)
	}
	return s
}

// reads the JSON of a command that ends with 0.
func (j *traveller) reads(into any, args ...string) (errs string) {
	j.t.Helper()
	code, out, errs := j.ferry(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), into); err != nil || code != 0 {
		j.t.Fatalf("%v: exit %d, %v, %s %s; the channel:\n%s", args, code, err, out, errs, j.channel())
	}
	return errs
}

// refused checks the exit code of a no, and that it says what to type in the terminal's own words.
func (j *traveller) refused(code int, says string, args ...string) {
	j.t.Helper()
	got, out, errs := j.ferry(args...)
	if got != code || out != "" || !strings.Contains(errs, says) || strings.Contains(errs, "/failover") {
		j.t.Fatalf("%v: want exit %d and %q, got exit %d: %s%s", args, code, says, got, out, errs)
	}
}

// took checks that Azure has accepted these calls since the last time, and no other.
func (j *traveller) took(operations ...string) {
	j.t.Helper()
	for _, o := range operations {
		j.ledger[o]++
	}
	if got := j.accepted(); !maps.Equal(got, j.ledger) {
		j.t.Fatalf("Azure accepted %v, want %v", got, j.ledger)
	}
}

// owes waits until the debt of vm-x is of a kind, since the inventory is read now and then; "" is none.
func (j *traveller) owes(kind failover.DebtKind) {
	j.t.Helper()
	j.until("vm-x owes "+string(kind), func() bool {
		var d events.Debt
		j.reads(&d, "debt")
		return len(d.Items) == 0 && kind == "" || len(d.Items) == 1 && d.Items[0].Name == "vm-x" && d.Items[0].Kind == kind
	})
}

// points of vm-x by id, newest first, once there are enough to choose from. Only those of each hour are kept for a day, which
// is a minute here; the others are gone after some seconds.
func (j *traveller) points(enough int) (ids []string) {
	j.t.Helper()
	j.until("there are points", func() bool {
		var p events.Points
		j.reads(&p, "points", "vm-x")
		ids = nil
		for _, i := range p.Items {
			if i.Type == "app-consistent" {
				ids = append(ids, lastSegment(i.ID))
			}
		}
		return len(ids) >= enough
	})
	return ids
}

func lastSegment(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// The journey of docs/journey.txt, twice around, typed in a terminal against a running ferry up; with -short once.
func TestJourney(t *testing.T) {
	t.Parallel()
	j := newTraveller(t)
	j.drill()
	j.away("-10s", "-20s")
	j.home()
	if testing.Short() {
		j.jobsAreOurs(1)
		return
	}
	j.drill()
	p := j.points(2) // time has to pass before there is a choice again
	j.away(p[0], p[1])
	j.home()
	j.jobsAreOurs(2)
}

func (j *traveller) drill() {
	j.t.Helper()
	j.refused(3, "ferry test vm-x", "cleanup", "vm-x")
	j.refused(3, "A drill may use one of: ", "test", "vm-x", "--network", "vnet-prod")
	j.types(failover.Succeeded, "test", "vm-x", "--wait")
	j.took("testFailover")
	j.refused(3, "ferry cleanup vm-x", "run", "vm-x")
	j.refused(3, "ferry cleanup vm-x", "test", "vm-x")
	j.owes(failover.DrillOpen)
	j.types(failover.Succeeded, "cleanup", "vm-x", "--notes", "the web front answered", "--wait")
	j.took("testFailoverCleanup")
	j.owes("")
}

// away fails vm-x over to a point, takes another, commits, and protects it in the other region.
func (j *traveller) away(point, other string) {
	j.t.Helper()
	j.refused(3, "ferry run vm-x", "failback", "vm-x")
	j.refused(3, "ferry run vm-x POINT", "change", "vm-x", "latest")
	j.refused(3, "ferry run vm-x latest", "commit", "vm-x")
	j.refused(3, "nothing to reprotect", "reprotect", "vm-x")
	op := j.types(failover.AwaitingApproval, "run", "vm-x", point, "--reason", "disk errors", "--wait")
	id := string(op.ID)
	j.refused(3, "ferry approve "+id, "commit", "vm-x")
	j.types(failover.AwaitingCommit, "approve", id, "--wait")
	j.took("unplannedFailover")
	j.refused(2, "ferry change", "change", "vm-x")
	j.refused(3, "ferry status "+id, "reprotect", "vm-x")
	j.refused(3, "ferry commit "+id, "approve", id)
	before := *j.types(failover.AwaitingCommit, "status", "vm-x").Targets[0].RecoveryPointTime
	after := *j.types(failover.AwaitingCommit, "change", "vm-x", other, "--wait").Targets[0].RecoveryPointTime
	if !after.Before(before) {
		j.t.Fatalf("the point of %s was changed to that of %s", before, after)
	}
	j.took("applyRecoveryPoint")
	j.owes(failover.Uncommitted)
	end := j.types(failover.Succeeded, "commit", "vm-x", "--wait")
	if end.ID != op.ID || end.Reason != "disk errors" || end.RTOSeconds == nil || end.RPOSeconds == nil {
		j.t.Fatalf("the end: %+v", end)
	}
	j.took("failoverCommit")
	j.refused(3, "already committed", "commit", "vm-x")
	j.owes(failover.Unprotected)
	op = j.types(failover.AwaitingApproval, "reprotect", "vm-x")
	j.types(failover.Succeeded, "reprotect", string(op.ID), "--wait")
	j.took("switchprotection")
	j.owes("")
}

// home is the guided way back, a gate at a time.
func (j *traveller) home() {
	j.t.Helper()
	id := string(j.types(failover.AwaitingApproval, "failback", "vm-x", "--wait").ID)
	j.types(failover.AwaitingApproval, "approve", id, "--wait")
	j.took("unplannedFailover")
	j.refused(3, "ferry approve "+id, "commit", id)
	j.types(failover.AwaitingCommit, "approve", id, "--wait") // it works
	j.took()
	j.types(failover.AwaitingApproval, "commit", id, "--wait")
	j.took("failoverCommit")
	end := j.types(failover.Succeeded, "reprotect", id, "--wait")
	j.took("switchprotection")
	if gates := len(end.Approvals); gates != 4 {
		j.t.Fatalf("%d presses", gates)
	}
	j.owes("")
	j.refused(3, "at home in westeurope", "failback", "vm-x")
}

// jobsAreOurs: every job of the journey is known as an operation's, and list shows vm-x at home and free.
func (j *traveller) jobsAreOurs(rounds int) {
	j.t.Helper()
	var jobs events.Jobs
	j.reads(&jobs, "jobs")
	if len(jobs.Items) < 8*rounds {
		j.t.Errorf("%d jobs", len(jobs.Items))
	}
	for _, job := range jobs.Items {
		if job.Operation == nil {
			j.t.Errorf("a job of nobody: %+v", job)
		}
	}
	var list struct{ Items []events.ListItem }
	j.reads(&list, "list")
	for _, i := range list.Items {
		if i.Name == "vm-x" && (i.State != failover.StateProtected || i.ActiveRegion != "westeurope" || i.Operation != nil) {
			j.t.Errorf("vm-x: %+v", i)
		}
	}
}

// A recovery plan and the reprotect of all its VMs, each by the id of what went before.
func TestPlanInTheTerminal(t *testing.T) {
	t.Parallel()
	j := newTraveller(t)
	j.refused(3, "Near names: ", "plan", "plan-shp")
	j.refused(2, "latest-processed", "plan", "plan-shop", "-20m")
	op := j.types(failover.AwaitingApproval, "plan", "plan-shop", "latest-processed")
	vms := len(op.Targets)
	id := string(op.ID)
	j.types(failover.AwaitingCommit, "approve", id, "--wait")
	j.took("planUnplannedFailover")
	j.refused(3, "Every VM of it is already under way: "+id, "reprotect", id)
	j.types(failover.Succeeded, "commit", id, "--wait")
	j.took("planFailoverCommit")
	back := j.types(failover.AwaitingApproval, "reprotect", id)
	if back.ID == op.ID || len(back.Targets) != vms {
		t.Fatalf("the reprotect of %+v is %+v", op, back)
	}
	j.types(failover.Succeeded, "reprotect", string(back.ID), "--wait") // a press
	for range vms - 1 {
		j.ledger["switchprotection"]++
	}
	j.took("switchprotection")
	j.owes("")
}

// Points from after the declared begin of an incident need --force.
func TestIncidentInTheTerminal(t *testing.T) {
	t.Parallel()
	j := newTraveller(t)
	j.refused(2, "ferry incident 14:05", "incident")
	j.refused(3, "ferry incident 14:05", "incident", "over")
	j.types(failover.Running, "incident", "-5s")
	j.refused(3, "ferry incident over", "incident", "-10s")
	j.refused(3, "--force", "run", "vm-x")
	id := string(j.types(failover.AwaitingApproval, "run", "vm-x", "--force").ID)
	j.types(failover.Cancelled, "withdraw", id)
	j.types(failover.Succeeded, "incident", "over")
	id = string(j.types(failover.AwaitingApproval, "run", "vm-x").ID)
	j.types(failover.Denied, "deny", id, "--reason", "a rehearsal")
	j.took()
}

// Whose press it waits for ends a wait; other people's presses are waited for. Whoever stops waiting is told that it goes on.
func TestWaitingForOthers(t *testing.T) {
	t.Parallel()
	o := newOutsideWith(t, vault.Options{Speed: 1200, VMs: 3}, strings.Replace(alone, `approver: {users: ["cli:local"]}`, `approver: {users: [U0BEN]}`, 1))
	o.up()
	j := &traveller{o, map[string]int{}}
	ended := make(chan string, 1)
	go func() {
		_, out, errs := o.ferry("run", "vm-x", "--wait")
		ended <- out + errs
	}()
	for _, button := range []string{"Approve", "Commit"} {
		o.until(button+" can be pressed", o.says("[ "+button+" ]"))
		select {
		case said := <-ended:
			t.Fatalf("it waits for ben, and who waits is told:\n%s", said)
		default:
		}
		if _, err := o.workspace.Click("ben", "#incident", button); err != nil {
			t.Fatal(err)
		}
	}
	said := <-ended
	for _, want := range []string{"awaiting approval, waits for the role approver", "awaiting commit, waits for the role approver", "committed"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody says %q:\n%s", want, said)
		}
	}
	j.took("unplannedFailover", "failoverCommit")
}

// An operation that is on hold, with nothing under way any more, ends a wait: only a person brings it further.
func TestWaitingOnAHold(t *testing.T) {
	t.Parallel()
	o := newOutsideWith(t, vault.Options{Speed: 1200, VMs: 3}, alone)
	o.vault.Fault(vault.Fault{Kind: vault.Forbid, Operation: "unplannedFailover", VM: "sql-01", Times: vault.Always})
	o.up()
	j := &traveller{o, map[string]int{}}
	id := string(j.types(failover.AwaitingApproval, "group", "shop", "--wait").ID)
	code, out, errs := o.ferry("approve", id, "--wait")
	if code != 1 || !strings.Contains(errs, id+" is on hold and does not go on by itself: ferry resume "+id+", or ferry retry "+id) || !strings.Contains(out, "sql-01") {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
	j.took()
}
