package dwell

import (
	"math"

	"corridorwatch/schemas/network"
)

// stopHere notes a stand inside a fence; the stay's arrival is its first stand's, its departure its last one's end.
func (m *machine) stopHere() {
	if !m.Standing || !m.Inside {
		return
	}
	if !m.In.Stopped {
		m.In.Stopped, m.In.Arr = true, m.ArrEst
		if m.In.Entered.At > m.In.Arr.At {
			m.In.Arr.At = m.In.Entered.At
		}
	}
	m.In.Dep, m.TentOut = edge{}, edge{}
}

// fences follows which place the run is at. A fix belongs to one place at most: where fences overlap, to the one it is nearest by
// distance over radius when it comes from outside; inside it stays with its place until beyond that one's outer edge and no longer at
// its stand, or until it stands nearer to the other.
func (m *machine) fences(g *geometry, f fix) {
	at := f
	if m.Inside && m.Standing {
		at = m.Anchor // it is where it came to a stand, however far it drifts
	}
	g.hits = g.index.At(at.lat, at.lon, g.hits)
	next, inner := m.choose(g.hits)
	moved := m.HasLast && (m.Last.lat != f.lat || m.Last.lon != f.lon)
	if next == m.placeID() || next == "" && m.Standing {
		switch {
		case m.Inside:
			m.In.Seen = f.t
			m.watchEdge(g, f, inner)
		case moved:
			m.passes(g, f, 0, 1)
		}
		return
	}
	from, to := 0.0, 1.0
	if m.Inside {
		from = m.leave(g, f)
	}
	if next == "" {
		m.passes(g, f, from, 1)
		return
	}
	entered := edge{Hi: f.t}
	if m.HasLast {
		to = 1
		if c, ok := g.segment(m.Last, f, next); ok {
			to = max(c.In, from)
		}
		entered = crossing(m.Last, f, to)
		m.passes(g, f, from, to)
	}
	m.Inside, m.TentOut = true, edge{}
	m.In = stay{Place: next, Entered: entered, First: !m.HasLast, Seen: f.t}
}

func (m *machine) placeID() string {
	if m.Inside {
		return m.In.Place
	}
	return ""
}

// choose picks the place a fix belongs to, "" for none, and whether it lies within the inner edge.
func (m *machine) choose(hits []network.Hit) (string, bool) {
	best, current := -1, -1
	for i, h := range hits {
		if h.Inner && best < 0 {
			best = i
		}
		if m.Inside && h.Place.ID == m.In.Place {
			current = i
		}
	}
	if current >= 0 && (best < 0 || best >= current || !m.Standing) {
		return hits[current].Place.ID, hits[current].Inner
	}
	if best < 0 {
		return "", false
	}
	return hits[best].Place.ID, true
}

// watchEdge remembers when the inner edge was crossed outwards, in case the run goes on beyond the outer one.
func (m *machine) watchEdge(g *geometry, f fix, inner bool) {
	if inner {
		m.TentOut = edge{}
		return
	}
	if m.TentOut.At == 0 {
		m.TentOut = m.outward(g, f)
	}
}

func (m *machine) outward(g *geometry, f fix) edge {
	if c, ok := g.segment(m.Last, f, m.In.Place); ok {
		return crossing(m.Last, f, c.Out)
	}
	return crossing(m.Last, f, 0)
}

// crossing is when the edge of a fence was crossed, at a fraction of the way from one fix to the next. A fix next to the edge may have
// been on its other side: the bounds reach as far beyond the fixes as that can be.
func crossing(a, b fix, fraction float64) edge {
	d, s := network.DistanceM(a.lat, a.lon, b.lat, b.lon), float64(b.t-a.t)/1000
	noise := max(fenceNoiseM, 2*float64(max(a.acc, b.acc)))
	beyond := int64(noise / max(d/max(s, 1), minMovingMPS) * 1000)
	at := between(a.t, b.t, fraction)
	return edge{At: at, Lo: min(a.t, at-beyond), Hi: max(b.t, at+beyond)}
}

// leave closes the stay and returns the fraction of the segment at which the fence was left.
func (m *machine) leave(g *geometry, f fix) float64 {
	if m.DepPending && m.TentOut.At == 0 && m.In.Stopped && m.In.Dep == m.Ended.Dep {
		m.Leaving, m.LeftFrac = m.In, 0
		if c, ok := g.segment(m.Last, f, m.In.Place); ok {
			m.LeftFrac = c.Out
		}
		m.Inside, m.In = false, stay{}
		return m.LeftFrac
	}
	at := 0.0
	left := m.TentOut
	if left.At == 0 {
		left = m.outward(g, f)
		at = float64(left.At-m.Last.t) / math.Max(1, float64(f.t-m.Last.t))
	}
	m.In.Left = left
	if m.In.Stopped && m.In.Dep.At == 0 {
		// The stand ended with this very fix.
		m.In.Dep = edge{At: left.At, Lo: m.StillFrom, Hi: left.Hi}
	}
	if m.In.Dep.Lo > left.At {
		m.In.Left = edge{At: m.In.Dep.At, Lo: m.In.Dep.Lo, Hi: f.t} // it stood between the two edges
	} else if m.In.Dep.At > left.At {
		m.In.Dep.At = left.At
	}
	m.Stays = atMost(m.Stays, m.In, mostStays)
	m.Inside, m.In, m.TentOut = false, stay{}, edge{}
	return at
}

// passes notes the fences the segment crosses between two of its fractions without a fix inside that counts for them.
func (m *machine) passes(g *geometry, f fix, from, to float64) {
	if !m.HasLast || f.t-m.Last.t > passGapMS {
		return
	}
	g.crossed = g.index.Crossed(m.Last.lat, m.Last.lon, f.lat, f.lon, g.crossed)
	end := from
	for _, c := range g.crossed {
		if c.In <= end || c.Out >= to || c.In == 0 || c.Out == 1 {
			continue
		}
		m.Stays = atMost(m.Stays, stay{
			Place:   c.Place.ID,
			Entered: crossing(m.Last, f, c.In), Left: crossing(m.Last, f, c.Out),
			Seen: between(m.Last.t, f.t, c.Out),
		}, mostStays)
		end = c.Out
	}
}

func (g *geometry) segment(a, b fix, place string) (network.Cross, bool) {
	g.crossed = g.index.Crossed(a.lat, a.lon, b.lat, b.lon, g.crossed)
	for _, c := range g.crossed {
		if c.Place.ID == place {
			return c, true
		}
	}
	return network.Cross{}, false
}

func between(a, b int64, fraction float64) int64 { return a + int64(fraction*float64(b-a)) }
