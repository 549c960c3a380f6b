// Package border works out legs and border crossings of trains and vessels, wagons and containers, and the visits of wagons and
// containers over the vehicles that carried them.
//
// Rides (visits of a run as they concern one unit), run facts and the unit's own events go into a set; when a round closes, the
// units that changed are computed again and only differences are emitted:
//
//	rides, own events ─► stays ─► journeys ─┬─► visits (load units)
//	                                        ├─► legs, from stay to stay
//	                                        └─► crossings, side by side
package border

import (
	"cmp"
	"slices"
	"time"

	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const (
	hourMS     = int64(time.Hour / time.Millisecond)
	forgetMS   = 2 * 72 * hourMS  // twice the lateness: dwell can change nothing any more
	journeyGap = 30 * 24 * hourMS // silence that ends a load unit's journey
)

// Stage is the border stage over a catalogue.
func Stage(cat *network.Catalog) stream.Stage {
	return stream.Stage{
		Name: pb.Stage_BORDER, Input: schemas.UnitEvents, Upstreams: []pb.Stage{pb.Stage_INTAKE, pb.Stage_DWELL},
		Outputs: []string{schemas.Visits, schemas.Legs, schemas.Crossings, schemas.AreaEvents, schemas.Recomputed}, Logic: "border/7",
		New: func() stream.Fold { return newFold(cat) },
	}
}

type fold struct {
	cat   *network.Catalog
	units map[string]*unit
	dirty []*unit
	swept int64 // when units were last forgotten

	recomputes *recompute.Gathered

	touched []*unit         // changed since the last checkpoint
	gone    map[string]bool // forgotten since then
	buf     []byte          // for Snapshot
	size    int             // of the last one
}

func newFold(cat *network.Catalog) *fold {
	return &fold{cat: cat, units: map[string]*unit{}, gone: map[string]bool{}, recomputes: recompute.New()}
}

// Fold puts a record into its unit's set.
func (f *fold) Fold(in stream.In, out *stream.Out) {
	var u *unit
	changed := false
	switch b := in.Rec.Body.(type) {
	case *pb.Record_Ride:
		u = f.unit(b.Ride.Unit, b.Ride.UnitKind)
		changed = u.ride(b.Ride, in.Rec.Deleted, in.Rec.KnownAt)
	case *pb.Record_RunFacts:
		u = f.unit(b.RunFacts.Unit, b.RunFacts.UnitKind)
		if u.facts, changed = b.RunFacts, true; in.Rec.Deleted {
			u.facts = nil
		}
	case *pb.Record_Event:
		if b.Event.Late || b.Event.Subject == "" || tablesAlone(b.Event) {
			return
		}
		u = f.unit(b.Event.Subject, b.Event.UnitKind)
		changed = u.event(b.Event)
	case *pb.Record_Recompute:
		answer := func(rec *pb.Record) { out.Emit(schemas.Recomputed, b.Recompute.Subject, rec) }
		if whole := f.recomputes.Take(b.Recompute, in.Now, answer); whole != nil {
			f.recompute(whole, in.Now, out)
		}
		return
	default:
		return
	}
	if changed {
		f.computeLater(u)
	}
}

// unit is the unit of that id, which is about to change.
func (f *fold) unit(id string, kind pb.UnitKind) *unit {
	u := f.units[id]
	if u == nil {
		u = newUnit(id, kind)
		f.units[id] = u
	}
	u.wake()
	u.idle = false
	f.touch(u)
	return u
}

func (f *fold) touch(u *unit) {
	if !u.touched {
		u.touched = true
		f.touched = append(f.touched, u)
	}
}

func (f *fold) computeLater(u *unit) {
	if !u.dirty {
		u.dirty = true
		f.dirty = append(f.dirty, u)
	}
}

// Advance computes the units that changed. Once an hour it forgets those for which nothing can come any more, and lets those sleep
// for which nothing came in the hour before.
func (f *fold) Advance(now int64, out *stream.Out) {
	f.recomputes.Expire(now)
	slices.SortFunc(f.dirty, func(a, b *unit) int { return cmp.Compare(a.id, b.id) })
	for _, u := range f.dirty {
		f.touch(u)
		u.dirty = false
		u.prune(now)
		u.leaveOut()
		u.compute(f.cat, now, out)
	}
	f.dirty = f.dirty[:0]
	if hour := now / hourMS; hour > f.swept {
		f.swept = hour
		for id, u := range f.units { // nothing is emitted: the order does not show
			switch {
			case !u.dirty && hour*hourMS >= u.forgetAt():
				delete(f.units, id)
				f.gone[id] = true
			case u.idle:
				u.sleep()
			default:
				u.idle = true
			}
		}
	}
}
