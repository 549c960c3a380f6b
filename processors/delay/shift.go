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
	if !c.ok && len(f.alerts) == 0 { // as at most looks
		return nil
	}
	d := w.finding(KindLevelShift)
	if !c.ok && !f.alert(d).fires() {
		return nil
	}
	d.since, d.value, d.baseline, d.basis = c.from, c.now/3600, c.before/3600, basisUsual
	d.fire = c.ok && c.z >= set.Fire && c.now >= set.Times*c.before && c.last >= set.Keep*c.before
	crowd := f.crowd(w)
	if len(crowd) >= set.Crowd {
		d.fire, d.since = c.ok, max(w.at-1000*crowd[len(crowd)-1], w.at-set.WithinMS)
	}
	if a := f.alert(d); a.fires() { // against the level it was told of: the new one is among those before by and by
		d.keep = (c.last >= set.Keep*a.told.Baseline*3600 || len(crowd) > 0) && w.at-a.told.Since < set.UsualAfter
		if w.at-a.told.Since >= set.UsualAfter {
			w.covers = slices.DeleteFunc(w.covers, func(c cover) bool { return c.how == longer })
			w.plainGood, w.shiftGood = false, false
			f.touch(coverPiece(w.key))
		}
		d.fire, d.since, d.baseline = d.fire && d.keep, a.told.Since, a.told.Baseline
	}
	if f.idle(d) {
		return nil
	}
	if !c.ok && len(crowd) == 0 { // it goes on, and too few stays are left to say more than was said
		told := f.alert(d).told
		d.severity, d.value, d.summary, d.evidence = told.Severity, told.Value, told.Summary, told.Evidence
		return d
	}
	if c.ok && c.now >= set.Page*c.before {
		d.severity = Page
	}
	chance := fmt.Sprintf("The last %d against %d in the 28 days before: %.1f times what chance explains", c.n, c.of, c.z)
	clear := c.ok && c.z >= set.Fire
	if n := len(crowd); (n >= set.Crowd || n > 0 && !clear) && inHours(crowd[n/2]) > d.value {
		d.value = inHours(crowd[len(crowd)/2])
		d.summary = fmt.Sprintf("%s: %s overdue since %s, half of them have waited %s or more, usual %s", w.name(), are(len(crowd)), moment(d.since), inWords(d.value), inWords(d.baseline))
		d.evidence = f.beyond(w) + "."
		if clear {
			d.evidence += " " + chance + "."
		}
		return d
	}
	unit, more := "trains waited", f.beyond(w)
	if !vehicle(w.key.kind) {
		unit, more = "stays lasted", "what came at one moment counts once"
	}
	d.summary = fmt.Sprintf("%s: half of the last %d %s %s or more since %s, usual %s", w.name(), c.n, unit, inWords(d.value), moment(d.since), inWords(d.baseline))
	d.evidence = fmt.Sprintf("%s; %s.", chance, more)
	return d
}

// crowd is how long the overdue trains have waited, seconds, ascending.
func (f *fold) crowd(w *flow) []int64 {
	var out []int64
	for _, s := range w.waits {
		if s.of == nil || s.silent {
			continue
		}
		if y := f.ordinarily(w, s); y.basis == basisUsual && f.isOverdue(w, s, y) {
			out = append(out, (w.at-s.began)/1000)
		}
	}
	slices.Sort(out)
	return out
}

// change finds what differs most from before, of stays in which nothing held trains up: the stays that ended last, or those of the trains
// that came last. Of trains that came so long ago that 95 of 100 would have gone on, the ones that still wait count by how long they
// have: their stays are at least so long, and nobody need wait for their end to see it.
func (f *fold) change(w *flow) change {
	hour := hourOf(w.at)
	since := hour - windowMS - f.set.Shift.WithinMS
	var ended, came []lasted
	for _, s := range w.window(since, open) {
		if s.counts() && !w.heldUp(s) {
			ended = append(ended, lasting(s, s.ended, s.ended))
		}
	}
	loads := !vehicle(w.key.kind)
	if loads {
		ended = together(ended)
	}
	best := f.strongest(ended, hour)
	recent := w.recent(w.at)
	if len(recent) < f.set.MinSamples {
		return best
	}
	for _, s := range w.cameBetween(since, hour-1000*int64(quantile(0.95, recent))) {
		switch {
		case w.heldUp(s):
		case s.counts():
			came = append(came, lasting(s, s.began, s.ended))
		case s.waits(hour) && !s.silent:
			came = append(came, lasting(s, s.began, hour))
		}
	}
	if loads {
		came = together(came)
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
	came int64
	at   int64   // where it stands among the others
	log  float64 // logarithm of its seconds
}

func lasting(s *sample, at, until int64) lasted {
	return lasted{s.began, at, math.Log(float64(max((until-s.began)/1000, 60)))}
}

// together makes one stay of those that came to a place at one moment: the forty containers of a train are one piece of evidence and not
// forty, or each train that stands longer would be a change of the level. As that of a consist it is the median one and ends with the last.
func together(stays []lasted) []lasted {
	slices.SortFunc(stays, func(a, b lasted) int { return cmp.Or(cmp.Compare(a.came, b.came), cmp.Compare(a.log, b.log)) })
	var out []lasted
	for len(stays) > 0 {
		n := 1
		for n < len(stays) && stays[n].came == stays[0].came {
			n++
		}
		one := lasted{stays[0].came, stays[0].at, median(logs(stays[:n]))}
		for _, s := range stays[1:n] {
			one.at = max(one.at, s.at)
		}
		out, stays = append(out, one), stays[n:]
	}
	slices.SortFunc(out, func(a, b lasted) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.came, b.came)) })
	return out
}

// strongest finds the number of last stays that differs most from those before.
func (f *fold) strongest(stays []lasted, hour int64) change {
	set := f.set.Shift
	best := change{}
	var order []int // the stays by their length
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
		if order == nil {
			order = byLength(stays)
		}
		sorted := make([]float64, 0, k-i)
		for _, j := range order {
			if i <= j && j < k {
				sorted = append(sorted, stays[j].log)
			}
		}
		before := median(sorted)
		spread := max(1.4826*deviation(sorted, before), 0.1)
		if z := (now - before) / (spread * 1.2533 * math.Sqrt(1/float64(n)+1/float64(k-i))); !best.ok || z > best.z {
			best = change{z: z, n: n, of: k - i, before: math.Exp(before), now: math.Exp(now), last: best.last, from: stays[k].at, ok: true}
		}
	}
	return best
}

// byLength are the indices of stays, the shortest first.
func byLength(stays []lasted) []int {
	out := make([]int, len(stays))
	for i := range out {
		out[i] = i
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(stays[a].log, stays[b].log) })
	return out
}

// deviation is the median of the distances of ascending values from one within them: both ways from it they ascend already.
func deviation(sorted []float64, from float64) float64 {
	right, _ := slices.BinarySearch(sorted, from)
	left := right - 1
	away := make([]float64, 0, len(sorted))
	for len(away) < len(sorted) {
		if right == len(sorted) || left >= 0 && from-sorted[left] < sorted[right]-from {
			away, left = append(away, from-sorted[left]), left-1
		} else {
			away, right = append(away, sorted[right]-from), right+1
		}
	}
	return median(away)
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
