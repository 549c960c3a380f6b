package simulator

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const (
	minuteMS = int64(60_000)
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
	// A trip takes up to this; so long before the start the first trains leave, for trains to be under way at the start.
	longestTrip = 35 * dayMS
)

// departure is one line of the timetable.
type departure struct {
	corridor *network.Corridor
	down     bool // against the order of places
	at       int64
	number   int
	trip     uint64 // counts all trips of the world
}

// planner draws trips.
type planner struct {
	cfg   Config
	taken map[slot]bool
}

// slot is a time in which a border place can take one train of a direction.
type slot struct {
	place string
	down  bool
	n     int64 // of slotMS, since 1970
}

// slotMS is the rate of a border: a train in half an hour.
const slotMS = 30 * minuteMS

func newPlanner(cfg Config) *planner { return &planner{cfg: cfg, taken: map[slot]bool{}} }

// timetable spreads each corridor's trains over the day, in both directions.
func (p *planner) timetable(corridors []*network.Corridor) []departure {
	var all []departure
	step := int64(float64(dayMS) / p.cfg.TrainsPerDay)
	for i, k := range corridors {
		for d, down := range []bool{false, true} {
			offset := (int64(i)*7 + int64(d)*3) * hourMS % step
			n := 0
			for at := p.cfg.Start.UnixMilli() - longestTrip + offset; at < p.cfg.Start.Add(p.cfg.Duration).UnixMilli(); at += step {
				all = append(all, departure{corridor: k, down: down, at: at, number: 1000*(i+1) + 500*d + n%500})
				n++
			}
		}
	}
	slices.SortStableFunc(all, func(a, b departure) int { return cmp.Compare(a.at, b.at) })
	for i := range all {
		all[i].trip = uint64(i)
	}
	return all
}

// knot is a point of a run's path: between two knots it moves at constant speed, or stands.
type knot struct {
	t        int64
	lat, lon float64
	km       float64
	dark     bool // no tracker from here to the next knot: its end has no position
}

// call is a planned place of a run: a stop, or a pass.
type call struct {
	place        *network.Place
	arrive, left int64 // of the standstill; equal on a pass
	plannedArr   int64
	plannedDep   int64
	km           float64
	spans        []span
	border       string // the train is handed over here to the neighbouring railway, for this border; empty: it is not
	offered      int64
	accepted     int64
}

type span struct {
	kind, cause string
	from, to    int64
}

func (c *call) stops() bool { return c.left > c.arrive }

// trip plans one trip and cuts it into runs where the gauge or the mode changes.
func (p *planner) trip(d departure) []*run {
	places := slices.Clone(d.corridor.Places)
	if d.down {
		slices.Reverse(places)
	}
	rnd := rand.New(rand.NewPCG(p.cfg.Seed, uint64(d.at)^uint64(d.number)<<40))
	factor := math.Max(0.7, 1+0.08*rnd.NormFloat64())
	var runs []*run
	var r *run
	t, planned := d.at, d.at
	for i, id := range places {
		place, _ := p.cfg.Catalog.Place(id)
		var before, after *network.Section
		if i > 0 {
			before = p.cfg.Catalog.Between(places[i-1], id)
			h := before.Km / (speed(before) * factor)
			t += int64(h * float64(hourMS))
			planned += int64(before.Km / speed(before) * float64(hourMS))
		}
		if i+1 < len(places) {
			after = p.cfg.Catalog.Between(id, places[i+1])
		}
		stay, usual := p.stay(rnd, place, d, before, after, t)
		cut := before != nil && after != nil && (before.Mode != after.Mode || before.Gauge != after.Gauge)
		if r == nil {
			r = newRun(p.cfg, d, len(runs), after, t, rnd)
		}
		c := call{place: place, arrive: t, left: t + stay, plannedArr: planned, plannedDep: planned + usual}
		if cut {
			// One run ends when it is unloaded, the next begins then with what it loads.
			c.left, c.plannedDep = t+stay*2/5, planned+usual*2/5
		}
		if after != nil {
			next, _ := p.cfg.Catalog.Place(places[i+1])
			c.border = p.handover(place, next)
		}
		p.busy(&c, rnd, cut)
		r.calls = append(r.calls, c)
		if cut {
			runs = append(runs, r)
			r = newRun(p.cfg, d, len(runs), after, c.left, rnd)
			next := call{place: place, arrive: c.left, left: t + stay, plannedArr: c.plannedDep, plannedDep: planned + usual}
			p.busy(&next, rnd, true)
			r.calls = append(r.calls, next)
		}
		t += stay
		planned += usual
	}
	runs = append(runs, r)
	load := newCargo(p.cfg, d, places)
	for i, r := range runs {
		r.cargo, r.part, r.last = load, i, i+1 == len(runs)
		r.path(p.cfg.Catalog)
	}
	return runs
}

func speed(s *network.Section) float64 {
	if s.RunningKmh > 0 {
		return s.RunningKmh
	}
	return 45
}

// stay draws how long a train stands at a place, and how long it usually does. Small stations are passed as often as not.
func (p *planner) stay(rnd *rand.Rand, place *network.Place, d departure, before, after *network.Section, t int64) (stay, usual int64) {
	median, p95, ok := p.cfg.Catalog.DwellNorm(place.ID)
	if !ok {
		median, p95 = time.Hour, 2*time.Hour
	}
	passes := rnd.Float64() < 0.4
	z := rnd.NormFloat64()
	if before != nil && after != nil && median <= time.Hour && len(p.cfg.Catalog.BorderSides(place.ID)) == 0 && passes {
		return 0, 0
	}
	if side, ok := p.borderNorm(place, before, after); ok {
		median, p95 = side.Median, side.P95
	}
	if p95 <= median {
		p95 = 2 * median // none is known
	}
	draw := math.Exp(z * math.Log(float64(p95)/float64(median)) / 1.645)
	if before == nil {
		median = 2 * time.Hour // forming the first run; its loading is not the line's time
	}
	usual = median.Milliseconds()
	stay = max(int64(draw*float64(usual)), 5*minuteMS)
	return p.queue(place, d, t, stay), usual
}

// borderNorm is what the catalogue says of the side that a train coming along before and going on along after stops on.
func (p *planner) borderNorm(place *network.Place, before, after *network.Section) (network.Norm, bool) {
	other := func(s *network.Section) *network.Place {
		if s == nil {
			return nil
		}
		id := s.From
		if id == place.ID {
			id = s.To
		}
		o, _ := p.cfg.Catalog.Place(id)
		return o
	}
	role, border := network.Outbound, ""
	if next := other(after); next != nil {
		border = p.handover(place, next)
	}
	if prev := other(before); border == "" && prev != nil {
		role, border = network.Inbound, p.handover(prev, place)
	}
	if border == "" {
		return network.Norm{}, false
	}
	b, _ := p.cfg.Catalog.Border(border)
	n, ok := b.Norms[place.Country+" "+role]
	return n, ok
}

// queue makes a train wait until the border place has a slot for it. While a story slows the border down a train needs more of them.
// Trips are planned one after the other, not in the order in which trains come to a border: a train takes what is left.
func (p *planner) queue(place *network.Place, d departure, t, stay int64) int64 {
	sides := p.cfg.Catalog.BorderSides(place.ID)
	if len(sides) == 0 {
		return stay
	}
	needs := int64(1)
	for _, s := range p.cfg.Stories {
		if s.Border == sides[0].Border.ID && t >= s.From.UnixMilli() && t < s.Until.UnixMilli() {
			needs = int64(math.Ceil(s.Factor))
			stay = int64(float64(stay) * math.Sqrt(s.Factor))
		}
	}
	first := t / slotMS
	for p.anyTaken(place.ID, d.down, first, needs) {
		first++
	}
	for n := first; n < first+needs; n++ {
		p.taken[slot{place.ID, d.down, n}] = true
	}
	return stay + max(first*slotMS-t, 0)
}

func (p *planner) anyTaken(place string, down bool, first, needs int64) bool {
	for n := first; n < first+needs; n++ {
		if p.taken[slot{place, down, n}] {
			return true
		}
	}
	return false
}

// handover is the border between a place and the next, if they are its two sides.
func (p *planner) handover(place, next *network.Place) string {
	for _, a := range p.cfg.Catalog.BorderSides(place.ID) {
		for _, b := range p.cfg.Catalog.BorderSides(next.ID) {
			if a.Border == b.Border && place.Country != next.Country {
				return a.Border.ID
			}
		}
	}
	return ""
}

// busy fills a stop at a border or gauge break with activities and their causes (codes of CAREC CPMM's list of activities).
func (p *planner) busy(c *call, rnd *rand.Rand, cut bool) {
	border := len(p.cfg.Catalog.BorderSides(c.place.ID)) > 0
	if !c.stops() || !border && !cut {
		c.border = "" // nobody hands over what does not stop
		return
	}
	length := c.left - c.arrive
	at := func(f float64) int64 { return c.arrive + int64(f*float64(length)) }
	if border {
		c.spans = append(c.spans, span{"customs", "", at(0.05), at(0.25)}, span{"technical_inspection", "", at(0.2), at(0.35)})
		c.offered, c.accepted = at(0.6), at(0.6+0.3*rnd.Float64())
	}
	if cut {
		c.spans = append(c.spans, span{"gauge_change", "", at(0.4), at(0.8)})
	} else if rnd.Float64() < 0.5 {
		c.spans = append(c.spans, span{"waiting_locomotive", "no locomotive available", at(0.4), at(0.7)})
	}
}

// path lays the knots: from place to place along straight lines. A place without a position lies where its kilometres fall between
// its neighbours; beyond the last that has one the tracker is dark.
func (r *run) path(cat *network.Catalog) {
	for i := range r.calls {
		if i > 0 {
			r.calls[i].km = r.calls[i-1].km + cat.Between(r.calls[i-1].place.ID, r.calls[i].place.ID).Km
		}
	}
	for i := range r.calls {
		c := &r.calls[i]
		lat, lon, ok := r.where(i)
		k := knot{t: c.arrive, lat: lat, lon: lon, km: c.km, dark: !ok}
		r.knots = append(r.knots, k)
		if c.stops() {
			k.t = c.left
			r.knots = append(r.knots, k)
		}
	}
	for i := range r.knots {
		r.knots[i].dark = r.knots[i].dark || i+1 < len(r.knots) && r.knots[i+1].dark
	}
}

func (r *run) where(i int) (lat, lon float64, ok bool) {
	if p := r.calls[i].place.Position; p != nil {
		return p.Lat, p.Lon, true
	}
	a, b := i, i
	for a >= 0 && r.calls[a].place.Position == nil {
		a--
	}
	for b < len(r.calls) && r.calls[b].place.Position == nil {
		b++
	}
	if a < 0 || b == len(r.calls) {
		return 0, 0, false
	}
	p, q := r.calls[a].place.Position, r.calls[b].place.Position
	f := (r.calls[i].km - r.calls[a].km) / (r.calls[b].km - r.calls[a].km)
	return p.Lat + f*(q.Lat-p.Lat), p.Lon + f*(q.Lon-p.Lon), true
}

func newRun(cfg Config, d departure, part int, along *network.Section, at int64, rnd *rand.Rand) *run {
	kind, operator := pb.UnitKind_TRAIN, "CRE"
	if along != nil && along.Mode == "sea" {
		kind, operator = pb.UnitKind_VESSEL, "CASPAR"
	}
	day := time.UnixMilli(at).UTC().Format(time.DateOnly)
	id := fmt.Sprintf("%s:%d:%s", operator, d.number*10+part, day)
	return &run{id: id, kind: kind, source: "simulator/" + operator, rnd: rand.New(rand.NewPCG(cfg.Seed^rnd.Uint64(), 11)), corridor: d.corridor.ID}
}
