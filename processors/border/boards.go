package border

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// board is the time of a load unit on one vehicle during a stay.
type board struct {
	run        string
	from, to   int64 // 0: it came, or went, with the vehicle
	on         int64 // when it was put on the vehicle here, or named on its list first; of one it came with: when the vehicle came
	told       bool  // that it was taken off at to; else the vehicle's end says so
	activities []*pb.Span
}

func onBoard(r *pb.Ride) *board {
	b := &board{run: r.Run, on: (&stay{Visit: r.Visit}).came(), activities: r.Visit.Activities}
	if r.LoadedHere {
		b.from, b.on = r.OnFrom, r.OnFrom
	} else if r.Visit.Origin {
		b.on = max(b.on, r.NamedAt)
	}
	if r.UnloadedHere {
		b.to = r.OnTo
		b.told = !r.Visit.Terminus || r.OnTo != r.Visit.Departed.GetAt()
	}
	return b
}

// settle ends the time on each vehicle where another took the unit over without a word of the first, and gives the stay what went on
// while the unit was on board: what is done to a train holds for a load unit as long as it is on it.
func (s *stay) settle() {
	s.Activities = nil
	for i, b := range s.boards {
		if i+1 < len(s.boards) {
			if next := s.boards[i+1]; next.run != b.run && !b.told && (b.to == 0 || next.on < b.to) {
				b.to = next.on
			}
		}
		for _, a := range b.activities {
			if a = cut(a, b.from, b.to); a != nil {
				s.Activities = append(s.Activities, a)
			}
		}
	}
	sortSpans(s.Activities)
}

// cut is the part of an activity between from and to (0: no bound), nil if there is none.
func cut(a *pb.Span, from, to int64) *pb.Span {
	if a.From != 0 && to != 0 && a.From >= to || a.To != 0 && a.To <= from {
		return nil
	}
	a = proto.CloneOf(a)
	if a.From != 0 {
		a.From = max(a.From, from)
	}
	if to != 0 && (a.To == 0 || a.To > to) {
		a.To = to
	}
	return a
}

func sortSpans(spans []*pb.Span) {
	slices.SortStableFunc(spans, func(a, b *pb.Span) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Source, b.Source))
	})
}

// attach hangs the load unit's own activities on the stays they belong to.
func (u *unit) attach(stays []*stay) {
	var own []*pb.Event
	for _, e := range u.events {
		if e.Verb == pb.Verb_ACTIVITY {
			own = append(own, e)
		}
	}
	slices.SortFunc(own, func(a, b *pb.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.RecordedAt, b.RecordedAt), cmp.Compare(a.Hash, b.Hash),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Id, b.Id))
	})
	for _, e := range own {
		if s := nearest(stays, e); s != nil {
			s.activity(e)
		}
	}
	for _, s := range stays {
		s.Activities = append(s.Activities, s.own...)
		sortSpans(s.Activities)
	}
}

// nearest is the stay of the event's place that holds its time, else the nearest; nil: there is none.
func nearest(stays []*stay, e *pb.Event) *stay {
	var best *stay
	var least int64
	for _, s := range stays {
		if s.Place != e.Place {
			continue
		}
		d := max(s.start()-e.Time, 0)
		if end := s.end(); end != 0 {
			d = max(d, e.Time-end)
		}
		if best == nil || d < least {
			best, least = s, d
		}
	}
	return best
}

func (s *stay) activity(e *pb.Event) {
	a := e.GetActivity()
	span := &pb.Span{Kind: a.GetKind(), Cause: a.GetCause(), Party: a.GetParty(), Source: e.Source}
	if a.GetState() == pb.Activity_STARTED || a.GetState() == pb.Activity_HELD {
		span.From = e.Time
		s.own = append(s.own, span)
		return
	}
	for _, o := range slices.Backward(s.own) {
		if o.Kind == span.Kind && o.Source == e.Source && o.To == 0 {
			o.To = e.Time
			return
		}
	}
	span.To = e.Time
	s.own = append(s.own, span)
}

// vehicles are the runs a load unit was on during some stays, in order.
func vehicles(stays []*stay) (runs []string) {
	for _, s := range stays {
		for _, b := range s.boards {
			if n := len(runs); n == 0 || runs[n-1] != b.run {
				runs = append(runs, b.run)
			}
		}
	}
	return runs
}
