// Package simulator makes a world of trains on the catalogue's corridors: events in the order of their arrival, and the exact truth
// of every visit, leg and crossing beside them. One seed gives one world.
//
//	timetable ─► trips, driven together ─► runs (cut at gauge breaks and sea legs) ─► events ─► disturbances ─► order of arrival
//	                        └─► truth, by geometry of its own
//
// Stops are drawn from lognormal distributions with the catalogue's medians and 95th percentiles; running speeds are the sections'.
// What the figures are fitted to is said in the catalogue. Over a border trains go one after the other, as many a day as it takes;
// those that are offered wait until the neighbour accepts them, and where the side that they leave is full others are held upstream.
package simulator

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Config chooses a world.
type Config struct {
	Catalog      *network.Catalog
	Corridors    []string // ids; empty: all that are open
	Seed         uint64
	Start        time.Time
	Duration     time.Duration
	TrainsPerDay float64       // per corridor and direction; 2 when zero
	Interval     time.Duration // between positions; 60 s when zero
	NoiseM       float64       // standard deviation of a position, metres

	// Disturbances; all off by default.
	Duplicates    float64       // share of events that arrive twice
	ShuffleWithin time.Duration // arrival is delayed by up to this
	GapEvery      time.Duration // mean time between gaps of a tracker; 0: none
	GapLength     time.Duration // mean length of a gap
	StoreForward  bool          // what was measured in a gap arrives after it; otherwise it is lost
	Loss          float64       // share of events that never arrive

	Containers bool // compositions of wagons and containers, shipments

	PerTrip int // containers a trip, 40 when zero; four or a multiple of it

	Lines        []Line              // what runs; empty: TrainsPerDay on each of Corridors, both ways
	Borders      map[string]Capacity // by border; those that are missing have the default
	Restrictions []Restriction
	Diversions   []Diversion
	WindEvery    time.Duration           // mean time between two closures of a sea border's ports by wind; 0: none
	WindLength   time.Duration           // mean length of such a closure
	Refusals     float64                 // share of hand-overs that are refused at first
	Norms        map[string]network.Norm // of border sides, instead of the catalogue's: "khorgos KZ inbound"
	Feeds        map[string]Feed         // what is told of trains, by country; GPS where nothing is said
	// Even leaves chance out: every stop and speed is the usual one, places that are passed now and then are passed, nothing is
	// refused or late. What comes out can be worked out by hand.
	Even bool
}

// World yields events. It is used by one goroutine.
type World struct {
	cfg     Config
	end     time.Time
	runs    runQueue
	pending deliveries
	truth   Truth
	total   int
	seq     uint64
	rnd     *rand.Rand
}

// New plans all trips of the world; their events are made as they are asked for.
func New(cfg Config) (*World, error) {
	if cfg.TrainsPerDay == 0 {
		cfg.TrainsPerDay = 2
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Minute
	}
	if cfg.Duration <= 0 {
		return nil, errors.New("simulator: give a duration")
	}
	w := &World{cfg: cfg, end: cfg.Start.Add(cfg.Duration), rnd: rand.New(rand.NewPCG(cfg.Seed, 3))}
	if err := check(cfg); err != nil {
		return nil, err
	}
	streams, err := streams(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Restrictions = append(slices.Clone(cfg.Restrictions), wind(cfg)...)
	d := newDriver(cfg)
	for _, t := range d.drive(timetable(cfg, streams)) {
		known := false
		for _, r := range t.runs {
			if r.end() <= cfg.Start.UnixMilli() || r.knots[0].t >= w.end.UnixMilli() {
				continue
			}
			known = true
			w.truth.add(cfg, r)
			r.open(cfg)
			w.total += r.estimate(cfg)
			if r.nextAt() < w.end.UnixMilli() {
				w.runs = append(w.runs, r)
			}
		}
		if known && cfg.Containers {
			w.truth.Consists = append(w.truth.Consists, consist(cfg, t))
		}
	}
	told, notices := notices(cfg, &d.gates)
	w.truth.Notices, w.total = notices, w.total+len(told.reports)
	if told.nextAt() < w.end.UnixMilli() {
		w.runs = append(w.runs, told)
	}
	heap.Init(&w.runs)
	return w, nil
}

// check finds what would be ignored in silence.
func check(cfg Config) error {
	for id := range cfg.Borders {
		if _, ok := cfg.Catalog.Border(id); !ok {
			return fmt.Errorf("simulator: the catalogue has no border %q to give a capacity", id)
		}
	}
	if cfg.PerTrip%consignments != 0 || cfg.PerTrip < 0 {
		return fmt.Errorf("simulator: %d containers a trip: choose a multiple of %d, they make as many consignments", cfg.PerTrip, consignments)
	}
	for country, f := range cfg.Feeds {
		if f == Statuses && !cfg.Containers {
			return fmt.Errorf("simulator: %s has statuses of containers only, and the world has no containers: ask for them", country)
		}
	}
	for side := range cfg.Norms {
		border, rest, _ := strings.Cut(side, " ")
		country, role, _ := strings.Cut(rest, " ")
		b, ok := cfg.Catalog.Border(border)
		if !ok || country != b.A.Country && country != b.B.Country || role != network.Inbound && role != network.Outbound {
			return fmt.Errorf("simulator: %q is no side of a border: write it like \"khorgos KZ inbound\"", side)
		}
	}
	for _, v := range cfg.Diversions {
		for _, id := range []string{v.Border, v.Via} {
			if _, ok := cfg.Catalog.Border(id); !ok {
				return fmt.Errorf("simulator: the catalogue has no border %q to divert trains from or to", id)
			}
		}
	}
	for _, r := range cfg.Restrictions {
		b, ok := cfg.Catalog.Border(r.Border)
		if !ok {
			return fmt.Errorf("simulator: the catalogue has no border %q to restrict", r.Border)
		}
		if a, z := b.A.Country, b.B.Country; r.Direction != "" && r.Direction != a+"-"+z && r.Direction != z+"-"+a {
			return fmt.Errorf("simulator: border %s has no direction %q: write %s-%s or %s-%s", b.ID, r.Direction, a, z, z, a)
		}
		if !r.Until.IsZero() && !r.From.Before(r.Until) {
			return fmt.Errorf("simulator: restriction of %s ends before it begins", b.ID)
		}
	}
	return nil
}

// Total is about how many events there will be, for progress.
func (w *World) Total() int { return w.total }

// Truth is what really happened between start and end.
func (w *World) Truth() *Truth { return &w.truth }

// Next gives the next event in the order of arrival; ok is false at the end.
func (w *World) Next() (ev *pb.Event, ok bool) {
	for len(w.runs) > 0 && (len(w.pending) == 0 || w.runs[0].nextAt() <= w.pending[0].at) {
		r := w.runs[0]
		e := r.next()
		if r.nextAt() >= w.end.UnixMilli() {
			heap.Pop(&w.runs)
		} else {
			heap.Fix(&w.runs, 0)
		}
		if e.Time >= w.cfg.Start.UnixMilli() && e.Time < w.end.UnixMilli() {
			w.deliver(r, e)
		}
	}
	if len(w.pending) == 0 {
		return nil, false
	}
	return heap.Pop(&w.pending).(delivery).ev, true
}

// deliver decides when an event arrives, and how often.
func (w *World) deliver(r *run, e *pb.Event) {
	at := max(e.Time, e.RecordedAt)
	if e.Verb == pb.Verb_POSITION {
		until, lost := r.gap(e.Time)
		if lost && !w.cfg.StoreForward {
			return
		}
		at = max(at, until)
	}
	if w.cfg.Loss > 0 && w.rnd.Float64() < w.cfg.Loss {
		return
	}
	copies := 1
	if w.cfg.Duplicates > 0 && w.rnd.Float64() < w.cfg.Duplicates {
		copies = 2
	}
	for range copies {
		d := at
		if w.cfg.ShuffleWithin > 0 {
			d += w.rnd.Int64N(w.cfg.ShuffleWithin.Milliseconds())
		}
		w.seq++
		heap.Push(&w.pending, delivery{d, w.seq, e})
	}
}

type delivery struct {
	at  int64
	seq uint64
	ev  *pb.Event
}

type deliveries []delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	return d[i].at < d[j].at || d[i].at == d[j].at && d[i].seq < d[j].seq
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

type runQueue []*run

func (q runQueue) Len() int { return len(q) }
func (q runQueue) Less(i, j int) bool {
	a, b := q[i].nextAt(), q[j].nextAt()
	return a < b || a == b && q[i].id < q[j].id
}
func (q runQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *runQueue) Push(x any)   { *q = append(*q, x.(*run)) }
func (q *runQueue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
