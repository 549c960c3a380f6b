package schemas

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// Route says where intake sends an event, and under which key. Events of vehicles go to train-events by run, those of wagons and
// containers to unit-events by unit; a retraction goes where the event went that it takes back. A tick goes nowhere.
//
// A shipment.milestone goes to shipments, and besides to unit-events once for each of its units: these copies have the unit as
// their subject, and so Route sends them there.
func Route(ev *pb.Event) (topic, key string) {
	switch ev.UnitKind {
	case pb.UnitKind_TRAIN, pb.UnitKind_VESSEL:
		return TrainEvents, ev.Subject
	case pb.UnitKind_WAGON, pb.UnitKind_CONTAINER:
		return UnitEvents, ev.Subject
	}
	verb := ev.Verb
	if verb == pb.Verb_RETRACTED {
		verb, _, _ = ParseType(ev.GetRetraction().GetType())
	}
	switch verb {
	case pb.Verb_DECLARED, pb.Verb_MILESTONE:
		return Shipments, ev.Source + "#" + ev.Id
	case pb.Verb_RESTRICTION:
		return Restrictions, ev.Source + "#" + ev.Id
	case pb.Verb_BORDER_PLAN:
		return Plans, ev.Source + "#" + ev.Id
	}
	return "", ""
}

// RouteRecompute says where intake sends a piece of a recompute; its key is the subject.
func RouteRecompute(r *pb.Recompute) (topic string) {
	switch {
	case r.Stage == pb.Stage_DWELL && (r.UnitKind == pb.UnitKind_TRAIN || r.UnitKind == pb.UnitKind_VESSEL):
		return TrainEvents
	case r.Stage == pb.Stage_BORDER && r.UnitKind != pb.UnitKind_UNIT_KIND_NONE:
		return UnitEvents
	}
	return ""
}

// Hash is the FNV-1a hash, 64 bits, of the canonical bytes of an event: its deterministic protobuf encoding without the stamps
// (ingested_at, accepted_at, late, hash). Of two events with the same source, id and recorded_at the one with the greater hash
// counts, wherever and in whatever order they arrive. The stamps of ev are as before when Hash returns.
func Hash(ev *pb.Event) uint64 { return new(Hasher).Hash(ev) }

// Hasher computes Hash for many events with one buffer. One goroutine uses it.
type Hasher struct{ buf []byte }

// Hash is the function Hash.
func (h *Hasher) Hash(ev *pb.Event) uint64 {
	ingested, accepted, late, hash := ev.IngestedAt, ev.AcceptedAt, ev.Late, ev.Hash
	ev.IngestedAt, ev.AcceptedAt, ev.Late, ev.Hash = 0, 0, false, 0
	var err error
	if h.buf, err = (proto.MarshalOptions{Deterministic: true}).MarshalAppend(h.buf[:0], ev); err != nil {
		panic(fmt.Sprintf("schemas: hash of an event that was not checked to be UTF-8: %v", err))
	}
	ev.IngestedAt, ev.AcceptedAt, ev.Late, ev.Hash = ingested, accepted, late, hash
	const offset, prime = 14695981039346656037, 1099511628211
	sum := uint64(offset)
	for _, c := range h.buf {
		sum = (sum ^ uint64(c)) * prime
	}
	return sum
}
