package terminal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ferry/cmd/internal/terminal"
	"ferry/events"
	"ferry/failover"
)

func TestReads(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/reads.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := script(t, string(lines)); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
}

// The terminal's reads, as tables and as JSON.
func TestReadVerbs(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	t.Run("points", func(t *testing.T) {
		code, out, errs := o.ferry("points", "vm-x")
		if code != 0 || !strings.Contains(out, "DATA LOST IF CHOSEN") || !strings.Contains(out, "ferry run vm-x ID") {
			t.Errorf("exit %d: %s %s", code, out, errs)
		}
		code, out, errs = o.ferry("points", "VM-X", "-o", "json")
		var p events.Points
		if err := json.Unmarshal([]byte(out), &p); err != nil || code != 0 || p.V != 1 || p.VM != "vm-x" || p.Vault != "vault-dr" || len(p.Items) < 24 {
			t.Fatalf("exit %d: %v %s %s", code, err, out, errs)
		}
		for i, point := range p.Items {
			if i > 0 && point.Time.After(p.Items[i-1].Time) || point.ID == "" || point.AgeSeconds < 0 || !strings.HasSuffix(point.Type, "-consistent") {
				t.Errorf("point %d: %+v", i, point)
			}
		}
		if code, _, errs := o.ferry("points", "vm-z"); code != 3 || !strings.Contains(errs, "Near names: vm-x") {
			t.Errorf("an unknown name: exit %d, %s", code, errs)
		}
	})
	t.Run("status of an idle VM", func(t *testing.T) {
		code, out, errs := o.ferry("status", "VM-X")
		if code != 0 || !strings.HasPrefix(out, "Nothing is open on vm-x (vault vault-dr): Protected, runs in westeurope, data ") || !strings.Contains(out, "To fail it over, type ferry run vm-x latest") {
			t.Errorf("exit %d: %s %s", code, out, errs)
		}
		if code, out, errs := o.ferry("status", "vm-x", "-o", "json"); code != 0 || !strings.Contains(out, `"state":"Protected"`) {
			t.Errorf("exit %d: %s %s", code, out, errs)
		}
		if code, _, errs := o.ferry("watch", "vm-x"); code != 3 || !strings.Contains(errs, "Nothing is open on vm-x. To see its state, type ferry status vm-x.") {
			t.Errorf("exit %d: %s", code, errs)
		}
		if code, _, errs := o.ferry("status", "vm-z"); code != 3 || !strings.Contains(errs, `No operation is known under "vm-z". No replicated VM is called "vm-z". Near names: vm-x`) {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
	t.Run("watch of nothing", func(t *testing.T) {
		if code, _, errs := o.ferry("watch", "op-aaaaaaaa"); code != 3 || !strings.Contains(errs, `No operation is known under "op-aaaaaaaa". To see what is open, type ferry status`) {
			t.Errorf("exit %d: %s", code, errs)
		}
		if code, out, _ := o.ferry("watch", "vm-z", "-o", "json"); code != 3 || !strings.Contains(out, `"refused"`) {
			t.Errorf("exit %d: %s", code, out)
		}
	})
	if n := len(o.vault.Ledger()); n != 0 {
		t.Fatalf("looking made %d mutating calls", n)
	}
}

// Somebody has failed vm-y over in the portal: the terminal says what has run, and what is owed.
func TestJobsAndDebtVerbs(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	if err := o.vault.Portal("vm-y", "unplannedFailover"); err != nil {
		t.Fatal(err)
	}
	o.until("vm-y is failed over", func() bool { return !o.vault.Jobs()[0].End.IsZero() })
	o.up()
	read := func(into any, args ...string) string {
		t.Helper()
		code, out, errs := o.ferry(append(args, "-o", "json")...)
		if err := json.Unmarshal([]byte(out), into); err != nil || code != 0 {
			t.Fatalf("%v: exit %d, %v %s %s", args, code, err, out, errs)
		}
		_, text, _ := o.ferry(args...)
		return text
	}
	var jobs events.Jobs
	text := read(&jobs, "jobs")
	if len(jobs.Items) != 1 || jobs.V != 1 || jobs.Items[0].VM != "vm-y" || jobs.Items[0].EndedAt == nil || jobs.Items[0].Operation != nil || !strings.Contains(text, "outside Ferry") {
		t.Errorf("%+v %s", jobs, text)
	}
	var debt events.Debt
	o.until("Azure was read", func() bool { text = read(&debt, "debt"); return debt.AsOf != nil })
	if len(debt.Items) != 1 || debt.V != 1 {
		t.Fatalf("%+v %s", debt, text)
	}
	if d := debt.Items[0]; d.Name != "vm-y" || d.Vault != "vault-dr" || d.Kind != "uncommitted" || d.Since == nil || d.Owner != nil || d.Operation != nil {
		t.Errorf("%+v", d)
	}
	if !strings.Contains(text, "ferry commit vm-y") {
		t.Errorf("what to do is not what to type here:\n%s", text)
	}
	var ready events.Readiness
	text = read(&ready, "readiness")
	if worst := ready.Items[0]; ready.V != 1 || ready.NotReady != 1 || ready.NotReady+ready.Warning+ready.Ready != len(ready.Items) || *ready.TargetRPOSeconds != 900 || ready.AsOf == nil ||
		worst.Name != "vm-y" || worst.Readiness != failover.NotReady || len(worst.Reasons) != 1 || worst.Reasons[0].Kind != failover.ConcernState || !worst.Reasons[0].Blocks {
		t.Errorf("%+v", ready)
	}
	if first, rest, _ := strings.Cut(text, "\n"); !strings.Contains(first, "Not ready to fail over: 1 of ") || !strings.HasPrefix(strings.Split(rest, "\n")[1], "vm-y ") || !strings.Contains(rest, "ferry commit vm-y") || !strings.Contains(rest, "Not looked at: capacity") {
		t.Errorf("readiness says\n%s", text)
	}
}

// A server with no executor behind it: that is not known, and soon said.
func TestReadsWithoutAnExecutor(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	path := filepath.Join(t.TempDir(), "ferry.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "nats: {url: %q}\n", s.ClientURL()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"points", "vm-x"}, {"jobs"}, {"debt"}, {"readiness"}, {"list"}, {"status"}} {
		var out bytes.Buffer
		code := terminal.Run(t.Context(), append([]string{"--config", path}, args...), terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
		if code != 4 || !strings.Contains(out.String(), "no executor answers") {
			t.Errorf("%v: exit %d, %s", args, code, out.String())
		}
	}
}
