package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/events"
	"ferry/failover"
)

// teller answers as a story of seconds: what is open in each of them, or why nobody answers.
type teller struct {
	story []told
	began time.Time
	dials int
}

type told struct {
	open []failover.Operation
	over []failover.Operation
	err  error
}

func (s *teller) dial() (asked, error) {
	s.dials++
	if now := s.now(); now.err != nil {
		return nil, now.err
	}
	return s, nil
}

func (s *teller) now() told {
	return s.story[min(int(time.Since(s.began)/watchEvery), len(s.story)-1)]
}

func (s *teller) Close() {}

func (s *teller) Status(_ context.Context, ref string) (failover.Found, error) {
	now := s.now()
	if ref == "" {
		return failover.Found{Operations: now.open}, now.err
	}
	for _, op := range append(now.open, now.over...) {
		if string(op.ID) == ref || op.Targets[0].Item.Name == ref {
			return failover.Found{Operations: []failover.Operation{op}}, now.err
		}
	}
	return failover.Found{}, now.err
}

// at is an operation as it is after so many facts; its tasks are done up to one.
func at(id failover.OpID, vm string, seq uint64, p failover.Phase, done int) failover.Operation {
	step := failover.Step{Kind: failover.StepFailover, State: failover.StateAccepted, StartedAt: time.Now()}
	for i := range 5 {
		task := failover.Task{Name: "task", State: "NotStarted"}
		if i < done {
			task.State = "Succeeded"
		}
		step.Tasks = append(step.Tasks, task)
	}
	return failover.Operation{
		ID: id, Verb: failover.VerbFailover, Phase: p, Seq: seq, At: time.Date(2026, 11, 23, 12, 0, int(seq), 0, time.UTC), RequestedAt: time.Unix(int64(id[3]), 0),
		Targets: []failover.Target{{Item: failover.Item{Name: vm}, Phase: p, Doing: failover.StepFailover, Steps: []failover.Step{step}, Progress: map[bool]string{true: "Start failover"}[done > 0]}},
	}
}

const one, two = failover.OpID("op-aaaaaaaa"), failover.OpID("op-bbbbbbbb")

// watched plays a story, and ends after the last second of it.
func watched(t *testing.T, ref string, v func(out, errs *bytes.Buffer) view, story func() []told) (out, errs string, dials int, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var stdout, stderr bytes.Buffer
		s := &teller{story: story(), began: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(s.story))*watchEvery-watchEvery/2)
		defer cancel()
		w := &watcher{ref: ref, view: v(&stdout, &stderr), dial: s.dial}
		_, err = w.watch(ctx)
		out, errs, dials = stdout.String(), stderr.String(), s.dials
	})
	return out, errs, dials, err
}

func plain(out, errs *bytes.Buffer) view {
	return &plainView{out: out, errs: errs, told: map[failover.OpID]string{}}
}

func TestWatchOneToItsEnd(t *testing.T) {
	story := func() []told {
		return []told{
			{open: []failover.Operation{at(one, "vm-x", 1, failover.Running, 0)}},
			{open: []failover.Operation{at(one, "vm-x", 1, failover.Running, 0)}},
			{open: []failover.Operation{at(one, "vm-x", 2, failover.Running, 3)}},
			{err: errors.New("no executor answers")},
			{err: errors.New("no executor answers")},
			{open: []failover.Operation{at(one, "vm-x", 2, failover.Running, 3)}},
			{over: []failover.Operation{at(one, "vm-x", 3, failover.Succeeded, 5)}},
			{},
		}
	}
	out, errs, dials, err := watched(t, "vm-x", plain, story)
	want := "12:00:01 UTC op-aaaaaaaa running\n12:00:02 UTC op-aaaaaaaa running · vm-x: Start failover\n12:00:03 UTC op-aaaaaaaa succeeded · vm-x: Start failover\n"
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	said := "ferry: 00:00:03 UTC no executor answers; what is open goes on, and this keeps asking\nferry: 00:00:05 UTC there are answers again\n"
	if diff := cmp.Diff(said, errs); diff != "" || dials != 3 {
		t.Errorf("connected %d times, want anew after each silence: %s", dials, diff)
	}

	out, _, _, err = watched(t, "vm-x", func(out, errs *bytes.Buffer) view {
		return &jsonView{out: out, errs: errs, told: map[failover.OpID]uint64{}}
	}, story)
	var phases []failover.Phase
	for line := range strings.Lines(out) {
		var s events.Status
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.V != 1 || s.ID != one {
			t.Errorf("%v: %s", err, line)
		}
		phases = append(phases, s.Phase)
	}
	if diff := cmp.Diff([]failover.Phase{failover.Running, failover.Running, failover.Succeeded}, phases); diff != "" || err != nil {
		t.Errorf("a line a change: %v %s", err, diff)
	}
}

func TestWatchEndsAsItIsTold(t *testing.T) {
	running := func() []told {
		return []told{{open: []failover.Operation{at(one, "vm-x", 1, failover.Running, 0)}}}
	}
	if _, _, _, err := watched(t, string(one), plain, running); exitCode(err) != exitNotKnown || err.Error() != "stopped following op-aaaaaaaa, which goes on" {
		t.Errorf("Ctrl-C with one: %v", err)
	}
	if _, errs, _, err := watched(t, "", plain, running); err != nil || errs != "ferry: stopped following; what is open goes on (1)\n" {
		t.Errorf("Ctrl-C with all: %v %q", err, errs)
	}
	if _, _, _, err := watched(t, "vm-z", plain, running); exitCode(err) != exitRefused || !strings.Contains(err.Error(), `No operation is known under "vm-z"`) {
		t.Errorf("a name of nobody: %v", err)
	}
	if _, _, _, err := watched(t, "vm-x", plain, func() []told { return []told{{err: errors.New("away")}} }); err == nil || err.Error() != "away" {
		t.Errorf("nobody answers at first: %v", err)
	}
	for phase, code := range map[failover.Phase]int{
		failover.Succeeded: 0, failover.Failed: 1, failover.NeedsAttention: 1, failover.Denied: 3, failover.Expired: 3, failover.Cancelled: 3,
	} {
		if err := ended(at(one, "vm-x", 1, phase, 0)); err == nil && code != 0 || err != nil && exitCode(err) != code {
			t.Errorf("%s: %v, want %d", phase, err, code)
		}
	}
}

// erase is what goes before a frame: to the left, as many lines up as the one before it had.
func erase(lines string) string { return "\r\x1b[" + lines + "A\x1b[J" }

func TestWatchAllLive(t *testing.T) {
	live := func(out, _ *bytes.Buffer) view {
		return newLiveView(out, func() (int, int) { return 120, 40 }, false)
	}
	story := func() []told {
		return []told{
			{},
			{open: []failover.Operation{at(two, "sql-01", 1, failover.AwaitingApproval, 0), at(one, "vm-x", 2, failover.Running, 2)}},
			{err: errors.New("no executor answers")},
			{open: []failover.Operation{at(two, "sql-01", 1, failover.AwaitingApproval, 0)}, over: []failover.Operation{at(one, "vm-x", 3, failover.Failed, 4)}},
		}
	}
	bars := "op-aaaaaaaa failover of vm-x: running [########............]  40% · for 1 s · Start failover\nop-bbbbbbbb failover of sql-01: awaiting approval · waits for somebody with the right to decide\n"
	want := "\rNo operation is open. Waiting for the next one; Ctrl-C ends.\n" + erase("1") + bars +
		erase("2") + "ferry: 00:00:02 UTC no executor answers; what is open goes on, and this keeps asking\n" + strings.Replace(bars, "1 s", "2 s", 1) +
		erase("2") + "ferry: 00:00:03 UTC there are answers again\n" + strings.Replace(bars, "1 s", "3 s", 1) +
		erase("2") + "op-aaaaaaaa failover of vm-x: failed\n" + bars[strings.Index(bars, "op-b"):] +
		erase("1") + "ferry: stopped following; what is open goes on (1)\n" + bars[strings.Index(bars, "op-b"):] + erase("1")
	out, errs, _, err := watched(t, "", live, story)
	if diff := cmp.Diff(want, out); diff != "" || errs != "" || err != nil {
		t.Errorf("%v %s %s", err, errs, diff)
	}
}

// A line stays in its row, however narrow the terminal and however wide the letters; there is a bar where it has room.
func TestLiveLines(t *testing.T) {
	op := at(one, "数据库-01", 1, failover.Running, 2)
	op.Targets[0].Steps[0].StartedAt = time.Unix(100, 0)
	for width := 1; width < 200; width++ {
		for _, coloured := range []bool{true, false} {
			v := &liveView{coloured: coloured}
			line := v.line(op, time.Unix(160, 0), width)
			bare := strings.NewReplacer("\x1b[36m", "", "\x1b[0m", "").Replace(line)
			if got := widthOf(bare); got >= max(width, 2) {
				t.Errorf("%d columns take %d: %q", width, got, line)
			}
			if strings.Contains(bare, "\x1b") || coloured == (bare == line) && width > 50 {
				t.Errorf("coloured %v: %q", coloured, line)
			}
		}
	}
	v := &liveView{}
	if got, want := v.line(op, time.Unix(160, 0), 100), "op-aaaaaaaa failover of 数据库-01: running [########............]  40% · for 1 min · Start failover"; got != want {
		t.Errorf("%q\nwant %q", got, want)
	}
	op.Targets = append(op.Targets, op.Targets[0], op.Targets[0], op.Targets[0])
	var out bytes.Buffer
	v = newLiveView(&out, func() (int, int) { return 60, 5 }, false)
	if err := v.show([]failover.Operation{op}, time.Unix(160, 0)); err != nil || strings.Count(out.String(), "\n") != 4 || !strings.Contains(out.String(), "… and 2 lines more") {
		t.Errorf("%v: more lines than the terminal has: %q", err, out.String())
	}
}
