package delay

import (
	"fmt"
	"math"

	"corridorwatch/schemas/network"
)

// ThroughputSettings say when fewer trains cross than was agreed.
type ThroughputSettings struct {
	Fire    float64 // standard deviations below the agreed exchange, over one to Days days
	Ratio   float64 // and at most this part of it
	Keep    float64 // at most this part of it, to go on
	Missing float64 // trains that are missing, at least
	Days    int
	Known   int     // days of which the exchange and the agreed one are known, at least
	GraceMS int64   // reports come later
	Part    float64 // part of a day after which it is looked at before it is over
	Page    float64 // part of the agreed exchange
}

func defaultThroughput() ThroughputSettings {
	return ThroughputSettings{Fire: 2.5, Ratio: 0.75, Keep: 0.85, Missing: 3, Days: 4, Known: 7, GraceMS: 2 * hourMS, Part: 0.4, Page: 0.35}
}

// exchange is how many trains crossed in a time, and how many were agreed.
type exchange struct {
	date            string // the railway day, or the one that the time is a part of
	since, until    int64
	days            float64
	crossed, agreed float64
}

// belowPlan sees an exchange below the agreed one: on the last railway days together, or by now on the one that goes on.
func (f *fold) belowPlan(group []*flow) *finding {
	if group[0].border == nil {
		return nil
	}
	set, first := f.set.Throughput, group[0]
	at := first.at - set.GraceMS
	border, direction := first.key.border, first.key.direction
	if !f.read().planned[[2]string{border, direction}] {
		return nil
	}
	today, begins, _ := f.railwayDay(border, direction, at)
	d := first.finding(KindBelowPlan)
	d.role, d.basis = "", "plan"
	var list []exchange
	var told exchange // what is told: the first of the list, or what is least likely by chance
	spread, worst := -1.0, 0.0
	judge := func(e exchange, varies float64) {
		if e.agreed-e.crossed < set.Missing || e.crossed > set.Ratio*e.agreed {
			return
		}
		if spread < 0 {
			spread = f.dispersion(group, begins)
		}
		if z := (e.agreed - e.crossed) / math.Sqrt(math.Max(varies*spread, 1)); z >= set.Fire && z > worst {
			worst, d.fire, d.keep, told = z, true, true, e
		}
	}
	if agreed, ok := f.agreed(border, direction, today); ok {
		// Trains that are on time for the day may be late for a part of it: by as much as days differ from one another.
		part := float64(at-begins) / float64(dayMS)
		if part >= set.Part && first.history(first.at) >= first.at-begins {
			told = exchange{today, begins, at, part, float64(exchanged(group, begins, at)), agreed * part}
			list = append(list, told)
			judge(told, agreed)
			d.keep = d.keep || told.crossed < set.Keep*told.agreed
		}
	}
	sum := exchange{since: begins, until: begins}
	for sum.days < float64(set.Days) {
		date, from, to := f.railwayDay(border, direction, sum.since-1)
		agreed, ok := f.agreed(border, direction, date)
		if !ok || first.history(first.at) < first.at-from {
			break
		}
		day := exchange{date, from, to, 1, float64(exchanged(group, from, to)), agreed}
		if list = append(list, day); sum.days == 0 {
			if d.keep = d.keep || day.crossed < set.Keep*agreed; !d.fire {
				told = day
			}
		}
		sum.since, sum.days, sum.crossed, sum.agreed = from, sum.days+1, sum.crossed+day.crossed, sum.agreed+agreed
		judge(sum, sum.agreed)
	}
	if !d.keep || f.idle(d) || !f.planIsMet(group, begins) {
		return nil
	}
	d.since, d.value, d.baseline = told.since, told.crossed/told.days, told.agreed/told.days
	if d.value <= set.Page*d.baseline {
		d.severity = Page
	}
	d.summary = fmt.Sprintf("%s (%s): %s crossed in the %s since %s, %.0f were agreed", first.border.Name, direction, trains(int(told.crossed)), told.length(), moment(told.since), told.agreed)
	d.evidence = "Railway days, the last first:"
	for _, e := range list {
		if e.days < 1 {
			d.evidence += fmt.Sprintf(" %s, until %s: %.0f of %.0f.", e.date, moment(e.until), e.crossed, e.agreed/e.days)
		} else {
			d.evidence += fmt.Sprintf(" %s: %.0f of %.0f.", e.date, e.crossed, e.agreed)
		}
	}
	return d
}

// length is its time, for people.
func (e exchange) length() string {
	switch {
	case e.days < 1:
		return hours((e.until - e.since) / 1000)
	case e.days == 1:
		return "day"
	}
	return fmt.Sprintf("%.0f days", e.days)
}

// planIsMet tells whether what is agreed is what is usually seen: on half the days of the last 28 or more, of some days at least. Where it
// is not, not all trains of the border are known or not all that were agreed run, and the same would be told for ever.
func (f *fold) planIsMet(group []*flow, before int64) bool {
	set, first := f.set.Throughput, group[0]
	known, met := 0, 0
	for n := int64(1); n <= 28 && first.history(first.at) >= first.at-before+n*dayMS; n++ {
		from := before - n*dayMS
		date, _, _ := f.railwayDay(first.key.border, first.key.direction, from+dayMS/2)
		if agreed, ok := f.agreed(first.key.border, first.key.direction, date); ok {
			if known++; float64(exchanged(group, from, from+dayMS)) >= set.Ratio*agreed {
				met++
			}
		}
	}
	return known >= set.Known && 2*met >= known
}

// exchanged counts the trains that crossed: that left the outbound side, or came to the inbound one where the other is not seen.
func exchanged(group []*flow, from, to int64) int {
	n := 0
	for _, w := range group {
		if w.key.role == network.Outbound {
			n = max(n, w.releases(from, to))
		} else {
			n = max(n, w.arrivals(from, to))
		}
	}
	return n
}

// dispersion is the variance of the daily exchange over its mean: 1 if trains come by chance, less if they come by a timetable.
func (f *fold) dispersion(group []*flow, before int64) float64 {
	const least = 14
	var counts []float64
	sum := 0.0
	for n := 1; n <= 28; n++ {
		from := before - int64(n)*dayMS
		if group[0].history(group[0].at) < group[0].at-from {
			break
		}
		c := float64(exchanged(group, from, from+dayMS))
		counts, sum = append(counts, c), sum+c
	}
	if len(counts) < least || sum == 0 {
		return 1
	}
	mean, sq := sum/float64(len(counts)), 0.0
	for _, c := range counts {
		sq += (c - mean) * (c - mean)
	}
	return min(max(sq/float64(len(counts)-1)/mean, 0.25), 3)
}
