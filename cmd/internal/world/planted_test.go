package world

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	// plantedEnv names the bug that a test binary with planted bugs has switched on.
	plantedEnv = "FERRY_PLANTED"
	// plantEnv is how the bugs are looked for: "kept" plays for each the schedules that found it first, "drawn" draws until one does.
	plantEnv = "FERRY_PLANT"
	// keptSchedules are drawn ones that caught a bug, shrunk, by its letter.
	keptSchedules = "testdata/planted"
	// races is how often a kept schedule is played until it catches its bug: of two executors that race, one wins by chance.
	races = 5
	// drawnMost is how many schedules are drawn for a bug before it counts as missed.
	drawnMost = "400"
)

// bug is a mistake that Ferry must not make, and where it would be made: in a file, one piece of text instead of another.
type bug struct {
	letter string
	does   string
	edits  []edit
}

type edit struct{ file, old, new string }

func bugs() []bug {
	return []bug{
		{"a", "calls Azure before the intent is stored", []edit{
			{"executor/act.go", "\tif err := d.tell(ctx, intents...); err != nil {", "\tearly := map[string]failover.Fact{}\n\tfor _, do := range acts {\n\t\tif planted(\"a\") {\n\t\t\tearly[do.Intent.Target] = d.call(ctx, do, time.Now())\n\t\t}\n\t}\n\tif err := d.tell(ctx, intents...); err != nil {"},
			{"executor/act.go", "\t\td.out[out.target] = true\n", "\t\tif f := early[out.target]; f != nil {\n\t\t\tout.fact = f\n\t\t}\n\t\td.out[out.target] = true\n"},
		}},
		{"b", "lets the SDK repeat a mutating call", []edit{
			{"executor/azure/begin.go", "\ta := &attempt{}\n", "\tif planted(\"b\") {\n\t\tbounded = policy.WithRetryOptions(bounded, policy.RetryOptions{MaxRetries: 3})\n\t}\n\ta := &attempt{}\n"},
		}},
		{"c", "appends without a guard", []edit{
			{"events/jetstream/journal.go", "\t\tfailed = errors.Join(failed, err)\n", "\t\tfailed = errors.Join(failed, err)\n\t\tif planted(\"c\") {\n\t\t\tguard = nil\n\t\t}\n"},
		}},
		{"d", "takes the job's word for the replicated item's state", []edit{
			{"failover/follow.go", "\tif settled(t, step.Kind, seen.Item) {\n\t\treturn Tell{[]Fact{StepDone{", "\tif planted(\"d\") || settled(t, step.Kind, seen.Item) {\n\t\treturn Tell{[]Fact{StepDone{"},
		}},
		{"e", "acknowledges a command before it is stored", []edit{
			{"bot/slack/ask.go", "\tfirst := b.claim(cmd.MessageID, env.received)\n", "\tfirst := b.claim(cmd.MessageID, env.received)\n\tif planted(\"e\") {\n\t\tenv.acknowledge(ctx, nil)\n\t}\n"},
		}},
		{"f", "reads facts by a core subscription, refused ones too", []edit{
			{"events/jetstream/board.go", "\tif b.reading {\n", "\tif planted(\"f\") {\n\t\tb.overhear()\n\t}\n\tif b.reading {\n"},
			{"events/jetstream/board.go", "// Ready is closed when everything", `func (b *Board) overhear() {
	_, err := b.client.nc.Subscribe(events.OpSubjects, func(m *nats.Msg) {
		heard := events.Message{Subject: m.Subject, Header: events.Header(m.Header), Data: m.Data}
		b.mu.Lock()
		heard.Seq = b.ops[failover.OpID(events.LastToken(m.Subject))].Seq + 1
		b.mu.Unlock()
		b.fold(heard)
	})
	if err != nil {
		panic(err)
	}
}

// Ready is closed when everything`},
			{"events/jetstream/board.go", "\t\"github.com/nats-io/nats.go/jetstream\"\n", "\t\"github.com/nats-io/nats.go\"\n\t\"github.com/nats-io/nats.go/jetstream\"\n"},
		}},
		{"g", "takes two case-variants of a VM for two VMs", []edit{
			{"failover/command.go", "\tsum := sha256.Sum256([]byte(strings.ToLower(vaultID) + \"\\x00\" + strings.ToLower(itemName)))\n", "\tif planted(\"g\") {\n\t\tsum := sha256.Sum256([]byte(vaultID + \"\\x00\" + itemName))\n\t\treturn hex.EncodeToString(sum[:12])\n\t}\n\tsum := sha256.Sum256([]byte(strings.ToLower(vaultID) + \"\\x00\" + strings.ToLower(itemName)))\n"},
		}},
		{"h", "acts on an old decision", []edit{
			{"failover/next.go", "\tif !underWay(t, kind) && !underWay(t, StepResize) && now.After(op.BeginBy(t, kind)) {", "\tif !planted(\"h\") && !underWay(t, kind) && !underWay(t, StepResize) && now.After(op.BeginBy(t, kind)) {"},
			{"executor/act.go", "d.now().After(do.By) {", "d.now().After(do.By) && !planted(\"h\") {"},
		}},
		{"i", "misses what is done in the portal while an operation is parked", []edit{
			{"executor/inventory.go", "\tfor _, open := range e.Board.Open() {\n\t\tfacts := failover.Noticed", "\tfor _, open := range e.Board.Open() {\n\t\tif planted(\"i\") {\n\t\t\tcontinue\n\t\t}\n\t\tfacts := failover.Noticed"},
		}},
		{"j", "loses the wake-up of a decision that comes while it parks", []edit{
			{"executor/drive.go", "\treturn d.tell(ctx, failover.Parked{})\n", "\terr := d.tell(ctx, failover.Parked{})\n\tif planted(\"j\") && errors.Is(err, failover.ErrConflict) {\n\t\treturn nil\n\t}\n\treturn err\n"},
		}},
		{"k", "loses VMs of a thousand between two batches", []edit{
			{"executor/many.go", "\tb.Facts, b.Take = append([]failover.Fact{failover.DraftAccepted{}}", "\tif planted(\"k\") {\n\t\ttakes = nil\n\t}\n\tb.Facts, b.Take = append([]failover.Fact{failover.DraftAccepted{}}"},
		}},
		{"l", "takes the echo of its own late call for a refusal", []edit{
			{"executor/act.go", "\t\tif !do.Again {\n", "\t\tif !do.Again || planted(\"l\") {\n"},
		}},
		{"m", "takes two accounts of one person for two persons", []edit{
			{"failover/quorum.go", "return a.ID == b.ID || a.Person != \"\" && a.Person == b.Person", "return a.ID == b.ID || a.Person != \"\" && a.Person == b.Person && !planted(\"m\")"},
		}},
		{"n", "asks nobody before a call whether those who decided still may", []edit{
			{"failover/authority.go", "\td := seen.Policy.doubts(op, kind, concerned(op, t, seen))\n", "\td := seen.Policy.doubts(op, kind, concerned(op, t, seen))\n\tif planted(\"n\") || planted(\"p\") {\n\t\td = doubt{}\n\t}\n"},
		}},
		{"o", "does not look for a freeze before a call", []edit{
			{"executor/act.go", "\tif !do.Intent.Kind.NewWork() {\n", "\tif !do.Intent.Kind.NewWork() || planted(\"o\") {\n"},
			{"executor/drive.go", "\t\tswitch do := failover.Halt(d.op, due.Target, due.Effect, freezes, now).(type) {\n", "\t\thalted := failover.Halt(d.op, due.Target, due.Effect, freezes, now)\n\t\tif planted(\"o\") {\n\t\t\thalted = due.Effect\n\t\t}\n\t\tswitch do := halted.(type) {\n"},
		}},
		{"p", "opens a gate with an approval too few", []edit{
			{"failover/quorum.go", "\tif s.Policy.lacks(op, gate.Gate, cmd.By).Approvals == 0 {\n", "\tif n := s.Policy.lacks(op, gate.Gate, cmd.By).Approvals; n == 0 || n == 1 && planted(\"p\") {\n"},
		}},
	}
}

// edited gives the files of the product with all bugs in them, by path from the root. Each sleeps until its letter stands in
// the environment.
func edited(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, b := range bugs() {
		for _, e := range b.edits {
			text, seen := files[e.file]
			if !seen {
				raw, err := os.ReadFile(filepath.Join(root, e.file))
				if err != nil {
					t.Fatal(err)
				}
				text = string(raw)
			}
			if n := strings.Count(text, e.old); n != 1 {
				t.Errorf("bug %s can be planted %d times, so write its edit anew: %s and\n%s", b.letter, n, e.file, e.old)
			}
			files[e.file] = strings.Replace(text, e.old, e.new, 1)
		}
	}
	for file := range files {
		pkg := filepath.Dir(file)
		files[filepath.Join(pkg, "planted.go")] = fmt.Sprintf("package %s\n\nimport \"os\"\n\nfunc planted(letter string) bool { return os.Getenv(%q) == letter }\n", filepath.Base(pkg), plantedEnv)
	}
	return files
}

// plant builds this package's test binary with every bug in it. The product itself knows nothing of them: the compiler is
// given other files in the place of some.
func plant(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	write := func(name, text string) string {
		to := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return to
	}
	for file, text := range edited(t, root) {
		overlay.Replace[filepath.Join(root, file)] = write(file, text)
	}
	raw, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "planted.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", write("overlay.json", string(raw)), "-o", binary, "./cmd/internal/world")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building with bugs: %v\n%s", err, out)
	}
	return binary
}

// The exploration sees each of the mistakes that Ferry must not make. Without the environment it is only looked whether they
// can still be planted.
func TestPlanted(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	how := os.Getenv(plantEnv)
	if how == "" {
		edited(t, root)
		return
	}
	binary := plant(t, root)
	for _, b := range bugs() {
		t.Run(b.letter, func(t *testing.T) {
			t.Parallel()
			if how == "drawn" {
				out, passed := explore(t, binary, b.letter, exploreEnv+"="+drawnMost)
				judged(t, b, out, passed)
				return
			}
			kept, err := filepath.Glob(filepath.Join(keptSchedules, b.letter+"*.json"))
			if err != nil {
				t.Fatal(err)
			}
			for _, schedule := range kept {
				if out, passed := explore(t, binary, "none", scheduleEnv+"="+schedule); !passed {
					t.Errorf("%s fails without the bug, too:\n%s", schedule, out)
				}
			}
			said, passed := "", true
			for n := 0; passed && n < races*len(kept); n++ {
				said, passed = explore(t, binary, b.letter, scheduleEnv+"="+kept[n%len(kept)])
			}
			judged(t, b, said, passed)
		})
	}
}

// explore runs the exploration with one bug awake.
func explore(t *testing.T, binary, letter, what string) (out string, passed bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestExplore$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), plantedEnv+"="+letter, saveEnv+"="+t.TempDir(), what)
	raw, err := cmd.CombinedOutput()
	return string(raw), err == nil
}

// judged says which promises a bug was seen to break, and after how many schedules.
func judged(t *testing.T, b bug, out string, passed bool) {
	t.Helper()
	violated := regexp.MustCompile(`violated: ([^:\n]+)`).FindAllStringSubmatch(out, -1)
	if passed || len(violated) == 0 {
		t.Fatalf("a Ferry that %s is not caught:\n%s", b.does, out)
	}
	var names []string
	for _, v := range violated {
		names = append(names, v[1])
	}
	slices.Sort(names)
	t.Logf("A Ferry that %s is caught by: %s. %s", b.does, strings.Join(slices.Compact(names), ", "), regexp.MustCompile(`explored: \d+ schedules`).FindString(out))
}
