package delay

import (
	"cmp"
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
	Crowd      int     // so many overdue trains at once are no chance, whatever the last stays say
}

func defaultShift() ShiftSettings {
	return ShiftSettings{Counts: []int{6, 8, 12, 16, 24}, Fire: 5, Times: 1.5, Keep: 1.2, Page: 3, WithinMS: 7 * dayMS, UsualAfter: 14 * dayMS, Crowd: 3}
}

// change is the strongest change of a series.
type change struct {
	z           float64
	n, of       int
	before, now float64 // medians, seconds
	last        float64 // median of the fewest last stays
	from        int64   // end of the first stay after the change, or when its train came
	ok          bool
}

// levelShift sees that stays have become longer than they were.
func (f *fold) levelShift(w *flow) *finding {
	set := f.set.Shift
	if !w.shiftGood || w.shiftAt != hourOf(w.at) {
		w.shift, w.shiftAt, w.shiftGood = f.change(w), hourOf(w.at), true
	}
	c := w.shift
	d := w.finding(KindLevelShift)
	if !c.ok && !f.alert(d).fires() {
		return nil
	}
	d.since, d.value, d.baseline, d.basis = c.from, c.now/3600, c.before/3600, basisUsual
	d.fire = c.ok && c.z >= set.Fire && c.now >= set.Times*c.before && c.last >= set.Keep*c.before
	crowd := f.crowd(w)
	if len(crowd) >= set.Crowd {
		d.fire, d.value, d.since = c.ok, max(d.value, inHours(crowd[len(crowd)/2])), w.waits[0].began
	}
	if a := f.alert(d); a.fires() { // against the level it was told of: the new one is among those before by and by
		d.keep = (c.last >= set.Keep*a.told.Baseline*3600 || len(crowd) > 0) && w.at-a.told.Since < set.UsualAfter
		if w.at-a.told.Since >= set.UsualAfter {
			w.covers = slices.DeleteFunc(w.covers, func(c cover) bool { return c.how == longer })
			w.plainGood = false
			f.touch(coverPiece(w.key))
		}
		d.fire, d.since, d.baseline = d.fire && d.keep, a.told.Since, a.told.Baseline
	}
	if f.idle(d) {
		return nil
	}
	if c.ok && c.now >= set.Page*c.before {
		d.severity = Page
	}
	unit := "stays"
	if vehicle(w.key.kind) {
		unit = "trains"
	}
	d.summary = fmt.Sprintf("%s: half of the last %d %s waited %s or more, before %s", w.name(), c.n, unit, hours(int64(c.now)), hours(int64(c.before)))
	d.evidence = fmt.Sprintf("Since %s; %d stays in the 28 days before. The difference is %.1f times what chance explains.", moment(c.from), c.of, c.z)
	if (!c.ok || c.z < set.Fire) && len(crowd) > 0 {
		d.summary = fmt.Sprintf("%s: %s at once are overdue, half of those before waited less than %s", w.name(), trains(len(crowd)), hours(int64(d.baseline*3600)))
		d.evidence = f.beyond(w) + "."
	}
	return d
}

// crowd is how long the overdue trains have waited, seconds, ascending.
func (f *fold) crowd(w *flow) []int64 {
	var out []int64
	for _, s := range w.waits {
		if s.of == nil || s.silent {
			continue
		}
		if y := f.ordinarily(w, s); y.basis == basisUsual && f.set.Overdue.ratio(y, f.waited(w, s)) >= f.set.Overdue.Fire && f.waited(w, s) >= f.set.Overdue.AtLeastS {
			out = append(out, (w.at-s.began)/1000)
		}
	}
	slices.Sort(out)
	return out
}

// change finds what differs most from before, of stays in which nothing held trains up: the stays that ended last, or those of the trains that came last. Of trains that came so
// long ago that 95 of 100 would have gone on, the ones that still wait count by how long they have: their stays are at least so long,
// and nobody need wait for their end to see it.
func (f *fold) change(w *flow) change {
	hour := hourOf(w.at)
	var ended, came []lasted
	for _, s := range w.window(hour-windowMS-f.set.Shift.WithinMS, open) {
		if s.counts() && !w.heldUp(s) {
			ended = append(ended, lasting(s, s.ended, s.ended))
		}
	}
	best := f.strongest(ended, hour)
	recent := w.recent(w.at)
	if len(recent) < f.set.MinSamples {
		return best
	}
	for _, s := range w.cameBetween(hour-windowMS-f.set.Shift.WithinMS, hour-1000*int64(quantile(0.95, recent))) {
		switch {
		case w.heldUp(s):
		case s.counts():
			came = append(came, lasting(s, s.began, s.ended))
		case s.waits(hour) && !s.silent:
			came = append(came, lasting(s, s.began, hour))
		}
	}
	c := f.strongest(came, hour)
	if !best.ok || c.ok && c.z > best.z {
		best, c = c, best
	}
	best.last = max(best.last, c.last)
	return best
}

// lasted is how long one lasted.
type lasted struct {
	at  int64   // where it stands among the others
	log float64 // logarithm of its seconds
}

func lasting(s *sample, at, until int64) lasted {
	return lasted{at, math.Log(float64(max((until-s.began)/1000, 60)))}
}

// strongest finds the number of last stays that differs most from those before.
func (f *fold) strongest(stays []lasted, hour int64) change {
	set := f.set.Shift
	best := change{}
	for _, n := range set.Counts {
		k := len(stays) - n
		if k < f.set.MinSamples || stays[k].at < hour-set.WithinMS {
			break
		}
		now := median(logs(stays[k:]))
		if !best.ok {
			best.last = math.Exp(now)
		}
		i, _ := slices.BinarySearchFunc(stays[:k], stays[k].at-windowMS, func(s lasted, at int64) int { return cmp.Or(cmp.Compare(s.at, at), 1) })
		if k-i < f.set.MinSamples {
			continue
		}
		sorted := logs(stays[i:k])
		before := median(sorted)
		away := make([]float64, len(sorted))
		for j, v := range sorted {
			away[j] = math.Abs(v - before)
		}
		slices.Sort(away)
		spread := max(1.4826*median(away), 0.1)
		if z := (now - before) / (spread * 1.2533 * math.Sqrt(1/float64(n)+1/float64(k-i))); !best.ok || z > best.z {
			best = change{z: z, n: n, of: k - i, before: math.Exp(before), now: math.Exp(now), last: best.last, from: stays[k].at, ok: true}
		}
	}
	return best
}

// logs are those of the stays, ascending.
func logs(stays []lasted) []float64 {
	out := make([]float64, len(stays))
	for i, s := range stays {
		out[i] = s.log
	}
	slices.Sort(out)
	return out
}

func median(sorted []float64) float64 { return quantile(0.5, sorted) }
