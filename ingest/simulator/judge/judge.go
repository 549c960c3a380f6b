// Package judge holds what the stages found in a simulated world against its truth.
package judge

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"corridorwatch/ingest/simulator"
)

// LeastStop is the shortest true stop that must be found.
const LeastStop = 3 * time.Minute

// Visit is a visit as found; times in ms, 0: not known.
type Visit struct {
	Unit, Place                      string
	Entered, Arrived, Departed, Left int64
	Stopped                          bool
}

// Leg is a leg as found; Elapsed and Moving in seconds.
type Leg struct {
	Unit, From, To    string
	Km                float64
	Departed, Arrived int64
	Elapsed, Moving   float64
}

// Crossing is a crossing as found.
type Crossing struct {
	Unit, Border        string
	OutEntered, OutLeft int64
	InEntered, InLeft   int64
	Doings
}

// Doings are what was done at a crossing, and before it: hand-over in ms, the rest in seconds.
type Doings struct {
	Offered, Accepted              int64
	Refused                        int64
	Approach, Customs, GaugeChange int64
}

// Results are what the stages found.
type Results struct {
	Visits    []Visit
	Legs      []Leg
	Crossings []Crossing
	Notices   []simulator.Notice
}

// count is how many of the true things were found, and what was found that is not true.
type count struct {
	truth, found, invented int
	examples               []string // of what is missing or invented
}

func (c *count) miss(format string, a ...any)   { c.example("missing "+format, a...) }
func (c *count) invent(format string, a ...any) { c.invented++; c.example("invented "+format, a...) }

func (c *count) example(format string, a ...any) {
	if len(c.examples) < 5 {
		c.examples = append(c.examples, fmt.Sprintf(format, a...))
	}
}

// Report is the verdict.
type Report struct {
	interval               time.Duration
	stops, passes, borders count
	arrival, departure     sample // of stops, ms
	outIn, outOut          sample // outbound side entered and left
	inIn, inOut            sample
	passIn, passOut        sample
	swd, swod              sample // relative error of sections, over all their legs
	short                  sample // error in ms of the mean running time of sections run within two sampling intervals
	legs                   count
	doings, notices        count   // found: equal to the truth
	units                  *Report // of containers; nil: the world has none
	worst                  string  // section of the worst SWD or SWOD
	worstBy                float64
	shortWorst             string // the same of those run within two sampling intervals, beside what can be asked of so many legs
	shortBy                float64
}

// sample is a set of errors.
type sample []float64

func (s *sample) add(got, want int64) {
	if got != 0 && want != 0 {
		*s = append(*s, math.Abs(float64(got-want)))
	}
}

func (s sample) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	slices.Sort(s)
	return s[min(int(math.Ceil(q*float64(len(s))))-1, len(s)-1)]
}

// Compare matches what was found with the truth. What lies partly outside the simulated time may be found or not, and is not measured;
// neither are the edges of fences that overlap on the way, since it is a matter of definition which of them counts.
func Compare(truth *simulator.Truth, got Results, interval time.Duration) *Report {
	r := &Report{interval: interval}
	vehicles, containers := split(truth, got)
	r.visits(truth, vehicles)
	r.crossings(truth, vehicles)
	r.speeds(truth, vehicles)
	r.compareNotices(truth, got)
	r.containers(truth, containers)
	return r
}

func (r *Report) visits(truth *simulator.Truth, got Results) {
	found := map[string][]*Visit{}
	for i := range got.Visits {
		v := &got.Visits[i]
		found[v.Unit+"|"+v.Place] = append(found[v.Unit+"|"+v.Place], v)
	}
	matched, cut := map[*Visit]bool{}, map[string]bool{}
	for i := range truth.Visits {
		t := &truth.Visits[i]
		cut[t.Run+"|"+t.Place] = cut[t.Run+"|"+t.Place] || t.Cut
		c := &r.passes
		if t.Stopped {
			c = &r.stops
		}
		v := nearest(found[t.Run+"|"+t.Place], t, matched)
		if v != nil && (v.Stopped == t.Stopped || t.Cut) {
			matched[v] = true
		}
		if t.Cut || t.Stopped && t.Departed-t.Arrived < LeastStop.Milliseconds() {
			continue
		}
		c.truth++
		if v == nil || v.Stopped != t.Stopped {
			c.miss("%s at %s, %s", t.Run, t.Place, clock(t.Arrived+t.Entered*boolInt(t.Arrived == 0)))
			continue
		}
		c.found++
		if t.Stopped {
			r.arrival.add(v.Arrived, t.Arrived)
			r.departure.add(v.Departed, t.Departed)
		} else if !t.Vague {
			r.passIn.add(v.Entered, t.Entered)
			r.passOut.add(v.Left, t.Left)
		}
	}
	for i := range got.Visits {
		if v := &got.Visits[i]; !matched[v] && !cut[v.Unit+"|"+v.Place] {
			c := &r.passes
			if v.Stopped {
				c = &r.stops
			}
			c.invent("%s at %s, %s", v.Unit, v.Place, clock(v.begin()))
		}
	}
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") }

func (v *Visit) begin() int64 { return cmp.Or(v.Entered, v.Arrived, v.Departed, v.Left) }
func (v *Visit) end() int64   { return cmp.Or(v.Left, v.Departed, v.Arrived, v.Entered) }

// nearest is the visit that overlaps the true one most nearly, one that stops if that one does before one that does not.
func nearest(visits []*Visit, t *simulator.Visit, taken map[*Visit]bool) *Visit {
	var best *Visit
	least := 10 * time.Minute.Milliseconds()
	begin, end := cmp.Or(t.Entered, t.Arrived), cmp.Or(t.Left, t.Departed)
	for _, v := range visits {
		d := max(v.begin()-end, begin-v.end(), 0)
		if v.begin() == 0 {
			d = 0 // where a run has just begun nothing is known but the place
		}
		if v.Stopped != t.Stopped {
			d += 5 * time.Minute.Milliseconds()
		}
		if !taken[v] && d < least {
			best, least = v, d
		}
	}
	return best
}

func (r *Report) crossings(truth *simulator.Truth, got Results) {
	matched, cut := map[int]bool{}, map[string]bool{}
	found := map[string][]int{}
	for k := range got.Crossings {
		key := got.Crossings[k].Unit + "|" + got.Crossings[k].Border
		found[key] = append(found[key], k)
	}
	for i := range truth.Crossings {
		t := &truth.Crossings[i]
		cut[t.Run+"|"+t.Border] = cut[t.Run+"|"+t.Border] || t.Cut
		hit := -1
		for _, k := range found[t.Run+"|"+t.Border] {
			c := &got.Crossings[k]
			if !matched[k] && (t.Cut || cmp.Or(c.OutEntered, c.OutLeft) <= t.InLeft && cmp.Or(c.InLeft, c.InEntered) >= t.OutEntered) {
				hit = k
				break
			}
		}
		if hit >= 0 {
			matched[hit] = true
		}
		if t.Cut {
			continue
		}
		r.borders.truth++
		if hit < 0 {
			r.borders.miss("%s over %s, %s", t.Run, t.Border, clock(t.OutEntered))
			continue
		}
		r.borders.found++
		if c := &got.Crossings[hit]; !t.Vague {
			r.outIn.add(c.OutEntered, t.OutEntered)
			r.outOut.add(c.OutLeft, t.OutLeft)
			r.inIn.add(c.InEntered, t.InEntered)
			r.inOut.add(c.InLeft, t.InLeft)
			r.compareDoings(t, c)
		}
	}
	for k := range got.Crossings {
		if c := &got.Crossings[k]; !matched[k] && !cut[c.Unit+"|"+c.Border] {
			r.borders.invent("%s over %s, %s", c.Unit, c.Border, clock(cmp.Or(c.OutEntered, c.InEntered)))
		}
	}
}

// Table shows the verdict to people.
func (r *Report) Table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ttrue\tfound\tinvented")
	rows := []struct {
		name string
		*count
	}{{"stops of 3 min or more", &r.stops}, {"passes", &r.passes}, {"crossings, both sides", &r.borders}, {"legs", &r.legs}, {"hand-over, holds, activities", &r.doings}, {"restrictions, plans", &r.notices}}
	if r.units != nil {
		rows = append(rows, rows[0], rows[2], rows[4])
		for i, c := range []*count{&r.units.stops, &r.units.borders, &r.units.doings} {
			rows[6+i].name, rows[6+i].count = rows[6+i].name+", containers", c
		}
	}
	for _, c := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", c.name, c.truth, c.found, c.invented)
	}
	fmt.Fprintln(w, "\nerror\tn\tmedian\t95 %\tworst")
	for _, s := range append(r.times(), []named{{"pass entered", r.passIn}, {"pass left", r.passOut}, {"running time, short sections", r.short}}...) {
		fmt.Fprintf(w, "%s\t%d\t%.1f s\t%.1f s\t%.1f s\n", s.name, len(s.sample), s.quantile(0.5)/1000, s.quantile(0.95)/1000, s.quantile(1)/1000)
	}
	for _, s := range []struct {
		name string
		sample
	}{{"SWD by section", r.swd}, {"SWOD by section", r.swod}} {
		fmt.Fprintf(w, "%s\t%d\t%.3f %%\t%.3f %%\t%.3f %%\n", s.name, len(s.sample), 100*s.quantile(0.5), 100*s.quantile(0.95), 100*s.quantile(1))
	}
	w.Flush()
	return b.String()
}

// named is a sample with its name.
type named struct {
	name string
	sample
}

// times are the errors that are judged.
func (r *Report) times() []named {
	all := []named{
		{"arrival", r.arrival}, {"departure", r.departure}, {"outbound entered", r.outIn}, {"outbound left", r.outOut},
		{"inbound entered", r.inIn}, {"inbound left", r.inOut},
	}
	if r.units != nil {
		for _, s := range r.units.times() {
			all = append(all, named{s.name + ", containers", s.sample})
		}
	}
	return all
}

// Err says what of the acceptance is not met: every stop and crossing found and none invented, times within one sampling interval at
// the 95th percentile, SWD and SWOD of every section within 1 %, and where a section is run within two sampling intervals its mean
// running time within half of one. Passes are shown, not judged, but none may be invented.
func (r *Report) Err() error {
	var errs []error
	judged := []struct {
		name string
		*count
		all bool
	}{{"stops", &r.stops, true}, {"crossings", &r.borders, true}, {"passes", &r.passes, false}, {"legs", &r.legs, true}, {"hand-over, holds and activities of crossings", &r.doings, true},
		{"restrictions and plans", &r.notices, true}}
	if r.units != nil {
		for i, c := range []*count{&r.units.stops, &r.units.borders, &r.units.doings} {
			of := judged[[...]int{0, 1, 4}[i]]
			of.name, of.count = of.name+" of containers", c
			judged = append(judged, of)
		}
	}
	for _, c := range judged {
		if c.truth == 0 && c.all {
			errs = append(errs, fmt.Errorf("%s: the world has none, so nothing is shown", c.name))
		}
		if c.all && c.found < c.truth || c.invented > 0 {
			errs = append(errs, fmt.Errorf("%s: %d of %d found, %d invented: %s", c.name, c.found, c.truth, c.invented, strings.Join(c.examples, "; ")))
		}
	}
	for _, s := range r.times() {
		if e := s.quantile(0.95); e > float64(r.interval.Milliseconds()) {
			errs = append(errs, fmt.Errorf("%s: 95th percentile of the error is %.1f s, more than the interval of %s", s.name, e/1000, r.interval))
		}
	}
	if r.shortBy > 1 {
		errs = append(errs, fmt.Errorf("mean running time of a section run within two sampling intervals is off: %s; half of the interval is allowed, of less than three legs all of it", r.shortWorst))
	}
	if r.worstBy > 0.01 {
		errs = append(errs, fmt.Errorf("SWD or SWOD is off by %.2f %% from %s", 100*r.worstBy, r.worst))
	}
	return errors.Join(errs...)
}
