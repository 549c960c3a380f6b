package border

import (
	"slices"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// group is a run of stays on one side of a border, with nothing elsewhere between them.
type group struct {
	side        byte // 'A' or 'B'
	first, last int  // indices of the stays
	stays       []*stay
}

// crossings finds every passage from one side of a border to the other. A side is a group of neighbouring stays at its places;
// two groups that follow one another directly make a crossing. One group alone is a candidate while the other side can still come, and
// of a train that is handed over under one identity and goes on under another: identities are not joined here, only load units do that.
func (u *unit) crossings(cat *network.Catalog, j journey, w way) []*pb.Crossing {
	var out []*pb.Crossing
	for _, b := range bordersOf(cat, j.stays) {
		var n uint32
		add := func(c *pb.Crossing) {
			n++
			c.N, c.Corridor = n, w.corridor
			out = append(out, c)
		}
		groups := sidesOf(b, j.stays)
		for i, g := range groups {
			inbound := i > 0 && groups[i-1].last+1 == g.first
			switch {
			case i+1 < len(groups) && groups[i+1].first == g.last+1:
				add(u.crossing(cat, j, b, &passage{outbound: &g, inbound: &groups[i+1], back: inbound}))
			case inbound: // of the crossing just told
			case u.cameOver(cat, j, b, g), u.isVehicle() && g.takenOn():
				add(u.crossing(cat, j, b, &passage{inbound: &g}))
			}
			switch {
			case i+1 < len(groups) && groups[i+1].first == g.last+1:
			case wentOver(cat, j, b, g), u.willCross(cat, j, b, g), u.isVehicle() && g.last == len(j.stays)-1 && g.handedOn():
				add(u.crossing(cat, j, b, &passage{outbound: &g, back: inbound}))
			}
		}
	}
	return out
}

// bordersOf lists the borders whose places the stays touch, in the order of the catalogue.
func bordersOf(cat *network.Catalog, stays []*stay) []*network.Border {
	var out []*network.Border
	for _, s := range stays {
		for _, side := range cat.BorderSides(s.Place) {
			if !slices.Contains(out, side.Border) && side.Border.Valid.At(time.UnixMilli(s.start())) {
				out = append(out, side.Border)
			}
		}
	}
	return out
}

func sidesOf(b *network.Border, stays []*stay) []group {
	var out []group
	for i, s := range stays {
		var side byte
		switch {
		case slices.Contains(b.A.Places, s.Place):
			side = 'A'
		case slices.Contains(b.B.Places, s.Place):
			side = 'B'
		default:
			continue
		}
		if n := len(out); n > 0 && out[n-1].side == side && out[n-1].last == i-1 {
			out[n-1].last = i
			out[n-1].stays = append(out[n-1].stays, s)
			continue
		}
		out = append(out, group{side: side, first: i, last: i, stays: []*stay{s}})
	}
	return out
}

// cameOver tells whether the unit reached this side from the other country without a stay at its border stations.
func (u *unit) cameOver(cat *network.Catalog, j journey, b *network.Border, g group) bool {
	if g.first == 0 {
		return false
	}
	p, ok := cat.Place(j.stays[g.first-1].Place)
	return ok && p.Country == other(b, g.side).Country
}

// wentOver tells whether the unit went on from this side to the other country without a stay at its border stations.
func wentOver(cat *network.Catalog, j journey, b *network.Border, g group) bool {
	if g.last+1 == len(j.stays) {
		return false
	}
	p, ok := cat.Place(j.stays[g.last+1].Place)
	return ok && p.Country == other(b, g.side).Country
}

// willCross tells whether the last group is the outbound side of a crossing still to come: it came here from inland of the same
// country, or its plan names the border or a place beyond it.
func (u *unit) willCross(cat *network.Catalog, j journey, b *network.Border, g group) bool {
	if j.closed || g.last != len(j.stays)-1 || u.kind == pb.UnitKind_WAGON && b.GaugeBreak != "" {
		return false // a wagon stays on its gauge: where that changes it does not wait to cross
	}
	if u.facts != nil {
		beyond := other(b, g.side)
		over := g.first == 0 || !u.from(cat, j, beyond.Country, g) // else it has just come from there
		if u.facts.ExitBorder == b.ID && over {
			return true
		}
		for _, s := range u.ahead(g) {
			if slices.Contains(beyond.Places, s.Place) {
				return over
			}
		}
		if len(u.facts.Plan) > 0 {
			return false // its plan ends on this side
		}
	}
	return g.first > 0 && u.from(cat, j, own(b, g.side).Country, g)
}

// ahead is what is planned behind the group: the stops after that which its last stay is, however late it has become. If the plan does
// not name its place, those that were to be reached after it came.
func (u *unit) ahead(g group) []*pb.PlanStop {
	last := g.stays[len(g.stays)-1]
	n := uint32(0)
	for i, s := range u.facts.Plan {
		if s.Place == last.Place {
			n++
			if n == last.N {
				return u.facts.Plan[i+1:]
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(u.facts.Plan), func(s *pb.PlanStop) bool { return s.Arrival != 0 && s.Arrival <= g.stays[0].start() })
}

func (u *unit) from(cat *network.Catalog, j journey, country string, g group) bool {
	if g.first == 0 {
		return false
	}
	p, ok := cat.Place(j.stays[g.first-1].Place)
	return ok && p.Country == country
}

func own(b *network.Border, side byte) network.Side {
	if side == 'A' {
		return b.A
	}
	return b.B
}

func other(b *network.Border, side byte) network.Side {
	if side == 'A' {
		return b.B
	}
	return b.A
}
