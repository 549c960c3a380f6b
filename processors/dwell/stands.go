package dwell

import (
	"math"
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// contest settles who a stand belongs to where a place without a position of its own lies within the fence of another: reports
// say that the run was there, positions that it was at the other. The stands in the reported time are the reported place's.
func contest(cat *network.Catalog, visits []*visit, stands []stand) {
	for _, q := range visits {
		if p, ok := cat.Place(q.Place); q.byPosition || !q.Stopped || ok && p.Position != nil {
			continue
		}
		from, to := firstSet(q.Arrived.GetAt(), q.Departed.GetAt()), q.Departed.GetAt()
		for _, v := range visits {
			switch {
			case !v.byPosition || !v.Stopped || v.end() <= from:
			case to != 0 && v.start() < to:
				v.yield(from, to, stands)
			case to == 0 && v.start() <= from:
				v.yieldRest(q, from, stands)
			}
		}
	}
}

// yieldRest leaves the time from a reported arrival on to a visit elsewhere of which no departure was reported: it ended when the run
// left the fence, at the latest. Unless it had stood at the other place before, it passed that on its way out.
func (v *visit) yieldRest(q *visit, from int64, stands []stand) {
	left := v.end()
	if left != math.MaxInt64 {
		q.Departed = &pb.Moment{At: left, Basis: pb.Basis_INFERRED, Earliest: from, Latest: max(left, v.Left.GetLatest())}
	}
	stoodBefore := slices.ContainsFunc(stands, func(s stand) bool { return s.Place == v.Place && s.middle() >= v.start() && s.middle() < from })
	v.yield(from, left, stands)
	if !stoodBefore && left != math.MaxInt64 && !v.Stopped {
		v.Entered, v.Origin = &pb.Moment{At: left, Basis: pb.Basis_INFERRED, Earliest: from, Latest: left}, false
	}
}

// yield leaves the time between from and to to a visit elsewhere.
func (v *visit) yield(from, to int64, stands []stand) {
	var before, after *stand
	for i := range stands {
		s := &stands[i]
		if s.Place != v.Place || s.middle() < v.start() || s.middle() > v.end() {
			continue
		}
		switch m := s.middle(); {
		case m < from:
			before = s
		case m > to && after == nil:
			after = s
		}
	}
	switch {
	case before != nil && after == nil:
		if v.Departed.GetBasis() != pb.Basis_REPORT {
			v.Departed = moment(before.Dep, pb.Basis_INTERPOLATED)
		}
		v.Left = &pb.Moment{At: from, Basis: pb.Basis_INFERRED, Earliest: min(v.Departed.At, from), Latest: from}
		v.open = false
	case before == nil && after != nil:
		if v.Arrived.GetBasis() != pb.Basis_REPORT {
			v.Arrived = moment(after.Arr, pb.Basis_INTERPOLATED)
			v.Arrived.At, v.Arrived.Latest = max(v.Arrived.At, to), max(v.Arrived.Latest, to)
		}
		v.Entered = &pb.Moment{At: to, Basis: pb.Basis_INFERRED, Earliest: to, Latest: max(v.Arrived.At, to)}
		v.Origin = false
	case before == nil && v.Arrived.GetBasis() != pb.Basis_REPORT && v.Departed.GetBasis() != pb.Basis_REPORT:
		v.Stopped, v.Arrived, v.Departed = false, nil, nil
	}
}

// onTheLine adds up the stands of three minutes or more outside all places, for the visit they came before.
func onTheLine(visits []*visit, stands []stand) {
	for _, s := range stands {
		if length := (s.Dep.At - s.Arr.At) / 1000; s.Place == "" && s.Dep.Hi != 0 && length >= lineStandS {
			if v := following(visits, s.middle()); v != nil {
				v.LineStandingS += length
			}
		}
	}
}

// following is the first visit after t, nil if t lies within one.
func following(visits []*visit, t int64) *visit {
	for _, v := range visits {
		if v.start() > t {
			return v
		}
		if t <= v.end() {
			return nil
		}
	}
	return nil
}
