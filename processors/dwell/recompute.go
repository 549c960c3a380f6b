package dwell

import (
	"cmp"
	"slices"

	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// recompute replaces what is known of a run by the events sent and those it holds, and tells the difference when the round closes.
// The events among them that had come too late do so no longer.
func (f *fold) recompute(rc *pb.Recompute, now int64, out *stream.Out) {
	if why := f.known(rc.Subject).refuses(rc); why != "" {
		out.Emit(schemas.Recomputed, rc.Subject, recompute.Answer(rc, why))
		return
	}
	out.Emit(schemas.Recomputed, rc.Subject, recompute.Answer(rc, ""))
	r := f.run(rc.Subject, rc.UnitKind)
	for _, ev := range rc.Events {
		if ev.Late {
			ev.Late = false
			out.Emit(schemas.Recomputed, rc.Subject, &pb.Record{Body: &pb.Record_Event{Event: ev}})
		}
	}
	r.replace(rc.Events)
	for _, rec := range rc.Told {
		if of, _, key := rowOf(rec); of == r.id && key != "" {
			r.doubt(key)
		}
	}
	r.tellBorder()
	r.fed, r.rewound = max(r.fed, now), true
	f.computeLater(r)
}

// refuses says why a recompute cannot be folded: something may have been accepted after the reading and be held no longer.
func (r *run) refuses(rc *pb.Recompute) string {
	// A fix that was accepted after the reading was at most as old as the lateness then.
	if r != nil && r.frozenUntil() >= rc.ReadAt-latenessMS {
		return "fixes have become too old to be held since the tables were read"
	}
	return ""
}

// frozenUntil is the time of the last fix that is held no longer.
func (r *run) frozenUntil() int64 {
	var t int64
	if r.frozen.HasLast {
		t = r.frozen.Last.t
	}
	if n := len(r.frozen.Doubt); n > 0 {
		t = max(t, r.frozen.Doubt[n-1].t)
	}
	return t
}

// replace begins again with nothing frozen, from the events given and what is held.
func (r *run) replace(events []*pb.Event) {
	held := r.fixes
	for _, f := range held {
		delete(r.times, f.id)
	}
	r.fixes, r.frozen, r.now, r.done, r.hours = nil, machine{}, machine{}, 0, nil
	// Retractions first, then by time, so that fixes are appended and not inserted.
	slices.SortFunc(events, func(a, b *pb.Event) int {
		return cmp.Or(boolCompare(b.GetRetraction() != nil, a.GetRetraction() != nil), compareEvents(a, b))
	})
	for _, ev := range events {
		r.add(ev)
	}
	for _, f := range held {
		r.put(f)
	}
	r.reportsSeen++
}

func boolCompare(a, b bool) int { return int(boolInt(a) - boolInt(b)) }

// put adds a fix to the set unless one of its source and id counts instead, or it was taken back.
func (r *run) put(f fix) {
	if r.isRetracted(f.id) {
		return
	}
	if old, ok := r.times[f.id]; ok {
		if !r.supersedes(f.rec, f.hash, f.id, old) {
			return
		}
		r.remove(f.id)
	}
	r.times[f.id] = f.t
	r.enter(f, false)
}

// doubt makes a row that somebody else remembers be told anew, or deleted. What the run remembers itself it knows better.
func (r *run) doubt(key string) {
	if _, ok := r.sent[key]; !ok {
		r.sent[key] = unknown
	}
}

// tellBorder makes everything the border stage must know of the vehicle itself be told anew: it may have forgotten it.
func (r *run) tellBorder() {
	own := rideKey(&pb.Ride{Unit: r.id, UnitKind: r.kind}) + "|"
	for key := range r.sent {
		if len(key) > len(own) && key[:len(own)] == own {
			r.sent[key] = unknown
		}
	}
	r.sent["f"] = unknown
}
