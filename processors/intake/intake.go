// Package intake is the first stage and the one way in: whatever lies in the intake topic, from whomever, is read here once, and
// only what could be read and believed goes on.
//
//	record ─► elements ─► decode ─► normal form ─► stamps ─► train-events, unit-events, shipments, restrictions, plans
//	                         │            │            │
//	                         └────────────┴────────────┴──► rejects (with reason, path and bytes)
//
// A record is one CloudEvent in JSON, a JSON list of them, or one pb.Event. Of a list only the bad elements are rejected.
//
// Stamps are set here and nowhere else: accepted_at is the stage time, late says that the event is older than the lateness (it is
// stored and counted, but no longer folded), hash decides between two contents of one source and id. Whatever a producer wrote
// into them is overwritten.
//
// Implied events: unit.loaded and unit.unloaded imply a train.composition of the vehicle (id + "#composition"), and a
// shipment.milestone goes to each of its units (id + "#" + unit). Both name the first event in implied_by.
//
// What has passed an intake before goes on as it is: the pieces of a recompute, and events and rejects of another installation that a
// replay takes from its tables (passed.go). Only 'recompute' and 'replay' send these.
//
// The stage keeps no state but after an upgrade (Retell): the log holds everything it needs, and stage time is the runtime's.
package intake

import (
	"time"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/normal"
	"corridorwatch/schemas/pb"
)

// Config is what an installation chooses about its intake.
type Config struct {
	// Wall says that time comes from the clock; then an event further ahead than FutureLimit is rejected.
	Wall bool
	// Lateness is the age at which an event is too old to be folded; 72 h when zero.
	Lateness time.Duration
	// FutureLimit is how far ahead of the last tick a sender's clock may be; 5 minutes when zero.
	FutureLimit time.Duration
}

// Defaults of Config.
const (
	DefaultLateness    = 72 * time.Hour
	DefaultFutureLimit = 5 * time.Minute
)

// Stage makes the intake stage. The catalogue says which places there are.
func Stage(cat *network.Catalog, cfg Config) stream.Stage {
	if cfg.Lateness == 0 {
		cfg.Lateness = DefaultLateness
	}
	if cfg.FutureLimit == 0 {
		cfg.FutureLimit = DefaultFutureLimit
	}
	form := normal.New(cat)
	return stream.Stage{
		Name:    pb.Stage_INTAKE,
		Input:   schemas.Intake,
		Outputs: []string{schemas.TrainEvents, schemas.UnitEvents, schemas.AreaEvents, schemas.Shipments, schemas.Restrictions, schemas.Plans, schemas.Rejects},
		Logic:   "intake/4",
		New:     func() stream.Fold { return &fold{cfg: cfg, form: form, cat: cat} },
	}
}

type fold struct {
	cfg    Config
	form   *normal.Form
	cat    *network.Catalog
	hasher schemas.Hasher // a buffer, no state
	stale  map[string]*pb.Reject
}

// Fold takes one record of the intake topic.
func (f *fold) Fold(in stream.In, out *stream.Out) {
	r := newReceipt(in, out)
	if r.passedBefore(f) {
		return
	}
	for i, e := range r.elements() {
		ev, fault := r.read(i, e)
		if fault == nil {
			fault = f.accept(in.Now, ev)
		}
		switch {
		case fault != nil:
			delete(f.stale, r.reject(e, ev, fault))
		case ev.Verb == pb.Verb_TICK:
			out.Tick(ev.Time)
		default:
			f.send(ev, out)
		}
	}
	r.close()
}

// accept brings an event into its normal form and stamps it.
func (f *fold) accept(now int64, ev *pb.Event) *schemas.Fault {
	if fault := f.form.Apply(ev); fault != nil {
		return fault
	}
	if ahead := f.form.Ahead(ev.Source); ahead != 0 && ev.Verb != pb.Verb_TICK {
		if ev.Time -= ahead; ev.RecordedAt != 0 {
			ev.RecordedAt -= ahead
		}
	}
	// Estimates and plans are about the future by nature, and a tick is what says that time has come.
	if f.cfg.Wall && now > 0 && ev.Verb != pb.Verb_TICK && ev.Classifier == pb.Classifier_ACTUAL && ev.Time > now+f.cfg.FutureLimit.Milliseconds() {
		return &schemas.Fault{Reason: schemas.Future, Path: "time", Detail: "is more than " + f.cfg.FutureLimit.String() + " ahead of " +
			string(schemas.AppendTime(nil, now, 0)) + ": set the sender's clock, or its offset from UTC, and retry"}
	}
	ev.ImpliedBy = ""
	f.stamp(now, ev)
	return nil
}

func (f *fold) stamp(now int64, ev *pb.Event) {
	if ev.IngestedAt == 0 {
		ev.IngestedAt = now
	}
	ev.AcceptedAt = now
	ev.Late = ev.Time < now-f.cfg.Lateness.Milliseconds()
	ev.Hash = f.hasher.Hash(ev)
}

// send passes an accepted event on, and what it implies.
func (f *fold) send(ev *pb.Event, out *stream.Out) {
	implied := imply(ev)
	f.emit(ev, out)
	for _, e := range implied {
		e.AcceptedAt, e.IngestedAt, e.Late = ev.AcceptedAt, ev.IngestedAt, ev.Late
		e.Hash = f.hasher.Hash(e)
		f.emit(e, out)
	}
}

// emit sends an event on, and restrictions and plans to the areas they concern besides.
func (f *fold) emit(ev *pb.Event, out *stream.Out) {
	topic, key := schemas.Route(ev)
	out.Emit(topic, key, &pb.Record{Body: &pb.Record_Event{Event: ev}})
	if topic == schemas.Restrictions || topic == schemas.Plans {
		for _, area := range f.cat.AreasOf(ev.Subject) {
			out.Emit(schemas.AreaEvents, area, &pb.Record{Body: &pb.Record_Event{Event: ev}})
		}
	}
}
