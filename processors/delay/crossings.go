package delay

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// pair is the role of a crossing over both sides.
const pair = "pair"

var roles = [...]string{network.Outbound, network.Inbound, pair}

// crossing is what the state holds of one crossing of a unit: its two sides and both together.
type crossing struct {
	key     string // unit's journey, border and n
	unit    string
	kind    pb.UnitKind
	journey string
	border  string
	n       uint32

	area, direction, corridor, consist string
	rows                               [len(roles)]row
}

// row is one role of a crossing, and what was told of it.
type row struct {
	of    *crossing
	piece string // of the state
	role  string
	place string // of one place, where the side has one
	at    sample
	normS int64 // -1: none
	normP int64 // 95th percentile of the norm, seconds

	n          uint32 // stays the usual time rests on
	usual, p95 int64
	worked     bool   // usual and p95 have been worked out
	watched    bool   // detectors saw it wait
	told       uint64 // sum of the row that was told, 0: none
}

func crossingKey(c *pb.Crossing) string {
	return c.Journey + "|" + c.Border + "|" + strconv.Itoa(int(c.N))
}

// crossingOf reads what is needed of a crossing as border tells it.
func (f *fold) crossingOf(c *pb.Crossing) *crossing {
	x := &crossing{
		key: crossingKey(c), unit: c.Unit, kind: c.UnitKind, journey: c.Journey, border: c.Border, n: c.N,
		area: c.Area, direction: c.FromCountry + "-" + c.ToCountry, corridor: c.Corridor, consist: c.Consist,
	}
	for i, side := range []*pb.Side{c.Outbound, c.Inbound} {
		r := row{of: x, piece: crossingPiece + x.key, role: roles[i], normS: -1, at: sample{id: x.key, unit: c.Unit, seconds: -1, silent: side.GetState() == pb.State_SILENT}}
		r.at.of = &x.rows[i]
		if side.GetHasNorm() {
			r.normS, r.normP = side.NormS, f.normP95(c.Border, side.Country, roles[i], side.NormS)
		}
		if len(side.GetPlaces()) > 0 {
			r.place = side.Places[0]
			began := schemas.SideEntry(side)
			r.at.began, r.at.tracked = began.GetAt(), began.GetBasis() == pb.Basis_INTERPOLATED || began.GetBasis() == pb.Basis_FROM_POSITION
			switch side.State {
			case pb.State_OPEN, pb.State_SILENT:
				r.at.ended = open
			case pb.State_CLOSED:
				if r.at.ended = schemas.SideExit(side).GetAt(); r.at.ended != 0 && r.at.began != 0 {
					r.at.seconds = side.Seconds
				}
			}
		}
		x.rows[i] = r
	}
	x.rows[2] = x.pairOf(c)
	return x
}

// pairOf is both sides together: from entering the first to leaving the second, of crossings of which both were seen.
func (x *crossing) pairOf(c *pb.Crossing) row {
	out, in := &x.rows[0], &x.rows[1]
	r := row{of: x, piece: crossingPiece + x.key, role: pair, normS: -1, at: sample{id: x.key, unit: x.unit, seconds: -1, began: out.at.began, silent: out.at.silent || in.at.silent}}
	r.at.of = &x.rows[2]
	if c.HasNorm {
		r.normS, r.normP = c.NormS, out.normP+in.normP
	}
	switch {
	case r.at.began == 0:
	case c.State == pb.State_CLOSED:
		if out.place != "" && in.place != "" && c.TotalS != 0 {
			r.at.ended, r.at.seconds = in.at.ended, c.TotalS
		}
	case out.at.ended == open || in.at.ended == open || in.at.began == 0 && out.at.finished():
		r.at.ended = open
	}
	return r
}

// normP95 is the 95th percentile of a side's norm: the catalogue's, else twice the median, 3.5 times where the gauge changes
// (borders.yaml).
func (f *fold) normP95(border, country, role string, median int64) int64 {
	b, ok := f.cat.Border(border)
	if !ok {
		return 2 * median
	}
	if n, ok := b.Norms[country+" "+role]; ok && n.P95 > 0 {
		return int64(n.P95.Seconds())
	}
	if b.GaugeBreak != "" {
		return 7 * median / 2
	}
	return 2 * median
}

func (x *crossing) series(role string) seriesKey {
	return seriesKey{border: x.border, role: role, direction: x.direction, kind: x.kind}
}

// fact puts a crossing into the state in place of what was known of it.
func (f *fold) fact(x *crossing) {
	old := f.crossings[x.key]
	f.crossings[x.key] = x
	f.touch(crossingPiece + x.key)
	if old != nil && old.sameAs(x) {
		for i := range x.rows {
			x.rows[i].keep(&old.rows[i])
		}
	}
	f.exchange(old, x)
}

func (x *crossing) sameAs(o *crossing) bool {
	return x.border == o.border && x.kind == o.kind && x.unit == o.unit && x.direction == o.direction
}

// keep takes over what was worked out and told of the row before it changed.
func (r *row) keep(old *row) {
	r.told, r.watched = old.told, old.watched
	if old.at.began == r.at.began {
		r.n, r.usual, r.p95, r.worked = old.n, old.usual, old.p95, old.worked
	}
}

// exchange replaces the stays of old by those of x in their series.
func (f *fold) exchange(old, x *crossing) {
	for i, role := range roles {
		var was, is *sample
		if old != nil {
			was = &old.rows[i].at
		}
		if x != nil {
			is = &x.rows[i].at
		}
		if old != nil && x != nil && !old.sameAs(x) {
			f.replace(old.series(role), old.area, role, old, was, nil)
			f.replace(x.series(role), x.area, role, x, nil, is)
			continue
		}
		of := x
		if of == nil {
			of = old
		}
		if role == pair && old != nil && x != nil && old.consist != x.consist {
			f.replace(of.series(role), of.area, role, old, was, nil)
			was = nil
		}
		f.replace(of.series(role), of.area, role, of, was, is)
	}
}

func (f *fold) replace(key seriesKey, area, role string, of *crossing, was, is *sample) {
	r := f.seriesOf(key, area)
	if is != nil {
		r.rows = append(r.rows, is.of)
	}
	if role == pair && of.consist != "" {
		f.consist(r, of, is != nil)
		return
	}
	r.replace(listed(was), listed(is), f.now)
}

// listed is a stay that has a place in a series: of one that neither began nor ended nothing is known.
func listed(s *sample) *sample {
	if s == nil || s.began == 0 && s.ended == 0 {
		return nil
	}
	return s
}

// consist is what arrived in one run at one border: one stay over both sides, whose value is the median of its units. It ends with
// the last of them; those that are lost do not count.
type consist struct {
	members map[string]*crossing
	at      *sample
}

// consist adds a unit or takes it out, and works the stay of the consist out anew.
func (f *fold) consist(r *series, x *crossing, in bool) {
	id := consistKey(r.key, x.consist)
	c := f.consists[id]
	if c == nil {
		c = &consist{members: map[string]*crossing{}}
		f.consists[id] = c
	}
	if delete(c.members, x.key); in {
		c.members[x.key] = x
	}
	old := c.at
	if c.at = c.whole(x.consist); old != nil || c.at != nil {
		r.replace(old, c.at, f.now)
	}
	if len(c.members) == 0 {
		delete(f.consists, id)
	}
}

func (c *consist) whole(id string) *sample {
	s := &sample{id: id, seconds: -1}
	var values []int64
	for _, key := range slices.Sorted(maps.Keys(c.members)) {
		m := &c.members[key].rows[2].at
		if m.began == 0 || m.ended == 0 {
			continue
		}
		if s.began == 0 || m.began < s.began {
			s.began = m.began
		}
		s.ended = max(s.ended, m.ended)
		s.unit = cmp.Or(s.unit, m.unit)
		if m.finished() && m.seconds >= 0 {
			values = append(values, m.seconds)
		}
	}
	if s.began == 0 {
		return nil
	}
	if s.ended != open && len(values) > 0 {
		slices.Sort(values)
		s.seconds = floor(quantile(0.5, values))
	}
	return s
}

func consistKey(k seriesKey, id string) string { return k.direction + "|" + k.kind.String() + "|" + id }
