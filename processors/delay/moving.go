package delay

import (
	"fmt"
	"math"
	"slices"

	"corridorwatch/schemas/network"
)

// MovingSettings say when it is no chance any more that no train goes on.
//
// Each train that waits would have gone on with a certain probability since the last one did, by how long others waited. The sum of
// these (cumulative hazards) is how many should have gone on: none of e^sum times does that happen by chance.
type MovingSettings struct {
	Fire, Keep float64 // trains that should have gone on
	Trickle    float64 // it goes on while fewer than this part of those that should go on do,
	TrickleMS  int64   // within this time
	Trains     int     // trains that wait, at least
	AtLeastMS  int64   // since the last one went on, at least
	Gaps       float64 // and so many times the mean gap of the days before: few that go on are a queue
	GapsMS     int64   // of how many, ms
	Declared   float64 // the same as Fire where a closure is declared
	DeclaredMS int64   // or so long after the last one went on
	PageMS     int64   // to be acted on at once after
	ResumedMS  int64   // a closure ends when trains go on again within this time
}

func defaultMoving() MovingSettings {
	return MovingSettings{Fire: 10.5, Keep: 3, Trickle: 0.3, TrickleMS: 6 * hourMS, Trains: 2, AtLeastMS: 3 * hourMS, Gaps: 3, GapsMS: 3 * dayMS, Declared: 2, DeclaredMS: 6 * hourMS, PageMS: 24 * hourMS, ResumedMS: hourMS}
}

// due is how many trains of those that wait should have gone on since a time.
func (f *fold) due(w *flow, since int64) float64 {
	recent := w.recent(w.at)
	sum := 0.0
	for _, s := range w.waits {
		h := f.hazard(s.of, recent)
		sum += h((w.at-s.began)/1000) - h(max(0, since-s.began)/1000)
	}
	return sum
}

// hazard is the cumulative hazard of going on: of the stays of the last 28 days, else of a lognormal with the norm's median and 95th
// percentile. Beyond what is known it does not grow.
func (f *fold) hazard(r *row, recent []int64) func(seconds int64) float64 {
	if n := len(recent); n >= f.set.MinSamples {
		return func(seconds int64) float64 {
			i, _ := slices.BinarySearch(recent, seconds+1)
			return -math.Log(1 - float64(i)/float64(n+1))
		}
	}
	if r == nil || r.normS <= 0 || r.normP <= r.normS {
		return func(int64) float64 { return 0 }
	}
	sigma := math.Log(float64(r.normP)/float64(r.normS)) / 1.6449
	return func(seconds int64) float64 {
		if seconds <= 0 {
			return 0
		}
		z := math.Log(float64(seconds)/float64(r.normS)) / sigma
		return math.Min(-math.Log(0.5*math.Erfc(z/math.Sqrt2)), 5)
	}
}

// nothingMoving sees a side of which no train goes on.
func (f *fold) nothingMoving(w *flow) *finding {
	set := f.set.Moving
	if w.border == nil || len(w.waits) == 0 {
		return nil
	}
	if w.limit != nil && w.limit.closed && w.key.role == network.Outbound { // that is the closure; what has crossed goes on
		return nil
	}
	last := w.lastRelease(w.at)
	since := max(last, f.lifted(w), w.waits[0].began)
	due := f.due(w, max(last, f.lifted(w)))
	d := w.finding(KindNothingMoving)
	d.severity = Page
	d.since, d.value = since, float64(len(w.waits))
	d.basis = basisUsual
	if len(w.recent(w.at)) < f.set.MinSamples {
		d.basis = basisNorm
	}
	d.fire = due >= set.Fire && len(w.waits) >= set.Trains && w.at-since >= set.AtLeastMS &&
		float64(w.at-since) >= set.Gaps*float64(set.GapsMS)/float64(max(1, w.releases(last-set.GapsMS, last+1)))
	d.keep, d.baseline = due >= set.Keep, math.Floor(due)
	if f.alert(d).fires() && !d.keep {
		due := f.due(w, w.at-set.TrickleMS)
		d.keep = due >= set.Keep && float64(w.releases(w.at-set.TrickleMS, w.at)) < set.Trickle*due
	}
	if f.idle(d) {
		return nil
	}
	d.summary = fmt.Sprintf("%s: no train has gone on for %s, since %s, where %.0f should have; %s", w.name(), hours((w.at-since)/1000), moment(since), d.baseline, waiting(len(w.waits)))
	d.evidence = fmt.Sprintf("How many should have gone on: by how long trains waited in the last 28 days; %s; %s.", f.beyond(w), f.upstream(w))
	return d
}

// lifted is when the last closure of a flow ended, 0 if there was none: a time that was declared is not held against it.
func (f *fold) lifted(w *flow) int64 {
	var at int64
	for _, r := range f.restrictions(w.key.border, w.key.direction) {
		if r.closed && r.until != 0 && r.until <= w.at {
			at = max(at, r.until)
		}
	}
	return at
}

func (f *fold) upstream(w *flow) string {
	if len(w.held) == 0 {
		return "none is known to be held upstream"
	}
	oldest := slices.MinFunc(w.held, func(a, b hold) int { return int(a.From - b.From) })
	return fmt.Sprintf("%s held upstream, the first since %s", trains(len(w.held)), moment(oldest.From))
}

// closure sees that nothing moves where a closure was declared: one alert for both sides and everything that waits.
func (f *fold) closure(group []*flow) *finding {
	limit := group[0].limit
	if limit == nil || !limit.closed {
		return nil
	}
	set, at := f.set.Moving, group[0].at
	last, waits, held, due := limit.from, 0, 0, 0.0
	var out *flow
	for _, w := range group {
		if w.key.role == network.Outbound { // what has crossed already goes on
			last = max(last, w.lastRelease(at))
		}
	}
	for _, w := range group {
		if w.key.role != network.Outbound {
			continue
		}
		due += f.due(w, last)
		waits += len(w.waits)
		held += len(w.held)
		out = w
	}
	d := group[0].finding(KindClosure)
	d.role, d.since, d.value = "", limit.from, float64(waits+held)
	d.fire = waits+held > 0 && (due >= set.Declared || at-last >= set.DeclaredMS)
	d.keep = at-last >= set.ResumedMS
	d.basis = basisNone
	if f.idle(d) {
		return nil
	}
	if at-limit.from >= set.PageMS {
		d.severity = Page
	}
	d.summary = fmt.Sprintf("%s (%s): closed for %s, since %s; %s, %d held upstream", group[0].border.Name, group[0].key.direction, hours((at-limit.from)/1000), moment(limit.from), waiting(waits), held)
	d.evidence = "Declared: " + limit.text() + "."
	if out != nil {
		d.evidence += " Outbound: " + f.beyond(out) + "; " + f.upstream(out) + "."
	}
	return d
}
