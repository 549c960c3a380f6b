package border

import (
	"fmt"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// passage is a crossing while it is put together. Its outbound or its inbound side may be missing.
type passage struct {
	*pb.Crossing
	outbound, inbound *group
	back              bool // the outbound side is the inbound one of the crossing before
}

// crossing puts one crossing together.
func (u *unit) crossing(cat *network.Catalog, j journey, b *network.Border, c *passage) *pb.Crossing {
	outbound, inbound := c.outbound, c.inbound
	var from, to network.Side
	if outbound != nil {
		from, to = own(b, outbound.side), other(b, outbound.side)
	} else {
		from, to = other(b, inbound.side), own(b, inbound.side)
	}
	alone := inbound == nil && outbound.last+1 == len(j.stays) || outbound == nil && inbound.first == 0
	c.Crossing = &pb.Crossing{
		Unit: u.id, UnitKind: u.kind, Journey: j.id, Border: b.ID, FromCountry: from.Country, ToCountry: to.Country,
		Outbound: u.side(j, b, "outbound", from, from.Country, outbound), Inbound: u.side(j, b, "inbound", to, from.Country, inbound),
		GaugeBreak: b.GaugeBreak, Area: b.Area, Candidate: alone,
	}
	switch {
	case alone:
	case outbound == nil:
		inferOutbound(j, c.Crossing, inbound)
	case inbound == nil:
		inferInbound(j, c.Crossing, outbound)
	}
	c.CustomsS = c.Outbound.CustomsS + c.Inbound.CustomsS
	c.GaugeChangeS = c.Outbound.GaugeChangeS + c.Inbound.GaugeChangeS
	c.handover()
	u.vehicles(c.Crossing, outbound, inbound)
	u.total(c.Crossing)
	if alone && j.closed {
		c.State = pb.State_CLOSED // it is no more; what went on has another identity
	}
	u.yardsticks(c.Crossing, outbound, inbound)
	c.ApproachS = u.approach(j, c.Crossing)
	if u.kind == pb.UnitKind_CONTAINER && b.GaugeBreak != "" {
		c.Transfer = c.transfer(j)
	}
	return c.Crossing
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
	s.State, s.Vehicles = pb.State_CLOSED, vehicles(g.stays)
	for _, st := range g.stays {
		s.Places = append(s.Places, st.Place)
		if s.Arrived == nil {
			s.Arrived = st.Arrived
		}
		if st.State != pb.State_CLOSED {
			s.State = st.State
		}
	}
	began, ended := schemas.SideEntry(s).GetAt(), schemas.SideExit(s).GetAt()
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

// inferOutbound bounds a side whose stations were not seen by the stays in the two countries around it.
func inferOutbound(j journey, c *pb.Crossing, inbound *group) {
	before := j.stays[inbound.first-1]
	left, came := before.end(), schemas.SideEntry(c.Inbound).GetAt()
	if left == 0 {
		left = before.start()
	}
	m := &pb.Moment{At: came, Basis: pb.Basis_INFERRED, Earliest: left, Latest: came}
	c.Outbound.Entered, c.Outbound.Left, c.Outbound.State = m, m, pb.State_CLOSED
}

// inferInbound is the same of an inbound side that was not seen.
func inferInbound(j journey, c *pb.Crossing, outbound *group) {
	left, came := schemas.SideExit(c.Outbound).GetAt(), j.stays[outbound.last+1].start()
	if left == 0 {
		left = j.stays[outbound.last].start()
	}
	m := &pb.Moment{At: left, Basis: pb.Basis_INFERRED, Earliest: left, Latest: came}
	c.Inbound.Entered, c.Inbound.Left, c.Inbound.State = m, m, pb.State_CLOSED
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
	outLeft, inEntered := schemas.SideExit(c.Outbound), schemas.SideEntry(c.Inbound)
	if outLeft.GetAt() != 0 && inEntered.GetAt() != 0 && c.Outbound.State == pb.State_CLOSED {
		c.RunningS = (inEntered.At - outLeft.At) / 1000
	}
	began, ended := schemas.SideEntry(c.Outbound), schemas.SideExit(c.Inbound)
	if c.Inbound.State != pb.State_CLOSED {
		return
	}
	c.State = pb.State_CLOSED
	if began.GetAt() == 0 || ended.GetAt() == 0 {
		return // a train formed at the border, say: nobody knows how long it was on the first side
	}
	c.TotalBasis = basis(began, outLeft, inEntered, ended)
	c.TotalEarliestS = max(0, (firstSet(ended.Earliest, ended.At)-firstSet(began.Latest, began.At))/1000)
	if began.Earliest != 0 || began.Basis == pb.Basis_REPORT {
		c.TotalLatestS = (firstSet(ended.Latest, ended.At) - firstSet(began.Earliest, began.At)) / 1000
	} // else nobody saw it come: there is no upper bound
	if hidden(c.Outbound) && hidden(c.Inbound) {
		c.RunningS = 0 // when it crossed within a gap, and for how long it stood there, nobody knows
		return
	}
	c.TotalS = (ended.At - began.At) / 1000
}

// hidden tells that a side lies within a gap: by the way it was passed there.
func hidden(s *pb.Side) bool {
	return s.Arrived == nil && s.Departed == nil && s.Entered.GetBasis() == pb.Basis_INFERRED && s.Left.GetBasis() == pb.Basis_INFERRED
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
	until := schemas.SideEntry(c.Outbound).GetAt()
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
