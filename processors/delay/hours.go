package delay

import (
	"maps"
	"math"
	"slices"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

func hourOf(at int64) int64 { return at - at%hourMS }

// touchHours notes which hours differ when old becomes s: those between the ends if both began together, else all they touch; so too where one
// was lost and the other was not, since what was lost waits at no time.
func (r *series) touchHours(old, s *sample, now int64) {
	if r.key.border == "" {
		return
	}
	touch := func(from, to int64) {
		for h := max(hourOf(from), r.floor); h <= min(hourOf(to), hourOf(now)); h += hourMS {
			r.hours[h] = true
		}
	}
	end := func(x *sample) int64 {
		if x.ended == 0 {
			return now // it waited, perhaps, until it was lost
		}
		return x.ended
	}
	if old != nil && s != nil && old.began == s.began && (old.ended == 0) == (s.ended == 0) {
		touch(min(end(old), end(s)), max(end(old), end(s)))
		return
	}
	for _, x := range []*sample{old, s} {
		switch {
		case x == nil:
		case x.began != 0:
			touch(x.began, end(x))
		case x.finished():
			touch(x.ended, x.ended)
		}
	}
}

// tellHours works out the hours that changed, of those that are over, and tells what differs from what was told.
func (f *fold) tellHours(r *series, now int64, out *stream.Out) {
	for _, h := range slices.Sorted(maps.Keys(r.hours)) {
		if h+hourMS > now {
			continue
		}
		delete(r.hours, h)
		if h < r.floor {
			continue
		}
		st := f.hour(r, h)
		rec := &pb.Record{Body: &pb.Record_DelayStats{DelayStats: st}}
		old, was := r.told[h]
		if st.N+st.Waiting+st.HeldUpstream+st.Arrivals+st.Releases == 0 {
			if was {
				rec.Deleted = true
				rec.Body = &pb.Record_DelayStats{DelayStats: &pb.DelayStats{Area: st.Area, Border: st.Border, Role: st.Role, Direction: st.Direction, UnitKind: st.UnitKind, Hour: h}}
				delete(r.told, h)
				f.touch(hourPiece(r.key, h))
				out.Emit(schemas.DelayStats, r.area, rec)
			}
			continue
		}
		if sum := sumOf(st); sum != old || !was {
			r.told[h] = sum
			f.touch(hourPiece(r.key, h))
			out.Emit(schemas.DelayStats, r.area, rec)
		}
	}
}

// hour sums up one hour: the stays that ended in it, and what waited at its end. A stay counts in the hour in which it ended.
func (f *fold) hour(r *series, h int64) *pb.DelayStats {
	end := h + hourMS
	st := &pb.DelayStats{Area: r.area, Border: r.key.border, Role: r.key.role, Direction: r.key.direction, UnitKind: r.key.kind, Hour: h}
	st.Arrivals, st.Releases = uint32(r.arrivals(h, end)), uint32(r.releases(h, end))
	if d := r.durations(h, end); len(d) > 0 {
		var sum int64
		for _, v := range d {
			sum += v
		}
		st.N, st.MeanS, st.MaxS = uint32(len(d)), float64(sum)/float64(len(d)), float64(d[len(d)-1])
		st.P50S, st.P90S, st.P95S = quantile(0.5, d), quantile(0.9, d), quantile(0.95, d)
	}
	i, _ := slices.BinarySearchFunc(r.ends, end, endsBefore)
	for _, s := range r.ends[i:] {
		if s.began != 0 && s.began < end {
			st.Waiting++
			st.OldestS = max(st.OldestS, (end-s.began)/1000)
		}
	}
	if r.key.role == network.Outbound && vehicle(r.key.kind) {
		st.HeldUpstream = uint32(len(f.heldFor(r.key, end-1)))
	}
	return st
}

func vehicle(k pb.UnitKind) bool { return k == pb.UnitKind_TRAIN || k == pb.UnitKind_VESSEL }

// floor is a duration in whole seconds.
func floor(v float64) int64 { return int64(math.Floor(v)) }
