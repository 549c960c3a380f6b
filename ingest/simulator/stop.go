package simulator

import (
	"math"
	"time"

	"corridorwatch/schemas/network"
)

// call is a planned place of a run: a stop, or a pass.
type call struct {
	place        *network.Place
	arrive, left int64 // of the standstill; equal on a pass
	plannedArr   int64
	plannedDep   int64
	km           float64
	feed         Feed
	spans        []span

	border   string // the train is handed over here to the neighbouring railway, for this border; empty: it is not
	offers   []int64
	refusals []span // cause and from
	accepted int64

	held, until int64 // held back here upstream of a border; 0: it was not
	boundFor    string
	heldCause   string

	anchored, weighed int64 // on the way to the next place: a vessel waits for its port to open; 0: it does not
}

type span struct {
	kind, cause string
	from, to    int64
}

func (c *call) stops() bool { return c.left > c.arrive }

func speed(s *network.Section) float64 {
	if s.RunningKmh > 0 {
		return s.RunningKmh
	}
	return 45
}

// stay draws how long a trip stops at the place it comes to at `at`, queues aside, and how long it usually does. Small stations are
// passed as often as not.
func (d *driver) stay(t *trip, at int64) (stay, usual int64) {
	place := t.place(d.cfg.Catalog, t.at)
	before, after := t.sections(d.cfg.Catalog, t.at)
	median, p95, ok := d.cfg.Catalog.DwellNorm(place.ID)
	if !ok {
		median, p95 = time.Hour, 2*time.Hour
	}
	passes, z := true, 0.0
	if !d.cfg.Even {
		passes, z = t.rnd.Float64() < 0.4, t.rnd.NormFloat64()
	}
	border := d.sideOf(t)
	if before != nil && after != nil && median <= time.Hour && len(d.cfg.Catalog.BorderSides(place.ID)) == 0 && passes {
		return 0, 0
	}
	if n, ok := d.norm(t, border); ok {
		median, p95 = n.Median, n.P95
	}
	if p95 <= median {
		p95 = 2 * median // none is known
	}
	draw := math.Exp(z * math.Log(float64(p95)/float64(median)) / 1.645)
	if before == nil {
		median = 2 * time.Hour // forming the first run; its loading is not the line's time
	}
	usual = median.Milliseconds()
	return max(int64(draw*float64(usual)*d.gates.slow(border, at)), 5*minuteMS), usual
}

// sideOf is the border whose station the trip is at, that which it is about to cross first; empty: none.
func (d *driver) sideOf(t *trip) string {
	for last := t.at; ; last++ {
		if border := d.crosses(t, last); border != "" {
			return border
		}
		if !d.sameSide(t, last) {
			break
		}
	}
	for first := t.at; first > 0; first-- {
		if border := d.crosses(t, first-1); border != "" {
			return border
		}
		if !d.sameSide(t, first-1) {
			break
		}
	}
	return ""
}

// norm is what a side usually takes, where the trip has one stop on it. Where it has several the catalogue says of each how long.
func (d *driver) norm(t *trip, border string) (network.Norm, bool) {
	if border == "" || d.sameSide(t, t.at) || t.at > 0 && d.sameSide(t, t.at-1) {
		return network.Norm{}, false
	}
	role := network.Inbound
	if d.crosses(t, t.at) == border {
		role = network.Outbound
	}
	key := t.place(d.cfg.Catalog, t.at).Country + " " + role
	if n, ok := d.cfg.Norms[border+" "+key]; ok {
		return n, true
	}
	b, _ := d.cfg.Catalog.Border(border)
	n, ok := b.Norms[key]
	return n, ok
}

// What a call is for: to go on with the same run, or to change from one to another over a change of gauge or between ship and rail.
type purpose int

const (
	through purpose = iota
	offGauge
	onGauge
	offShip
	onShip
)

func arriving(before, after *network.Section) purpose {
	if before.Mode != after.Mode {
		return offShip
	}
	return offGauge
}

func leaving(before, after *network.Section) purpose {
	if before.Mode != after.Mode {
		return onShip
	}
	return onGauge
}

// troubles hold a train up at a border now and then: codes of CAREC CPMM's list of activities.
var troubles = []span{
	{kind: "waiting_locomotive", cause: "no_locomotive"}, {kind: "document_errors", cause: "documents"}, {kind: "priority_trains", cause: "passenger_trains"},
	{kind: "sanitary_inspection", cause: "quarantine"}, {kind: "wagon_repair", cause: "technical_defect"}, {kind: "cargo_fixing", cause: "cargo_shift"},
	{kind: "excess_cargo", cause: "overload"}, {kind: "transit_documents", cause: "reissue"}, {kind: "classification", cause: "sorting"},
}

// busyTerminal are what containers wait for where the gauge changes.
var busyTerminal = []span{
	{kind: "waiting_wagons", cause: "no_wagons"}, {kind: "busy_facilities", cause: "cranes_busy"}, {kind: "faulty_equipment", cause: "crane_failure"},
}

// busy fills a stop at a border, gauge break or port with activities and their causes.
func (d *driver) busy(t *trip, c *call, why purpose) {
	border := len(d.cfg.Catalog.BorderSides(c.place.ID)) > 0
	if !c.stops() || !border && why == through {
		return
	}
	length := float64(c.left - c.arrive)
	add := func(s span, from, to float64) {
		s.from, s.to = c.arrive+int64(from*length), c.arrive+int64(to*length)
		c.spans = append(c.spans, s)
	}
	now := func(share float64, of []span, from, to float64) {
		if !d.cfg.Even && t.rnd.Float64() < share {
			add(of[t.rnd.IntN(len(of))], from, to)
		}
	}
	if b, ok := d.cfg.Catalog.Border(d.sideOf(t)); border && why != onGauge && why != onShip && ok {
		if b.Customs {
			add(span{kind: "customs"}, 0.05, 0.25)
		}
		add(span{kind: "technical_inspection"}, 0.2, 0.3)
		add(span{kind: "commercial_inspection"}, 0.28, 0.35)
	}
	switch why {
	case through:
		now(0.6, troubles, 0.4, 0.7)
	case offGauge:
		now(0.6, busyTerminal, 0.35, 0.5)
		add(span{kind: "gauge_change"}, 0.5, 0.95)
	case onGauge:
		add(span{kind: "marshalling"}, 0.3, 0.5)
		now(0.5, troubles[:1], 0.5, 0.8)
	case offShip:
		add(span{kind: "unloading"}, 0.5, 0.95)
	case onShip:
		add(span{kind: "loading"}, 0.05, 0.5)
	}
}
