package world

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ferry/config"
	"ferry/sandbox/vault"
)

// What the environment asks of TestExplore.
const (
	exploreEnv  = "FERRY_EXPLORE"          // how much: a time on a core such as 60s, or a number of schedules
	seedEnv     = "FERRY_EXPLORE_SEED"     // where the drawing begins; without one it is drawn
	scheduleEnv = "FERRY_EXPLORE_SCHEDULE" // a file: that schedule alone, with what happens in it
	saveEnv     = "FERRY_EXPLORE_SAVE"     // where a failing schedule goes; the corpus without one
)

const schedules = "testdata/schedules"

// The promises of Ferry hold whatever happens: after each of many drawn schedules of commands, presses, crashes, lost answers
// and outages the ledgers of the stand-ins and the stream are judged. A schedule that once failed is played for ever.
func TestExplore(t *testing.T) {
	e := &explorer{t: t, begun: time.Now(), tally: map[string]int{}, seed: firstSeed(t)}
	defer e.report()
	if file := os.Getenv(scheduleEnv); file != "" {
		e.aloud = true
		e.replay(file)
		return
	}
	if os.Getenv(exploreEnv) == "" { // else it is about others
		e.corpus()
	}
	e.draw(amount(t))
}

// corpus plays what once failed; of it only a little when the race detector makes it ten times as long.
func (e *explorer) corpus() {
	files, err := filepath.Glob(filepath.Join(schedules, "*.json"))
	if err != nil {
		e.t.Fatal(err)
	}
	if testing.Short() {
		files = files[:min(1, len(files))]
	}
	for _, file := range files {
		e.replay(file)
	}
}

// standsStill is the time on the clock without any work after which a schedule will not end any more.
const standsStill = 2 * time.Minute

// watch ends the process when a schedule stands still: a goroutine that waits for a mutex stops fake time, and with it
// everything that would let the mutex go. A slow schedule on a busy machine goes on.
func (e *explorer) watch(s schedule) (stop func()) {
	ended := make(chan struct{})
	go func() {
		for before := spent(e.t); ; {
			select {
			case <-time.After(standsStill):
			case <-ended:
				return
			}
			now := spent(e.t)
			if now-before < time.Second {
				debug.SetTraceback("all")
				panic("violated: a schedule comes to an end: this one stands still:\n" + s.String())
			}
			before = now
		}
	}()
	return func() { close(ended) }
}

// explorer plays schedules and counts.
type explorer struct {
	t         *testing.T
	begun     time.Time
	seed      uint64 // of the first schedule
	played    int
	simulated time.Duration
	aloud     bool           // tells what happens
	tally     map[string]int // what happened in them
	smallest  *schedule      // that failed
	broken    []string
}

func firstSeed(t *testing.T) uint64 {
	t.Helper()
	asked := os.Getenv(seedEnv)
	switch {
	case asked == "" && os.Getenv(exploreEnv) == "":
		return 1 // a plain go test plays the same each time
	case asked == "":
		return 1 + rand.Uint64N(1<<40)
	}
	seed, err := strconv.ParseUint(asked, 10, 64)
	if err != nil || seed == 0 {
		t.Fatalf("%s: %q is no number above 0", seedEnv, asked)
	}
	return seed
}

// amount is how many schedules are drawn, and until when.
func amount(t *testing.T) (n int, until time.Duration) {
	t.Helper()
	asked := os.Getenv(exploreEnv)
	switch {
	case asked == "" && testing.Short():
		return 1, time.Hour
	case asked == "":
		return 5, 3 * time.Second
	}
	if n, err := strconv.Atoi(asked); err == nil {
		return n, 1000 * time.Hour
	}
	d, err := time.ParseDuration(asked)
	if err != nil {
		t.Fatalf("%s: %v", exploreEnv, err)
	}
	return 1 << 30, d
}

// draw plays one schedule per seed, so that each can be played again by its own, until the number or the time is reached.
func (e *explorer) draw(n int, limit time.Duration) {
	e.set("rapid.checks", "1")
	if testing.Short() {
		e.set("rapid.checks", "5") // of which rapid makes a fifth
	}
	e.set("rapid.nofailfile", "true")
	defer e.save()
	begun := spent(e.t)
	for i := 0; i < n && spent(e.t)-begun < limit; i++ {
		e.set("rapid.seed", strconv.FormatUint(e.seed+uint64(i), 10))
		rapid.Check(e.t, e.check)
	}
}

// spent is the time on a core that this process has had: others on the machine make an exploration slower, not smaller.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func (e *explorer) check(t *rapid.T) {
	s := drawn(t)
	s.HTTP = modeOfSlack() == config.ModeHTTP
	if broken := e.play(s); len(broken) > 0 {
		if e.smallest == nil || len(s.Steps) <= len(e.smallest.Steps) {
			e.smallest, e.broken = &s, broken
		}
		t.Fatal(strings.Join(broken, "\n"))
	}
}

func (e *explorer) set(name, value string) {
	e.t.Helper()
	if err := flag.Set(name, value); err != nil {
		e.t.Fatal(err)
	}
}

// save keeps the smallest schedule that failed, and says how to play it again.
func (e *explorer) save() {
	if e.smallest == nil {
		return
	}
	e.shorten()
	dir := os.Getenv(saveEnv)
	if dir == "" {
		dir = schedules
	}
	file := filepath.Join(dir, fmt.Sprintf("found-%s.json", time.Now().UTC().Format("20060102-150405.000")))
	if err := os.WriteFile(file, e.smallest.json(), 0o600); err != nil {
		e.t.Error(err)
	}
	e.t.Errorf("this schedule fails:\n%s\n%s\nto play it again: %s=%s go test -run TestExplore -v ./cmd/internal/world", e.smallest, strings.Join(e.broken, "\n"), scheduleEnv, file)
}

// shorten leaves steps out as long as the same promise is broken without them. rapid has done so before, but gives up when
// what depends on the order of goroutines does not fail each time.
func (e *explorer) shorten() {
	promise, _, _ := strings.Cut(strings.TrimPrefix(e.broken[0], "violated: "), ":")
	begun := spent(e.t)
	for size := len(e.smallest.Steps) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(e.smallest.Steps) && spent(e.t)-begun < time.Minute; {
			less := *e.smallest
			less.Steps = slices.Delete(slices.Clone(less.Steps), from, from+size)
			broken := e.play(less)
			if len(broken) == 0 {
				broken = e.play(less)
			}
			if slices.ContainsFunc(broken, func(b string) bool { return strings.Contains(b, promise) }) {
				e.smallest, e.broken = &less, broken
			} else {
				from += size
			}
		}
	}
}

func (e *explorer) replay(file string) {
	e.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		e.t.Fatal(err)
	}
	var s schedule
	if err := json.Unmarshal(data, &s); err != nil {
		e.t.Fatalf("%s: %v", file, err)
	}
	if broken := e.play(s); len(broken) > 0 {
		e.t.Errorf("%s fails:\n%s\n%s", file, s, strings.Join(broken, "\n"))
	}
}

// mode is how the bots of a schedule hear of what people do.
func (s schedule) mode() string {
	if s.HTTP {
		return config.ModeHTTP
	}
	return modeOfSlack()
}

// outside is the vault of a schedule, in which an id is not always written in the same case.
func (s schedule) outside() vault.Options {
	o := quick()
	if s.Many > 0 {
		o = many(s.Many)
	}
	o.Guesses.MixedCase = true
	return o
}

// play acts a schedule out in a bubble of its own and says which promises were broken.
func (e *explorer) play(s schedule) (broken []string) {
	dir, err := os.MkdirTemp("", "explore")
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	e.t.Setenv("IDENTITY_ENDPOINT", "http://"+azureHost+"/identity/token")
	e.t.Setenv("IDENTITY_HEADER", identityHeader)
	e.last(s)
	watch := e.watch(s)
	defer watch()
	runtime.GC()
	runtime.GC()
	synctest.Test(e.t, func(t *testing.T) {
		begun := time.Now()
		w := newWorld(t, dir, s.outside(), s.mode())
		p := &player{world: w}
		p.play(s)
		broken = e.judge(p, s)
		w.close()
		e.simulated += time.Since(begun)
	})
	e.played++
	return broken
}

func (e *explorer) judge(p *player, s schedule) (broken []string) {
	found, err := p.evidence(s)
	if err != nil {
		return complain("violated: the stream can be read: %v", err)
	}
	for what, n := range map[string]int{
		"operations": len(found.stream.ops), "messages": len(found.stream.messages), "commands": len(found.stream.commands), "accepted calls": len(found.accepted()),
		"deaths": found.deaths, "versions of cards": len(found.cards), "deeds": len(found.deeds),
	} {
		e.tally[what] += n
	}
	if e.aloud {
		e.t.Log(found.story())
	}
	for _, i := range invariants() {
		for _, text := range i.broken(found) {
			broken = append(broken, "violated: "+i.name+": "+text)
		}
	}
	slices.Sort(broken)
	return broken
}

// last keeps the schedule that is played now, for when the process does not survive it.
func (e *explorer) last(s schedule) {
	if dir := os.Getenv(saveEnv); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "last.json"), s.json(), 0o600); err != nil {
			e.t.Error(err)
		}
	}
}

func (e *explorer) report() {
	took := time.Since(e.begun)
	fmt.Printf("explored: %d schedules, %d s simulated, in %s, from seed %d\n", e.played, int(e.simulated.Seconds()), took.Round(10*time.Millisecond), e.seed)
	fmt.Printf("in them: %v\n", e.tally)
}
