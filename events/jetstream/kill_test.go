package jetstream_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
)

// victimDir is the variable that makes of this test's binary a process to be killed, and says on which data directory.
const victimDir = "FERRY_TEST_VICTIM"

// victim accepts operations of three VMs, one batch each, and acknowledges commands, and says so, until it is killed.
func victim(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	e, err := jetstream.StartEmbedded(dir, false, log)
	fail(err)
	as := func(role string) *jetstream.Client {
		o := e.Options(role)
		o.Log = log
		c, err := jetstream.Connect(o)
		fail(err)
		return c
	}
	c := as(jetstream.RoleExecutor)
	fail(c.Ensure(ctx))
	bot := as(jetstream.RoleBot)
	go func() {
		fail(c.Commands(ctx, 1, func(_ context.Context, cmd failover.Command) error {
			fmt.Println("command", cmd.MessageID)
			return nil
		}))
	}()
	j := jetstream.NewJournal(c)
	life := strconv.FormatInt(time.Now().UnixNano(), 36)
	for n := 0; ; n++ {
		id := failover.OpIDOf(life, n)
		cmd := command(string(id))
		cmd.Op = id
		fail(bot.Submit(ctx, events.SourceSlack, cmd))
		_, err := j.Append(ctx, failover.Operation{ID: id}, acceptThree(id))
		fail(err)
		fmt.Println("accepted", id)
	}
}

func acceptThree(id failover.OpID) failover.Batch {
	b := requested(id, failover.Hold{Key: string(id) + "-1"})
	b.At = time.Now()
	for _, n := range []string{"-2", "-3"} {
		b.Take = append(b.Take, failover.Hold{Key: string(id) + n, Op: id})
	}
	return b
}

// A process that is killed with its server leaves whole batches only, all that were confirmed among them. The commands that
// it acknowledged just before may come again: the server keeps acknowledgements for up to 100 ms before it writes them down.
func TestKilled(t *testing.T) {
	realTime(t)
	dir := t.TempDir()
	confirmed := map[failover.OpID]bool{}
	handled := map[string]bool{}
	for range 3 {
		kill(t, dir, 25, confirmed, handled)
	}
	e, c := embedded(t, dir)
	_ = e
	l := &lab{T: t, ctx: t.Context(), replicas: 1}
	j, again, asked := jetstream.NewJournal(c), map[string]bool{}, map[string]bool{}
	all := l.commands(c, 1, func(ctx context.Context, cmd failover.Command) error {
		again[cmd.MessageID] = handled[cmd.MessageID]
		asked[cmd.MessageID] = true
		op, err := j.Load(ctx, cmd.Op)
		if err != nil || op.Exists() && (op.Phase != failover.Running || len(l.kept(j, cmd.Op)) != 3) || !op.Exists() && len(l.kept(j, cmd.Op)) != 0 {
			t.Errorf("half a batch: %+v, %v", op, err)
		}
		return err
	})
	pass(500 * time.Millisecond)
	all()
	for id := range confirmed {
		if op := l.load(j, id); op.Phase != failover.Running || len(l.kept(j, id)) != 3 {
			t.Errorf("lost after it was confirmed: %+v", op)
		}
		if !handled[string(id)] && !asked[string(id)] {
			t.Errorf("the command of %s never came", id)
		}
	}
	repeated := 0
	for _, twice := range again {
		if twice {
			repeated++
		}
	}
	t.Logf("%d batches confirmed; of %d commands that were handled %d came again", len(confirmed), len(handled), repeated)
}

// kept are the holds of an operation of three VMs.
func (l *lab) kept(j *jetstream.Journal, id failover.OpID) []failover.Hold {
	l.Helper()
	var holds []failover.Hold
	for n := range 3 {
		if h := l.holder(j, fmt.Sprintf("%s-%d", id, n+1)); h.Op == id {
			holds = append(holds, h)
		}
	}
	return holds
}

// kill runs a victim until it has confirmed so many batches.
func kill(t *testing.T, dir string, batches int, confirmed map[failover.OpID]bool, handled map[string]bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		what, id, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case "accepted":
			confirmed[failover.OpID(id)] = true
			if n++; n == batches {
				_ = cmd.Process.Kill() // what it still says is read
			}
		case "command":
			handled[id] = true
		default:
			t.Errorf("the victim says %q", lines.Text())
		}
	}
	_ = cmd.Wait()
}
