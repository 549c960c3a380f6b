package intake

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/recompute"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// passedBefore deals with a record of what has passed an intake before, and tells whether it was one. It keeps its stamps.
func (r *receipt) passedBefore(f *fold) bool {
	var fault *schemas.Fault
	switch r.ct {
	case schemas.RecomputeType:
		fault = r.recompute()
	case schemas.AcceptedType:
		fault = r.accepted(f)
	default:
		return false
	}
	if fault != nil {
		r.proto = true
		r.reject(r.in.Raw.Value, nil, fault)
	}
	return true
}

func unsound(format string, args ...any) *schemas.Fault {
	return &schemas.Fault{Reason: schemas.Unreadable, Detail: fmt.Sprintf(format, args...) + ": only 'recompute' and 'replay' send such records; run them again"}
}

func (r *receipt) recompute() *schemas.Fault {
	p := new(pb.Recompute)
	if err := proto.Unmarshal(r.in.Raw.Value, p); err != nil {
		return unsound("not a piece of a recompute (%v)", err)
	}
	topic := schemas.RouteRecompute(p)
	switch {
	case p.Id == 0 || p.Subject == "" || topic == "":
		return unsound("a piece of a recompute without id, subject or stage")
	case p.Piece >= p.Pieces || p.Pieces > recompute.MaxPieces:
		return unsound("piece %d of %d", p.Piece, p.Pieces)
	}
	for _, ev := range p.Events {
		if ev.Subject != p.Subject || ev.Hash == 0 {
			return unsound("a recompute of %s with an event of %q, hash %x", p.Subject, ev.Subject, ev.Hash)
		}
	}
	r.out.Emit(topic, p.Subject, &pb.Record{Body: &pb.Record_Recompute{Recompute: p}})
	return nil
}

func (r *receipt) accepted(f *fold) *schemas.Fault {
	a := new(pb.Accepted)
	if err := proto.Unmarshal(r.in.Raw.Value, a); err != nil {
		return unsound("not a list of accepted events (%v)", err)
	}
	if len(a.Events)+len(a.Rejects) == 0 {
		return unsound("a list of accepted events with nothing in it")
	}
	for _, ev := range a.Events {
		if topic, _ := schemas.Route(ev); topic == "" || ev.Hash == 0 {
			return unsound("an accepted event of %q that goes nowhere, or without hash", ev.Subject)
		}
	}
	for _, ev := range a.Events {
		f.emit(ev, r.out)
	}
	for _, reject := range a.Rejects {
		r.emit(reject)
	}
	return nil
}
