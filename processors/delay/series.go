package delay

import (
	"cmp"
	"math"
	"slices"

	"corridorwatch/schemas/pb"
)

// seriesKey names stays that are compared with one another: those on one side of a border (or over both) in one direction, or at
// one place.
type seriesKey struct {
	border, role string // role: outbound, inbound or pair; both empty for a place
	place        string
	direction    string // of a border "CN-KZ", of a place as the visit tells it
	kind         pb.UnitKind
}

func (k seriesKey) compare(o seriesKey) int {
	return cmp.Or(cmp.Compare(k.border, o.border), cmp.Compare(k.place, o.place), cmp.Compare(k.direction, o.direction),
		cmp.Compare(k.role, o.role), cmp.Compare(k.kind, o.kind))
}

// open stands for the end of a stay that goes on.
const open = math.MaxInt64

// sample is one stay: of a unit or, over both sides of a border, of all units that arrived in one run.
type sample struct {
	id      string // orders stays of equal times
	unit    string
	began   int64 // 0: not known
	ended   int64 // open while it goes on, 0: it is over and nobody knows when (lost)
	seconds int64 // -1: not known
	silent  bool  // its tracker is silent
	tracked bool  // it is known by positions and not by reports alone
	of      *row  // the row of one unit; nil for those of several
}

func (s *sample) waits(at int64) bool { return s.began != 0 && s.began <= at && s.ended > at }
func (s *sample) counts() bool        { return s.began != 0 && s.finished() && s.seconds >= 0 }
func (s *sample) finished() bool      { return s.ended != 0 && s.ended != open }
func (s *sample) same(o *sample) bool {
	return s.began == o.began && s.ended == o.ended && s.seconds == o.seconds
}
func byEnd(a, b *sample) int             { return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.id, b.id)) }
func byBegan(a, b *sample) int           { return cmp.Or(cmp.Compare(a.began, b.began), cmp.Compare(a.id, b.id)) }
func endsBefore(s *sample, at int64) int { return cmp.Or(cmp.Compare(s.ended, at), 1) }
func beginsBefore(s *sample, at int64) int {
	return cmp.Or(cmp.Compare(s.began, at), 1)
}

// series are the stays of one key that the state holds.
type series struct {
	key   seriesKey
	area  string
	floor int64     // hours before it are not worked out any more: stays of that time have left the state
	ends  []*sample // ordered by their end, those that go on last
	begun []*sample // ordered by their beginning

	stale  int64            // usual times of stays that began after this are to be worked out again; open: none
	rows   []*row           // and of these
	hours  map[int64]bool   // hours to be worked out again
	told   map[int64]uint64 // sums of the hours that were told
	covers []cover          // when the border itself was the cause: no single train is blamed for that time

	sorted     []int64 // what recent and change found, and for which hour
	sortedAt   int64
	sortedGood bool
	plain      []int64 // the same of ordinary
	plainAt    int64
	plainGood  bool
	shift      change
	shiftAt    int64
	shiftGood  bool
}

// cover is a time in which one cause delayed everything.
type cover struct {
	from, to int64
	how      coverKind
}

type coverKind int64

const (
	queued coverKind = iota // trains were held up, and some went on
	still                   // nothing moved at all
	longer                  // stays were longer, and nothing held them up
)

func newSeries(key seriesKey, area string) *series {
	return &series{key: key, area: area, stale: open, hours: map[int64]bool{}, told: map[int64]uint64{}}
}

func insert(list []*sample, s *sample, order func(a, b *sample) int) []*sample {
	i, _ := slices.BinarySearchFunc(list, s, order)
	return slices.Insert(list, i, s)
}

func remove(list []*sample, s *sample, order func(a, b *sample) int) []*sample {
	if i, ok := slices.BinarySearchFunc(list, s, order); ok {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// replace takes old out and puts s in; either may be nil. now bounds the hours that an open stay touches.
func (r *series) replace(old, s *sample, now int64) {
	if old != nil {
		r.ends, r.begun = remove(r.ends, old, byEnd), remove(r.begun, old, byBegan)
	}
	if s != nil {
		r.ends, r.begun = insert(r.ends, s, byEnd), insert(r.begun, s, byBegan)
	}
	r.shiftGood = false // also where a tracker fell silent or is heard again
	if old != nil && s != nil && old.same(s) {
		return
	}
	for _, x := range []*sample{old, s} {
		if x != nil && x.counts() {
			r.stale = min(r.stale, x.ended)
		}
	}
	r.sortedGood, r.plainGood = false, false
	r.touchHours(old, s, now)
}

// window are the stays that count and ended from from (inclusive) to to (exclusive).
func (r *series) window(from, to int64) []*sample {
	i, _ := slices.BinarySearchFunc(r.ends, from, endsBefore)
	j, _ := slices.BinarySearchFunc(r.ends, to, endsBefore)
	return r.ends[i:max(i, j)]
}

// durations of the stays that ended from from to to, ascending, in seconds.
func (r *series) durations(from, to int64) []int64 {
	in := r.window(from, to)
	out := make([]int64, 0, len(in))
	for _, s := range in {
		if s.counts() {
			out = append(out, s.seconds)
		}
	}
	slices.Sort(out)
	return out
}

// cameBetween are the stays that began from from to to.
func (r *series) cameBetween(from, to int64) []*sample {
	i, _ := slices.BinarySearchFunc(r.begun, from, beginsBefore)
	j, _ := slices.BinarySearchFunc(r.begun, to, beginsBefore)
	return r.begun[i:max(i, j)]
}

// arrivals counts them.
func (r *series) arrivals(from, to int64) int { return len(r.cameBetween(from, to)) }

// releases are the stays that ended from from to to, whether or not it is known how long they were.
func (r *series) releases(from, to int64) int { return len(r.window(max(from, 1), to)) }

// waiting are the stays that have begun and not ended, the oldest first.
func (r *series) waiting(at int64) []*sample {
	i, _ := slices.BinarySearchFunc(r.ends, at+1, endsBefore)
	var out []*sample
	for _, s := range r.ends[i:] {
		if s.waits(at) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, byBegan)
	return out
}

// recent are the durations of the 28 days before the hour of at, and of what ended since, ascending. Detectors ask again and again.
func (r *series) recent(at int64) []int64 {
	if !r.sortedGood || r.sortedAt != hourOf(at) {
		r.sortedAt, r.sortedGood = hourOf(at), true
		r.sorted = r.durations(r.sortedAt-windowMS, open)
	}
	return r.sorted
}

// history is how far back the stays in the state reach, at most the window, ms.
func (r *series) history(at int64) int64 {
	i, _ := slices.BinarySearchFunc(r.begun, 1, beginsBefore)
	if i == len(r.begun) {
		return 0
	}
	return min(max(0, at-r.begun[i].began), windowMS)
}

// lastRelease is when the last stay ended that had ended by at; 0: none is known.
func (r *series) lastRelease(at int64) int64 {
	i, _ := slices.BinarySearchFunc(r.ends, at+1, endsBefore)
	if i == 0 {
		return 0
	}
	return r.ends[i-1].ended
}

// covered is the part of a stay that has a cause of its own, ms.
func (r *series) covered(from, to int64) int64 {
	var sum int64
	for _, c := range r.covers {
		if c.how != longer {
			sum += max(0, min(to, c.to)-max(from, c.from))
		}
	}
	return sum
}

// heldUp tells whether a stay falls in a time in which trains were held up.
func (r *series) heldUp(s *sample) bool {
	return slices.ContainsFunc(r.covers, func(c cover) bool { return c.how != longer && c.from < s.ended && c.to > s.began })
}

// ordinary are the recent durations of stays that fall in no cover, ascending: what is usual while the border itself is not delayed.
func (r *series) ordinary(at int64) []int64 {
	if r.plainGood && r.plainAt == hourOf(at) {
		return r.plain
	}
	r.plainAt, r.plainGood, r.plain = hourOf(at), true, r.recent(at)
	if len(r.covers) == 0 {
		return r.plain
	}
	r.plain = nil
	for _, s := range r.window(r.plainAt-windowMS, open) {
		if s.counts() && !slices.ContainsFunc(r.covers, func(c cover) bool { return c.from < s.ended && c.to > s.began }) {
			r.plain = append(r.plain, s.seconds)
		}
	}
	slices.Sort(r.plain)
	return r.plain
}

// quantile of ascending values, by linear interpolation between closest ranks: quantileExactInclusive of ClickHouse, type 7 of
// Hyndman and Fan. There is at least one value.
func quantile[T int64 | float64](level float64, sorted []T) float64 {
	h := level*float64(len(sorted)-1) + 1
	n := int(h)
	switch {
	case n < 1:
		return float64(sorted[0])
	case n >= len(sorted):
		return float64(sorted[len(sorted)-1])
	}
	return float64(sorted[n-1]) + (h-float64(n))*(float64(sorted[n])-float64(sorted[n-1]))
}
