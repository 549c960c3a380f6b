package network

import "math"

const (
	earthM = 6371008.8 // mean radius of the Earth, IUGG
	degM   = math.Pi / 180 * earthM
)

// DistanceM is the great-circle distance of two points in metres (haversine formula).
func DistanceM(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	s, t := math.Sin((lat2-lat1)*rad/2), math.Sin((lon2-lon1)*rad/2)
	return 2 * earthM * math.Asin(math.Min(1, math.Sqrt(s*s+math.Cos(lat1*rad)*math.Cos(lat2*rad)*t*t)))
}

// fence is a place's fence laid flat: metres east and north of its position (equirectangular projection). For radii of kilometres
// that is exact enough, and a segment that is straight in degrees is straight in the plane of every fence.
type fence struct {
	lat, lon           float64
	r, outer, margin   float64
	mLat, mLon         float64 // metres in a degree
	reachLat, reachLon float64 // degrees from the position within which the outer edge lies
	poly               []xy
	place              *Place
}

type xy struct{ x, y float64 }

func newFence(p *Place) *fence {
	f := &fence{place: p, lat: p.Position.Lat, lon: p.Position.Lon, r: p.Fence.RadiusM, outer: p.OuterM(), margin: p.MarginM()}
	f.mLat, f.mLon = degM, degM*math.Max(math.Cos(f.lat*math.Pi/180), 0.001)
	reach := f.outer
	for _, v := range p.Fence.Polygon {
		q := f.local(v.Lat, v.Lon)
		f.poly = append(f.poly, q)
		reach = math.Max(reach, math.Hypot(q.x, q.y)+f.margin)
	}
	f.reachLat, f.reachLon = reach/f.mLat, reach/f.mLon
	return f
}

// local is the point in the fence's plane, by the shorter way around the Earth.
func (f *fence) local(lat, lon float64) xy {
	return xy{wrap(lon-f.lon) * f.mLon, (lat - f.lat) * f.mLat}
}

// wrap brings a difference of longitudes into [-180, 180).
func wrap(deg float64) float64 {
	switch {
	case deg >= 180:
		return deg - 360
	case deg < -180:
		return deg + 360
	}
	return deg
}

// hit tells whether the outer edge holds the point.
func (f *fence) hit(lat, lon float64) (Hit, bool) {
	q := f.local(lat, lon)
	if f.poly != nil {
		d := f.edgeDist(q)
		return Hit{f.place, d <= 0, d, d / f.r}, d <= f.margin
	}
	d2 := q.x*q.x + q.y*q.y
	if d2 > f.outer*f.outer {
		return Hit{}, false
	}
	d := math.Sqrt(d2)
	return Hit{f.place, d <= f.r, d, d / f.r}, true
}

// edgeDist is the distance to the polygon's nearest edge, negative inside.
func (f *fence) edgeDist(q xy) float64 {
	inside, best := false, math.Inf(1)
	for i, a := range f.poly {
		b := f.poly[(i+1)%len(f.poly)]
		if (a.y > q.y) != (b.y > q.y) && q.x < (b.x-a.x)*(q.y-a.y)/(b.y-a.y)+a.x {
			inside = !inside
		}
		dx, dy := b.x-a.x, b.y-a.y
		t := 0.0
		if l := dx*dx + dy*dy; l > 0 {
			t = math.Max(0, math.Min(1, ((q.x-a.x)*dx+(q.y-a.y)*dy)/l))
		}
		best = math.Min(best, math.Hypot(q.x-a.x-t*dx, q.y-a.y-t*dy))
	}
	if inside {
		return -best
	}
	return best
}

// area is the polygon's area in square metres (shoelace formula).
func (f *fence) area() float64 {
	sum := 0.0
	for i, a := range f.poly {
		b := f.poly[(i+1)%len(f.poly)]
		sum += a.x*b.y - b.x*a.y
	}
	return math.Abs(sum) / 2
}

// cross cuts a segment with the inner edge: the fractions of its length where it first enters and last leaves.
func (f *fence) cross(s segment) (in, out float64, ok bool) {
	a := f.local(s.lat, s.lon)
	d := xy{s.dLon * f.mLon, s.dLat * f.mLat}
	if f.poly != nil {
		return f.crossPolygon(a, d)
	}
	aa, ab, rest := d.x*d.x+d.y*d.y, a.x*d.x+a.y*d.y, a.x*a.x+a.y*a.y-f.r*f.r
	if aa == 0 {
		return 0, 1, rest <= 0
	}
	disc := ab*ab - aa*rest
	if disc < 0 {
		return 0, 0, false
	}
	root := math.Sqrt(disc)
	in, out = math.Max(0, (-ab-root)/aa), math.Min(1, (-ab+root)/aa)
	return in, out, in <= out
}

// crossPolygon cuts the segment from a along d with every edge; a yard of odd shape that is left and entered again counts as one.
func (f *fence) crossPolygon(a, d xy) (in, out float64, ok bool) {
	in, out = math.Inf(1), math.Inf(-1)
	take := func(t float64) { in, out = math.Min(in, t), math.Max(out, t) }
	if f.edgeDist(a) <= 0 {
		take(0)
	}
	if f.edgeDist(xy{a.x + d.x, a.y + d.y}) <= 0 {
		take(1)
	}
	for i, p := range f.poly {
		q := f.poly[(i+1)%len(f.poly)]
		e := xy{q.x - p.x, q.y - p.y}
		den := d.x*e.y - d.y*e.x
		if den == 0 {
			continue // parallel: the edges at its ends are cut instead
		}
		t := ((p.x-a.x)*e.y - (p.y-a.y)*e.x) / den
		u := ((p.x-a.x)*d.y - (p.y-a.y)*d.x) / den
		if t >= 0 && t <= 1 && u >= 0 && u <= 1 {
			take(t)
		}
	}
	return in, out, in <= out
}
