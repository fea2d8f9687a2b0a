package failover_test

import (
	"strings"
	"testing"

	"ferry/failover"
)

// A commit under a rule that asks for the name is pressed with it, by every entrance.
func TestConfirmTheCommit(t *testing.T) {
	b := newTable(t, 1)
	b.policy.Rules[0].ConfirmName = true
	b.failedOver()
	b.saysNo(b.command(failover.VerbCommit, ben), failover.Unconfirmed, "Type /failover commit vm-x --confirm vm-x.")
	wrong := b.command(failover.VerbCommit, ben)
	wrong.Target, wrong.Confirm = "", "vm-y"
	b.saysNo(wrong, failover.Unconfirmed, `"vm-y" is not its name`)
	b.saysNo(wrong, failover.Unconfirmed, "/failover commit op-aaaaaaaa --confirm vm-x")
	b.saysNo(b.command(failover.VerbCommit, eve), failover.NotAllowed, "role approver") // who may not is told that
	right := b.command(failover.VerbCommit, ben)
	right.Confirm = "VM-X"
	if r := b.try(right); r != nil {
		t.Fatal(r)
	}
	b.phase(failover.Running)
}

// Who types a name where nobody asks for it has to have the right VM in mind, too: a commit cannot be undone.
func TestAnotherNameCommitsNothing(t *testing.T) {
	b := newTable(t, 1)
	b.failedOver()
	for _, by := range []failover.Actor{ben, ana} { // who decides, and who may ask
		wrong := b.command(failover.VerbCommit, by)
		wrong.Target, wrong.Confirm = "", "vm-y"
		b.saysNo(wrong, failover.Unconfirmed, `"vm-y" is not its name. The commit of vm-x cannot be undone.`)
	}
	b.saysNo(b.command(failover.VerbCommit, eve), failover.NotAllowed, "role approver")
	right := b.command(failover.VerbCommit, ben)
	right.Confirm = "vm-x"
	if r := b.try(right); r != nil {
		t.Fatal(r)
	}
	b.phase(failover.Running)
}

func TestConfirmTheCommitOfWhatWasFailedOverOutside(t *testing.T) {
	b := newTable(t, 1)
	b.policy.Rules[0].ConfirmName = true
	b.item.State, b.item.Allowed = failover.StateCommitPending, []string{"Commit"}
	b.saysNo(b.command(failover.VerbCommit, ben), failover.Unconfirmed, "--confirm vm-x")
	b.policy.Rules[0].ConfirmName = false
	wrong := b.command(failover.VerbCommit, ben)
	wrong.Confirm = "vm-y"
	b.saysNo(wrong, failover.Unconfirmed, `"vm-y" is not its name`)
	b.policy.Rules[0].ConfirmName = true
	right := b.command(failover.VerbCommit, ben)
	right.Confirm = "vm-x"
	if r := b.try(right); r != nil {
		t.Fatal(r)
	}
}

func TestConfirmALargePlan(t *testing.T) {
	for name, row := range map[string]struct {
		above   int
		confirm string
		want    string // of the refusal; empty: it is accepted
	}{
		"as large as it may be": {3, "", ""},
		"small, another name":   {3, "shpo", `"shpo" is not its name. shop has 3 VMs.`},
		"larger":                {2, "", "Type /failover plan shop --confirm shop."},
		"another name":          {2, "shpo", `"shpo" is not its name`},
		"its name":              {2, "Shop", ""},
	} {
		s := ready()
		s.Policy.ConfirmAbove = row.above
		cmd := askForShop(ana, failover.Point{Kind: failover.Latest})
		cmd.Confirm, cmd.Shutdown = row.confirm, true
		_, r := failover.Decide(failover.Operation{}, cmd, s)
		switch {
		case row.want == "" && r != nil:
			t.Errorf("%s: %v", name, r)
		case row.want != "" && (r == nil || r.Kind != failover.Unconfirmed || !strings.Contains(r.Message+" "+r.Hint, row.want)):
			t.Errorf("%s: %+v", name, r)
		}
	}
}
