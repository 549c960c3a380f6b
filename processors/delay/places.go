package delay

import (
	"cmp"
	"slices"
	"strconv"

	"corridorwatch/schemas/pb"
)

// stay is a visit of a unit at one place.
type stay struct {
	*row
	key       string
	place     string
	kind      pb.UnitKind
	direction string
}

func visitKey(v *pb.Visit) string {
	return v.Journey + "|" + v.Place + "|" + strconv.Itoa(int(v.N))
}

func (s *stay) series() seriesKey {
	return seriesKey{place: s.place, direction: s.direction, kind: s.kind}
}

// visit takes the visit of a unit at a place: its dwell counts from arrival to departure. A place without a stop is none.
func (f *fold) visit(v *pb.Visit, deleted bool) {
	key := visitKey(v)
	var was, is *sample
	old := f.stays[key]
	if old != nil {
		was = listed(&old.at)
		delete(f.stays, key)
	}
	f.touch(stayPiece + key)
	next := &stay{key: key, place: v.Place, kind: v.UnitKind, direction: v.Direction, row: f.stayRow(v)}
	if !deleted && v.Stopped && v.Arrived.GetAt() != 0 {
		f.stays[key], is = next, listed(&next.at)
	}
	if old != nil && is != nil && old.series() == next.series() {
		next.keep(old.row)
		f.seriesOf(next.series(), f.cat.Area(v.Place)).replace(was, is, f.now)
	} else {
		if was != nil {
			f.seriesOf(old.series(), f.cat.Area(old.place)).replace(was, nil, f.now)
		}
		if is != nil {
			f.seriesOf(next.series(), f.cat.Area(v.Place)).replace(nil, is, f.now)
		}
	}
	if is != nil {
		r := f.seriesOf(next.series(), f.cat.Area(v.Place))
		r.rows = append(r.rows, next.row)
	}
}

// stayRow is a visit as a row without a crossing.
func (f *fold) stayRow(v *pb.Visit) *row {
	r := &row{place: v.Place, piece: stayPiece + visitKey(v), normS: -1, of: &crossing{key: visitKey(v), unit: v.Unit, kind: v.UnitKind, journey: v.Journey, direction: v.Direction}}
	if median, p95, ok := f.cat.DwellNorm(v.Place); ok {
		r.normS, r.normP = int64(median.Seconds()), int64(p95.Seconds())
		if r.normP == 0 {
			r.normP = 2 * r.normS
		}
	}
	b := v.Arrived.GetBasis()
	r.at = sample{id: r.of.key, unit: v.Unit, began: v.Arrived.GetAt(), seconds: -1, silent: v.State == pb.State_SILENT,
		tracked: b == pb.Basis_INTERPOLATED || b == pb.Basis_FROM_POSITION, of: r}
	switch v.State {
	case pb.State_OPEN, pb.State_SILENT:
		if r.at.ended = open; v.Departed.GetAt() != 0 {
			r.at.ended = v.Departed.At // it has departed, and is still within the fence
		}
	case pb.State_CLOSED:
		r.at.ended = cmp.Or(v.Departed.GetAt(), v.Left.GetAt())
	}
	if r.at.finished() && r.at.began != 0 {
		r.at.seconds = (r.at.ended - r.at.began) / 1000
	}
	return r
}

// hold is where a train waits upstream before it may go on to a border.
type hold struct {
	unit string
	*pb.Hold
}

// holds takes how a vehicle was held, all of it.
func (f *fold) holds(facts *pb.RunFacts, deleted bool) {
	id := facts.Unit + "|" + facts.Run // the run is the area here
	old := f.held[id]
	f.touch(holdPiece + id)
	if delete(f.held, id); !deleted && len(facts.Holds) > 0 {
		f.held[id] = facts
	}
	f.settleHolds(id)
	for key, r := range f.series { // which hours are touched does not depend on the order
		if key.role != "outbound" || !vehicle(key.kind) {
			continue
		}
		for _, h := range slices.Concat(old.GetHolds(), facts.Holds) {
			if h.Border == key.border && h.Direction == key.direction {
				to := h.To
				if to == 0 {
					to = f.now
				}
				r.touchHours(nil, &sample{began: h.From, ended: to}, f.now)
			}
		}
	}
}

// heldFor are the trains held upstream for a border at a time, ordered by their id.
func (f *fold) heldFor(k seriesKey, at int64) []hold {
	var out []hold
	for _, id := range sortedKeys(f.held) {
		facts := f.held[id]
		if facts.UnitKind != k.kind {
			continue
		}
		for _, h := range facts.Holds {
			if h.Border == k.border && h.Direction == k.direction && h.From <= at && (h.To == 0 || h.To > at) {
				out = append(out, hold{facts.Unit, h})
				break
			}
		}
	}
	return out
}
