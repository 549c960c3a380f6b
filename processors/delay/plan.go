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
	GraceMS int64   // reports come later
	Part    float64 // part of a day after which it is looked at before it is over
	Page    float64 // part of the agreed exchange
}

func defaultThroughput() ThroughputSettings {
	return ThroughputSettings{Fire: 2.5, Ratio: 0.75, Keep: 0.85, Missing: 3, Days: 4, GraceMS: 2 * hourMS, Part: 0.4, Page: 0.35}
}

// belowPlan sees an exchange below the agreed one: on the last railway days together, or by now on the one that goes on.
func (f *fold) belowPlan(group []*flow) *finding {
	if group[0].border == nil {
		return nil
	}
	set, first := f.set.Throughput, group[0]
	at := first.at - set.GraceMS
	border, direction := first.key.border, first.key.direction
	d := first.finding(KindBelowPlan)
	d.role, d.basis = "", "plan"
	if !f.read().planned[[2]string{border, direction}] && f.idle(d) {
		return nil
	}
	today, from, _ := f.railwayDay(border, direction, at)
	spread := f.dispersion(group, from)
	worst := 0.0
	judge := func(text string, actual, agreed, days, variance float64, since int64) {
		z := (agreed - actual) / math.Sqrt(math.Max(variance, 1))
		if agreed-actual < set.Missing || actual > set.Ratio*agreed || z < set.Fire || z <= worst {
			return
		}
		worst, d.fire, d.keep, d.since = z, true, true, since
		d.value, d.baseline = actual/days, agreed/days
		d.summary = fmt.Sprintf("%s (%s): %s crossed %s, %.0f were agreed", first.border.Name, direction, trains(int(actual)), text, agreed)
	}
	if agreed, ok := f.agreed(border, direction, today); ok {
		// Trains that are on time for the day may be late for a part of it: by as much as days differ from one another.
		part := float64(at-from) / float64(dayMS)
		if actual := float64(exchanged(group, from, at)); part >= set.Part && first.history(first.at) >= first.at-from {
			judge(fmt.Sprintf("on %s until %s", today, moment(at)), actual, agreed*part, part, agreed*spread, from)
			d.keep = d.keep || actual < set.Keep*agreed*part
		}
	}
	var list string
	actual, agreed := 0.0, 0.0
	for n := 1; n <= set.Days; n++ {
		date, dayFrom, dayTo := f.railwayDay(border, direction, from-1)
		plan, ok := f.agreed(border, direction, date)
		if !ok || first.history(first.at) < first.at-dayFrom {
			break
		}
		count := float64(exchanged(group, dayFrom, dayTo))
		if n == 1 {
			d.keep = d.keep || count < set.Keep*plan
		}
		actual, agreed, from = actual+count, agreed+plan, dayFrom
		list += fmt.Sprintf(" %s: %.0f of %.0f.", date, count, plan)
		judge("in the "+days(n)+" to "+moment(dayTo+int64(n-1)*dayMS), actual, agreed, float64(n), agreed*spread, dayFrom)
	}
	if f.idle(d) {
		return nil
	}
	if d.baseline > 0 && d.value <= set.Page*d.baseline {
		d.severity = Page
	}
	d.evidence = "Railway days, the last first:" + list
	if d.summary == "" {
		d.summary = fmt.Sprintf("%s (%s): fewer trains than agreed", first.border.Name, direction)
	}
	return d
}

func days(n int) string {
	if n == 1 {
		return "day"
	}
	return fmt.Sprintf("%d days", n)
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
