package network

import (
	"cmp"
	"math"
	"slices"
)

const (
	earthM     = 6371008.8 // mean radius, IUGG
	degM       = math.Pi / 180 * earthM
	cellDeg    = 0.1
	cellsRound = 3600
)

// DistanceM is the great-circle distance in metres (haversine).
func DistanceM(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad/2, (lon2-lon1)*rad/2
	s, t := math.Sin(dLat), math.Sin(dLon)
	return 2 * earthM * math.Asin(math.Min(1, math.Sqrt(s*s+math.Cos(lat1*rad)*math.Cos(lat2*rad)*t*t)))
}

// OuterM is the outer edge of a fence: a unit leaves when it is beyond it.
func (p *Place) OuterM() float64 { return p.Fence.RadiusM + math.Max(p.Fence.RadiusM/10, 20) }

// Index finds the fences a point lies in or a segment crosses, by a grid of tenths of a degree.
type Index struct {
	cells  map[int32][]*fence
	fences []*fence
}

type fence struct {
	place              *Place
	lat, lon, cos      float64
	r, outer           float64
	reachLat, reachLon float64 // degrees
	poly               []xy    // metres around the centre
}

type xy struct{ x, y float64 }

// Hit is a fence whose outer edge holds a point.
type Hit struct {
	Place *Place
	Inner bool
	DistM float64 // from the centre; for a polygon from its edge, 0 inside
	Norm  float64 // DistM over the radius: the nearest of several fences has the smallest
}

// Cross is a fence whose inner edge a segment crosses, with the fractions of the segment where it enters and leaves.
type Cross struct {
	Place   *Place
	In, Out float64
}

// NewIndex builds the index over all places with a position.
func (c *Catalog) NewIndex() *Index {
	x := &Index{cells: map[int32][]*fence{}}
	for _, p := range c.Places {
		if p.Position == nil {
			continue
		}
		f := newFence(p)
		x.fences = append(x.fences, f)
		for la := cell(f.lat - f.reachLat); la <= cell(f.lat+f.reachLat); la++ {
			for lo := cell(f.lon - f.reachLon); lo <= cell(f.lon+f.reachLon); lo++ {
				x.cells[cellKey(la, lo)] = append(x.cells[cellKey(la, lo)], f)
			}
		}
	}
	return x
}

func newFence(p *Place) *fence {
	f := &fence{place: p, lat: p.Position.Lat, lon: p.Position.Lon, r: p.Fence.RadiusM, outer: p.OuterM()}
	f.cos = math.Cos(f.lat * math.Pi / 180)
	reach := f.outer
	for _, v := range p.Fence.Polygon {
		q := f.local(v.Lat, v.Lon)
		f.poly = append(f.poly, q)
		reach = math.Max(reach, math.Hypot(q.x, q.y)+math.Max(f.r/10, 20))
	}
	f.reachLat, f.reachLon = reach/degM, reach/degM/math.Max(f.cos, 0.01)
	return f
}

func (f *fence) local(lat, lon float64) xy {
	return xy{(lon - f.lon) * degM * f.cos, (lat - f.lat) * degM}
}

func cell(deg float64) int32           { return int32(math.Floor(deg / cellDeg)) }
func cellKey(la, lo int32) int32       { return la*(2*cellsRound) + lo }
func (f *fence) rel(d float64) float64 { return d / f.r }

// At finds the places whose outer edge contains the point, nearest first by Norm. It allocates nothing while buf has room.
func (x *Index) At(lat, lon float64, buf []Hit) []Hit {
	buf = buf[:0]
	for _, f := range x.cells[cellKey(cell(lat), cell(lon))] {
		q := f.local(lat, lon)
		if len(f.poly) > 0 {
			d := f.polyDist(q)
			if d <= math.Max(f.r/10, 20) {
				buf = append(buf, Hit{f.place, d == 0, d, f.rel(d)})
			}
			continue
		}
		d2 := q.x*q.x + q.y*q.y
		if d2 <= f.outer*f.outer {
			d := math.Sqrt(d2)
			buf = append(buf, Hit{f.place, d <= f.r, d, f.rel(d)})
		}
	}
	if len(buf) > 1 {
		slices.SortFunc(buf, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(a.Norm, b.Norm), cmp.Compare(a.Place.ID, b.Place.ID))
		})
	}
	return buf
}

// polyDist is 0 inside the polygon, else the distance to its nearest edge.
func (f *fence) polyDist(q xy) float64 {
	inside, best := false, math.Inf(1)
	for i, a := range f.poly {
		b := f.poly[(i+1)%len(f.poly)]
		if (a.y > q.y) != (b.y > q.y) && q.x < (b.x-a.x)*(q.y-a.y)/(b.y-a.y)+a.x {
			inside = !inside
		}
		dx, dy := b.x-a.x, b.y-a.y
		t := math.Max(0, math.Min(1, ((q.x-a.x)*dx+(q.y-a.y)*dy)/math.Max(dx*dx+dy*dy, 1e-9)))
		best = math.Min(best, math.Hypot(q.x-a.x-t*dx, q.y-a.y-t*dy))
	}
	if inside {
		return 0
	}
	return best
}

// Crossed finds the places whose inner fence the straight segment touches, in the order of entering. An end that lies inside
// gives the fraction 0 or 1.
func (x *Index) Crossed(lat1, lon1, lat2, lon2 float64, buf []Cross) []Cross {
	buf = buf[:0]
	laFrom, laTo := cell(math.Min(lat1, lat2)), cell(math.Max(lat1, lat2))
	loFrom, loTo := cell(math.Min(lon1, lon2)), cell(math.Max(lon1, lon2))
	if int(laTo-laFrom+1)*int(loTo-loFrom+1) > 4*len(x.fences) {
		for _, f := range x.fences {
			buf = f.cross(lat1, lon1, lat2, lon2, buf)
		}
	} else {
		for la := laFrom; la <= laTo; la++ {
			for lo := loFrom; lo <= loTo; lo++ {
				for _, f := range x.cells[cellKey(la, lo)] {
					if !slices.ContainsFunc(buf, func(c Cross) bool { return c.Place == f.place }) {
						buf = f.cross(lat1, lon1, lat2, lon2, buf)
					}
				}
			}
		}
	}
	if len(buf) > 1 {
		slices.SortFunc(buf, func(a, b Cross) int { return cmp.Or(cmp.Compare(a.In, b.In), cmp.Compare(a.Place.ID, b.Place.ID)) })
	}
	return buf
}

func (f *fence) cross(lat1, lon1, lat2, lon2 float64, buf []Cross) []Cross {
	a, b := f.local(lat1, lon1), f.local(lat2, lon2)
	if len(f.poly) > 0 {
		if in, out, ok := f.crossPoly(a, b); ok {
			buf = append(buf, Cross{f.place, in, out})
		}
		return buf
	}
	dx, dy := b.x-a.x, b.y-a.y
	A, B, C := dx*dx+dy*dy, a.x*dx+a.y*dy, a.x*a.x+a.y*a.y-f.r*f.r
	if A == 0 {
		if C <= 0 {
			buf = append(buf, Cross{f.place, 0, 1})
		}
		return buf
	}
	disc := B*B - A*C
	if disc < 0 {
		return buf
	}
	root := math.Sqrt(disc)
	in, out := math.Max(0, (-B-root)/A), math.Min(1, (-B+root)/A)
	if in <= out {
		buf = append(buf, Cross{f.place, in, out})
	}
	return buf
}

// crossPoly cuts the segment with every edge; first and last cut are taken.
func (f *fence) crossPoly(a, b xy) (in, out float64, ok bool) {
	in, out = math.Inf(1), math.Inf(-1)
	take := func(t float64) { in, out = math.Min(in, t), math.Max(out, t) }
	if f.polyDist(a) == 0 {
		take(0)
	}
	if f.polyDist(b) == 0 {
		take(1)
	}
	for i, p := range f.poly {
		q := f.poly[(i+1)%len(f.poly)]
		rx, ry, sx, sy := b.x-a.x, b.y-a.y, q.x-p.x, q.y-p.y
		den := rx*sy - ry*sx
		if den == 0 {
			continue
		}
		t := ((p.x-a.x)*sy - (p.y-a.y)*sx) / den
		u := ((p.x-a.x)*ry - (p.y-a.y)*rx) / den
		if t >= 0 && t <= 1 && u >= 0 && u <= 1 {
			take(t)
		}
	}
	return in, out, in <= out
}
