package vault

import (
	"math"
	"time"
)

// clock runs simulated time beside the machine's. Simulated time is a duration since the vault was made and passes speed
// times as fast; it is kept in legs so that a moment of the past stays where it was when the speed changes.
type clock struct{ legs []leg } // oldest first, never empty

type leg struct {
	wall   time.Time     // when this leg began
	at     time.Duration // the same moment in simulated time
	speed  float64       // as chosen
	paused bool
}

// crawl is the pace of a paused clock. It is not zero, so that every moment of a pause has one place in both times; an hour
// of pause is 3.6 simulated milliseconds.
const crawl = 1e-6

// pace is how many simulated seconds pass in one of the machine's.
func (l leg) pace() float64 {
	if l.paused {
		return crawl
	}
	return l.speed
}

func newClock(speed float64) clock {
	return clock{legs: []leg{{wall: wallNow(), speed: positive(speed)}}}
}

// wallNow has no monotonic part: the world goes by the clock that clients see, also after the machine was suspended.
func wallNow() time.Time { return time.Now().UTC().Round(0) }

func positive(speed float64) float64 {
	if speed > 0 && !math.IsInf(speed, 1) {
		return speed
	}
	return 1
}

func (c *clock) last() leg { return c.legs[len(c.legs)-1] }

func (c *clock) speed() float64 { return c.last().speed }

func (c *clock) paused() bool { return c.last().paused }

func (c *clock) set(speed float64, paused bool) {
	c.legs = append(c.legs, leg{wall: wallNow(), at: c.now(), speed: positive(speed), paused: paused})
}

// now is the present in simulated time.
func (c *clock) now() time.Duration {
	l := c.last()
	return l.at + scale(wallNow().Sub(l.wall), l.pace())
}

// wall tells when the machine's clock showed, or will show at the present pace, the simulated moment.
func (c *clock) wall(at time.Duration) time.Time {
	i := len(c.legs) - 1
	for i > 0 && c.legs[i].at > at {
		i--
	}
	return c.legs[i].wall.Add(scale(at-c.legs[i].at, 1/c.legs[i].pace()))
}

// real turns a simulated duration into one of the machine's, at the speed chosen: a wait that is told during a pause is as
// long as it will be after it.
func (c *clock) real(d time.Duration) time.Duration { return scale(d, 1/c.speed()) }

// retryAfter is a simulated wait as the whole seconds of a Retry-After header, never none.
func (c *clock) retryAfter(d time.Duration) int { return max(1, int(c.real(d).Seconds())) }

func scale(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }
