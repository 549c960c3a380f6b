package intake

import (
	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// imply makes the events that follow from ev.
func imply(ev *pb.Event) []*pb.Event {
	switch ev.Verb {
	case pb.Verb_LOADED:
		return []*pb.Event{composition(ev, pb.Composition_ADD)}
	case pb.Verb_UNLOADED:
		return []*pb.Event{composition(ev, pb.Composition_REMOVE)}
	case pb.Verb_MILESTONE:
		if ev.UnitKind == pb.UnitKind_UNIT_KIND_NONE { // else it is about one unit already
			return perUnit(ev)
		}
	}
	return nil
}

// follow makes an event that follows from ev, with its source, time and place.
func follow(ev *pb.Event, suffix, subject string, kind pb.UnitKind) *pb.Event {
	return &pb.Event{
		Source: ev.Source, Id: ev.Id + "#" + suffix, ImpliedBy: ev.Id, Verb: ev.Verb, Subject: subject, UnitKind: kind,
		Time: ev.Time, OffsetMin: ev.OffsetMin, RecordedAt: ev.RecordedAt, Classifier: ev.Classifier, Place: ev.Place,
	}
}

// composition: what is loaded onto a vehicle is on board of it.
func composition(ev *pb.Event, op pb.Composition_Op) *pb.Event {
	item := &pb.CompositionItem{}
	if ev.UnitKind == pb.UnitKind_WAGON {
		item.Wagon = ev.Subject
	} else {
		item.Containers = []*pb.ContainerOn{{Id: ev.Subject}}
	}
	loading := ev.GetLoading()
	e := follow(ev, "composition", loading.Vehicle, loading.VehicleKind)
	e.Verb = pb.Verb_COMPOSITION
	e.Data = &pb.Event_Composition{Composition: &pb.Composition{Op: op, Items: []*pb.CompositionItem{item}}}
	return e
}

// perUnit: a milestone of a consignment is one of each of its units.
func perUnit(ev *pb.Event) []*pb.Event {
	units := ev.GetMilestone().Units
	events := make([]*pb.Event, 0, len(units))
	for _, u := range units {
		e := follow(ev, u, u, schemas.KindOfUnit(u))
		e.Data = proto.CloneOf(ev).Data
		events = append(events, e)
	}
	return events
}
