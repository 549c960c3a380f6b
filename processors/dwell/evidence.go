package dwell

import (
	"slices"

	"corridorwatch/schemas/pb"
)

// withEvidence takes what names a place without saying that the run arrived there or departed (a list, an activity, a hold, its
// end): it was there. So a visit of which no arrival was reported begins with the first of them, at the latest: its dwell is a lower
// bound. Where nothing else tells of the place, a visit begins with it.
func (r *run) withEvidence(visits []*visit) []*visit {
	for _, e := range r.reports {
		if e.Classifier != pb.Classifier_ACTUAL || e.Place == "" || !namesPlace(e.Verb) {
			continue
		}
		sortVisits(visits)
		before, after := around(visits, e.Time)
		switch {
		case after != nil && after.Place == e.Place:
			after.since(e.Time)
		case before != nil && (before.Place == e.Place || before.byPosition && e.Time <= before.end()):
			// it is known to be there, or its positions say that it is elsewhere
		case near(visits, e):
			// a clock is ahead of that of the next place, or behind
		default:
			v := r.visit(e.Place)
			v.Stopped = true
			v.since(e.Time)
			visits = append(visits, v)
		}
	}
	return visits
}

func namesPlace(v pb.Verb) bool {
	switch v {
	case pb.Verb_COMPOSITION, pb.Verb_ACTIVITY, pb.Verb_HELD, pb.Verb_RESUMED, pb.Verb_ENDED:
		return true
	}
	return false
}

// around are the last visit that began at t or before, and the first that began after.
func around(visits []*visit, t int64) (before, after *visit) {
	for _, v := range visits {
		if v.start() > t {
			return before, v
		}
		before = v
	}
	return before, nil
}

// near tells whether a visit of the event's place lies within half an hour of it.
func near(visits []*visit, e *pb.Event) bool {
	return slices.ContainsFunc(visits, func(v *visit) bool {
		return v.Place == e.Place && v.start()-joinMS <= e.Time && (v.open || e.Time <= firstSet(v.Left.GetAt(), v.Departed.GetAt(), v.start())+joinMS)
	})
}

// visit is a new one, of which nothing is known but the place.
func (r *run) visit(place string) *visit {
	return &visit{Visit: &pb.Visit{Unit: r.id, UnitKind: r.kind, Journey: r.id, Place: place}}
}

// since says that the run was there at t.
func (v *visit) since(t int64) {
	if v.byPosition || v.Entered != nil || v.Arrived.GetBasis() == pb.Basis_REPORT || v.Arrived != nil && v.Arrived.At <= t {
		return
	}
	v.Arrived = &pb.Moment{At: t, Basis: pb.Basis_INFERRED, Latest: t}
}

// originate marks the visit with which the run begins: the first that is known of it, if nobody saw it arrive there or on the way.
func (r *run) originate(visits []*visit) {
	for i, v := range visits {
		onTheWay := r.frozen.HasLast && r.frozen.Since < v.start() || !r.frozen.HasLast && len(r.fixes) > 0 && r.fixes[0].t < v.start()
		v.Origin = i == 0 && v.Arrived.GetBasis() != pb.Basis_REPORT && (v.Origin || !v.byPosition && v.Entered == nil && !onTheWay)
	}
}
