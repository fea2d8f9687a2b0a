package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ferry/events"
	"ferry/events/jetstream"
	"ferry/failover"
	"ferry/sandbox/replicas"
)

// troubles are what a cluster does around one append.
func troubles() map[string]func(*replicas.Proxy) {
	return map[string]func(*replicas.Proxy){
		"the answer is lost":                   func(p *replicas.Proxy) { p.LoseAcks(1) },
		"the answer is lost three times":       func(p *replicas.Proxy) { p.LoseAcks(3) },
		"the answer is lost and reads are old": func(p *replicas.Proxy) { p.LoseAcks(1); p.StaleReads(5 * time.Second) },
		"nobody leads for 8 s":                 func(p *replicas.Proxy) { p.NoLeader(8 * time.Second) },
		"the answer is lost, then nobody leads": func(p *replicas.Proxy) {
			p.LoseAcks(1)
			time.AfterFunc(time.Second, func() { p.NoLeader(8 * time.Second) })
		},
		"the leader changes in the batch": func(p *replicas.Proxy) { p.BreakBatches(2) },
		"the leader is cut off for 8 s":   func(p *replicas.Proxy) { p.CutOff(8 * time.Second) },
	}
}

// Whatever the cluster does around an append: it is stored once, and whoever appended knows where.
func TestAppendThroughTrouble(t *testing.T) {
	for name, trouble := range troubles() {
		for what, batch := range map[string]failover.Batch{"one fact": claimed("one"), "a batch": requested(opA, failover.Hold{Key: "1"})} {
			for _, seed := range thinned([]uint64{1, 4}, 1) { // what a leader took when it was cut off is stored in the end, or lost
				t.Run(fmt.Sprintf("%s/%s/%d", name, what, seed), func(t *testing.T) {
					proxied(t, rand.New(rand.NewPCG(seed, 0)), func(l *lab) {
						j := jetstream.NewJournal(l.client("a", nil))
						trouble(l.proxy)
						began := time.Now()
						op := l.append(j, failover.Operation{ID: opA}, batch)
						if took := time.Since(began); took > 15*time.Second {
							t.Errorf("took %s", took)
						}
						pass(10 * time.Second) // what is late has come
						if n, m := len(l.stored(events.TargetSubject("1"))), len(l.stored(events.DriveSubject(opA))); n != len(batch.Take) || m != n {
							t.Errorf("%d holds and %d work messages", n, m)
						}
						l.once(j, op, len(batch.Facts))
						if l.proxy.Tally() == (replicas.Tally{}) && len(batch.Take) > 0 {
							t.Error("nothing was played")
						}
					})
				})
			}
		}
	}
}

func TestSubmitThroughTrouble(t *testing.T) {
	for name, trouble := range troubles() {
		t.Run(name, func(t *testing.T) {
			proxied(t, nil, func(l *lab) {
				c := l.client("a", nil)
				trouble(l.proxy)
				for range 2 {
					if err := c.Submit(l.ctx, events.SourceSlack, command("m1")); err != nil {
						t.Fatal(err)
					}
				}
				if n := len(l.stored(events.CommandSubjects)); n != 1 {
					t.Errorf("stored %d times", n)
				}
			})
		})
	}
}

// Two that append at the same place while nobody leads: one wins, the other is told once that it lost.
func TestOneWinnerThroughTrouble(t *testing.T) {
	for name, trouble := range troubles() {
		t.Run(name, func(t *testing.T) {
			proxied(t, nil, func(l *lab) {
				op := l.append(jetstream.NewJournal(l.client("a", nil)), failover.Operation{ID: opA}, claimed("start"))
				journals := map[string]*jetstream.Journal{"one": jetstream.NewJournal(l.client("one", nil)), "two": jetstream.NewJournal(l.client("two", nil))}
				trouble(l.proxy)
				var won, lost []string
				var mu sync.Mutex
				var writing sync.WaitGroup
				for name, j := range journals {
					writing.Go(func() {
						_, err := j.Append(l.ctx, op, failover.Batch{At: time.Now(), Facts: claimed(name).Facts})
						mu.Lock()
						defer mu.Unlock()
						switch {
						case err == nil:
							won = append(won, name)
						case errors.Is(err, failover.ErrConflict):
							lost = append(lost, name)
						default:
							t.Error(err)
						}
					})
				}
				writing.Wait()
				pass(10 * time.Second)
				got := l.load(jetstream.NewJournal(l.client("b", nil)), opA)
				if len(won) != 1 || len(lost) != 1 || got.Executor != won[0] || len(l.stored(events.OpSubject(opA))) != 2 {
					t.Errorf("won by %v, lost by %v, stored is %s", won, lost, got.Executor)
				}
			})
		})
	}
}

// Drawn: any number of lost answers and broken batches, four writers that read, decide and append. Each append that was
// confirmed is in the journal once, none that lost is.
func TestAppendThroughDrawnTrouble(t *testing.T) {
	for _, seed := range thinned([]uint64{0, 1, 2, 3, 4, 5}, 2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			draw := rand.New(rand.NewPCG(seed, 7))
			proxied(t, draw, func(l *lab) {
				l.proxy.Draw(replicas.Odds{LostAck: 0.3, BrokenBatch: 0.3})
				time.AfterFunc(2*time.Second, func() { l.proxy.NoLeader(6 * time.Second) })
				time.AfterFunc(15*time.Second, func() { l.proxy.CutOff(6 * time.Second) })
				var mu sync.Mutex
				confirmed := map[string]bool{}
				var writing sync.WaitGroup
				for w := range 4 {
					j := jetstream.NewJournal(l.client(fmt.Sprint("w", w), nil))
					writing.Go(func() {
						for n := range 8 {
							name := fmt.Sprintf("%d.%d", w, n)
							facts := []failover.Fact{failover.Reminded{Why: name}, failover.Claimed{Executor: name}}
							_, err := j.Append(l.ctx, l.load(j, opA), failover.Batch{At: time.Now(), Facts: facts[n%2:], Drive: n%3 == 0})
							if err != nil && !errors.Is(err, failover.ErrConflict) {
								t.Errorf("%s: %v", name, err)
							}
							mu.Lock()
							confirmed[name] = err == nil
							mu.Unlock()
						}
					})
				}
				writing.Wait()
				pass(10 * time.Second)
				times := map[string]int{}
				for _, m := range l.stored(events.OpSubject(opA)) {
					record, err := events.DecodeFact(m)
					if err != nil {
						t.Fatal(err)
					}
					if f, ok := record.Fact.(failover.Claimed); ok {
						times[f.Executor]++
					}
				}
				for name, ok := range confirmed {
					if times[name] != map[bool]int{true: 1, false: 0}[ok] {
						t.Errorf("%s: confirmed %v, stored %d times", name, ok, times[name])
					}
				}
			})
		})
	}
}

// thinned leaves out all but the first n when the run is -short, as the race detector's.
func thinned(seeds []uint64, n int) []uint64 {
	if testing.Short() {
		return seeds[:n]
	}
	return seeds
}

// While nobody leads each read waits for as long as its own caller has time, and not for that of another.
func TestReadsDoNotWaitForEachOther(t *testing.T) {
	proxied(t, nil, func(l *lab) {
		j := jetstream.NewJournal(l.client("a", nil))
		l.proxy.NoLeader(time.Minute)
		var reading sync.WaitGroup
		for _, patience := range []time.Duration{20 * time.Second, time.Second, 3 * time.Second} {
			reading.Go(func() {
				ctx, cancel := context.WithTimeout(l.ctx, patience)
				defer cancel()
				began := time.Now()
				if _, err := j.Load(ctx, opA); err == nil || time.Since(began) != patience {
					t.Errorf("who had %s got %v after %s", patience, err, time.Since(began))
				}
			})
		}
		reading.Wait()
	})
}
