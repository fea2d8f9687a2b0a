package workspace

import "time"

// rate is a documented limit, as a token bucket. Slack publishes the tiers but not the bursts: these are inferred.
type rate struct {
	perMinute  float64
	burst      float64
	perChannel bool
}

func tier(perMinute float64) rate {
	return rate{perMinute: perMinute, burst: perMinute / 5}
}

// bucket starts full.
type bucket struct {
	tokens float64
	at     time.Time
}

// take is the time until a call is allowed, 0 for now.
func (b *bucket) take(r rate) time.Duration {
	now := time.Now()
	b.tokens = min(r.burst, b.tokens+now.Sub(b.at).Minutes()*r.perMinute)
	b.at = now
	if b.tokens > 1-1e-9 { // rounding must not refuse who waited exactly as told
		b.tokens--
		return 0
	}
	return time.Duration((1 - b.tokens) / r.perMinute * float64(time.Minute))
}

// throttle returns the Retry-After in whole seconds, 0 when the call may go on.
func (w *Workspace) throttle(name string, r rate, channel string) int {
	if w.opts.NoRateLimits {
		return 0
	}
	if r.perChannel {
		name += " " + channel
	}
	b := w.buckets[name]
	if b == nil {
		b = &bucket{tokens: r.burst, at: time.Now()}
		w.buckets[name] = b
	}
	wait := b.take(r)
	return int((wait + time.Second - 1) / time.Second)
}
