package border

import (
	"cmp"
	"maps"
	"strings"

	"corridorwatch/processors/recompute"
	"corridorwatch/schemas/pb"
)

// The most that is held of one load unit: stays of a journey, after which another begins, and own events, of which the earliest are
// held. A vehicle's rides are its visits, which the dwell stage bounds.
const (
	mostStays  = 1000
	mostEvents = 2000
)

// leaveOut drops the latest event if there are too many, and returns its key.
func (u *unit) leaveOut() (key string) {
	if len(u.events) <= mostEvents {
		return ""
	}
	for k, e := range u.events { // in any order: the greatest is sought
		if last := u.events[key]; last == nil ||
			cmp.Or(cmp.Compare(e.Time, last.Time), cmp.Compare(e.RecordedAt, last.RecordedAt), cmp.Compare(k, key)) > 0 {
			key = k
		}
	}
	delete(u.events, key)
	return key
}

// prune forgets what was taken back so long ago that it cannot come any more: rides by no recompute, events for they would be late. A
// list that was taken back is remembered as long as a ride rests on it.
func (u *unit) prune(now int64) {
	maps.DeleteFunc(u.dropped, func(_ string, at int64) bool { return now >= at+recompute.HoldMS })
	if len(u.retracted) == 0 {
		return
	}
	lists := map[string]bool{}
	for _, r := range u.rides {
		lists[r.OnBy] = true
	}
	maps.DeleteFunc(u.retracted, func(key string, at int64) bool { return now >= at+journeyGap && !lists[key] })
}

// forgetEnded drops all but the last of the journeys that ended longer ago than a journey may pause: a wagon has one after another for
// years. Their rows stand. What comes for them yet is a recompute, which brings all of them back.
func (u *unit) forgetEnded(all []journey, now int64) {
	if u.isVehicle() || now < u.keep {
		return
	}
	n := 0
	for n+1 < len(all) && all[n].last()+journeyGap <= now {
		n++
	}
	for day := len(u.id) + len("/20060102"); n > 0 && all[n].id[:day] == all[n-1].id[:day]; {
		n-- // they are told apart by being the first and the second of the day
	}
	if n == 0 {
		return
	}
	cut, last := all[n].stays[0].began, all[n-1].last()
	start := func(r *pb.Ride) int64 { return (&stay{Visit: u.own(r)}).start() }
	lists := u.lists()
	for _, r := range u.rides {
		if start(r) >= cut && lists.contradict(r) {
			return // what says so may be of those that ended
		}
	}
	ended, stays := map[*stay]bool{}, []*stay{}
	for i, j := range all {
		for _, s := range j.stays {
			stays = append(stays, s)
			ended[s] = i < n
		}
	}
	for _, e := range u.events {
		if e.Time+forgetMS > now && e.Verb == pb.Verb_ACTIVITY && ended[nearest(stays, e)] {
			return // the stay it belongs to may not have come yet
		}
	}
	maps.DeleteFunc(u.rides, func(_ string, r *pb.Ride) bool { return start(r) < cut })
	maps.DeleteFunc(u.events, func(_ string, e *pb.Event) bool {
		switch e.Verb {
		case pb.Verb_ARRIVED, pb.Verb_DEPARTED:
			return e.Time < cut
		case pb.Verb_ACTIVITY:
			return ended[nearest(stays, e)]
		}
		return e.Time <= min(last, cut-1)
	})
	for _, j := range all[:n] {
		maps.DeleteFunc(u.sent, func(key string, _ uint64) bool { return strings.HasPrefix(key[2:], j.id+"|") })
	}
}

// last is when the unit was last seen on the journey.
func (j *journey) last() (t int64) {
	for _, s := range j.stays {
		t = max(t, s.start(), s.end())
	}
	return t
}
