package simulator

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// trip is a train on its way, from end to end: a run after the other.
type trip struct {
	departure
	rnd     *rand.Rand
	pace    float64 // its speed over the usual one
	runs    []*run
	at      int   // index of the place it is at, or comes to next
	planned int64 // when it should be there
	usual   int64 // how long it should stay
	next    step
	due     int64
	refused bool  // at the border it stands at
	yard    *yard // in which it stands, or to which it runs
	index   int   // in the queue
}

// step is what a trip does next.
type step int

const (
	arrive step = iota
	ready       // all is done that it stopped for
	offer       // again, after a refusal
	leave
	resume // as leave, after it was held
	finished
)

// driver runs all trips at once, in order of time, for they get into one another's way at borders.
type driver struct {
	cfg   Config
	gates gates
	queue tripQueue
}

func newDriver(cfg Config) *driver {
	return &driver{cfg: cfg, gates: gates{cfg: cfg, all: map[string]*gate{}}}
}

// drive runs the timetable and returns the trips, each with its runs, in order of the timetable.
func (d *driver) drive(table []departure) []*trip {
	all := make([]*trip, len(table))
	for i, dep := range table {
		t := &trip{departure: dep, rnd: rand.New(rand.NewPCG(d.cfg.Seed, uint64(dep.at)^uint64(dep.number)<<40)), pace: 1, planned: dep.at, next: arrive, due: dep.at}
		if !d.cfg.Even {
			t.pace = math.Max(0.7, 1+0.08*t.rnd.NormFloat64())
		}
		all[i] = t
	}
	for i, t := range all {
		t.index = i
	}
	d.queue = slices.Clone(all)
	heap.Init(&d.queue)
	for len(all) > 0 && d.queue[0].next != finished {
		d.step(d.queue[0])
	}
	for _, t := range all {
		load := newCargo(d.cfg, t.departure)
		for i, r := range t.runs {
			r.cargo, r.part, r.last = load, i, i+1 == len(t.runs)
			r.path(d.cfg.Catalog)
		}
	}
	return all
}

func (d *driver) step(t *trip) {
	switch t.next {
	case arrive:
		d.arrive(t, t.due)
	case ready:
		d.ready(t, t.due)
	case offer:
		d.offer(t, t.due)
	case leave:
		d.leave(t, t.due)
	case resume:
		t.call().until = t.due
		d.leave(t, t.due)
	}
}

// do says what a trip does next, and when.
func (d *driver) do(t *trip, next step, at int64) {
	t.next, t.due = next, at
	heap.Fix(&d.queue, t.index)
}

// run and call are the last ones begun.
func (t *trip) run() *run   { return t.runs[len(t.runs)-1] }
func (t *trip) call() *call { return &t.run().calls[len(t.run().calls)-1] }

func (t *trip) place(cat *network.Catalog, i int) *network.Place {
	if i < 0 || i >= len(t.places) {
		return nil
	}
	p, _ := cat.Place(t.places[i])
	return p
}

// sections are those before and after place i of the way; nil at its ends.
func (t *trip) sections(cat *network.Catalog, i int) (before, after *network.Section) {
	if i > 0 {
		before = cat.Between(t.places[i-1], t.places[i])
	}
	if i+1 < len(t.places) {
		after = cat.Between(t.places[i], t.places[i+1])
	}
	return before, after
}

func (d *driver) arrive(t *trip, at int64) {
	place := t.place(d.cfg.Catalog, t.at)
	if border := d.enters(t, t.at); border != "" && t.at == 0 { // formed at the border: nobody held it back
		d.gates.of(border, place.Country).yard.enter(t)
	}
	before, after := t.sections(d.cfg.Catalog, t.at)
	stay, usual := d.stay(t, at)
	cut := before != nil && after != nil && (before.Mode != after.Mode || before.Gauge != after.Gauge)
	if len(t.runs) == 0 {
		t.runs = append(t.runs, newRun(d.cfg, t, after, at))
	}
	c := call{place: place, feed: d.cfg.feed(place.Country), arrive: at, left: at + stay, plannedArr: t.planned, plannedDep: t.planned + usual}
	if cut {
		// One run ends when it is unloaded, the next begins then with what it loads.
		c.left, c.plannedDep = at+stay*2/5, t.planned+usual*2/5
		d.busy(t, &c, arriving(before, after))
		t.run().calls = append(t.run().calls, c)
		t.runs = append(t.runs, newRun(d.cfg, t, after, c.left))
		c = call{place: place, feed: c.feed, arrive: c.left, left: at + stay, plannedArr: c.plannedDep, plannedDep: t.planned + usual}
		d.busy(t, &c, leaving(before, after))
	} else {
		d.busy(t, &c, through)
	}
	t.run().calls = append(t.run().calls, c)
	t.usual = usual
	if after == nil {
		d.do(t, finished, math.MaxInt64)
		return
	}
	d.do(t, ready, at+stay)
}

// ready offers the train to the neighbour where the next section crosses a border; elsewhere it leaves, if there is room ahead.
func (d *driver) ready(t *trip, at int64) {
	d.divert(t, at)
	if border := d.crosses(t, t.at); border != "" {
		t.refused = false
		d.offer(t, at)
		return
	}
	_, after := t.sections(d.cfg.Catalog, t.at)
	if opens := (&gate{windows: closures(after)}).opens(at); opens > at {
		t.hold(at, "", "restricted_entry")
		d.do(t, resume, opens)
		return
	}
	border := d.enters(t, t.at+1)
	if border == "" {
		d.leave(t, at)
		return
	}
	g := d.gates.of(border, t.place(d.cfg.Catalog, t.at+1).Country)
	if g.yard.busy < g.yard.tracks {
		g.yard.enter(t)
		d.leave(t, at)
		return
	}
	w, ok := g.in(at)
	if !ok {
		w.cause = "busy_facilities"
	}
	t.hold(at, border, w.cause)
	g.yard.held = append(g.yard.held, t)
	d.do(t, finished, math.MaxInt64) // until it is let go
}

// hold stops the train where it is, or lets it stand on.
func (t *trip) hold(at int64, border, cause string) {
	c := t.call()
	c.left, c.held, c.until, c.boundFor, c.heldCause = at, at, never, border, cause
}

// offer offers the train to the neighbouring railway, which refuses now and then, and else takes it when the gate has room.
func (d *driver) offer(t *trip, at int64) {
	c := t.call()
	border := d.crosses(t, t.at)
	_, after := t.sections(d.cfg.Catalog, t.at)
	g := d.gates.of(border, c.place.Country)
	if after.Mode == network.Sea {
		d.wait(c, g, at, g.take(at))
	} else {
		if c.border == "" {
			c.border = border
		}
		c.offers = append(c.offers, at)
		if !d.cfg.Even && !t.refused && t.rnd.Float64() < d.cfg.Refusals {
			t.refused = true
			cause := [...]string{"document_errors", "technical_defect", "no_locomotive"}[t.rnd.IntN(3)]
			no := at + int64((0.5+t.rnd.Float64())*float64(hourMS))
			again := no + int64((2+6*t.rnd.Float64())*float64(hourMS))
			c.refusals = append(c.refusals, span{cause: cause, from: no})
			kind := map[string]string{"document_errors": "document_errors", "technical_defect": "wagon_repair", "no_locomotive": "waiting_locomotive"}[cause]
			c.spans = append(c.spans, span{kind, cause, no, again})
			c.left = again
			d.do(t, offer, again)
			return
		}
		c.accepted = g.take(at)
		d.wait(c, g, at, c.accepted)
	}
	d.do(t, leave, c.left)
}

// wait is from when the train is ready until the gate lets it go.
func (d *driver) wait(c *call, g *gate, at, until int64) {
	c.left = until
	if until <= at {
		return
	}
	w, ok := g.in(at)
	if !ok {
		w.cause = "queue"
	}
	c.spans = append(c.spans, span{"restricted_entry", w.cause, at, until})
}

// leave lets the train run to its next place, and another come into the yard that it leaves.
func (d *driver) leave(t *trip, at int64) {
	t.call().left = at
	if y := t.yard; y != nil && d.crosses(t, t.at) != "" {
		t.yard = nil
		y.busy--
		for next, ok := y.take(); ok; next, ok = y.take() {
			d.do(next, resume, max(at, next.call().held+leastHold))
		}
	}
	_, after := t.sections(d.cfg.Catalog, t.at)
	takes := int64(after.Km / (speed(after) * t.pace) * float64(hourMS))
	t.planned += t.usual + int64(after.Km/speed(after)*float64(hourMS))
	if border := d.crosses(t, t.at); after.Mode == network.Sea && border != "" {
		g := d.gates.of(border, t.call().place.Country)
		if off := at + int64(roads*float64(takes)); g.opens(off) > off {
			t.call().anchored, t.call().weighed = off, g.opens(off)
			takes += g.opens(off) - off
		}
	}
	t.at++
	d.do(t, arrive, at+takes)
}

// roads is the part of its way after which a vessel waits while its port is closed.
const roads = 0.95

// leastHold is the shortest time that a train is held: shorter is braking and starting, and nobody reports it.
const leastHold = 10 * minuteMS

// crosses is the border that the section after place i of the way leads over; empty: none.
func (d *driver) crosses(t *trip, i int) string {
	place, next := t.place(d.cfg.Catalog, i), t.place(d.cfg.Catalog, i+1)
	if place == nil || next == nil || place.Country == next.Country {
		return ""
	}
	for _, a := range d.cfg.Catalog.BorderSides(place.ID) {
		for _, b := range d.cfg.Catalog.BorderSides(next.ID) {
			if a.Border == b.Border {
				return a.Border.ID
			}
		}
	}
	return ""
}

// enters is the border whose side the way enters at place i, to leave the country there; empty: none.
func (d *driver) enters(t *trip, i int) string {
	last := i
	for d.sameSide(t, last) {
		last++
	}
	border := d.crosses(t, last)
	if border == "" || i > 0 && d.onSide(t, i-1, border) {
		return ""
	}
	return border
}

// sameSide tells whether place i and the next are stations of one side of a border.
func (d *driver) sameSide(t *trip, i int) bool {
	next := t.place(d.cfg.Catalog, i+1)
	if next == nil || next.Country != t.place(d.cfg.Catalog, i).Country {
		return false
	}
	for _, s := range d.cfg.Catalog.BorderSides(t.places[i]) {
		if d.onSide(t, i+1, s.Border.ID) {
			return true
		}
	}
	return false
}

func (d *driver) onSide(t *trip, i int, border string) bool {
	for _, s := range d.cfg.Catalog.BorderSides(t.places[i]) {
		if s.Border.ID == border {
			return true
		}
	}
	return false
}

func newRun(cfg Config, t *trip, along *network.Section, at int64) *run {
	kind, operator := pb.UnitKind_TRAIN, "CRE"
	if along != nil && along.Mode == network.Sea {
		kind, operator = pb.UnitKind_VESSEL, "CASPAR"
	}
	day := time.UnixMilli(at).UTC().Format(time.DateOnly)
	id := fmt.Sprintf("%s:%d:%s", operator, t.number*10+len(t.runs), day)
	return &run{id: id, kind: kind, source: "simulator/" + operator, rnd: rand.New(rand.NewPCG(cfg.Seed^t.rnd.Uint64(), 11))}
}

type tripQueue []*trip

func (q tripQueue) Len() int { return len(q) }
func (q tripQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return a.due < b.due || a.due == b.due && a.trip < b.trip
}
func (q tripQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *tripQueue) Push(x any) { *q = append(*q, x.(*trip)) }
func (q *tripQueue) Pop() any   { panic("trips stay in the queue") }
