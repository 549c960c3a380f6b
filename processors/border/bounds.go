package border

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"corridorwatch/processors/recompute"
	"corridorwatch/schemas/pb"
)

// The most that is held of one load unit: stays of a journey, after which another begins, and own events of each 30 days, of which the
// earliest are held. A vehicle's rides are its visits, which the dwell stage bounds.
const (
	mostStays  = 1000
	mostEvents = 2000
)

// leaveOut drops the latest of those events of which there are too many. They are counted by the month and not as a whole: what a unit
// told in years, which a recompute brings back all at once, must not make it deaf to what it tells today.
func (u *unit) leaveOut() {
	if len(u.events) <= mostEvents {
		return
	}
	months := map[int64][]string{}
	for key, e := range u.events {
		months[e.Time/journeyGap] = append(months[e.Time/journeyGap], key)
	}
	for _, keys := range months { // each by itself: the order does not show
		if len(keys) <= mostEvents {
			continue
		}
		slices.SortFunc(keys, func(a, b string) int {
			x, y := u.events[a], u.events[b]
			return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.RecordedAt, y.RecordedAt), cmp.Compare(a, b))
		})
		for _, key := range keys[mostEvents:] {
			delete(u.events, key)
		}
	}
}

// prune forgets what was taken back so long ago that it cannot come any more: rides by no recompute, events for they would be late. A
// list that was taken back is remembered as long as a ride rests on it, or may yet come by the recompute of a run.
func (u *unit) prune(now int64) {
	maps.DeleteFunc(u.dropped, func(_ string, at int64) bool { return now >= at+recompute.HoldMS })
	if len(u.retracted) == 0 || now < u.keep {
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
	cut, before := all[n].stays[0].began, all[n-1].stays[len(all[n-1].stays)-1]
	rest := maps.Clone(u.rides)
	maps.DeleteFunc(rest, func(_ string, r *pb.Ride) bool { return u.begins(r) < cut })
	lists, left := u.lists(), u.listsOf(rest)
	for _, r := range rest {
		if lists.contradict(r) != left.contradict(r) {
			return // what says so is of those that ended
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
	u.rides = rest
	opens := min(max(before.start(), before.end()), cut-1) // after that a milestone may open the journey that stays
	maps.DeleteFunc(u.events, func(_ string, e *pb.Event) bool {
		switch e.Verb {
		case pb.Verb_ARRIVED, pb.Verb_DEPARTED:
			return e.Time < cut
		case pb.Verb_ACTIVITY:
			s := nearest(stays, e)
			return ended[s] || s == nil && e.Time < min(cut, now-forgetMS)
		}
		return e.Time <= opens
	})
	for _, j := range all[:n] {
		u.ended = max(u.ended, j.last())
		maps.DeleteFunc(u.sent, func(key string, _ uint64) bool { return strings.HasPrefix(key[2:], j.id+"|") })
	}
}

// MayHaveForgotten tells whether the border stage may hold the journey of a load unit no more that a ride of it belongs to, at a recompute
// read at a stage time (UTC, ms): the whole unit, or that journey, though the unit has been on others since.
func MayHaveForgotten(r *pb.Ride, readAt int64) bool {
	return (&stay{Visit: r.Visit}).start() < readAt+recompute.HoldMS-journeyGap
}

// ofEnded tells whether a ride is of a journey that was forgotten: a train that stands for months, or whose plan changes, tells of all
// it ever carried again. By itself such a ride would be another journey.
func (u *unit) ofEnded(r *pb.Ride) bool {
	return u.ended != 0 && u.rides[rideKey(r)] == nil && u.begins(r) <= u.ended
}

// begins is when the unit's stay by a ride begins.
func (u *unit) begins(r *pb.Ride) int64 { return (&stay{Visit: u.own(r)}).start() }

// last is when the unit was last seen on the journey.
func (j *journey) last() (t int64) {
	for _, s := range j.stays {
		t = max(t, s.start(), s.end())
	}
	return t
}
