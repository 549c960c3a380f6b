package delay

import (
	"fmt"
	"math"
	"slices"
)

// ShiftSettings say when the level of waiting times has changed: medians of logarithms before and after, against the spread (median
// absolute deviation) of those before.
type ShiftSettings struct {
	Counts     []int   // how many of the last stays are compared, each
	Fire       float64 // standard errors
	Times      float64 // the new median over the old one, at least
	Keep       float64 // the same, to go on
	Page       float64 // the same
	WithinMS   int64   // the last stays ended within this time
	UsualAfter int64   // a new level is what is usual after this time, ms
}

func defaultShift() ShiftSettings {
	return ShiftSettings{Counts: []int{6, 8, 12, 16, 24}, Fire: 5, Times: 1.5, Keep: 1.2, Page: 3, WithinMS: 7 * dayMS, UsualAfter: 14 * dayMS}
}

// change is the strongest change of a series.
type change struct {
	z           float64
	n, of       int
	before, now float64 // medians, seconds
	last        float64 // median of the fewest last stays
	from        int64   // end of the first stay after the change
	ok          bool
}

// levelShift sees that stays have become longer than they were.
func (f *fold) levelShift(w *flow) *finding {
	set := f.set.Shift
	if !w.shiftGood || w.shiftAt != hourOf(w.at) {
		w.shift, w.shiftAt, w.shiftGood = f.change(w), hourOf(w.at), true
	}
	c := w.shift
	if !c.ok {
		return nil
	}
	d := w.finding(KindLevelShift)
	d.since, d.value, d.baseline, d.basis = c.from, c.now/3600, c.before/3600, basisUsual
	d.fire = c.z >= set.Fire && c.now >= set.Times*c.before && c.last >= set.Keep*c.before
	if a := f.alerts[d.fingerprint()]; a.fires() { // against the level it was told of: the new one is among those before by and by
		d.keep = c.last >= set.Keep*a.told.Baseline*3600 && w.at-a.told.Since < set.UsualAfter
		d.fire, d.since, d.baseline = d.fire && d.keep, a.told.Since, a.told.Baseline
	}
	if f.idle(d) {
		return nil
	}
	if c.now >= set.Page*c.before {
		d.severity = Page
	}
	unit := "stays"
	if vehicle(w.key.kind) {
		unit = "trains"
	}
	d.summary = fmt.Sprintf("%s: half of the last %d %s waited more than %s, before %s", w.name, c.n, unit, hours(int64(c.now)), hours(int64(c.before)))
	d.evidence = fmt.Sprintf("Since %s; %d stays in the 28 days before. The difference is %.1f times what chance explains.", moment(c.from), c.of, c.z)
	return d
}

// change finds the number of last stays that differs most from those before.
func (f *fold) change(w *flow) change {
	set := f.set.Shift
	hour := hourOf(w.at)
	var ended []*sample
	for _, s := range w.window(hour-windowMS-set.WithinMS, open) {
		if s.counts() {
			ended = append(ended, s)
		}
	}
	logs := make([]float64, len(ended)) // of what no wider cause explains
	for i, s := range ended {
		logs[i] = math.Log(float64(max(w.running(s, s.ended), 60)))
	}
	best := change{}
	for _, n := range set.Counts {
		k := len(ended) - n
		if k < f.set.MinSamples || ended[k].ended < hour-set.WithinMS {
			break
		}
		now := median(slices.Sorted(slices.Values(logs[k:])))
		if !best.ok {
			best.last = math.Exp(now)
		}
		i, _ := slices.BinarySearchFunc(ended[:k], ended[k].ended-windowMS, endsBefore)
		if k-i < f.set.MinSamples {
			continue
		}
		sorted := slices.Sorted(slices.Values(logs[i:k]))
		before := median(sorted)
		away := make([]float64, len(sorted))
		for j, v := range sorted {
			away[j] = math.Abs(v - before)
		}
		slices.Sort(away)
		spread := max(1.4826*median(away), 0.1)
		if z := (now - before) / (spread * 1.2533 * math.Sqrt(1/float64(n)+1/float64(k-i))); !best.ok || z > best.z {
			best = change{z: z, n: n, of: k - i, before: math.Exp(before), now: math.Exp(now), last: best.last, from: ended[k].ended, ok: true}
		}
	}
	return best
}

func median(sorted []float64) float64 { return quantile(0.5, sorted) }
