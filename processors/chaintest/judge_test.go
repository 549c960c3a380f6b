package chaintest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"corridorwatch/ingest/simulator"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// leastStop is the shortest true stop that is to be found.
const leastStop = 3 * 60_000

// verdict counts what of the truth was found in disturbed input, what was not true, and what nobody could have seen in it.
type verdict struct {
	stops, crossings, passes tally
	arrival, departure       []int64 // errors where the tracker was awake, ms
	entered, left            []int64
	bounds, outside          int // times with bounds, and those that the truth lies outside of
	misled                   int // times beside a fix that lies, not held against their bounds
	interval                 int64
	examples                 []string
}

type tally struct{ truth, found, invented, unseen int }

func (a *tally) add(b tally) {
	a.truth, a.found, a.invented, a.unseen = a.truth+b.truth, a.found+b.found, a.invented+b.invented, a.unseen+b.unseen
}

func (v *verdict) add(o *verdict) {
	v.stops.add(o.stops)
	v.crossings.add(o.crossings)
	v.passes.add(o.passes)
	v.arrival, v.departure = append(v.arrival, o.arrival...), append(v.departure, o.departure...)
	v.entered, v.left = append(v.entered, o.entered...), append(v.left, o.left...)
	v.bounds, v.outside, v.misled, v.interval = v.bounds+o.bounds, v.outside+o.outside, v.misled+o.misled, o.interval
	v.examples = append(v.examples, o.examples...)
}

func (v *verdict) example(format string, a ...any) {
	v.examples = append(v.examples, fmt.Sprintf(format, a...))
}

// input is what arrived: by run the times of fixes, which of them lie, and by run and place the times of reports.
type input struct {
	fixes, reports map[string][]int64
	false          map[string]map[int64]bool
	interval       int64
}

// farOff is how far from the truth a fix lies.
const farOff = 200

func newInput(sent []*pb.Event, arrived []Arrival, interval int64) *input {
	in := &input{fixes: map[string][]int64{}, reports: map[string][]int64{}, false: map[string]map[int64]bool{}, interval: interval}
	truth := map[string]*pb.Position{}
	for _, e := range sent {
		truth[e.Id] = e.GetPosition()
	}
	for _, a := range arrived {
		switch e := a.Ev; e.Verb {
		case pb.Verb_POSITION:
			p, q := e.GetPosition(), truth[e.Id]
			if network.DistanceM(float64(p.LatE7)/1e7, float64(p.LonE7)/1e7, float64(q.LatE7)/1e7, float64(q.LonE7)/1e7) > farOff {
				if in.false[e.Subject] == nil {
					in.false[e.Subject] = map[int64]bool{}
				}
				in.false[e.Subject][e.Time] = true
			}
			in.fixes[e.Subject] = append(in.fixes[e.Subject], e.Time)
		case pb.Verb_ARRIVED, pb.Verb_DEPARTED, pb.Verb_PASSED:
			in.reports[e.Subject+"|"+e.Place] = append(in.reports[e.Subject+"|"+e.Place], e.Time)
		}
	}
	return in
}

// between counts the fixes of a run from a to b.
func (in *input) between(run string, a, b int64) int {
	all := in.fixes[run]
	i, _ := slices.BinarySearch(all, a)
	j, _ := slices.BinarySearch(all, b+1)
	return j - i
}

// misled tells whether one of the two fixes around t lies: nobody knows that of a fix to which the train may have run.
func (in *input) misled(run string, t int64) bool {
	all := in.fixes[run]
	i, _ := slices.BinarySearch(all, t)
	return i > 0 && in.false[run][all[i-1]] || i < len(all) && in.false[run][all[i]]
}

// awake tells whether the tracker was heard within an interval before t and one after it.
func (in *input) awake(run string, t int64) bool {
	return in.between(run, t-in.interval, t) > 0 && in.between(run, t, t+in.interval) > 0
}

// seeable tells whether anybody could see the stop: two fixes of it arrived, or a report.
func (in *input) seeable(cat *network.Catalog, all []simulator.Visit, t *simulator.Visit) bool {
	if in.reported(t.Run, t.Place, t.Arrived, t.Departed) {
		return true
	}
	if p, _ := cat.Place(t.Place); p.Position == nil || in.between(t.Run, t.Arrived, t.Departed) < 2 {
		return false
	}
	// Where a place without a position lies within the same fence, only a report tells which of the two it stood at.
	for i := range all {
		o := &all[i]
		if p, _ := cat.Place(o.Place); o.Run != t.Run || p.Position != nil || !o.Stopped {
			continue
		}
		const near = 10 * 60_000
		if d := t.Arrived - o.Departed; d >= 0 && d < near && !in.reported(o.Run, o.Place, o.Departed, o.Departed) {
			return false
		}
		if d := o.Arrived - t.Departed; d >= 0 && d < near && !in.reported(o.Run, o.Place, o.Arrived, o.Arrived) {
			return false
		}
	}
	return true
}

// reported tells whether a report of the run at the place arrived, dated from a to b.
func (in *input) reported(run, place string, a, b int64) bool {
	return slices.ContainsFunc(in.reports[run+"|"+place], func(at int64) bool { return at >= a && at <= b })
}

func judge(cat *network.Catalog, w *world, arrived []Arrival, c *Chain) *verdict {
	v := &verdict{interval: w.cfg.Interval.Milliseconds()}
	in := newInput(w.events, arrived, v.interval)
	v.visits(cat, w, in, c.Visits())
	v.borders(w, in, c.Crossings())
	return v
}

func (v *verdict) visits(cat *network.Catalog, w *world, in *input, found []*pb.Visit) {
	matched := map[*pb.Visit]bool{}
	for i := range w.truth.Visits {
		t := &w.truth.Visits[i]
		hit := match(found, t, matched)
		if hit != nil {
			matched[hit] = true
		}
		long := t.Stopped && t.Departed-t.Arrived >= leastStop
		switch seen := in.seeable(cat, w.truth.Visits, t); {
		case t.Cut || !long:
			continue
		case !seen:
			v.stops.unseen++
			continue
		case hit == nil || !hit.Stopped:
			v.stops.truth++
			v.example("missing: stop of %s at %s, %s to %s", t.Run, t.Place, clock(t.Arrived), clock(t.Departed))
			continue
		}
		v.stops.truth++
		v.stops.found++
		for _, m := range []struct {
			what   string
			got    *pb.Moment
			want   int64
			errors *[]int64
			vague  bool
		}{{"arrived", hit.Arrived, t.Arrived, &v.arrival, false}, {"departed", hit.Departed, t.Departed, &v.departure, false},
			{"entered", hit.Entered, t.Entered, &v.entered, t.Vague}, {"left", hit.Left, t.Left, &v.left, t.Vague}} {
			if m.want == 0 || m.got.GetAt() == 0 || m.vague {
				continue
			}
			if p, _ := cat.Place(t.Place); p.Position != nil && in.awake(t.Run, m.want) {
				*m.errors = append(*m.errors, max(m.got.At-m.want, m.want-m.got.At))
			}
			if in.misled(t.Run, m.want) {
				v.misled++
				continue
			}
			v.bounded(m.got, m.want, "%s %s at %s", t.Run, m.what, t.Place)
		}
	}
	for _, f := range found {
		if matched[f] || f.UnitKind != pb.UnitKind_TRAIN && f.UnitKind != pb.UnitKind_VESSEL {
			continue
		}
		k := &v.passes
		if f.Stopped {
			k = &v.stops
		}
		k.invented++
		v.example("invented: %s of %s at %s, %s, stopped %v", f.State, f.Unit, f.Place, clock(Begin(f)), f.Stopped)
	}
}

// bounded holds a time against the bounds it is told with.
func (v *verdict) bounded(m *pb.Moment, want int64, format string, a ...any) {
	if m.Basis == pb.Basis_REPORT || m.Earliest == 0 && m.Latest == 0 {
		return
	}
	v.bounds++
	const rounding = 1000
	if m.Earliest != 0 && want < m.Earliest-rounding || m.Latest != 0 && want > m.Latest+rounding {
		v.outside++
		v.example("outside: "+fmt.Sprintf(format, a...)+" %s, told %s by %s, %s to %s", clock(want), clock(m.At), m.Basis, clock(m.Earliest), clock(m.Latest))
	}
}

// match is the visit that overlaps the true one, or lies within ten minutes of it; one that stops first, if that one does.
func match(found []*pb.Visit, t *simulator.Visit, taken map[*pb.Visit]bool) (best *pb.Visit) {
	const reach = 10 * 60_000
	least := int64(reach + 1)
	for _, f := range found {
		if f.Unit != t.Run || f.Place != t.Place || taken[f] {
			continue
		}
		begin, end := Begin(f), max(f.Left.GetAt(), f.Departed.GetAt(), Begin(f))
		if f.State != pb.State_CLOSED {
			end = max(end, begin+int64(lateness/time.Millisecond)*10)
		}
		d := max(begin-max(t.Left, t.Departed), min(or(t.Entered, t.Arrived), or(t.Arrived, t.Entered))-end, 0)
		if inferred := f.Entered.GetBasis() == pb.Basis_INFERRED; inferred && f.Entered.Earliest <= max(t.Left, t.Departed) && f.Entered.Latest >= or(t.Entered, t.Arrived) {
			d = 0 // a pass nobody saw, somewhere in the gap
		}
		if f.Stopped != t.Stopped {
			d += reach / 2
		}
		if d < least {
			best, least = f, d
		}
	}
	return best
}

func or(a, b int64) int64 {
	if a != 0 {
		return a
	}
	return b
}

func (v *verdict) borders(w *world, in *input, found []*pb.Crossing) {
	matched := map[*pb.Crossing]bool{}
	for i := range w.truth.Crossings {
		t := &w.truth.Crossings[i]
		k := slices.IndexFunc(found, func(c *pb.Crossing) bool { return c.Unit == t.Run && c.Border == t.Border && !matched[c] })
		if k >= 0 {
			matched[found[k]] = true
		}
		if t.Cut {
			continue
		}
		if in.between(t.Run, 0, t.OutLeft) == 0 || in.between(t.Run, t.InEntered, 1<<62) == 0 {
			v.crossings.unseen++ // nothing was heard of the run on one of the sides, nor before or behind it
			continue
		}
		v.crossings.truth++
		if k < 0 {
			v.example("missing: crossing of %s over %s, %s to %s", t.Run, t.Border, clock(t.OutEntered), clock(t.InLeft))
			continue
		}
		v.crossings.found++
		if c := found[k]; !t.Vague && c.TotalEarliestS != c.TotalLatestS {
			v.bounds++
			if s := (t.InLeft - t.OutEntered) / 1000; s < c.TotalEarliestS-1 || c.TotalLatestS != 0 && s > c.TotalLatestS+1 {
				v.outside++
				v.example("outside: %s over %s took %d s, told %d by %s, %d to %d", t.Run, t.Border, s, c.TotalS, c.TotalBasis, c.TotalEarliestS, c.TotalLatestS)
			}
		}
	}
	for _, c := range found {
		if !matched[c] && !c.Candidate && (c.UnitKind == pb.UnitKind_TRAIN || c.UnitKind == pb.UnitKind_VESSEL) {
			v.crossings.invented++
			v.example("invented: crossing of %s over %s", c.Unit, c.Border)
		}
	}
}

func quantile(all []int64, q float64) int64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)]
}

func (v *verdict) table() string {
	var b strings.Builder
	tab := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "\ttrue\tfound\tinvented\trecall\tprecision\tcould not be seen")
	for _, k := range []struct {
		name string
		tally
	}{{"stops of 3 min or more", v.stops}, {"crossings", v.crossings}} {
		fmt.Fprintf(tab, "%s\t%d\t%d\t%d\t%.2f %%\t%.2f %%\t%d\n", k.name, k.truth, k.found, k.invented, 100*k.recall(), 100*k.precision(), k.unseen)
	}
	fmt.Fprintf(tab, "passes\t\t\t%d\n\nerror where awake\tn\tmedian\t90 %%\tworst\n", v.passes.invented)
	for _, s := range []struct {
		name string
		all  []int64
	}{{"arrived", v.arrival}, {"departed", v.departure}, {"entered", v.entered}, {"left", v.left}} {
		fmt.Fprintf(tab, "%s\t%d\t%.1f s\t%.1f s\t%.1f s\n", s.name, len(s.all), sec(quantile(s.all, 0.5)), sec(quantile(s.all, 0.9)), sec(quantile(s.all, 1)))
	}
	fmt.Fprintf(tab, "\nwithin bounds\t%d of %d\nbeside a fix that lies\t%d\n", v.bounds-v.outside, v.bounds, v.misled)
	tab.Flush()
	for _, e := range v.examples[:min(len(v.examples), 25)] {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

func sec(ms int64) float64 { return float64(ms) / 1000 }

func (k tally) recall() float64    { return share(k.found, k.truth) }
func (k tally) precision() float64 { return share(k.found, k.found+k.invented) }

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// err says what is not met: 99 % of what could be seen found and of what was found true, times within one interval at the 90th
// percentile where the tracker was awake, and always within the bounds told.
func (v *verdict) err() error {
	var errs []error
	for name, k := range map[string]tally{"stops": v.stops, "crossings": v.crossings} {
		if k.recall() < 0.99 || k.precision() < 0.99 {
			errs = append(errs, fmt.Errorf("%s: recall %.4f, precision %.4f", name, k.recall(), k.precision()))
		}
	}
	for name, all := range map[string][]int64{"arrived": v.arrival, "departed": v.departure, "entered": v.entered, "left": v.left} {
		if q := quantile(all, 0.9); len(all) == 0 || q > v.interval {
			errs = append(errs, fmt.Errorf("%s: the 90th percentile of %d errors is %.1f s", name, len(all), sec(q)))
		}
	}
	if v.outside > 0 {
		errs = append(errs, fmt.Errorf("%d of %d times lie outside of their bounds", v.outside, v.bounds))
	}
	return errors.Join(errs...)
}
