package border

import (
	"cmp"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// stays are the unit's visits in order of time: a vehicle's own, or a load unit's over all the vehicles that carried it.
func (u *unit) stays() []*stay {
	var all []*stay
	lists := u.lists()
	for _, key := range sortedKeys(u.rides) {
		r := u.rides[key]
		if _, gone := u.retracted[r.OnBy]; gone || u.isVehicle() && r.Run != u.id || lists.contradict(r) {
			continue
		}
		s := &stay{Visit: r.Visit, run: r.Run, n: r.Visit.N}
		if !u.isVehicle() {
			s.Visit = u.own(r)
			s.boards = []*board{onBoard(r)}
		}
		all = append(all, s)
	}
	if u.isVehicle() {
		sortStays(all)
		return all
	}
	all = append(all, u.reported()...)
	sortStays(all)
	_, closes := u.milestones()
	all = merge(all, closes)
	for _, s := range all {
		s.settle()
	}
	u.attach(all)
	return all
}

func sortStays(all []*stay) {
	slices.SortStableFunc(all, func(a, b *stay) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.end(), b.end()), cmp.Compare(a.Place, b.Place), cmp.Compare(a.run, b.run))
	})
}

// own is a vehicle's visit as one of a load unit on board: it came with the vehicle unless it was loaded here or the vehicle began
// here, and went with it, when that has departed, unless it was unloaded here.
func (u *unit) own(r *pb.Ride) *pb.Visit {
	v := proto.Clone(r.Visit).(*pb.Visit)
	v.Unit, v.UnitKind, v.Origin, v.Terminus = u.id, u.kind, false, false
	v.VehicleIn, v.VehicleOut, v.VehicleKind = r.Run, r.Run, "train"
	if r.RunKind == pb.UnitKind_VESSEL {
		v.VehicleKind = "vessel"
	}
	if r.Visit.Origin {
		v.VehicleIn = ""
	}
	if r.Visit.Stopped && r.Visit.Departed == nil {
		v.VehicleOut = ""
	}
	if r.LoadedHere {
		v.VehicleIn, v.Entered = "", nil
		v.Arrived = &pb.Moment{At: r.OnFrom, Basis: pb.Basis_REPORT}
		v.Stopped, v.LineStandingS, v.PlannedArrival = true, 0, 0
	}
	if r.UnloadedHere {
		// It stays here after the vehicle has gone, until another takes it on or evidence elsewhere.
		v.VehicleOut, v.Departed, v.Left, v.PlannedDeparture = "", nil, nil, 0
		if v.Entered == nil && v.Arrived == nil {
			v.Entered = &pb.Moment{Latest: r.OnTo} // nobody told when the vehicle came
		}
		v.Stopped, v.State = true, pb.State_OPEN
	}
	return v
}

// reported are stays the unit's own reports tell of.
func (u *unit) reported() []*stay {
	var all []*stay
	for _, key := range sortedKeys(u.events) {
		e := u.events[key]
		if e.Place == "" || e.Verb != pb.Verb_ARRIVED && e.Verb != pb.Verb_DEPARTED {
			continue
		}
		v := &pb.Visit{Unit: u.id, UnitKind: u.kind, Place: e.Place, Stopped: true, State: pb.State_OPEN}
		at := &pb.Moment{At: e.Time, Basis: pb.Basis_REPORT}
		if e.Verb == pb.Verb_ARRIVED {
			v.Arrived = at
		} else {
			v.Departed, v.State = at, pb.State_CLOSED
		}
		all = append(all, &stay{Visit: v})
	}
	return all
}

// merge joins stays at one place with no other place between them: the time between two vehicles belongs to the stay, unless the
// journey ends in between. A stay that is open when the journey ends is closed by that, and when the unit is seen elsewhere as
// inferred.
func merge(all []*stay, closes []int64) []*stay {
	var out []*stay
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].Place == s.Place && !within(closes, out[n-1].start(), s.start()) {
			out[n-1].join(s)
			continue
		}
		s.began = s.start()
		out = append(out, s)
	}
	for i, s := range out {
		next := int64(math.MaxInt64)
		s.OverlapS = 0
		if i+1 < len(out) {
			next = out[i+1].start()
			if s.Departed.GetBasis() == pb.Basis_REPORT {
				s.OverlapS = max(s.Departed.At-next, 0) / 1000
			}
		}
		if s.Left == nil && s.Departed == nil {
			if k := slices.IndexFunc(closes, func(t int64) bool { return t >= s.start() && t <= next }); k >= 0 {
				s.Departed, s.State = &pb.Moment{At: closes[k], Basis: pb.Basis_REPORT, Earliest: closes[k], Latest: closes[k]}, pb.State_CLOSED
			}
		}
		if next == math.MaxInt64 {
			break
		}
		if s.Left == nil && s.Departed == nil {
			since := s.start()
			s.Departed = &pb.Moment{At: next, Basis: pb.Basis_INFERRED, Earliest: since, Latest: next}
		}
		s.State = pb.State_CLOSED
	}
	return out
}

// within tells whether one of times lies after from and not after to.
func within(times []int64, from, to int64) bool {
	return slices.ContainsFunc(times, func(t int64) bool { return t > from && t <= to })
}

// join adds a later stay at the same place: the first arrival, the last departure, everything that went on.
func (s *stay) join(o *stay) {
	if s.Entered == nil && s.Arrived == nil {
		s.Entered = o.Entered
	}
	if s.Arrived == nil || o.Arrived != nil && o.Arrived.Basis == pb.Basis_REPORT && s.run == "" {
		s.Arrived = cmp.Or(s.Arrived, o.Arrived)
	}
	s.Departed, s.Left = o.Departed, o.Left
	s.Stopped = s.Stopped || o.Stopped
	s.State = o.State
	s.VehicleIn = cmp.Or(s.VehicleIn, o.VehicleIn)
	s.VehicleOut = o.VehicleOut
	s.PlannedDeparture = o.PlannedDeparture
	s.boards = append(s.boards, o.boards...)
	h := saidOf(s, o)
	s.OfferedAt, s.OfferedAgainAt, s.AcceptedAt, s.RefusedAt, s.Refused = h.offered, h.again, h.accepted, h.refusedAt, h.refused
}

func dateOf(ms int64) string { return time.UnixMilli(ms).UTC().Format("20060102") }
