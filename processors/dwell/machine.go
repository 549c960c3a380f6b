package dwell

import "corridorwatch/schemas/network"

const (
	stillM       = 60.0        // fixes this near the first of them are at a stand
	stillMS      = 60_000      // and have lasted this long
	stillKmh     = 3.0         // or the tracker says so, twice
	driftMPS     = 1.0         // slower is no motion
	driftM       = 400.0       // as far as that goes
	noiseM       = 30.0        // error of a fix that stands still
	fenceNoiseM  = 50.0        // error of a fix at the edge of a fence; trackers that claim more are believed
	staleMS      = 24 * hourMS // one position to the last digit the same for longer is no evidence
	passGapMS    = 15 * 60_000 // fixes further apart prove no pass between them
	lineStandS   = 180         // shorter stands on the line do not count
	minMovingMPS = 5 / 3.6     // slower is no speed to extrapolate with
)

// fix is one position of a run.
type fix struct {
	t        int64
	id       uint64 // source and id
	rec      int64  // recorded_at
	hash     uint64
	lat, lon float64
	speed    float32 // km/h, negative: not told
	acc      float32 // metres, 0: not told
}

// edge is a time between bounds; at = 0: not known.
type edge struct{ At, Lo, Hi int64 }

// stay is a visit as positions show it.
type stay struct {
	Place                   string
	Entered, Arr, Dep, Left edge
	Stopped, First          bool  // First: the run's first fix lay inside
	Seen                    int64 // last fix inside
}

// stand is a time without motion, at a place by position or outside all fences.
type stand struct {
	Place    string
	Arr, Dep edge
}

// middle of the time in which it was seen to stand.
func (s stand) middle() int64 {
	until := s.Dep.Lo
	if s.Dep.Hi == 0 {
		until = s.Dep.At // it goes on
	}
	return (s.Arr.At + until) / 2
}

// geometry is what the machine asks of the catalogue, with buffers of its own.
type geometry struct {
	index   *network.Index
	maxMPS  float64
	hits    []network.Hit
	crossed []network.Cross
}

func newGeometry(cat *network.Catalog) *geometry {
	return &geometry{index: cat.NewIndex(), maxMPS: cat.MaxSpeedKmh() / 3.6}
}

// machine is what is known after a number of fixes, in order. It is copied by value; its slices are only ever appended to.
type machine struct {
	HasLast, HasPrev bool
	Last, Prev       fix
	Since            int64 // time of the first fix
	SameSince        int64 // since when the position is to the last digit the same
	Believed         int   // fixes since the first one or the last jump; beyond 2 not counted
	Doubt            []fix // not believed yet (doubt.go)

	Inside  bool
	In      stay
	TentOut edge // crossed the inner edge outwards, not the outer one yet

	Anchor     fix   // first fix of what may be a stand
	StillN     int   // fixes near it
	StillEnd   int64 // last of them
	StillFrom  int64 // the run had not moved off before: a fix near the anchor may be of a train that has begun to
	ArrEst     edge  // when the stand began
	Standing   bool
	DepPending bool // a stand ended between the last two fixes; the next fix tells the speed
	DepDist    float64
	DepFrom    int64   // it was seen to stand until then: the estimate is no earlier
	Ended      stand   // that one
	Leaving    stay    // its stay, if the fence was left between these two fixes as well; Place is empty if not
	LeftFrac   float64 // part of the way between them that lies within the fence

	Stays  []stay
	Stands []stand
	Gaps   []gap
}

func (g *geometry) plausible(a, b fix) bool {
	dt := float64(b.t-a.t) / 1000
	return network.DistanceM(a.lat, a.lon, b.lat, b.lon) <= g.maxMPS*dt+100
}

func (m *machine) accept(g *geometry, f fix) {
	d := 0.0
	if m.HasLast {
		d = network.DistanceM(m.Last.lat, m.Last.lon, f.lat, f.lon)
	}
	if m.HasLast && f.t-m.Last.t > passGapMS && d > leastGapM {
		m.Gaps = atMost(m.Gaps, gap{m.Last.t, f.t}, mostGaps)
	}
	m.settleDeparture(f, d)
	m.standstill(f)
	m.fences(g, f)
	m.stopHere()
	if !m.HasLast || f.lat != m.Last.lat || f.lon != m.Last.lon {
		m.SameSince = f.t
	}
	m.Prev, m.HasPrev = m.Last, m.HasLast
	m.Last, m.HasLast = f, true
	m.Believed = min(m.Believed+1, 2)
}

// stale tells that the same position has been sent with new times for more than a day: no tracker, or one that repeats what it last
// knew. It is no evidence that the run is still there.
func (m *machine) stale() bool { return m.HasLast && m.Last.t-m.SameSince > staleMS }

// settleDeparture sharpens the end of a stand, now that the speed after it is known.
func (m *machine) settleDeparture(f fix, d float64) {
	if !m.DepPending {
		return
	}
	m.DepPending = false
	rough := m.Ended.Dep
	if v := d / (float64(f.t-m.Last.t) / 1000); v >= minMovingMPS {
		e := &m.Ended.Dep
		e.At = min(max(m.Last.t-int64(m.DepDist/v*1000), m.DepFrom), e.Hi)
	}
	if m.Inside && m.In.Dep == rough {
		m.In.Dep = m.Ended.Dep
	}
	m.Stands = atMost(m.Stands, m.Ended, mostStands)
	if m.Leaving.Place != "" {
		m.Stays = atMost(m.Stays, m.left(), mostStays)
		m.Leaving, m.LeftFrac = stay{}, 0
	}
}

// left is the stay whose fence was left with the same step with which the stand ended: it moved from then on at one speed.
func (m *machine) left() stay {
	s := m.Leaving
	s.Dep = m.Ended.Dep
	s.Left = edge{At: between(s.Dep.At, s.Dep.Hi, m.LeftFrac), Lo: s.Dep.Lo, Hi: s.Dep.Hi}
	return s
}

// stays are all of them in the order in which they were closed, and the one that goes on last.
func (m *machine) stays() []stay {
	all := m.Stays[:len(m.Stays):len(m.Stays)]
	if m.Leaving.Place != "" {
		all = append(all, m.left())
	}
	if m.Inside {
		all = append(all, m.In)
	}
	return all
}

// stands are all of them, with one that has just ended and one that goes on (until the last fix, as far as is known).
func (m *machine) stands() []stand {
	all := m.Stands[:len(m.Stands):len(m.Stands)]
	if m.DepPending {
		all = append(all, m.Ended)
	}
	if m.Standing {
		all = append(all, stand{m.placeID(), m.ArrEst, edge{At: m.StillEnd}})
	}
	return all
}

// reach is how far from the anchor a fix may lie and still be at the stand: the jitter of trackers and, the longer the stand, what is
// slower than walking, up to a few hundred metres: tired trackers, and shunting within a yard.
func (m *machine) reach(f fix) float64 {
	r := stillM
	if f.acc > 0 {
		r = min(max(stillM, 2*float64(f.acc)), 150)
	}
	return max(r, min(driftMPS*float64(f.t-m.Anchor.t)/1000, driftM))
}

// slack is how long a run may have moved already, or moves still, that was found d metres from where it stands.
func slack(d float64) int64 { return int64((d + noiseM) / driftMPS * 1000) }

// standstill follows whether the run stands.
func (m *machine) standstill(f fix) {
	if m.StillN > 0 {
		d := network.DistanceM(m.Anchor.lat, m.Anchor.lon, f.lat, f.lon)
		if d <= m.reach(f) {
			m.StillN++
			if m.StillN == 2 {
				m.ArrEst.Hi = min(f.t, m.Anchor.t+slack(d))
			}
			m.StillFrom = max(m.StillFrom, f.t-slack(d))
			m.StillEnd = f.t
			slow := f.speed >= 0 && f.speed < stillKmh && m.Anchor.speed >= 0 && m.Anchor.speed < stillKmh
			m.Standing = m.Standing || f.t-m.Anchor.t >= stillMS || slow
			return
		}
		if m.Standing {
			e := edge{At: (m.StillEnd + f.t) / 2, Lo: m.StillFrom, Hi: f.t}
			m.DepFrom = m.StillEnd
			if off := network.DistanceM(m.Anchor.lat, m.Anchor.lon, m.Last.lat, m.Last.lon); off > noiseM {
				// It may have moved off already, then at the speed at which it went on.
				m.DepFrom = m.StillFrom
				if v := network.DistanceM(m.Last.lat, m.Last.lon, f.lat, f.lon) / (float64(f.t-m.Last.t) / 1000); v >= minMovingMPS {
					e.At = max(m.Last.t-int64(off/v*1000), m.DepFrom)
				}
			}
			if m.stale() {
				e.Lo, m.DepFrom = m.SameSince, m.SameSince // the repetitions prove nothing
			}
			m.endStand(e, d)
		}
	}
	m.Anchor, m.StillN, m.StillEnd, m.StillFrom, m.Standing = f, 1, f.t, f.t, false
	m.ArrEst = m.arrival(f)
}

// arrival estimates when the stand that may begin with f began: the last speed carried the run the rest of the way.
func (m *machine) arrival(f fix) edge {
	if !m.HasLast {
		return edge{At: f.t, Hi: f.t}
	}
	e := edge{At: f.t, Lo: m.Last.t, Hi: f.t}
	if m.HasPrev {
		v := network.DistanceM(m.Prev.lat, m.Prev.lon, m.Last.lat, m.Last.lon) / (float64(m.Last.t-m.Prev.t) / 1000)
		if v >= minMovingMPS {
			d := network.DistanceM(m.Last.lat, m.Last.lon, f.lat, f.lon)
			e.At = min(m.Last.t+int64(d/v*1000), f.t)
		}
	}
	return e
}

func (m *machine) endStand(e edge, d float64) {
	if m.Inside {
		m.In.Dep = e
	}
	m.DepPending, m.DepDist, m.Ended = true, d, stand{m.placeID(), m.ArrEst, e}
}
