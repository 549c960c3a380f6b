// Package simulator makes a world of trains on the catalogue's corridors: events in the order of their arrival, and the exact truth
// of every visit, leg and crossing beside them. One seed gives one world.
//
//	timetable ─► trips ─► runs (cut at gauge breaks and sea legs) ─► events ─► disturbances ─► order of arrival
//	                        └─► truth, by geometry of its own
//
// Stops are drawn from lognormal distributions with the catalogue's medians and 95th percentiles; each border side serves trains one
// after the other. Running speeds are the sections'. What the figures are fitted to is said in the catalogue.
package simulator

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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
	Stories    []Story
}

// Story is a border that slows down: from From until Until each of its sides takes Factor times as long for a train.
type Story struct {
	Border      string
	From, Until time.Time
	Factor      float64
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
	corridors, err := chosen(cfg)
	if err != nil {
		return nil, err
	}
	p := newPlanner(cfg)
	for _, t := range p.timetable(corridors) {
		for _, r := range p.trip(t) {
			if r.knots[len(r.knots)-1].t <= cfg.Start.UnixMilli() || r.knots[0].t >= w.end.UnixMilli() {
				continue
			}
			w.truth.add(cfg, r)
			r.open(cfg)
			w.total += r.estimate(cfg)
			if r.nextAt() < w.end.UnixMilli() {
				w.runs = append(w.runs, r)
			}
		}
	}
	heap.Init(&w.runs)
	return w, nil
}

func chosen(cfg Config) ([]*network.Corridor, error) {
	var out []*network.Corridor
	for _, id := range cfg.Corridors {
		i := slices.IndexFunc(cfg.Catalog.Corridors, func(k *network.Corridor) bool { return k.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("simulator: the catalogue has no corridor %q", id)
		}
		out = append(out, cfg.Catalog.Corridors[i])
	}
	if len(cfg.Corridors) == 0 {
		for _, k := range cfg.Catalog.Corridors {
			if k.Status == "open" {
				out = append(out, k)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("simulator: no open corridor")
	}
	return out, nil
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
	at := e.Time
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
