package simulator

import "corridorwatch/schemas/network"

// knot is a point of a run's path: between two knots it moves at constant speed, or stands.
type knot struct {
	t        int64
	lat, lon float64
	km       float64
	dark     bool // no tracker from here to the next knot: its end has no position
}

// path lays the knots: from place to place along straight lines. A place without a position lies where its kilometres fall between
// its neighbours; beyond the last that has one the tracker is dark.
func (r *run) path(cat *network.Catalog) {
	for i := range r.calls {
		if i > 0 {
			r.calls[i].km = r.calls[i-1].km + cat.Between(r.calls[i-1].place.ID, r.calls[i].place.ID).Km
		}
	}
	heard := false // of the call before
	for i := range r.calls {
		c := &r.calls[i]
		lat, lon, ok := r.where(i)
		k := knot{t: c.arrive, lat: lat, lon: lon, km: c.km}
		now := ok && c.feed == GPS
		if n := len(r.knots); n > 0 {
			next, before := k, &r.calls[i-1]
			last := &r.knots[n-1]
			if before.anchored != 0 {
				next = knot{t: before.anchored, lat: last.lat + roads*(lat-last.lat), lon: last.lon + roads*(lon-last.lon), km: last.km + roads*(c.km-last.km), dark: !now}
			}
			if last.dark = !heard || !now; heard != now && ok && c.feed != before.feed {
				m := handedOver(*last, next, before.place, c.place)
				last.dark, m.dark = !heard, !now
				r.knots = append(r.knots, m)
			}
			if before.anchored != 0 {
				r.knots = append(r.knots, next)
				next.t = before.weighed
				r.knots = append(r.knots, next)
			}
		}
		k.dark = !now
		r.knots = append(r.knots, k)
		if c.stops() {
			k.t = c.left
			r.knots = append(r.knots, k)
		}
		heard = now
	}
}

func (r *run) where(i int) (lat, lon float64, ok bool) {
	if p := r.calls[i].place.Position; p != nil {
		return p.Lat, p.Lon, true
	}
	a, b := i, i
	for a >= 0 && r.calls[a].place.Position == nil {
		a--
	}
	for b < len(r.calls) && r.calls[b].place.Position == nil {
		b++
	}
	if a < 0 || b == len(r.calls) {
		return 0, 0, false
	}
	p, q := r.calls[a].place.Position, r.calls[b].place.Position
	f := (r.calls[i].km - r.calls[a].km) / (r.calls[b].km - r.calls[a].km)
	return p.Lat + f*(q.Lat-p.Lat), p.Lon + f*(q.Lon-p.Lon), true
}
