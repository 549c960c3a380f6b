package delay

import (
	"slices"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// forget drops what nothing is held against any more: stays that ended before the window and the lateness. What was told of them
// stands. Stays that go on never leave.
func (f *fold) forget(now int64) {
	f.dropped = max(f.dropped, hourOf(now)-windowMS-latenessMS)
	var gone []string
	for key, x := range f.crossings {
		if f.over(x) {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		x := f.crossings[key]
		for i, role := range roles {
			f.drop(f.seriesOf(x.series(role), x.area), x, &x.rows[i])
		}
		delete(f.crossings, key)
		f.touch(crossingPiece + key)
	}
	for key, s := range f.stays {
		if s.at.ended < f.dropped && s.at.began < f.dropped {
			r := f.seriesOf(s.series(), "")
			r.ends, r.begun = remove(r.ends, &s.at, byEnd), remove(r.begun, &s.at, byBegan)
			f.left = max(f.left, s.at.ended)
			delete(f.stays, key)
			f.touch(stayPiece + key)
		}
	}
	for unit, facts := range f.held {
		if !slices.ContainsFunc(facts.Holds, func(h *pb.Hold) bool { return h.To == 0 || h.To >= f.dropped }) {
			delete(f.held, unit)
			f.touch(holdPiece + unit)
		}
	}
	f.forgetNotices()
	for _, r := range f.order {
		f.forgetHours(r)
	}
}

// over tells whether a crossing has nothing more to say: no side goes on, and of a consist none of the others either.
func (f *fold) over(x *crossing) bool {
	for i := range x.rows {
		if s := &x.rows[i].at; s.ended >= f.dropped || s.began >= f.dropped {
			return false
		}
	}
	if x.consist == "" {
		return true
	}
	c := f.consists[consistKey(x.series(pair), x.consist)]
	return c == nil || c.at == nil || c.at.ended < f.dropped && c.at.began < f.dropped
}

func (f *fold) drop(r *series, x *crossing, row *row) {
	s := &row.at
	if row.role == pair && x.consist != "" {
		id := consistKey(r.key, x.consist)
		c := f.consists[id]
		if c == nil {
			return
		}
		if delete(c.members, x.key); len(c.members) > 0 || c.at == nil {
			return
		}
		delete(f.consists, id)
		s = c.at
	}
	r.ends, r.begun = remove(r.ends, s, byEnd), remove(r.begun, s, byBegan)
	f.left = max(f.left, s.ended)
}

func (f *fold) forgetHours(r *series) {
	r.floor, r.sortedGood = f.dropped, false
	for h := range r.told {
		if h < r.floor {
			delete(r.told, h)
			f.touch(hourPiece(r.key, h))
		}
	}
	if n := len(r.covers); n > 0 {
		r.covers = slices.DeleteFunc(r.covers, func(c cover) bool { return c.to < f.dropped })
		if len(r.covers) < n {
			f.touch(coverPiece(r.key))
		}
	}
}

// Retell lets a row that an older epoch told be told anew in the next round, or deleted.
func (f *fold) Retell(rec *pb.Record) {
	switch rec.Body.(type) {
	case *pb.Record_CrossingDelay, *pb.Record_DelayStats, *pb.Record_Alert:
		f.doubt(rec)
	}
}

// doubt notes a row of which it is not sure whether it holds.
func (f *fold) doubt(rec *pb.Record) {
	key := rowPiece(rec)
	f.unsure[key] = rec
	f.touch(unsurePiece + key)
}

// tellUnsure deletes the rows in doubt that the state does not have, and lets the others be told anew.
func (f *fold) tellUnsure(out *stream.Out) {
	for _, key := range sortedKeys(f.unsure) {
		rec := f.unsure[key]
		delete(f.unsure, key)
		f.touch(unsurePiece + key)
		switch b := rec.Body.(type) {
		case *pb.Record_CrossingDelay:
			d := b.CrossingDelay
			x := f.crossings[crossingKey(&pb.Crossing{Journey: d.Journey, Border: d.Border, N: d.N})]
			i := slices.Index(roles[:], d.Role)
			if x == nil || i < 0 || x.rows[i].at.began == 0 {
				out.Emit(schemas.CrossingDelays, d.Area, &pb.Record{Deleted: true, Body: &pb.Record_CrossingDelay{CrossingDelay: &pb.CrossingDelay{
					Unit: d.Unit, UnitKind: d.UnitKind, Journey: d.Journey, Border: d.Border, N: d.N, Role: d.Role, Area: d.Area}}})
				continue
			}
			x.rows[i].told = 0
			f.untold = append(f.untold, &x.rows[i])
			f.touch(crossingPiece + x.key)
		case *pb.Record_DelayStats:
			s := b.DelayStats
			key := seriesKey{border: s.Border, role: s.Role, direction: s.Direction, kind: s.UnitKind}
			r := f.seriesOf(key, s.Area)
			r.told[s.Hour], r.hours[s.Hour] = 0, true // told anew, or taken back where the hour is empty
			f.touch(hourPiece(key, s.Hour))
		case *pb.Record_Alert:
			f.retellAlert(b.Alert, out)
		}
	}
}
