package dwell

import (
	"cmp"
	"math"
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// joinMS is how far a report may lie from a visit by position and still belong to it.
const joinMS = 30 * 60_000

// visit is one stay while it is put together.
type visit struct {
	*pb.Visit
	open       bool // positions say it is still there
	byPosition bool
	seen       int64 // last fix at the place

	arrivals, departures []claim
	dissolved            bool // the run ended here, and no departure was reported: what it carried stays
}

// start and end are when the visit certainly touched the place.
func (v *visit) start() int64 {
	return firstSet(v.Entered.GetAt(), v.Arrived.GetAt(), v.Departed.GetAt(), v.Entered.GetLatest(), v.Left.GetAt())
}

func (v *visit) end() int64 {
	if v.open {
		return math.MaxInt64
	}
	return firstSet(v.Left.GetAt(), v.Departed.GetAt(), v.Arrived.GetAt(), v.Entered.GetAt())
}

func firstSet(times ...int64) int64 {
	for _, t := range times {
		if t != 0 {
			return t
		}
	}
	return 0
}

func moment(e edge, b pb.Basis) *pb.Moment {
	if e.At == 0 && e.Lo == 0 && e.Hi == 0 {
		return nil
	}
	if e.At == 0 {
		b = pb.Basis_BASIS_NONE
	}
	return &pb.Moment{At: e.At, Basis: b, Earliest: e.Lo, Latest: e.Hi}
}

// assemble makes the run's visits of its stays and reports, in order of time.
func (r *run) assemble(cat *network.Catalog, now int64) []*visit {
	visits := r.byPosition()
	visits = r.withReports(cat, visits)
	visits = r.withEvidence(visits)
	stands := r.now.stands()
	contest(cat, visits, stands)
	sortVisits(visits)
	r.originate(visits)
	r.close(visits)
	onTheLine(visits, stands)
	visits = r.skipped(cat, visits)
	r.settleState(now)
	count := map[string]uint32{}
	for _, v := range visits {
		count[v.Place]++
		v.N = count[v.Place]
		if v.State == pb.State_STATE_NONE {
			v.State = r.state
		}
	}
	r.planned(visits)
	attach(cat, r.reports, visits)
	direct(cat, visits)
	return visits
}

func sortVisits(visits []*visit) {
	slices.SortStableFunc(visits, func(a, b *visit) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.end(), b.end()), cmp.Compare(a.Place, b.Place))
	})
}

func (r *run) byPosition() []*visit {
	m := &r.now
	stays := m.stays()
	visits := make([]*visit, 0, len(stays)+2)
	for i := range stays {
		s := &stays[i]
		v := &visit{byPosition: true, seen: s.Seen, open: m.Inside && i == len(stays)-1, Visit: &pb.Visit{
			Unit: r.id, UnitKind: r.kind, Journey: r.id, Place: s.Place, Stopped: s.Stopped, Origin: s.First,
			Entered: moment(s.Entered, pb.Basis_INTERPOLATED), Arrived: moment(s.Arr, pb.Basis_INTERPOLATED),
			Departed: moment(s.Dep, pb.Basis_INTERPOLATED), Left: moment(s.Left, pb.Basis_INTERPOLATED),
		}}
		if s.First && v.Arrived != nil {
			v.Arrived.Basis = pb.Basis_FROM_POSITION
		}
		visits = append(visits, v)
	}
	return visits
}

// withReports joins each report to a visit, or opens one for it. Reports win over positions.
func (r *run) withReports(cat *network.Catalog, visits []*visit) []*visit {
	for _, e := range r.reports {
		if e.Classifier != pb.Classifier_ACTUAL || e.Place == "" {
			continue
		}
		switch e.Verb {
		case pb.Verb_ARRIVED, pb.Verb_DEPARTED, pb.Verb_PASSED:
		default:
			continue
		}
		v := nearest(visits, e)
		if v == nil {
			v = r.visit(e.Place)
			visits = append(visits, v)
		}
		counts := true
		if e.Verb != pb.Verb_PASSED {
			counts = v.claimed(newClaim(cat, e))
		} else if at := (&pb.Moment{At: e.Time, Basis: pb.Basis_REPORT}); !v.byPosition {
			v.Entered, v.Left = at, at
		}
		if m := e.GetMovement(); counts && m != nil && m.PlannedTime != 0 {
			if e.Verb == pb.Verb_ARRIVED {
				v.PlannedArrival = m.PlannedTime
			} else {
				v.PlannedDeparture = m.PlannedTime
			}
		}
	}
	for _, v := range visits {
		v.settleClaims()
	}
	return visits
}

// nearest finds the visit a report belongs to: one of its place that holds the time or lies within half an hour of it, or for a
// departure the one whose arrival was reported last with nothing else in between.
func nearest(visits []*visit, e *pb.Event) *visit {
	var best *visit
	least := int64(joinMS) + 1
	for _, v := range visits {
		if v.Place != e.Place {
			continue
		}
		d := max(v.start()-e.Time, e.Time-v.end(), 0)
		if d < least {
			best, least = v, d
		}
	}
	if best != nil || e.Verb == pb.Verb_PASSED {
		return best
	}
	if v := cmp.Or(disagrees(visits, e), sinceBefore(visits, e)); v != nil {
		return v
	}
	for _, v := range visits {
		if e.Verb == pb.Verb_DEPARTED && v.Place == e.Place && v.Departed == nil && v.start() <= e.Time && (best == nil || v.start() > best.start()) {
			best = v
		}
	}
	if best == nil {
		return nil
	}
	for _, v := range visits {
		// By clocks that oppose, a train arrives before it has departed.
		if v.Place != e.Place && v.start() > best.start() && v.start() < e.Time-joinMS {
			return nil
		}
	}
	return best
}

// close ends visits that evidence elsewhere, or the end of the run, has ended.
func (r *run) close(visits []*visit) {
	r.ended = 0
	var end *pb.Event
	for _, e := range r.reports {
		if e.Verb == pb.Verb_ENDED && e.Classifier == pb.Classifier_ACTUAL {
			end, r.ended = e, e.Time
		}
	}
	for i, v := range visits {
		last := i == len(visits)-1
		if end != nil && last && (end.Place == "" || end.Place == v.Place) {
			at := &pb.Moment{At: end.Time, Basis: pb.Basis_REPORT}
			v.Terminus = true
			if v.Left == nil {
				v.Left = at
			}
			if v.Stopped && v.Departed == nil {
				v.Departed, v.dissolved = at, true
			}
		}
		if !last {
			v.infer(visits[i+1].start())
		}
		if v.Left != nil || v.Departed.GetBasis() == pb.Basis_REPORT && !v.open {
			v.State = pb.State_CLOSED
		}
	}
}

// infer ends a visit that was last seen open, since the unit was seen elsewhere at next. Where that was before it departed, by
// clocks that oppose, both times stay as they were told.
func (v *visit) infer(next int64) {
	if v.Departed.GetBasis() == pb.Basis_REPORT {
		v.OverlapS = max(v.Departed.At-next, 0) / 1000
	}
	if v.Left != nil {
		return
	}
	since := firstSet(v.Departed.GetAt(), v.Arrived.GetAt(), v.Entered.GetAt())
	v.Left = &pb.Moment{At: next, Basis: pb.Basis_INFERRED, Earliest: since, Latest: max(next, since)}
	if v.Departed != nil {
		v.Left.At = v.Departed.At
	} else if v.Stopped {
		v.Departed = &pb.Moment{At: next, Basis: pb.Basis_INFERRED, Earliest: since, Latest: next}
	}
}

func (r *run) settleState(now int64) {
	quiet := now - r.alive
	switch {
	case r.ended != 0:
		r.state = pb.State_CLOSED
	case quiet > lostMS:
		r.state = pb.State_LOST
	case quiet > r.interval():
		r.state = pb.State_SILENT
	default:
		r.state = pb.State_OPEN
	}
}

// planned takes the planned times of the last plan, the nth stop at a place for the nth visit.
func (r *run) planned(visits []*visit) {
	p := r.plan()
	if p == nil {
		return
	}
	count := map[string]uint32{}
	for _, s := range p.Stops {
		count[s.Place]++
		for _, v := range visits {
			if v.Place == s.Place && v.N == count[s.Place] {
				v.PlannedArrival, v.PlannedDeparture = s.Arrival, s.Departure
			}
		}
	}
}

// plan is the last one said.
func (r *run) plan() *pb.Plan {
	var best *pb.Event
	for _, e := range r.reports {
		if e.Verb == pb.Verb_PLANNED && (best == nil || cmp.Or(cmp.Compare(e.Time, best.Time), cmp.Compare(e.RecordedAt, best.RecordedAt), cmp.Compare(e.Hash, best.Hash)) > 0) {
			best = e
		}
	}
	return best.GetPlan()
}
