package simulator

import (
	"slices"
	"time"

	"corridorwatch/schemas/pb"
)

// Diversion sends trains that would cross a border over another one, from From until Until: those that have not passed the place
// where the ways part, and go on from where they meet again.
type Diversion struct {
	Border, Via string
	From, Until time.Time // Until zero: beyond the end of the world
}

// divert gives a trip that is about to leave for a border that is avoided another way: by the first corridor of the catalogue that
// leads over the border that is taken instead, out of the place the trip is at, and back to its own way beyond.
func (d *driver) divert(t *trip, at int64) {
	if len(d.cfg.Catalog.BorderSides(t.places[t.at])) > 0 {
		return // it has been prepared for this border
	}
	for _, v := range d.cfg.Diversions {
		if at < v.From.UnixMilli() || at >= untilMS(v.Until) || !d.leadsOver(t.places[t.at:], v.Border) {
			continue
		}
		for _, k := range d.cfg.Catalog.Corridors {
			for _, down := range []bool{false, true} {
				other := directed(k.Places, down)
				from := slices.Index(other, t.places[t.at])
				if from < 0 || !d.leadsOver(other[from:], v.Via) || d.leadsOver(other[from:], v.Border) || from+1 < len(other) && other[from+1] == t.places[t.at+1] {
					continue
				}
				for i, id := range other[from+1:] {
					back := slices.Index(t.places, id)
					if back <= t.at || !d.leadsOver(other[from:from+i+2], v.Via) {
						continue
					}
					t.run().divert(at, d.planOf(t))
					t.places = slices.Concat(t.places[:t.at+1], other[from+1:from+i+1], t.places[back:])
					return
				}
			}
		}
	}
}

// divert keeps what was planned until now.
func (r *run) divert(at int64, planned []*pb.PlanStop) {
	if r.diverted == 0 {
		r.planned, r.diverted = planned, at
	}
}

// planOf is the plan of a trip's run as it stands: where it was, and where it is to go on its way until it ends. Times beyond are
// not planned yet.
func (d *driver) planOf(t *trip) []*pb.PlanStop {
	stops := t.run().stops()
	for i := t.at + 1; i < len(t.places); i++ {
		stops = append(stops, &pb.PlanStop{Place: t.places[i]})
		if before, after := t.sections(d.cfg.Catalog, i); after != nil && (before.Mode != after.Mode || before.Gauge != after.Gauge) {
			break
		}
	}
	return stops
}

// leadsOver tells whether neighbours on a way lie on the two sides of a border.
func (d *driver) leadsOver(places []string, border string) bool {
	t := &trip{departure: departure{places: places}}
	for i := range places {
		if d.crosses(t, i) == border {
			return true
		}
	}
	return false
}
