package azure_test

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
)

// ill is a vault of whose answers some are 503 and some take a minute; it counts what is on its way.
type ill struct {
	mu           sync.Mutex
	draw         func() (status int, late time.Duration)
	sent         int
	flying, most int
}

func (v *ill) transport() *transport {
	return &transport{answer: func(r *http.Request) (*http.Response, error) {
		v.mu.Lock()
		v.sent++
		v.flying++
		v.most = max(v.most, v.flying)
		status, late := v.draw()
		v.mu.Unlock()
		defer func() {
			v.mu.Lock()
			v.flying--
			v.mu.Unlock()
		}()
		if late > 0 {
			select {
			case <-time.After(late):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		if status != http.StatusOK {
			return response(status, errorBody("Busy", "Busy.")), nil
		}
		return response(http.StatusOK, `{"value":[]}`), nil
	}}
}

// be changes how the vault answers, and begins to count anew.
func (v *ill) be(draw func() (int, time.Duration)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.draw, v.sent, v.most = draw, 0, 0
}

// counts waits until nothing happens any more, and tells what was sent, how much of it at the same time, and what is under way yet.
func (v *ill) counts() (sent, most, flying int) {
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sent, v.most, v.flying
}

// answers makes the vault answer one read, so that it is known to be there.
func (v *ill) answers(t *testing.T, site *azure.Site) {
	t.Helper()
	if _, err := site.Points(t.Context(), anItem()); err != nil {
		t.Fatal(err)
	}
}

// Of ten requests six are refused, one is answered after a minute: nine reads of ten are answered all the same, within seconds.
func TestReadsGetThroughABrownOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(1, 2))
		v := &ill{draw: func() (int, time.Duration) { return http.StatusOK, 0 }}
		site := siteOver(t, v.transport())
		v.answers(t, site)
		v.be(func() (int, time.Duration) {
			switch n := dice.IntN(10); {
			case n < 6:
				return http.StatusServiceUnavailable, 0
			case n < 7:
				return http.StatusOK, time.Minute
			}
			return http.StatusOK, 0
		})
		const reads = 200
		read, slow := 0, 0
		for range reads {
			begun := time.Now()
			if _, err := site.Points(t.Context(), anItem()); err == nil {
				read++
			}
			if time.Since(begun) > 8*time.Second {
				slow++
			}
			<-time.After(time.Second)
		}
		sent, most, _ := v.counts()
		if read < reads*9/10 || slow > reads/10 || most > 3 || sent > reads*5 {
			t.Errorf("%d of %d read, %d slowly, %d requests, %d of them at a time", read, reads, slow, sent, most)
		}
	})
}

// An answer that takes a minute keeps a read waiting for seconds, not longer; of a hundred reads that wait few send a second request,
// and none of these is left behind.
func TestASlowAnswerIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, first := &ill{}, true
		v.draw = func() (int, time.Duration) {
			if first {
				first = false
				return http.StatusOK, time.Minute
			}
			return http.StatusOK, 0
		}
		site, begun := siteOver(t, v.transport()), time.Now()
		v.answers(t, site)
		if took := time.Since(begun); took > 4*time.Second {
			t.Errorf("read in %s", took)
		}
		if sent, _, flying := v.counts(); sent != 2 || flying != 0 {
			t.Errorf("%d requests, %d of them left behind", sent, flying)
		}
		v.be(func() (int, time.Duration) { return http.StatusOK, time.Minute })
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { _, _ = site.Points(t.Context(), anItem()) })
		}
		<-time.After(9 * time.Second)
		if _, most, _ := v.counts(); most > 100+2*8 {
			t.Errorf("%d requests at a time for 100 reads", most)
		}
		all.Wait()
	})
}

// A vault that answered a moment ago and answers nobody any more is not stormed: after some thirty failures each read does with
// three requests, as before anything was heard of it.
func TestNobodyInsistsInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &ill{draw: func() (int, time.Duration) { return http.StatusOK, 0 }}
		site := siteOver(t, v.transport())
		v.answers(t, site)
		v.be(func() (int, time.Duration) { return http.StatusServiceUnavailable, 0 })
		for range 4 {
			_, _ = site.Points(t.Context(), anItem())
		}
		if sent, _, _ := v.counts(); sent > 20+10+3+3 {
			t.Errorf("%d requests for four reads", sent)
		}
	})
}

// A vault that asks to be left alone for a while is, also while the read has another request under way; a 429 ends the read.
func TestInsistingRespectsRetryAfter(t *testing.T) {
	for status, want := range map[int]int{http.StatusServiceUnavailable: 3, http.StatusTooManyRequests: 2} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var at []time.Time
			site := siteOver(t, &transport{answer: func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				at = append(at, time.Now())
				nth := len(at)
				mu.Unlock()
				switch nth {
				case 1: // is overtaken
					<-r.Context().Done()
					return nil, r.Context().Err()
				case 2:
					return response(status, errorBody("Busy", "Busy."), "Retry-After", "5"), nil
				}
				return response(http.StatusOK, `{"value":[]}`), nil
			}})
			_, err := site.Points(t.Context(), anItem())
			if len(at) != want || (err == nil) != (want == 3) {
				t.Fatalf("%d: %d requests, %v", status, len(at), err)
			}
			if want == 3 && at[2].Sub(at[1]) < 5*time.Second {
				t.Errorf("asked again after %s", at[2].Sub(at[1]))
			}
		})
	}
}

// A call that changes something is sent once, however long its answer takes.
func TestAWriteIsNeverSentBesideAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &ill{draw: func() (int, time.Duration) { return http.StatusOK, 15 * time.Second }}
		_, _ = siteOver(t, v.transport()).Begin(t.Context(), aFailover())
		if sent, _, _ := v.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
	})
}

// Of who lets no request through because the bucket is empty nobody learns that the vault answers: after a 429 that held for more than
// a minute, one that answers nobody is asked three times.
func TestWhatIsNotSentIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		site := siteOver(t, &transport{answer: func(*http.Request) (*http.Response, error) {
			if sent++; sent == 1 {
				return response(http.StatusTooManyRequests, errorBody("SubscriptionRequestsThrottled", "Slow."), "Retry-After", "90"), nil
			}
			return response(http.StatusServiceUnavailable, errorBody("Busy", "Busy.")), nil
		}})
		for range 7 {
			_, _ = site.Points(t.Context(), anItem())
			<-time.After(10 * time.Second)
		}
		if sent != 1 {
			t.Fatalf("%d requests after a 429", sent)
		}
		<-time.After(30 * time.Second)
		if _, err := site.Points(t.Context(), anItem()); err == nil || sent != 1+3 {
			t.Errorf("%d requests, %v", sent, err)
		}
	})
}
