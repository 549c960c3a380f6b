package border

import (
	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// recompute adds to a unit what is stored of it: its events, the rides that dwell has told, and the rows that border has. What the
// unit holds itself is newer. The events that had come too late do so no longer.
func (f *fold) recompute(rc *pb.Recompute, now int64, out *stream.Out) {
	out.Emit(schemas.Recomputed, rc.Subject, recompute.Answer(rc, ""))
	u := f.unit(rc.Subject, rc.UnitKind)
	u.ended = 0
	for _, ev := range rc.Events {
		if ev.Late {
			ev.Late = false
			out.Emit(schemas.Recomputed, rc.Subject, &pb.Record{Body: &pb.Record_Event{Event: ev}})
		}
		u.event(ev)
	}
	for _, rec := range rc.Told {
		if ride := rec.GetRide(); ride != nil && ride.Unit == u.id {
			u.recall(ride, rc.ReadAt)
		} else if id, _, key := rowOf(rec); id == u.id && key != "" {
			u.doubt(key)
		}
	}
	u.keep = max(u.keep, now+2*recompute.HoldMS)
	// What is known of a vehicle dwell tells next, all of it: until then its rows stay.
	if !u.isVehicle() {
		f.computeLater(u)
	}
}

// recall takes a ride that was told before readAt, if the unit has forgotten it; not if it was taken back since.
func (u *unit) recall(r *pb.Ride, readAt int64) {
	key := rideKey(r)
	if u.rides[key] == nil && u.dropped[key] <= readAt {
		u.rides[key] = r
	}
}

// doubt makes a row that somebody else remembers be told anew, or deleted. What the unit remembers itself it knows better.
func (u *unit) doubt(key string) {
	if _, ok := u.sent[key]; !ok {
		u.sent[key] = unknown
	}
}
