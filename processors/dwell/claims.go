package dwell

import (
	"cmp"
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// claim is what a source reports of one end of a visit.
type claim struct {
	at    int64
	e     *pb.Event
	trust float64
}

func newClaim(cat *network.Catalog, e *pb.Event) claim {
	return claim{e.Time, e, cat.Source(e.Source).Trust}
}

// compareClaims orders by what counts: the source that is trusted most, then what was recorded last.
func compareClaims(a, b claim) int {
	return cmp.Or(cmp.Compare(a.trust, b.trust), cmp.Compare(a.e.RecordedAt, b.e.RecordedAt), compareEvents(a.e, b.e))
}

// claimed takes a report of the visit's arrival or departure, and tells whether it counts.
func (v *visit) claimed(c claim) bool {
	all, m := &v.arrivals, &v.Arrived
	if c.e.Verb == pb.Verb_DEPARTED {
		all, m = &v.departures, &v.Departed
	}
	*all = append(*all, c)
	best := slices.MaxFunc(*all, compareClaims)
	*m, v.Stopped = &pb.Moment{At: best.at, Basis: pb.Basis_REPORT}, true
	return best.e == c.e
}

// settleClaims keeps what was reported and does not count beside what does, in order of time.
func (v *visit) settleClaims() {
	for _, k := range []struct {
		what   string
		claims []claim
		counts int64
	}{{"arrived", v.arrivals, v.Arrived.GetAt()}, {"departed", v.departures, v.Departed.GetAt()}} {
		for _, c := range k.claims {
			o := &pb.Claim{What: k.what, At: c.at, Source: c.e.Source}
			if c.at != k.counts && !slices.ContainsFunc(v.Otherwise, func(p *pb.Claim) bool { return p.What == o.What && p.At == o.At && p.Source == o.Source }) {
				v.Otherwise = append(v.Otherwise, o)
			}
		}
	}
	if v.Entered != nil && v.Entered.At == 0 && v.Arrived != nil {
		v.Entered.Latest = min(v.Entered.Latest, v.Arrived.At) // its first fix came later
	}
	if v.open && v.Departed.GetBasis() == pb.Basis_REPORT && v.Departed.At > v.seen {
		v.open = false
	}
}

// disagrees finds the visit of which another source has reported the same, at another time, and during which the run was nowhere else.
func disagrees(visits []*visit, e *pb.Event) *visit {
	var last *visit
	for _, v := range visits {
		if v.start() <= e.Time && (last == nil || v.start() > last.start()) {
			last = v
		}
	}
	if last == nil || last.Place != e.Place {
		return nil
	}
	told := last.arrivals
	if e.Verb == pb.Verb_DEPARTED {
		told = last.departures
	} else if last.Departed != nil {
		return nil // it may have come again
	}
	if len(told) == 0 || slices.ContainsFunc(told, func(c claim) bool { return c.e.Source == e.Source }) {
		return nil
	}
	return last
}

// sinceBefore finds the visit the tracker began in: when the run came there it did not see, so an arrival reported before is its.
func sinceBefore(visits []*visit, e *pb.Event) *visit {
	if e.Verb != pb.Verb_ARRIVED {
		return nil
	}
	var next *visit
	for _, v := range visits {
		if v.start() > e.Time && (next == nil || v.start() < next.start()) {
			next = v
		}
	}
	if next != nil && next.Place == e.Place && next.byPosition && next.Entered.GetAt() == 0 && len(next.arrivals) == 0 {
		return next
	}
	return nil
}
