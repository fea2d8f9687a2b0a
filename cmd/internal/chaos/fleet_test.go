package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"ferry/config"
	"ferry/events"
	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// fleet is a group of VMs in three waves, and Ferry's processes around a NATS server of their own.
type fleet struct {
	*outside
	vms      int
	executor *proc
	bot      *proc
	lives    int
}

// fleetSpeed is how many simulated seconds pass in one. Ferry's own pace is that of real seconds, so that a faster world would be
// looked at more rarely than the real one.
const fleetSpeed = 30

const fleetName = "fleet"

func (k *kit) fleet(vms, limit int) *fleet {
	k.Helper()
	f := &fleet{vms: vms, outside: k.outsideOf(vault.Options{
		Speed: fleetSpeed, VMs: vms, JobsAtOnce: limit, Plans: []vault.Plan{},
		Failovers: vault.Spread{Median: 5 * time.Minute, P95: 15 * time.Minute, Seed: 1, Own: 0.8},
	})}
	var names []string
	for _, item := range f.vault.Items() {
		names = append(names, item.Name)
	}
	group := config.Group{OnFailure: "continue"}
	for wave := range slices.Chunk(names, (vms+2)/3) {
		group.Waves = append(group.Waves, config.Wave{VMs: wave})
	}
	f.config.Groups = map[string]config.Group{fleetName: group}
	f.config.Access.ConfirmAbove = 20
	f.config.NATS.URL = f.lone()
	f.bot = f.start("bot-1", "bot")
	f.drive()
	f.bot.says("ferry is up")
	f.connected()
	return f
}

// lone starts a server by itself.
func (k *kit) lone() string {
	k.Helper()
	dir, port := filepath.Join(k.dir, "nats"), k.ports(1)[0]
	text := fmt.Sprintf("server_name: one\nlisten: \"127.0.0.1:%d\"\njetstream: {store_dir: %q, sync_interval: always}\n", port, dir)
	path := filepath.Join(k.dir, "nats.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		k.Fatal(err)
	}
	k.run("nats", k.server, "-c", path)
	return fmt.Sprintf("nats://127.0.0.1:%d", port)
}

// drive begins a life of the executor.
func (f *fleet) drive() {
	f.lives++
	f.executor = f.start(fmt.Sprintf("executor-%d", f.lives), "executor")
	f.executor.says("ferry is up")
}

// begins has the group asked for and approved.
func (f *fleet) begins() {
	f.Helper()
	f.types("ana", "/failover group "+fleetName+" latest --confirm "+fleetName)
	f.offers("Approve", 2*time.Minute)
	if _, err := f.workspace.Click("ben", incident, "Approve", workspace.Containing(fleetName)); err != nil {
		f.Fatal(err)
	}
}

// offers waits until the fleet's card has a button.
func (f *fleet) offers(label string, within time.Duration) {
	f.Helper()
	f.until("the card has "+label, within, func() bool { return strings.Contains(f.card(fleetName), "[ "+label+" ]") })
}

// once checks that no VM had the same call accepted twice, and that each had it.
func (f *fleet) once(operation string) {
	f.Helper()
	of := map[string]int{}
	for _, c := range f.vault.Ledger() {
		if c.Operation == operation && c.Accepted {
			of[c.VM]++
		}
	}
	for _, item := range f.vault.Items() {
		if of[item.Name] != 1 {
			f.Errorf("%s of %s was accepted %d times", operation, item.Name, of[item.Name])
		}
	}
}

// used is what a process has used until it is told to end. The kernel's count of the most memory in [os.ProcessState] is no measure:
// it begins with that of the process that started it.
func (p *proc) used() (cpu time.Duration, mebibytes int64) {
	p.kit.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.kit.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			mebibytes = kib >> 10
		}
	}
	p.signal(syscall.SIGTERM)
	p.exits(time.Minute)
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), mebibytes
}

// The driver of 1,000 VMs is killed half way, and again while it commits: no call is made twice, and the operation ends.
func TestFleetSurvivesItsDriver(t *testing.T) {
	if os.Getenv("FERRY_FLEET") == "" {
		t.Skip("1,000 VMs in real time: make bench-fleet")
	}
	f := build(t).fleet(1000, 300)
	f.begins()
	for _, part := range []int{200, 600} {
		f.until(fmt.Sprintf("%d failovers have begun", part), 20*time.Minute, func() bool { return f.accepted("unplannedFailover") >= part })
		f.executor.kill()
		f.drive()
	}
	f.offers("Commit all", 30*time.Minute)
	if _, err := f.workspace.Click("ben", incident, "Commit all", workspace.Containing(fleetName)); err != nil {
		t.Fatal(err)
	}
	f.until("500 commits have begun", 10*time.Minute, func() bool { return f.accepted("failoverCommit") >= 500 })
	f.executor.kill()
	f.drive()
	f.until("all is committed", 20*time.Minute, func() bool { return strings.Contains(f.card(fleetName), ": committed") })
	f.once("unplannedFailover")
	f.once("failoverCommit")
}

// TestBenchFleetReal measures the built programs; make bench-fleet writes it into docs/benchmarks/fleet.md.
func TestBenchFleetReal(t *testing.T) {
	if os.Getenv("FERRY_FLEET") == "" {
		t.Skip("played when asked for: make bench-fleet")
	}
	k := build(t)
	var rows strings.Builder
	fmt.Fprintf(&rows, "%s\nPlayed by `make bench-fleet` on %s with %d cores, %s/%s and %s; %d simulated seconds pass in one.\n\n", realBegin,
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), fleetSpeed)
	rows.WriteString("| VMs | C | minutes played | executor: CPU | executor: most memory | bot: CPU | bot: most memory | messages in the stream | 429 | reads, writes |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, vms := range []int{100, 1000} {
		t.Run(fmt.Sprint(vms), func(t *testing.T) {
			f := k.within(t).fleet(vms, 300)
			begun := time.Now()
			f.begins()
			f.offers("Commit all", 30*time.Minute)
			took, traffic := time.Since(begun), f.vault.Traffic()
			cpu, memory := f.executor.used()
			botCPU, botMemory := f.bot.used()
			fmt.Fprintf(&rows, "| %d | 300 | %.1f | %.1f s | %d MiB | %.1f s | %d MiB | %d | %d | %d, %d |\n", vms, took.Minutes(),
				cpu.Seconds(), memory, botCPU.Seconds(), botMemory, f.messages(), traffic.Throttled, traffic.Reads, traffic.Writes)
			if limit := int64(150); vms == 1000 && memory > limit {
				t.Logf("the executor takes %d MiB, the target is %d", memory, limit)
			}
			f.once("unplannedFailover")
		})
	}
	t.Log(rows.String())
	if !t.Failed() {
		write(t, "benchmarks/fleet.md", realBegin, realEnd, rows.String()+"\n"+realEnd)
	}
}

const (
	realBegin = "<!-- bench-fleet real time: begin -->"
	realEnd   = "<!-- bench-fleet real time: end -->"
)

// messages counts what is in the stream.
func (f *fleet) messages() uint64 {
	f.Helper()
	nc, err := nats.Connect(f.config.NATS.URL)
	if err != nil {
		f.Fatal(err)
	}
	defer nc.Close()
	js, err := natsjs.New(nc)
	if err != nil {
		f.Fatal(err)
	}
	stream, err := js.Stream(f.Context(), events.Stream)
	if err != nil {
		f.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}
