package azure_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
	"ferry/failover"
)

// cloud is Azure that stops answering at times, and counts what it is asked.
type cloud struct {
	mu     sync.Mutex
	status int // 0: it answers
	asked  []time.Time
	posts  int
}

func (c *cloud) be(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.asked, c.posts = status, nil, 0
}

func (c *cloud) transport() *transport {
	return &transport{answer: func(r *http.Request) (*http.Response, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, time.Now())
		if r.Method == http.MethodPost {
			c.posts++
		}
		switch c.status {
		case 0:
			return response(http.StatusOK, `{"value":[]}`), nil
		case -1:
			return nil, errors.New("connection refused")
		}
		return response(c.status, errorBody("Busy", "Busy.")), nil
	}}
}

// drivers read as the executor's do: each comes again when it was told to, until it is answered.
func drivers(t *testing.T, site *azure.Site, n int) (wait func()) {
	t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for t.Context().Err() == nil {
				_, err := site.Points(t.Context(), anItem())
				if err == nil {
					return
				}
				e := siteError(t, err)
				<-time.After(max(10*time.Second, e.After))
			}
		})
	}
	return all.Wait
}

// A thousand drivers meet twenty minutes of silence: after a moment one probe at a time is sent, the last of them a minute
// apart. When Azure answers again, nobody had to act, and they do not come all at once.
func TestBrownOut(t *testing.T) {
	for name, status := range map[string]int{"503": 503, "no connection": -1, "401": 401} {
		if testing.Short() && status != http.StatusServiceUnavailable {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cloud{status: status}
				site := siteOver(t, c.transport())
				wait := drivers(t, site, 1000)
				<-time.After(time.Minute)
				c.be(status)
				<-time.After(19 * time.Minute)
				c.mu.Lock()
				if n := len(c.asked); n < 10 || n > 3*25 { // a read is sent three times
					t.Errorf("asked %d times in 19 minutes of silence", n)
				}
				c.mu.Unlock()
				_, err := site.Begin(t.Context(), aFailover())
				if e := siteError(t, err); e.Kind != failover.Retry || e.Silent < 19*time.Minute || e.After <= 0 {
					t.Errorf("a write is kept back, got %+v", e)
				}
				c.be(0)
				ended := time.Now()
				wait()
				if d := time.Since(ended); d > 4*time.Minute {
					t.Errorf("the last one is answered after %s", d)
				}
				if most := busiest(c.asked); most > 60 {
					t.Errorf("%d requests within a second at the end", most)
				}
				if c.posts != 0 {
					t.Errorf("%d writes without anybody asking", c.posts)
				}
			})
		})
	}
}

// busiest is the largest number of requests within one second.
func busiest(asked []time.Time) int {
	slices.SortFunc(asked, time.Time.Compare)
	most := 0
	for i, first := range asked {
		n := 0
		for _, at := range asked[i:] {
			if at.Sub(first) >= time.Second {
				break
			}
			n++
		}
		most = max(most, n)
	}
	return most
}

// What Azure refuses, or asks to wait for, is an answer; a single failure is everyday life; and one vault says nothing about
// another.
func TestBreakerStaysClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{403, 404, 409, 429} {
			c := &cloud{status: status}
			site := siteOver(t, c.transport())
			for range 20 {
				_, _ = site.Points(t.Context(), anItem())
			}
			if len(c.asked) != 20 {
				t.Errorf("%d: asked %d times of 20", status, len(c.asked))
			}
		}
		c := &cloud{}
		site := siteOver(t, c.transport())
		for range 20 {
			for range 4 {
				c.be(503)
				_, _ = site.Points(t.Context(), anItem())
			}
			c.be(0)
			if _, err := site.Points(t.Context(), anItem()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The identity service fails for everybody alike: it is not asked a hundred times a second, and who is kept back hears why.
func TestNoTokenOpensTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		site := siteWith(t, c.transport(), credential{errors.New("expired")})
		for range 10 {
			_, err := site.Points(t.Context(), anItem())
			if e := siteError(t, err); e.Kind != failover.Retry || e.Fault.Code != "NoToken" || e.Fault.Action == "" {
				t.Errorf("%+v", e)
			}
		}
	})
}
