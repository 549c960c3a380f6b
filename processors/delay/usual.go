package delay

import (
	"cmp"
	"hash/fnv"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// What a stay is held against.
const (
	basisUsual = "usual" // stays of the same kind that ended in the 28 days before it began
	basisNorm  = "norm"  // the catalogue's: there are too few such stays
	basisNone  = "none"
)

// yardstick is what a stay is held against, seconds.
type yardstick struct {
	basis       string
	median, p95 int64
	n           uint32
	ordinary    bool // without stays that something wide delayed
}

func (f *fold) yardstick(r *row) yardstick {
	switch {
	case r.worked && int(r.n) >= f.set.MinSamples:
		return yardstick{basis: basisUsual, median: r.usual, p95: r.p95, n: r.n}
	case r.normS >= 0:
		return yardstick{basis: basisNorm, median: r.normS, p95: r.normP, n: r.n}
	}
	return yardstick{basis: basisNone, n: r.n}
}

// ordinarily is what a single train is held against: the usual times without those of stays that something wide delayed, where enough
// are left. Else a train would go unnoticed for weeks after a border was closed. One that came while stays were longer is held against
// all of them, these too.
func (f *fold) ordinarily(w *flow, s *sample) yardstick {
	y := f.yardstick(s.of)
	if y.basis != basisUsual || len(w.covers) == 0 || slices.ContainsFunc(w.covers, func(c cover) bool { return c.how == longer && c.to > s.began }) {
		return y
	}
	d := w.ordinary(w.at)
	if n := len(d); n >= f.set.MinSamples && n < len(w.recent(w.at)) && floor(quantile(0.95, d)) < y.p95 {
		return yardstick{basis: basisUsual, median: floor(quantile(0.5, d)), p95: floor(quantile(0.95, d)), n: uint32(n), ordinary: true}
	}
	return y
}

// refresh works out the usual times that may have changed: of stays that changed themselves, and of those that began after the end of
// one that did.
func (f *fold) refresh(r *series) {
	if r.key.border == "" && r.stale == open && len(r.rows) == 0 {
		return
	}
	rows := r.rows
	if r.stale != open {
		rows = append(rows, f.after(r)...)
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.at.began, b.at.began), cmp.Compare(a.at.id, b.at.id))
	})
	w := window{r: r}
	for _, row := range slices.Compact(rows) {
		f.work(row, &w)
		f.untold = append(f.untold, row)
	}
	r.rows, r.stale = r.rows[:0], open
}

// after are the rows that began after the stay that changed ended. Units of a consist have rows of their own, but one stay.
func (f *fold) after(r *series) []*row {
	var out []*row
	for i := len(r.begun) - 1; i >= 0; i-- {
		s := r.begun[i]
		if s.began <= r.stale && r.key.role != pair {
			break
		}
		if s.of != nil {
			if s.began > r.stale {
				out = append(out, s.of)
			}
			continue
		}
		for _, m := range f.consists[consistKey(r.key, s.id)].members { // who asks sorts them
			if m.rows[2].at.began > r.stale {
				out = append(out, &m.rows[2])
			}
		}
	}
	return out
}

// window is what was usual before a time; units of one train ask for the same.
type window struct {
	r          *series
	at         int64
	n          uint32
	usual, p95 int64
}

// work finds the median and the 95th percentile of the stays that ended in the 28 days before the row began. Of a time of which stays
// have left the state, what was found before stands.
func (f *fold) work(row *row, w *window) {
	at := row.at.began
	if at == 0 || at-windowMS <= f.left {
		return
	}
	if w.at != at {
		d := w.r.durations(at-windowMS, at)
		w.at, w.n, w.usual, w.p95 = at, uint32(len(d)), 0, 0
		if len(d) > 0 {
			w.usual, w.p95 = floor(quantile(0.5, d)), floor(quantile(0.95, d))
		}
	}
	row.n, row.usual, row.p95, row.worked = w.n, w.usual, w.p95, true
	f.touch(row.piece)
}

// tellDelays tells the rows whose content changed.
func (f *fold) tellDelays(out *stream.Out) {
	slices.SortFunc(f.untold, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.of.unit, b.of.unit), cmp.Compare(a.of.key, b.of.key), cmp.Compare(a.role, b.role))
	})
	for _, r := range slices.Compact(f.untold) {
		if x := f.crossings[r.of.key]; x != r.of {
			continue // it changed since, or is gone
		}
		d := f.delayOf(r)
		if d == nil {
			f.untell(r, out)
			continue
		}
		f.touch(crossingPiece + r.of.key)
		if sum := sumOf(d); sum != r.told {
			r.told = sum
			out.Emit(schemas.CrossingDelays, r.of.area, &pb.Record{Body: &pb.Record_CrossingDelay{CrossingDelay: d}})
		}
	}
	f.untold = f.untold[:0]
}

// delayOf is the row; nil where there is none: nobody knows when it began, or what was usual then.
func (f *fold) delayOf(r *row) *pb.CrossingDelay {
	if r.at.began == 0 || !r.worked {
		return nil
	}
	d := delayKey(r.of, r.role)
	y := f.yardstick(r)
	d.Samples, d.BaselineBasis, d.Direction = r.n, y.basis, r.of.direction
	if y.basis == basisUsual {
		d.HasUsual, d.UsualS, d.P95S = true, r.usual, r.p95
		if r.at.counts() {
			d.DelayUsualS = r.at.seconds - r.usual
		}
	}
	return d
}

func delayKey(x *crossing, role string) *pb.CrossingDelay {
	return &pb.CrossingDelay{Unit: x.unit, UnitKind: x.kind, Journey: x.journey, Border: x.border, N: x.n, Role: role, Area: x.area}
}

// untell takes a row back that was told.
func (f *fold) untell(r *row, out *stream.Out) {
	if r.told == 0 || r.at.began != 0 {
		return // of a time that has left the state the row stays as it is
	}
	r.told = 0
	f.touch(crossingPiece + r.of.key)
	out.Emit(schemas.CrossingDelays, r.of.area, &pb.Record{Deleted: true, Body: &pb.Record_CrossingDelay{CrossingDelay: delayKey(r.of, r.role)}})
}

// sumOf tells two contents of a row apart; never 0.
func sumOf(m proto.Message) uint64 {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("delay: a message that cannot be encoded: " + err.Error())
	}
	h := fnv.New64a()
	h.Write(b)
	return max(h.Sum64(), 1)
}
