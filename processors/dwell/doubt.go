package dwell

import "corridorwatch/schemas/network"

// doubtMS is for how long a jump is doubted: fixes that agree with one another and not with those before are believed after it, and a
// fix beside a stand until one comes back to it.
const doubtMS = 10 * 60_000

// step takes the next fix. Some are not believed at once, however sure of themselves they are:
//
//   - One that no train could have come to from the fix before: the next that fits that one sets it aside. If others agree with it for
//     ten minutes, the run is there, and if there was but one fix before, that was the wrong one.
//   - One that leaves a stand: if the next is back within ten minutes, the run has not moved. That of a tracker that sends less often is
//     believed, or the departure would be told an hour late.
func (m *machine) step(g *geometry, f fix) {
	switch {
	case !m.HasLast:
		m.Since = f.t
		m.accept(g, f)
	case len(m.Doubt) == 0:
		if !g.plausible(m.Last, f) || m.strays(f) && f.t-m.Last.t <= doubtMS {
			m.Doubt = append(m.Doubt, f)
			return
		}
		m.accept(g, f)
	case m.strays(m.Doubt[0]) && g.plausible(m.Last, m.Doubt[0]):
		d := m.Doubt[0]
		m.Doubt = nil
		if f.t-d.t > doubtMS || m.strays(f) || !g.plausible(m.Last, f) {
			m.accept(g, d)
			m.step(g, f)
			return
		}
		m.accept(g, f)
	case g.plausible(m.Last, f):
		m.Doubt = nil
		m.step(g, f)
	case !g.plausible(m.Doubt[len(m.Doubt)-1], f):
		m.Doubt = []fix{f}
	case f.t-m.Doubt[0].t < doubtMS:
		m.Doubt = append(m.Doubt, f)
	default:
		m.jump(g, append(m.Doubt, f))
	}
}

// strays tells whether a fix lies beside the place where the run stands.
func (m *machine) strays(f fix) bool {
	return m.Standing && network.DistanceM(m.Anchor.lat, m.Anchor.lon, f.lat, f.lon) > m.reach(f)
}

// jump goes on from where several fixes say the run is.
func (m *machine) jump(g *geometry, fixes []fix) {
	m.Doubt = nil
	if m.Believed < 2 && len(m.Stays)+len(m.Stands) == 0 {
		*m = machine{Since: fixes[0].t}
	}
	m.Believed = 0
	for _, f := range fixes {
		m.accept(g, f)
	}
}

// likely is the fix that counts of those of one time, which are ordered: the last that a train could have come to.
func (g *geometry) likely(m *machine, same []fix) fix {
	last := len(same) - 1
	for i := last; i > 0 && m.HasLast; i-- {
		if g.plausible(m.Last, same[i]) {
			return same[i]
		}
	}
	if last > 0 && m.HasLast && g.plausible(m.Last, same[0]) {
		return same[0]
	}
	return same[last]
}
