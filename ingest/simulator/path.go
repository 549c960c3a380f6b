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
			if before := &r.calls[i-1]; before.anchored != 0 {
				a := r.knots[n-1]
				a.t, a.lat, a.lon, a.km, a.dark = before.anchored, a.lat+roads*(lat-a.lat), a.lon+roads*(lon-a.lon), a.km+roads*(c.km-a.km), !heard
				r.knots[n-1].dark = !heard
				r.knots = append(r.knots, a)
				a.t = before.weighed
				r.knots = append(r.knots, a)
			}
			last := &r.knots[len(r.knots)-1]
			if last.dark = !heard || !now; heard != now && ok && c.feed != r.calls[i-1].feed {
				m := handedOver(*last, k, r.calls[i-1].place, c.place)
				last.dark, m.dark = !heard, !now
				r.knots = append(r.knots, m)
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
