package chaintest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// Disturbance is what happens to events on their way.
type Disturbance struct {
	Loss       float64       // share that never arrives
	Duplicates float64       // share that arrives twice
	Within     time.Duration // each copy is delayed by up to this
	JitterM    float64       // standard deviation that is added to positions, metres
	Spikes     float64       // share of positions that lie somewhere else, up to 500 km off
	GapEvery   time.Duration // mean time between two gaps of a tracker, in which positions are lost; 0: none
	GapLength  time.Duration // mean length of a gap
}

// Arrival is an event that arrives.
type Arrival struct {
	At int64 // ms
	Ev *pb.Event
}

// Disturb says what arrives of events, and when, in the order of arrival. The same seed gives the same; the events stay as they are.
// What is lost, and how positions are moved, depends on the seed alone and not on delays and duplicates: with the same seed and
// others of these, the same events arrive in another order.
func Disturb(events []*pb.Event, seed uint64, d Disturbance) []Arrival {
	fate, way := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, uint64(d.Within)+2))
	gaps := map[string]*gaps{}
	var all []Arrival
	for _, ev := range events {
		lost, spiked := fate.Float64() < d.Loss, fate.Float64() < d.Spikes
		north, east, off := fate.NormFloat64(), fate.NormFloat64(), fate.Float64()
		if p := ev.GetPosition(); p != nil {
			if d.GapEvery > 0 && gapsOf(gaps, ev.Subject, seed, d).hold(ev.Time) {
				lost = true
			}
			ev = proto.CloneOf(ev)
			by := d.JitterM
			if spiked {
				by = 500_000 * off
			}
			p = ev.GetPosition()
			const perDegree = math.Pi / 180 * 6371008.8
			p.LatE7 += int32(north * by / perDegree * 1e7)
			p.LonE7 += int32(east * by / perDegree / math.Cos(float64(p.LatE7)/1e7*math.Pi/180) * 1e7)
		}
		if lost {
			continue
		}
		copies := 1
		if way.Float64() < d.Duplicates {
			copies = 2
		}
		for range copies {
			at := ev.Time
			if d.Within > 0 {
				at += way.Int64N(d.Within.Milliseconds())
			}
			all = append(all, Arrival{at, ev})
		}
	}
	slices.SortStableFunc(all, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	return all
}

// gaps are those of one tracker, drawn as time goes on.
type gaps struct {
	rnd         *rand.Rand
	d           Disturbance
	from, until int64
}

func gapsOf(all map[string]*gaps, run string, seed uint64, d Disturbance) *gaps {
	if all[run] == nil {
		sum := seed
		for _, c := range strconv.Quote(run) {
			sum = sum*1099511628211 + uint64(c)
		}
		all[run] = &gaps{rnd: rand.New(rand.NewPCG(sum, 5)), d: d}
	}
	return all[run]
}

// hold tells whether t lies in a gap; t grows from call to call.
func (g *gaps) hold(t int64) bool {
	if g.until == 0 {
		g.until = t
		g.draw()
	}
	for t >= g.until {
		g.draw()
	}
	return t >= g.from
}

func (g *gaps) draw() {
	g.from = g.until + int64(g.rnd.ExpFloat64()*float64(g.d.GapEvery.Milliseconds()))
	g.until = g.from + int64(g.rnd.ExpFloat64()*float64(g.d.GapLength.Milliseconds())) + 1
}
