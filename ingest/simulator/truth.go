package simulator

import (
	"cmp"
	"math"
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Visit is a true stay at a place, or a true pass. Times in ms, 0: there is none (no fence, or no standstill).
type Visit struct {
	Run, Place                       string
	Kind                             pb.UnitKind
	Entered, Arrived, Departed, Left int64
	Stopped                          bool
	Cut                              bool // lies partly outside the simulated time
	Vague                            bool // its fence overlaps another that the path touches: the edges are a matter of definition
}

// Leg is the true way between two visits that follow one another.
type Leg struct {
	Run, From, To              string
	Km                         float64
	Started, Departed, Arrived int64
	Standing                   int64 // between departure and arrival, ms: a vessel off a closed port
	Cut, Vague                 bool
}

// Crossing is a true passage over a border with both sides.
type Crossing struct {
	Run, Border         string
	OutEntered, OutLeft int64
	InEntered, InLeft   int64
	Offered, Accepted   int64 // hand-over, first offered
	Refused             int
	Approach            int64 // held upstream, ms
	Customs             int64 // on both sides, ms; so is GaugeChange
	GaugeChange         int64
	Cut, Vague          bool
}

// Truth is what really happened.
type Truth struct {
	Visits    []Visit
	Legs      []Leg
	Crossings []Crossing
	Consists  []Consist
	Notices   []Notice
}

func (t *Truth) add(cfg Config, r *run) {
	visits := r.visits(cfg)
	t.Visits = append(t.Visits, visits...)
	t.Legs = append(t.Legs, r.legs(cfg, visits)...)
	t.Crossings = append(t.Crossings, crossings(cfg, r.id, visits, r.calls)...)
}

// visits are the calls with their fence times, and the passes through every other fence the path touches.
func (r *run) visits(cfg Config) []Visit {
	var out []Visit
	start, end := cfg.Start.UnixMilli(), cfg.Start.Add(cfg.Duration).UnixMilli()
	for i := range r.calls {
		c := &r.calls[i]
		if !c.seen() {
			continue
		}
		v := Visit{Run: r.id, Kind: r.kind, Place: c.place.ID}
		if c.stops() {
			v.Stopped, v.Arrived, v.Departed = true, c.arrive, c.left
		}
		if !c.reported() {
			v.Entered, v.Left = r.fenceTimes(c)
		} else if !c.stops() {
			v.Entered, v.Left = c.arrive, c.arrive
		}
		if i == len(r.calls)-1 {
			v.Left = r.end()
		}
		out = append(out, v)
	}
	out = append(out, r.strayPasses(cfg.Catalog)...)
	for i := range r.calls {
		if lat, lon, ok := r.where(i); ok && r.calls[i].reported() {
			for j := range out {
				p, _ := cfg.Catalog.Place(out[j].Place)
				if p == r.calls[i].place {
					continue
				}
				out[j].Vague = out[j].Vague || p.Position != nil && network.DistanceM(p.Position.Lat, p.Position.Lon, lat, lon) < p.OuterM()
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Visit) int { return cmp.Compare(a.came(), b.came()) })
	for i := range out {
		v := &out[i]
		v.Cut = v.begin() < start+cfg.Interval.Milliseconds() || v.finish() >= end // the first position may come after the edge
		for j := range out {
			v.Vague = v.Vague || i != j && overlap(cfg.Catalog, v.Place, out[j].Place)
		}
	}
	return out
}

func (v *Visit) begin() int64 {
	if v.Entered != 0 {
		return v.Entered
	}
	return v.Arrived
}

func (v *Visit) finish() int64 {
	if v.Left != 0 {
		return v.Left
	}
	return v.Departed
}

func overlap(cat *network.Catalog, a, b string) bool {
	p, _ := cat.Place(a)
	q, _ := cat.Place(b)
	if a == b || p.Position == nil || q.Position == nil {
		return false
	}
	return network.DistanceM(p.Position.Lat, p.Position.Lon, q.Position.Lat, q.Position.Lon) < p.OuterM()+q.OuterM()
}

// plane is metres around a place.
func plane(p *network.Place, lat, lon float64) (x, y float64) {
	const perDegree = math.Pi / 180 * 6371008.8
	return (lon - p.Position.Lon) * perDegree * math.Cos(p.Position.Lat*math.Pi/180), (lat - p.Position.Lat) * perDegree
}

// inside cuts the way between two knots with a fence and gives the times of entering and leaving, if it touches it.
func inside(p *network.Place, a, b knot) (in, out int64, ok bool) {
	ax, ay := plane(p, a.lat, a.lon)
	bx, by := plane(p, b.lat, b.lon)
	r := p.Fence.RadiusM
	dx, dy := bx-ax, by-ay
	l := math.Hypot(dx, dy)
	if l == 0 {
		return a.t, b.t, math.Hypot(ax, ay) <= r
	}
	along := -(ax*dx + ay*dy) / l
	off := math.Abs(ax*dy-ay*dx) / l
	if off > r {
		return 0, 0, false
	}
	half := math.Sqrt(r*r - off*off)
	f, g := (along-half)/l, (along+half)/l
	if g < 0 || f > 1 {
		return 0, 0, false
	}
	at := func(f float64) int64 { return a.t + int64(math.Max(0, math.Min(1, f))*float64(b.t-a.t)) }
	return at(f), at(g), true
}

// fenceTimes are when the run entered and left the fence of a call: 0 where its path begins or ends inside, or its tracker does.
func (r *run) fenceTimes(c *call) (entered, left int64) {
	i := slices.IndexFunc(r.knots, func(k knot) bool { return k.t == c.arrive })
	for k := i; k > 0; k-- {
		if r.knots[k-1].dark {
			entered = 0
			break
		}
		in, _, ok := inside(c.place, r.knots[k-1], r.knots[k])
		if !ok {
			break
		}
		if entered = in; in > r.knots[k-1].t {
			break
		}
		entered = 0
	}
	last := i
	if c.stops() {
		last++
	}
	for k := last; k+1 < len(r.knots); k++ {
		if r.knots[k].dark {
			left = 0
			break
		}
		_, out, ok := inside(c.place, r.knots[k], r.knots[k+1])
		if !ok {
			break
		}
		if left = out; out < r.knots[k+1].t {
			break
		}
		left = 0
	}
	return entered, left
}

// strayPasses are fences of places the run does not call at, but whose fence its path touches.
func (r *run) strayPasses(cat *network.Catalog) []Visit {
	var out []Visit
	for _, p := range cat.Places {
		if p.Position == nil || slices.ContainsFunc(r.calls, func(c call) bool { return c.place == p }) {
			continue
		}
		for i := 0; i+1 < len(r.knots); i++ {
			a, b := r.knots[i], r.knots[i+1]
			if a.dark || a.lat == b.lat && a.lon == b.lon {
				continue
			}
			if in, left, ok := inside(p, a, b); ok && in < left {
				out = append(out, Visit{Run: r.id, Kind: r.kind, Place: p.ID, Entered: in, Left: left})
			}
		}
	}
	return out
}

func (v *Visit) came() int64 {
	if v.Stopped {
		return v.Arrived
	}
	return (v.Entered + v.Left) / 2
}

func (v *Visit) went() int64 {
	if v.Stopped {
		return v.Departed
	}
	return v.came()
}

func (r *run) legs(cfg Config, visits []Visit) []Leg {
	var out []Leg
	for i := 1; i < len(visits); i++ {
		a, b := &visits[i-1], &visits[i]
		km := math.NaN()
		if ca, cb := r.call(a.Place), r.call(b.Place); ca != nil && cb != nil {
			km = cb.km - ca.km
		}
		l := Leg{Run: r.id, From: a.Place, To: b.Place, Km: km, Started: a.came(), Departed: a.went(), Arrived: b.came(), Cut: a.Cut || b.Cut, Vague: a.Vague && !a.Stopped || b.Vague && !b.Stopped}
		if c := r.call(a.Place); c != nil && c.anchored > l.Departed && c.weighed < l.Arrived {
			l.Standing = c.weighed - c.anchored
		}
		// Neither is known to a minute where the tracker begins or ends inside a fence, and what a run did before it was seen is not.
		l.Vague = l.Vague || r.unseenBetween(&l) || r.halfSeen(a.Place, a.Left) || r.halfSeen(b.Place, b.Entered)
		first := i == 1 || visits[i-2].finish() < cfg.Start.UnixMilli() // that is seen
		if first && a.Entered == 0 && a.Place != r.calls[0].place.ID {
			l.Vague = true
		}
		if i == 1 && a.Place == r.calls[0].place.ID { // the run begins here
			l.Started = l.Departed
		}
		out = append(out, l)
	}
	return out
}

// unseenBetween tells whether the run came through a country in which nobody tells of it: what it stood there counts as running.
func (r *run) unseenBetween(l *Leg) bool {
	return slices.ContainsFunc(r.calls, func(c call) bool { return !c.seen() && c.arrive > l.Departed && c.arrive < l.Arrived })
}

// halfSeen tells whether a fence lies there whose edge was not seen, between the tracker's railway and another.
func (r *run) halfSeen(place string, edge int64) bool {
	i := slices.IndexFunc(r.calls, func(c call) bool { return c.place.ID == place })
	if i <= 0 || i+1 == len(r.calls) || edge != 0 || r.calls[i].reported() {
		return false
	}
	return r.calls[i-1].feed != GPS || r.calls[i+1].feed != GPS
}

func (r *run) call(place string) *call {
	for i := range r.calls {
		if r.calls[i].place.ID == place {
			return &r.calls[i]
		}
	}
	return nil
}
