package delay

import (
	"fmt"
	"math"

	"corridorwatch/schemas/network"
)

// FeedSettings say when silence about an area is no chance any more.
type FeedSettings struct {
	Fire, Keep float64 // arrivals and departures that should have been heard of
	AtLeastMS  int64   // silence of so long, at least
	PageMS     int64
}

func defaultFeed() FeedSettings {
	return FeedSettings{Fire: 10, Keep: 5, AtLeastMS: 3 * hourMS, PageMS: 24 * hourMS}
}

// feedSilent sees that nothing at all is heard of an area: no arrival, no departure, and no tracker of those that wait. That says
// nothing of the trains.
func (f *fold) feedSilent(area string, flows []*flow, at int64) *finding {
	set, heard := f.set.Feed, f.news[area]
	events, history, waiting, silent := 0, int64(0), 0, 0
	for _, w := range flows {
		if w.border == nil || !vehicle(w.key.kind) {
			continue
		}
		if w.limit != nil && w.limit.closed {
			return nil
		}
		history = max(history, w.history(at))
		events += w.arrivals(at-windowMS, at) + w.releases(at-windowMS, at)
		for _, s := range w.waits {
			if waiting++; s.silent {
				silent++
			} else if s.tracked {
				return nil // its tracker is heard
			}
		}
	}
	if history < dayMS || events < f.set.MinSamples || heard == 0 {
		return nil
	}
	before := 1 // where fewer came just before, fewer are due
	for _, w := range flows {
		if w.border != nil && vehicle(w.key.kind) {
			before += w.arrivals(heard-dayMS, heard) + w.releases(heard-dayMS, heard)
		}
	}
	due := min(float64(events)/float64(history), float64(before)/float64(dayMS)) * float64(at-heard)
	d := &finding{kind: KindFeedSilent, area: area, severity: Ticket, since: heard, basis: basisUsual}
	d.value, d.baseline = inHours((at-heard)/1000), math.Round(due)
	d.fire, d.keep = due >= set.Fire && at-heard >= set.AtLeastMS, due >= set.Keep
	if f.idle(d) {
		return nil
	}
	if at-heard >= set.PageMS {
		d.severity = Page
	}
	d.summary = fmt.Sprintf("%s: nothing has been heard for %s, since %s, where %.0f arrivals and departures are usual", f.areaName(area), hours((at-heard)/1000), moment(heard), due)
	d.evidence = fmt.Sprintf("Trains that were there when it fell silent: %d; trackers of them that went silent: %d. Look at the feed: this says nothing of the trains.", waiting, silent)
	return d
}

func (f *fold) areaName(id string) string {
	for _, a := range f.cat.Areas {
		if a.ID == id {
			return a.Name
		}
	}
	if p, ok := f.cat.Place(id); ok {
		return p.Name
	}
	return id
}

// corridorsOf are the corridors that lead over a border or through a place, by id.
func (f *fold) corridorsOf(d *finding) []string {
	var places []string
	if b, ok := f.cat.Border(d.border); ok {
		places = append(append(places, b.A.Places...), b.B.Places...)
	} else if d.place != "" {
		places = []string{d.place}
	} else {
		for _, a := range f.cat.Areas {
			if a.ID == d.area {
				places = a.Places
			}
		}
	}
	var out []string
	for _, c := range f.cat.Corridors {
		if leadsBy(c, places) {
			out = append(out, c.ID)
		}
	}
	return out
}

func leadsBy(c *network.Corridor, places []string) bool {
	for _, p := range c.Places {
		for _, q := range places {
			if p == q {
				return true
			}
		}
	}
	return false
}
