package failover

import (
	"math"
	"slices"
)

// The budget of Azure Resource Manager for writes, of one principal in one subscription, as Microsoft's documentation has it.
const (
	writesBurst     = 200
	writesPerSecond = 10
)

// timetable is what has to be done of several VMs, and what holds them back. Times are in seconds from now.
type timetable struct {
	loads []load
	waves []Wave
	// concurrency and rooms are how many VMs are under way at a time, in all and by vault; 0 is any number.
	concurrency int
	rooms       []int
	vaults      []string // by place
	subs        []string // subscriptions
	budgets     []Budget // of each
	free        bool     // calls cost nothing of it
	unknown     bool     // how long a VM takes is a default
}

// load is one VM that is not up yet.
type load struct {
	name             string
	median           float64
	elapsed          float64 // since its call; negative: it has not begun
	wave, vault, sub int     // places, from 0
}

const (
	// plays is how often a timetable is played; of that many, a p95 is good to a few percent.
	plays = 101
	// usualSpread is the standard deviation of a duration's logarithm until there is history: the p95 is three times the median.
	// No distribution is published; it is an assumption.
	usualSpread = 0.668
	// sharedSpread is the same of what slows all down alike on some day. It is an assumption, too.
	sharedSpread = 0.1
	// unknownSpread is the same while there is no history: the default may be off for all VMs alike. It is an assumption, too.
	unknownSpread = 0.25
)

// afford takes the budgets of the subscriptions as they are known now, else as they are documented.
func (p *timetable) afford(known []Budget) {
	p.budgets = make([]Budget, len(p.subs))
	for i, sub := range p.subs {
		p.budgets[i] = Budget{Left: writesBurst, PerSecond: writesPerSecond}
		for _, b := range known {
			if b.Kind == "writes" && b.Subscription == sub && b.PerSecond > 0 {
				p.budgets[i] = b
			}
		}
	}
}

// play says when all is done, as often as it is played. The same timetable always gives the same.
func (p timetable) play(spread float64, times int) []float64 {
	var from dice
	run := newRun(p)
	took, ends := make([]float64, len(p.loads)), make([]float64, times)
	for n := range ends {
		day := math.Exp(p.shared() * normal(from.part()))
		for i, l := range p.loads {
			took[i] = l.draw(&from, day, spread)
		}
		ends[n] = run.end(took)
	}
	slices.Sort(ends)
	return ends
}

func (p timetable) shared() float64 {
	if p.unknown {
		return unknownSpread
	}
	return sharedSpread
}

// draw is how long the VM takes from now on. Of one under way it is known that it takes longer than it has taken.
func (l load) draw(from *dice, day, spread float64) float64 {
	median, part := l.median*day, from.part()
	if l.elapsed <= 0 {
		return median * math.Exp(spread*normal(part))
	}
	passed := 0.5 * math.Erfc(-math.Log(l.elapsed/median)/(spread*math.Sqrt2))
	whole := median * math.Exp(spread*normal(min(passed+(1-passed)*part, 0.9999)))
	return max(whole, l.elapsed*1.05) - l.elapsed
}

// normal is the value of the normal distribution below which that part of it lies.
func normal(part float64) float64 { return math.Sqrt2 * math.Erfinv(2*part-1) }

// dice are the same numbers every time (splitmix64): a forecast is repeatable.
type dice uint64

// part is above 0 and below 1.
func (d *dice) part() float64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (float64((z^z>>31)>>11) + 0.5) / (1 << 53)
}

// run plays a timetable; it is used again and again, without new memory.
type run struct {
	timetable
	queues  [][]int // by vault: VMs of open waves that have not begun, in order
	heads   []int
	busy    []int
	all     int
	left    []int // by wave: VMs that are not up yet
	blocked []int // by wave: waves that have to be over before
	budget  []float64
	going   []going // a heap: the first is over first
}

type going struct {
	end  float64
	load int
}

func newRun(p timetable) *run {
	return &run{
		timetable: p, queues: make([][]int, len(p.rooms)), heads: make([]int, len(p.rooms)), busy: make([]int, len(p.rooms)),
		left: make([]int, len(p.waves)), blocked: make([]int, len(p.waves)), budget: make([]float64, len(p.subs)),
	}
}

// end is when all is done: whatever may begin begins, in the order of the loads.
func (r *run) end(took []float64) float64 {
	r.reset(took)
	now := 0.0
	for {
		for v := r.next(); v >= 0; v = r.next() {
			i := r.queues[v][r.heads[v]]
			r.heads[v]++
			r.begin(i, r.call(r.loads[i].sub, now)+took[i])
		}
		if len(r.going) == 0 {
			return now
		}
		over := r.pop()
		now = over.end
		l := r.loads[over.load]
		r.busy[l.vault]--
		r.all--
		r.up(l.wave)
	}
}

func (r *run) reset(took []float64) {
	for v := range r.queues {
		r.queues[v], r.heads[v], r.busy[v] = r.queues[v][:0], 0, 0
	}
	clear(r.left)
	clear(r.budget)
	r.all, r.going = 0, r.going[:0]
	for i, l := range r.loads {
		r.left[l.wave]++
		if l.elapsed >= 0 {
			r.begin(i, took[i])
		}
	}
	for w, wave := range r.waves {
		r.blocked[w] = len(wave.After)
	}
	for w := range r.waves {
		if r.blocked[w] == 0 {
			r.open(w)
		}
	}
}

// open lets a wave begin. One without VMs is over at once.
func (r *run) open(w int) {
	for i, l := range r.loads {
		if l.wave == w && l.elapsed < 0 {
			r.queues[l.vault] = append(r.queues[l.vault], i)
		}
	}
	if r.left[w] == 0 {
		r.left[w] = 1
		r.up(w)
	}
}

// up takes a VM off a wave; the last one lets those begin that come after it.
func (r *run) up(w int) {
	if r.left[w]--; r.left[w] > 0 {
		return
	}
	for later, wave := range r.waves {
		if slices.Contains(wave.After, w+1) {
			if r.blocked[later]--; r.blocked[later] == 0 {
				r.open(later)
			}
		}
	}
}

// next is the vault whose turn it is, the one with the longest load first; -1 when nothing may begin.
func (r *run) next() int {
	if r.concurrency > 0 && r.all >= r.concurrency {
		return -1
	}
	best := -1
	for v, queue := range r.queues {
		if r.heads[v] == len(queue) || r.rooms[v] > 0 && r.busy[v] >= r.rooms[v] {
			continue
		}
		if best < 0 || r.loads[queue[r.heads[v]]].median > r.loads[r.queues[best][r.heads[best]]].median {
			best = v
		}
	}
	return best
}

// call is when a call may be made that is wanted now.
func (r *run) call(sub int, now float64) float64 {
	if r.free {
		return now
	}
	b := r.budgets[sub]
	at := max(now, r.budget[sub]-b.Left/b.PerSecond)
	r.budget[sub] = max(now, r.budget[sub]) + 1/b.PerSecond
	return at
}

func (r *run) begin(i int, end float64) {
	r.busy[r.loads[i].vault]++
	r.all++
	r.going = append(r.going, going{end, i})
	for at := len(r.going) - 1; at > 0; {
		above := (at - 1) / 2
		if r.going[above].end <= r.going[at].end {
			return
		}
		r.going[above], r.going[at] = r.going[at], r.going[above]
		at = above
	}
}

func (r *run) pop() going {
	first, last := r.going[0], len(r.going)-1
	r.going[0] = r.going[last]
	r.going = r.going[:last]
	for at := 0; ; {
		below := 2*at + 1
		if below >= last {
			return first
		}
		if below+1 < last && r.going[below+1].end < r.going[below].end {
			below++
		}
		if r.going[at].end <= r.going[below].end {
			return first
		}
		r.going[at], r.going[below] = r.going[below], r.going[at]
		at = below
	}
}
