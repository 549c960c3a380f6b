package border

import (
	"fmt"
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
// two groups that follow one another directly make a crossing. One group alone is a candidate while the other side can still come.
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
			switch {
			case i+1 < len(groups) && groups[i+1].first == g.last+1:
				add(u.crossing(cat, j, b, &g, &groups[i+1]))
			case i > 0 && groups[i-1].last+1 == g.first:
				// the inbound side of the crossing just told
			case u.cameOver(cat, j, b, g):
				add(u.crossing(cat, j, b, nil, &g))
			}
			switch {
			case i+1 < len(groups) && groups[i+1].first == g.last+1:
			case wentOver(cat, j, b, g), u.willCross(cat, j, b, g):
				add(u.crossing(cat, j, b, &g, nil))
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
		if u.facts.ExitBorder == b.ID {
			return true
		}
		beyond := other(b, g.side)
		for _, s := range u.facts.Plan {
			if slices.Contains(beyond.Places, s.Place) && (s.Arrival == 0 || s.Arrival > g.stays[0].start()) {
				return g.first == 0 || !u.from(cat, j, beyond.Country, g)
			}
		}
		if len(u.facts.Plan) > 0 {
			return false // its plan ends on this side
		}
	}
	return g.first > 0 && u.from(cat, j, own(b, g.side).Country, g)
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

// crossing puts one crossing together; outbound or inbound may be missing.
func (u *unit) crossing(cat *network.Catalog, j journey, b *network.Border, outbound, inbound *group) *pb.Crossing {
	var from, to network.Side
	if outbound != nil {
		from, to = own(b, outbound.side), other(b, outbound.side)
	} else {
		from, to = other(b, inbound.side), own(b, inbound.side)
	}
	c := &pb.Crossing{
		Unit: u.id, UnitKind: u.kind, Journey: j.id, Border: b.ID, FromCountry: from.Country, ToCountry: to.Country,
		Outbound: u.side(j, b, "outbound", from, from.Country, outbound), Inbound: u.side(j, b, "inbound", to, from.Country, inbound),
		GaugeBreak: b.GaugeBreak, Area: b.Area, Candidate: inbound == nil && outbound.last+1 == len(j.stays),
	}
	if outbound == nil {
		inferOutbound(j, c, inbound)
	}
	if inbound == nil && !c.Candidate {
		inferInbound(j, c, outbound)
	}
	c.CustomsS = c.Outbound.CustomsS + c.Inbound.CustomsS
	c.GaugeChangeS = c.Outbound.GaugeChangeS + c.Inbound.GaugeChangeS
	u.handover(c, outbound, inbound)
	u.vehicles(c, outbound, inbound)
	u.total(c)
	u.yardsticks(c, outbound, inbound)
	c.ApproachS = u.approach(j, c)
	return c
}

// side measures one side: from entering its first place (arriving, if it has no fence) to leaving its last (TFI1 of CAREC CPMM:
// from the entry to the exit point of a country's border crossing point).
func (u *unit) side(j journey, b *network.Border, role string, side network.Side, fromCountry string, g *group) *pb.Side {
	s := &pb.Side{Role: role, Country: side.Country}
	if norm, ok := b.Norm(fromCountry, role); ok {
		s.HasNorm, s.NormS = true, int64(norm/time.Second)
	}
	if g == nil {
		return s
	}
	first, last := g.stays[0], g.stays[len(g.stays)-1]
	s.Entered, s.Left, s.Departed = first.Entered, last.Left, last.Departed
	s.State = pb.State_CLOSED
	for _, st := range g.stays {
		s.Places = append(s.Places, st.Place)
		if s.Arrived == nil {
			s.Arrived = st.Arrived
		}
		if st.State != pb.State_CLOSED {
			s.State = st.State
		}
	}
	began, ended := entry(s).GetAt(), exit(s).GetAt()
	if ended == 0 && g.last+1 < len(j.stays) {
		s.State = pb.State_CLOSED
	}
	if began == 0 || ended == 0 || s.State != pb.State_CLOSED {
		return s
	}
	s.Seconds = (ended - began) / 1000
	if s.HasNorm {
		s.DelayNormS = s.Seconds - s.NormS
	}
	explain(s, g, began, ended)
	if pa, pd := first.PlannedArrival, last.PlannedDeparture; pa != 0 && pd != 0 {
		s.HasPlan, s.PlanS = true, (pd-pa)/1000
		s.DelayPlanS = s.Seconds - s.PlanS
	}
	return s
}

// entry and exit are the moments a side is measured between.
func entry(s *pb.Side) *pb.Moment {
	if s.Entered.GetAt() != 0 {
		return s.Entered
	}
	return s.Arrived
}

func exit(s *pb.Side) *pb.Moment {
	if s.Left.GetAt() != 0 {
		return s.Left
	}
	return s.Departed
}

// inferOutbound bounds a side whose stations were not seen by the stays in the two countries around it.
func inferOutbound(j journey, c *pb.Crossing, inbound *group) {
	before := j.stays[inbound.first-1]
	left, came := before.end(), entry(c.Inbound).GetAt()
	if left == 0 {
		left = before.start()
	}
	m := &pb.Moment{At: came, Basis: pb.Basis_INFERRED, Earliest: left, Latest: came}
	c.Outbound.Entered, c.Outbound.Left, c.Outbound.State = m, m, pb.State_CLOSED
}

// inferInbound is the same of an inbound side that was not seen.
func inferInbound(j journey, c *pb.Crossing, outbound *group) {
	left, came := exit(c.Outbound).GetAt(), j.stays[outbound.last+1].start()
	if left == 0 {
		left = j.stays[outbound.last].start()
	}
	m := &pb.Moment{At: left, Basis: pb.Basis_INFERRED, Earliest: left, Latest: came}
	c.Inbound.Entered, c.Inbound.Left, c.Inbound.State = m, m, pb.State_CLOSED
}

func (u *unit) handover(c *pb.Crossing, groups ...*group) {
	for _, g := range groups {
		if g == nil {
			continue
		}
		for _, s := range g.stays {
			if c.OfferedAt == 0 {
				c.OfferedAt = s.OfferedAt
			}
			if c.AcceptedAt == 0 {
				c.AcceptedAt = s.AcceptedAt
			}
			c.Refused += s.Refused
		}
	}
	if c.OfferedAt != 0 && c.AcceptedAt >= c.OfferedAt {
		c.HandoverS = (c.AcceptedAt - c.OfferedAt) / 1000
	}
}

// vehicles names what brought the unit to the border and took it away; containers of one arriving run are one consist.
func (u *unit) vehicles(c *pb.Crossing, groups ...*group) {
	if u.isVehicle() {
		return
	}
	for _, g := range groups {
		if g == nil {
			continue
		}
		if first := g.stays[0]; c.VehicleIn == "" && first.VehicleIn != "" {
			c.VehicleIn = first.VehicleIn
			c.Consist = fmt.Sprintf("%s|%s|%d", c.Border, first.run, first.n)
		}
		c.VehicleOut = g.stays[len(g.stays)-1].VehicleOut
	}
}

// total is from entering the first side to leaving the last.
func (u *unit) total(c *pb.Crossing) {
	c.State = pb.State_OPEN
	outLeft, inEntered := exit(c.Outbound), entry(c.Inbound)
	if outLeft.GetAt() != 0 && inEntered.GetAt() != 0 && c.Outbound.State == pb.State_CLOSED {
		c.RunningS = max(0, (inEntered.At-outLeft.At)/1000)
	}
	began, ended := entry(c.Outbound), exit(c.Inbound)
	if c.Inbound.State != pb.State_CLOSED {
		return
	}
	c.State = pb.State_CLOSED
	if began.GetAt() == 0 || ended.GetAt() == 0 {
		return // a train formed at the border, say: nobody knows how long it was on the first side
	}
	c.TotalS = (ended.At - began.At) / 1000
	c.TotalBasis = basis(began, outLeft, inEntered, ended)
	c.TotalEarliestS = (firstSet(ended.Earliest, ended.At) - firstSet(began.Latest, began.At)) / 1000
	c.TotalLatestS = (firstSet(ended.Latest, ended.At) - firstSet(began.Earliest, began.At)) / 1000
}

func basis(moments ...*pb.Moment) string {
	fence, report := 0, 0
	for _, m := range moments {
		switch m.GetBasis() {
		case pb.Basis_INTERPOLATED, pb.Basis_FROM_POSITION:
			fence++
		case pb.Basis_REPORT:
			report++
		default:
			return "inferred"
		}
	}
	switch {
	case fence == len(moments):
		return "fence"
	case report == len(moments):
		return "report"
	}
	return "mixed"
}

// yardsticks set the total against norm and plan.
func (u *unit) yardsticks(c *pb.Crossing, outbound, inbound *group) {
	// The norm is that of both sides: it says nothing of a total that lacks one.
	if c.Outbound.HasNorm && c.Inbound.HasNorm && (c.TotalS == 0 || outbound != nil && inbound != nil) {
		c.HasNorm, c.NormS = true, c.Outbound.NormS+c.Inbound.NormS
		if c.TotalS != 0 {
			c.DelayNormS = c.TotalS - c.NormS
		}
	}
	if outbound == nil || inbound == nil || c.TotalS == 0 {
		return
	}
	pa, pd := outbound.stays[0].PlannedArrival, inbound.stays[len(inbound.stays)-1].PlannedDeparture
	if pa != 0 && pd != 0 {
		c.HasPlan, c.PlanS = true, (pd-pa)/1000
		c.DelayPlanS = c.TotalS - c.PlanS
	}
}

// approach is the time held upstream, bound for this border, before the outbound side. It lies beside the total.
func (u *unit) approach(j journey, c *pb.Crossing) int64 {
	until := entry(c.Outbound).GetAt()
	var spans []span
	take := func(s *pb.Span) {
		if s.Kind != "held" || s.BoundFor != c.Border || s.From == 0 || until != 0 && s.From >= until {
			return
		}
		to := s.To
		if to == 0 || until != 0 && to > until {
			to = until
		}
		if to > s.From {
			spans = append(spans, span{s.From, to})
		}
	}
	if u.facts != nil {
		for _, s := range u.facts.Held {
			take(s)
		}
	}
	for _, st := range j.stays {
		for _, s := range st.Activities {
			take(s)
		}
	}
	return union(spans)
}
