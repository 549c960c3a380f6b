package dwell

import (
	"cmp"
	"slices"

	"corridorwatch/schemas/pb"
)

// thinMS is the width of the buckets of time of which no more than the first and the last fix are held. What is held is a function of
// the set of fixes, thin(thin(A) + B) = thin(A + B). A tracker that sends every fifteen seconds or less often loses nothing; of one
// that sends more often stops and edges are decided by fixes this far apart at most, and its state is bounded. Hours are whole buckets.
const thinMS = 15_000

// The most that is held of what a machine has found. A run has a few dozen stays; what a tracker makes up beyond that is left out.
const (
	mostStays  = 1000
	mostStands = 2000
	mostGaps   = 2000
)

// The most reports of a run that are held: the earliest, since what comes later than so many is of no run; and besides them the most
// plans, of which only the last counts: those before it are held in case it is taken back.
const (
	mostReports = 2000
	mostPlans   = 20
)

// overfull tells that there was more.
func (r *run) overfull() bool {
	m := &r.now
	return len(m.Stays) >= mostStays || len(m.Stands) >= mostStands || len(m.Gaps) >= mostGaps || r.tooMany(mostReports)
}

// addReport puts a report into the set, and tells whether it is in there after what is too much has been left out.
func (r *run) addReport(ev *pb.Event) bool {
	i, _ := slices.BinarySearchFunc(r.reports, ev, compareEvents)
	r.reports = slices.Insert(r.reports, i, ev)
	r.reportsSeen++
	out := 0
	switch { // each kind by itself: else it would depend on their order which of them are left out
	case isPlan(ev) && r.plans() > mostPlans:
		out = slices.IndexFunc(r.reports, isPlan)
	case !isPlan(ev) && r.tooMany(mostReports+1):
		for out = len(r.reports) - 1; isPlan(r.reports[out]); {
			out--
		}
	default:
		return true
	}
	left := r.reports[out]
	delete(r.times, eventKey(left.Source, left.Id))
	r.reports = slices.Delete(r.reports, out, out+1)
	return left != ev
}

// tooMany tells that there are that many reports besides the plans.
func (r *run) tooMany(n int) bool { return len(r.reports) >= n && len(r.reports)-r.plans() >= n }

func isPlan(e *pb.Event) bool { return e.Verb == pb.Verb_PLANNED }

func (r *run) plans() (n int) {
	for _, e := range r.reports {
		if isPlan(e) {
			n++
		}
	}
	return n
}

func atMost[T any](list []T, v T, most int) []T {
	if len(list) >= most {
		return list
	}
	return append(list, v)
}

// enter puts a fix into the set: among those that count or, if it was taken back, among the buried ones. These take part in thinning:
// which fixes of a bucket are held must not depend on whether one was taken back before or after the others came.
func (r *run) enter(f fix, buried bool) {
	if _, twice := slices.BinarySearchFunc(r.buried, f, compareFixes); twice {
		return
	}
	around := append(slices.Clone(inBucket(r.fixes, f.t)), inBucket(r.buried, f.t)...)
	slices.SortFunc(around, compareFixes)
	n := len(around)
	if n >= 2 && compareFixes(around[0], f) < 0 && compareFixes(f, around[n-1]) < 0 {
		if !buried {
			delete(r.times, f.id)
		}
		return
	}
	if buried {
		r.buried = put(r.buried, f)
	} else {
		r.fixes = put(r.fixes, f)
		r.changed = min(r.changed, f.t)
	}
	if n >= 2 {
		middle := around[n-1]
		if compareFixes(f, around[0]) < 0 {
			middle = around[0]
		}
		if !r.takeOut(middle) {
			r.buried = slices.DeleteFunc(r.buried, func(o fix) bool { return o == middle })
		}
	}
}

// takeOut takes a fix from those that count and tells whether it was there.
func (r *run) takeOut(f fix) bool {
	i, ok := slices.BinarySearchFunc(r.fixes, f, compareFixes)
	if ok {
		r.fixes = slices.Delete(r.fixes, i, i+1)
		r.changed = min(r.changed, f.t)
		delete(r.times, f.id)
	}
	return ok
}

// inBucket are the fixes of a set in the bucket of t.
func inBucket(set []fix, t int64) []fix {
	from := t - t%thinMS
	i := len(set)
	if i > 0 && set[i-1].t >= from {
		i, _ = slices.BinarySearchFunc(set, from, func(f fix, t int64) int { return cmp.Or(cmp.Compare(f.t, t), 1) })
	}
	j := i
	for j < len(set) && set[j].t < from+thinMS {
		j++
	}
	return set[i:j]
}

func put(set []fix, f fix) []fix {
	if n := len(set); n == 0 || compareFixes(set[n-1], f) < 0 {
		return append(set, f)
	}
	i, _ := slices.BinarySearchFunc(set, f, compareFixes)
	return slices.Insert(set, i, f)
}
