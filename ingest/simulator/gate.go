package simulator

import (
	"cmp"
	"math"
	"slices"
	"time"

	"corridorwatch/schemas/network"
)

// What a border takes where nothing is said of it.
const (
	defaultTrainsPerDay = 24
	defaultTracks       = 20
)

// Capacity is what a border takes, in each direction.
type Capacity struct {
	TrainsPerDay float64 // 24 when zero
	Tracks       int     // trains that the side they leave has room for, 20 when zero: the rest are held upstream
}

// Restriction closes, limits or slows a border for a time. It is sent as network.restriction, too.
type Restriction struct {
	Border    string
	Direction string // from and to country, such as CN-KZ; empty: both
	From      time.Time
	Until     time.Time // zero: beyond the end of the world
	PerDay    float64   // trains it lets through; 0: none
	Slow      float64   // stops on both sides take so many times as long; 0 and 1: as long as ever
	Reason    string
	Cause     string // code of what trains that wait for it are told; restricted_entry when empty
	Reference string // telegram or order; made up when empty
}

// window is a restriction as it bears on one direction.
type window struct {
	from, until int64
	every       int64 // between two trains; 0: closed
	cause       string
}

// gate is the way over a border in one direction: it lets trains through one after the other.
type gate struct {
	border, direction string

	every   int64
	next    int64
	windows []window
	yard    yard
}

// yard are the tracks of the side that trains leave.
type yard struct {
	tracks, busy int
	held         []*trip // upstream, the one that came first ahead
}

// in is the restriction in force at t; of several one that closes.
func (g *gate) in(t int64) (w window, ok bool) {
	for _, x := range g.windows {
		if t >= x.from && t < x.until && (!ok || x.every == 0) {
			w, ok = x, true
		}
	}
	return w, ok
}

// opens is the first time from t on at which the gate is not closed.
func (g *gate) opens(t int64) int64 {
	for w, ok := g.in(t); ok && w.every == 0; w, ok = g.in(t) {
		t = w.until
	}
	return t
}

// take is when a train that is ready may go; trains must ask in the order in which they are ready.
func (g *gate) take(ready int64) int64 {
	at := g.opens(max(ready, g.next))
	g.next = at + g.every
	if w, ok := g.in(at); ok {
		g.next = max(at+g.every, min(at+w.every, w.until))
	}
	return at
}

// gates are all of them, by border and country that is left.
type gates struct {
	cfg Config
	all map[string]*gate
}

func (g *gates) of(border, from string) *gate {
	key := border + "|" + from
	if g.all[key] == nil {
		g.all[key] = g.build(border, from)
	}
	return g.all[key]
}

func (g *gates) build(border, from string) *gate {
	b, _ := g.cfg.Catalog.Border(border)
	to := b.B.Country
	if to == from {
		to = b.A.Country
	}
	c := g.cfg.Borders[border]
	out := &gate{border: border, direction: from + "-" + to, every: int64(float64(dayMS) / cmp.Or(c.TrainsPerDay, defaultTrainsPerDay))}
	out.yard.tracks = cmp.Or(c.Tracks, defaultTracks)
	for _, r := range g.cfg.Restrictions {
		if r.Border != border || r.Direction != "" && r.Direction != out.direction {
			continue
		}
		w := window{from: r.From.UnixMilli(), until: untilMS(r.Until), cause: cmp.Or(r.Cause, "restricted_entry"), every: out.every}
		if r.PerDay > 0 {
			w.every = int64(float64(dayMS) / r.PerDay)
		} else if r.Slow <= 1 {
			w.every = 0
		}
		out.windows = append(out.windows, w)
	}
	out.windows = append(out.windows, closures(&network.Section{Status: b.Status, Valid: b.Valid})...)
	for _, a := range b.A.Places {
		for _, z := range b.B.Places {
			if s := g.cfg.Catalog.Between(a, z); s != nil {
				out.windows = append(out.windows, closures(s)...)
			}
		}
	}
	return out
}

// closures are the times at which the catalogue has a section closed, or a border that is given as one.
func closures(s *network.Section) []window {
	var out []window
	shut := func(from, until int64) {
		out = append(out, window{from: from, until: until, cause: "restricted_entry"})
	}
	for _, c := range s.Closures {
		shut(fromMS(c.From), untilMS(c.To))
	}
	if !s.Valid.From.IsZero() {
		shut(math.MinInt64, s.Valid.From.UnixMilli())
	}
	if !s.Valid.To.IsZero() {
		shut(s.Valid.To.UnixMilli(), never)
	}
	if s.Status == network.Closed {
		shut(math.MinInt64, never)
	}
	return out
}

// never is the time of what does not come.
const never = int64(1) << 50

func fromMS(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixMilli()
}

func untilMS(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixMilli()
}

// slow is how many times as long stops take on the sides of a border at t.
func (g *gates) slow(border string, t int64) float64 {
	f := 1.0
	for _, r := range g.cfg.Restrictions {
		if r.Border == border && r.Slow > 0 && t >= r.From.UnixMilli() && t < untilMS(r.Until) {
			f *= r.Slow
		}
	}
	return f
}

// enter gives t a track, whether there is one or not.
func (y *yard) enter(t *trip) {
	y.busy++
	t.yard = y
}

// take puts the next that is held on its way, if there is room; ok is false if none is held.
func (y *yard) take() (t *trip, ok bool) {
	if len(y.held) == 0 || y.busy >= y.tracks {
		return nil, false
	}
	t = y.held[0]
	y.held = slices.Delete(y.held, 0, 1)
	y.enter(t)
	return t, true
}
