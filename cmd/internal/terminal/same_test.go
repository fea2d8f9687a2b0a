package terminal_test

import (
	"slices"
	"strings"
	"testing"

	"ferry/sandbox/vault"
)

// both may everything, in Slack and in the terminal.
const both = `
access:
  roles:
    operator: {users: [U0ANA, "cli:local"]}
    approver: {users: [U0BEN]}
  rules:
    - {match: {vm: ["vm-y"]}, verbs: [failover], may: [approver], approvals: 0}
    - {match: {vm: ["*"]}, verbs: [failover, commit, change, reprotect, failback], may: [operator], approvals: 1, approvers: [approver]}
    - {match: {vm: ["*"]}, verbs: [test, cleanup, cancel, freeze], may: [operator], approvals: 0}
`

// slack types a slash command as ana and gives what she alone is told, in a message or in a form.
func (o *outside) slack(text string) string {
	o.t.Helper()
	told := func() []string {
		var all []string
		for _, m := range o.workspace.Messages("#incident", "U0ANA") {
			if m.EphemeralFor == "U0ANA" {
				all = append(all, strings.Join(o.workspace.Render(m), "\n"))
			}
		}
		if m, open := o.workspace.Modal("ana"); open {
			if lines := o.workspace.RenderModal(m); !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "Reading what") }) {
				all = append(all, strings.Join(lines[1:len(lines)-1], " "))
			}
		}
		return all
	}
	before := len(told())
	if err := o.workspace.Type("ana", "#incident", "/failover "+text); err != nil {
		o.t.Fatal(err)
	}
	o.until("ana is answered to "+text, func() bool { return len(told()) > before })
	answer := told()[before]
	if _, open := o.workspace.Modal("ana"); open {
		if err := o.workspace.Dismiss("ana"); err != nil {
			o.t.Fatal(err)
		}
	}
	return strings.Trim(answer, "`\n")
}

// typedHere is what a hint says to type, as a terminal takes it.
func typedHere(hint string) string {
	return strings.NewReplacer(
		"/failover run ", "ferry run ", "/failover vm-x", "ferry run vm-x", "/failover web-01", "ferry run web-01", "/failover VM", "ferry run VM", "/failover", "ferry",
		"reason disk errors", `reason "disk errors"`, "reason region is down", `reason "region is down"`, "reason storm in West Europe", `reason "storm in West Europe"`,
	).Replace(hint)
}

// The same words are refused for the same reason, with the same hint, in Slack and in the terminal.
func TestSameRefusals(t *testing.T) {
	t.Parallel()
	o := newOutsideWith(t, vault.Options{Speed: 40, VMs: 3}, both)
	o.up()
	for _, words := range [][]string{
		{"run", "vm-z", "latest"},
		{"run", "vm-y"},
		{"run"},
		{"run", "vm-x", "yesterday"},
		{"run", "vm-x", "latest", "more"},
		{"run", "vm-x", "--no-shutdwn"},
		{"run", "vm-x", "--reason"},
		{"run", "vm-x", "--wait-for"},
		{"run", "vm-x", "--reason="},
		{"commit", "vm-x", "--force"},
		{"commit"},
		{"commit", "vm-x"},
		{"commit", "op-aaaaaaaa"},
		{"approve", "vm-x"},
		{"approve", "op-aaaaaaaa"},
		{"deny", "op-aaaaaaaa", "--reason", "wrong VM"},
		{"withdraw", "op-1"},
		{"change", "vm-x"},
		{"change", "vm-x", "latest"},
		{"reprotect", "vm-x"},
		{"failback", "vm-x"},
		{"cleanup", "vm-x"},
		{"test", "vm-x", "--network", "vnet-prod"},
		{"plan"},
		{"plan", "no-such-plan"},
		{"cancel", "op-aaaaaaaa"},
		{"freeze"},
		{"unfreeze"},
		{"incident", "over"},
		{"incident", "soon"},
		{"points", "vm-z"},
		{"points"},
		{"status", "vm-z"},
		{"jobs", "now"},
		{"handover"},
		{"hold", "op-aaaaaaaa"},
		{"group", "checkout"},
		{"group"},
		{"run", "vm-x", "vm-z"},
		{"run", "vm-x", "sql-1", "latest"},
		{"run", "vm-x", "latst"},
		{"reprotect", "group", "checkout"},
		{"failback", "group", "checkout"},
		{"resume", "vm-x"},
		{"skip", "vm-x", "op-aaaaaaaa"},
		{"retry", "op-aaaaaaaa", "vm-x"},
	} {
		line := strings.Join(words, " ")
		slack := o.slack(line)
		code, out, errs := o.ferry(words...)
		if want := "ferry: " + typedHere(slack); errs != want+"\n" || code == 0 {
			t.Errorf("%s\nslack    %s\nterminal %s%s(%d)", line, slack, out, errs, code)
		}
	}
}
