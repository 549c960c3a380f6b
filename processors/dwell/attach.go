package dwell

import (
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// attach hangs activities, holds and hand-overs on the visits they belong to.
func attach(cat *network.Catalog, reports []*pb.Event, visits []*visit) {
	for _, e := range reports {
		if e.Classifier != pb.Classifier_ACTUAL {
			continue
		}
		switch e.Verb {
		case pb.Verb_ACTIVITY:
			if v := at(visits, e); v != nil {
				v.activity(e)
			}
		case pb.Verb_HELD, pb.Verb_RESUMED:
			if v := at(visits, e); v != nil {
				v.hold(e)
			}
		case pb.Verb_HANDOVER:
			if v := atBorder(cat, visits, e); v != nil {
				v.handover(e)
			}
		}
	}
}

// at finds the visit of the event's place that holds its time, else the nearest.
func at(visits []*visit, e *pb.Event) *visit {
	var best *visit
	var least int64
	for _, v := range visits {
		if v.Place != e.Place {
			continue
		}
		if d := max(v.start()-e.Time, e.Time-v.end(), 0); best == nil || d < least {
			best, least = v, d
		}
	}
	return best
}

// atBorder finds the last visit of a place of the border that began before the event, else the first: a train may be accepted ahead
// of its arrival.
func atBorder(cat *network.Catalog, visits []*visit, e *pb.Event) *visit {
	border := e.GetHandover().GetBorder()
	var best *visit
	for _, v := range visits {
		if best != nil && v.start() > e.Time {
			break
		}
		if slices.ContainsFunc(cat.BorderSides(v.Place), func(s network.BorderSide) bool { return s.Border.ID == border }) {
			best = v
		}
	}
	return best
}

func (v *visit) activity(e *pb.Event) {
	a := e.GetActivity()
	kind := a.GetKind()
	switch a.GetState() {
	case pb.Activity_STARTED, pb.Activity_HELD:
		v.Activities = append(v.Activities, &pb.Span{Kind: kind, Cause: a.Cause, Party: a.Party, From: e.Time, Source: e.Source})
	case pb.Activity_FINISHED, pb.Activity_RELEASED:
		for i := len(v.Activities) - 1; i >= 0; i-- {
			if s := v.Activities[i]; s.Kind == kind && s.Source == e.Source && s.To == 0 {
				s.To = e.Time
				return
			}
		}
		v.Activities = append(v.Activities, &pb.Span{Kind: kind, Cause: a.Cause, Party: a.Party, To: e.Time, Source: e.Source})
	}
}

func (v *visit) hold(e *pb.Event) {
	h := e.GetHeld()
	if e.Verb == pb.Verb_HELD {
		v.Activities = append(v.Activities, &pb.Span{Kind: "held", Cause: h.GetCause(), From: e.Time, Source: e.Source, BoundFor: h.GetBoundFor()})
		return
	}
	for i := len(v.Activities) - 1; i >= 0; i-- {
		if s := v.Activities[i]; s.Kind == "held" && s.Source == e.Source && s.To == 0 {
			s.To = e.Time
			return
		}
	}
}

// handover takes what is said of handing over, in order of time. An acceptance after which the train was refused or returned did not
// hold.
func (v *visit) handover(e *pb.Event) {
	switch e.GetHandover().GetState() {
	case pb.Handover_OFFERED:
		if v.OfferedAt == 0 {
			v.OfferedAt = e.Time
		} else if v.RefusedAt != 0 && v.OfferedAgainAt <= v.RefusedAt {
			v.OfferedAgainAt = e.Time
		}
	case pb.Handover_ACCEPTED:
		if v.AcceptedAt < max(v.OfferedAt, 1) {
			v.AcceptedAt = e.Time
		}
	case pb.Handover_REFUSED, pb.Handover_RETURNED:
		v.Refused++
		v.RefusedAt, v.AcceptedAt = e.Time, 0
	}
}

// direct says for each visit along which corridor, and with or against the order of its places, the run goes: the corridor that
// holds the most of its steps, the first in the catalogue where several do.
func direct(cat *network.Catalog, visits []*visit) {
	var best string
	most := 0
	for _, k := range cat.Corridors {
		up, down := 0, 0
		for i := 1; i < len(visits); i++ {
			a, b := slices.Index(k.Places, visits[i-1].Place), slices.Index(k.Places, visits[i].Place)
			switch {
			case a < 0 || b < 0:
			case a < b:
				up++
			case a > b:
				down++
			}
		}
		if up-down > most {
			most, best = up-down, k.ID+":up"
		}
		if down-up > most {
			most, best = down-up, k.ID+":down"
		}
	}
	for _, v := range visits {
		v.Direction = best
	}
}
