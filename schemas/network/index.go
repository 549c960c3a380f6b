package network

import "math"

// The grid: cells of a tenth of a degree, rows from the south pole, columns from 180 degrees west and round the Earth.
const (
	cellsPerDegree = 10
	gridRows       = 180 * cellsPerDegree
	gridColumns    = 360 * cellsPerDegree
)

// Index finds the fences that a point lies in or a segment passes. It does not change after it is built and may be shared.
//
// The fences of a cell lie side by side in one slice; cells are found by a hash table of powers of two with linear probing, which
// takes half the time of a map.
type Index struct {
	fences []*fence // by place id
	slots  []slot
	mask   uint32
	lists  []*fence // of all cells, one after the other
}

// slot is one cell of the grid in the hash table: its fences are lists[from:to], and there is none if from == to.
type slot struct {
	key      uint32
	from, to uint32
}

// Hit is a fence whose outer edge holds a point.
type Hit struct {
	Place *Place
	Inner bool    // the inner edge holds it too
	DistM float64 // from the centre; for a polygon from its edge, negative inside
	Norm  float64 // DistM over the radius: of several fences the nearest has the smallest
}

// Cross is a fence whose inner edge a segment passes, and the fractions of the segment where it enters and leaves.
type Cross struct {
	Place   *Place
	In, Out float64 // 0 or 1 where an end of the segment lies inside
}

// segment goes from a point by a difference in degrees.
type segment struct{ lat, lon, dLat, dLon float64 }

// NewIndex builds the index over all places that have a position.
func (c *Catalog) NewIndex() *Index {
	x := &Index{}
	cells := map[uint32][]*fence{}
	var keys []uint32
	for _, p := range c.Places {
		if p.Position == nil {
			continue
		}
		f := newFence(p)
		x.fences = append(x.fences, f)
		eachCell(f.lat-f.reachLat, f.lon-f.reachLon, f.lat+f.reachLat, f.lon+f.reachLon, func(key uint32) {
			if cells[key] == nil {
				keys = append(keys, key)
			}
			cells[key] = append(cells[key], f)
		})
	}
	size := 4
	for size < 2*len(keys) {
		size *= 2
	}
	x.slots, x.mask = make([]slot, size), uint32(size-1)
	for _, key := range keys {
		from := uint32(len(x.lists))
		x.lists = append(x.lists, cells[key]...)
		i := hashCell(key) & x.mask
		for x.slots[i].to != 0 {
			i = (i + 1) & x.mask
		}
		x.slots[i] = slot{key, from, uint32(len(x.lists))}
	}
	return x
}

// eachCell visits the cells of a rectangle of degrees, whose longitudes may reach beyond 180.
func eachCell(lat1, lon1, lat2, lon2 float64, visit func(key uint32)) {
	first, last := column(lon1), column(lon2)
	last = min(last, first+gridColumns-1) // once around at most
	for r := row(lat1); r <= row(lat2); r++ {
		for c := first; c <= last; c++ {
			visit(cellKey(r, c))
		}
	}
}

func row(lat float64) int {
	return min(max(int(math.Floor((lat+90)*cellsPerDegree)), 0), gridRows-1)
}

func column(lon float64) int { return int(math.Floor((lon + 180) * cellsPerDegree)) }

func cellKey(row, column int) uint32 {
	column %= gridColumns
	if column < 0 {
		column += gridColumns
	}
	return uint32(row*gridColumns + column)
}

// hashCell spreads neighbouring cells (multiplication by 2^32 over the golden ratio).
func hashCell(key uint32) uint32 {
	key *= 2654435769
	return key ^ key>>15
}

// cell lists the fences that reach into a cell.
func (x *Index) cell(key uint32) []*fence {
	for i := hashCell(key) & x.mask; ; i = (i + 1) & x.mask {
		s := &x.slots[i]
		if s.to == 0 {
			return nil
		}
		if s.key == key {
			return x.lists[s.from:s.to]
		}
	}
}

// earthly tells whether a point can be on Earth; a comparison with NaN is false.
func earthly(lat, lon float64) bool { return lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 }

// At finds the places whose outer edge holds the point: those of the smallest Norm first, then by id. It overwrites buf and returns
// it, and allocates nothing while buf has room.
func (x *Index) At(lat, lon float64, buf []Hit) []Hit {
	buf = buf[:0]
	if !earthly(lat, lon) {
		return buf
	}
	for _, f := range x.cell(cellKey(row(lat), column(lon))) {
		h, ok := f.hit(lat, lon)
		if !ok {
			continue
		}
		buf = append(buf, h)
		for i := len(buf) - 1; i > 0 && h.before(buf[i-1]); i-- {
			buf[i], buf[i-1] = buf[i-1], h
		}
	}
	return buf
}

func (h Hit) before(o Hit) bool {
	return h.Norm < o.Norm || h.Norm == o.Norm && h.Place.ID < o.Place.ID
}

// Crossed finds the places whose inner edge the straight segment passes or touches, in the order of entering, then by id. It
// overwrites buf and returns it, and allocates nothing while buf has room.
func (x *Index) Crossed(lat1, lon1, lat2, lon2 float64, buf []Cross) []Cross {
	buf = buf[:0]
	if !earthly(lat1, lon1) || !earthly(lat2, lon2) {
		return buf
	}
	s := segment{lat1, lon1, lat2 - lat1, wrap(lon2 - lon1)}
	south, north := min(lat1, lat2), max(lat1, lat2)
	west, east := min(s.lon, s.lon+s.dLon), max(s.lon, s.lon+s.dLon)
	rows, columns := row(north)-row(south)+1, column(east)-column(west)+1
	if rows*columns > len(x.fences)/2+4 {
		for _, f := range x.fences { // a long segment touches more cells than there are fences
			buf = f.crossed(s, south, north, buf)
		}
		return buf
	}
	for r := row(south); r <= row(north); r++ {
		for c := column(west); c <= column(east); c++ {
			for _, f := range x.cell(cellKey(r, c)) {
				if !has(buf, f.place) {
					buf = f.crossed(s, south, north, buf)
				}
			}
		}
	}
	return buf
}

func has(buf []Cross, p *Place) bool {
	for i := range buf {
		if buf[i].Place == p {
			return true
		}
	}
	return false
}

// crossed puts the fence into its place in buf if the segment passes it.
func (f *fence) crossed(s segment, south, north float64, buf []Cross) []Cross {
	if f.lat+f.reachLat < south || f.lat-f.reachLat > north {
		return buf
	}
	in, out, ok := f.cross(s)
	if !ok {
		return buf
	}
	c := Cross{f.place, in, out}
	buf = append(buf, c)
	for i := len(buf) - 1; i > 0 && c.before(buf[i-1]); i-- {
		buf[i], buf[i-1] = buf[i-1], c
	}
	return buf
}

func (c Cross) before(o Cross) bool { return c.In < o.In || c.In == o.In && c.Place.ID < o.Place.ID }
