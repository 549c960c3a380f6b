package dwell

import (
	"slices"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// gap is a time without fixes in which the run moved on.
type gap struct{ From, To int64 }

// leastGapM is how far a run moves in a gap that may hide a place.
const leastGapM = 3000

// skipped adds passes through the places that lie on the way from one visit to the next and were hidden by a coverage gap: inferred,
// between the fixes around it, at the time at which the way was covered by that part, were the speed constant. Where one side of a border
// was seen, the stations of the other are left out: what is known of that crossing the border stage says.
func (r *run) skipped(cat *network.Catalog, visits []*visit) []*visit {
	if len(r.now.Gaps) == 0 {
		return visits
	}
	var out []*visit
	for i, b := range visits {
		if i > 0 {
			out = append(out, r.hidden(cat, visits[i-1], b)...)
		}
		out = append(out, b)
	}
	return out
}

func sameBorder(cat *network.Catalog, a, b string) bool {
	return slices.ContainsFunc(cat.BorderSides(a), func(s network.BorderSide) bool {
		return slices.Contains(s.Border.A.Places, b) || slices.Contains(s.Border.B.Places, b)
	})
}

func (r *run) hidden(cat *network.Catalog, a, b *visit) (out []*visit) {
	went, came := firstSet(a.Departed.GetAt(), a.Left.GetAt(), a.start()), firstSet(b.Arrived.GetAt(), b.start())
	if !slices.ContainsFunc(r.now.Gaps, func(g gap) bool { return g.From < came && g.To > went }) {
		return nil
	}
	route, ok := cat.Route(a.Place, b.Place, time.UnixMilli(went))
	if !ok || len(route.Places) < 3 || came <= went {
		return nil
	}
	km := 0.0
	for i, id := range route.Places[1 : len(route.Places)-1] {
		km += route.Sections[i].Km
		at := between(went, came, km/route.Km)
		p, _ := cat.Place(id)
		k := slices.IndexFunc(r.now.Gaps, func(g gap) bool { return g.From <= at && at <= g.To })
		if k < 0 || p.Position == nil || sameBorder(cat, id, a.Place) || sameBorder(cat, id, b.Place) {
			continue
		}
		m := &pb.Moment{At: at, Basis: pb.Basis_INFERRED, Earliest: r.now.Gaps[k].From, Latest: r.now.Gaps[k].To}
		v := r.visit(id)
		v.Entered, v.Left, v.State = m, m, pb.State_CLOSED
		out = append(out, v)
	}
	return out
}
