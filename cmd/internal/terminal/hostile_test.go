package terminal

import (
	"strings"
	"testing"
	"unicode"

	"ferry/failover"
)

// What Azure calls a VM begins no line of its own in a terminal, and steers none.
func TestHostileNamesInTheTerminal(t *testing.T) {
	t.Parallel()
	name := "vm\n# approved\x1b[2J\r\u202e"
	op := failover.Operation{ID: "op-7f3kq2mz", Phase: failover.Running, Targets: []failover.Target{{Item: failover.Item{Name: name}, Progress: name}}}
	g := &globals{}
	for _, line := range []string{
		progressLine(op),
		g.refused(op.ID, &failover.Refusal{Kind: failover.UnknownName, Message: "No VM is called " + name, Hint: "Near names: " + name}, verbFlags{output: "text"}).Error(),
	} {
		if !strings.Contains(line, "# approved") || strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%q", line)
		}
	}
}

// What stands in a shell's line after TAB is a name there and nothing else.
func TestHostileNamesInAShell(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"$(reboot)", "x;reboot", "`reboot`", "-rf", "x y", "x\ny", "x>y", "x|y", "x&", "x'", `x"`, "x\\", "x\t", "x\u202ey", "~x", "x*", "x?", "!x", "#x", "{a,b}"} {
		if got := proposal(name, ""); len(got) > 0 {
			t.Errorf("%q is proposed: %q", name, got)
		}
	}
	for _, name := range []string{"vm-x", "vault-eus/vm-x", "数据库-01", "VM_1.local"} {
		if got := proposal(name, "a\tb\nc"); len(got) != 1 || got[0] != name+"\ta b c" {
			t.Errorf("%q: %q", name, got)
		}
	}
}
