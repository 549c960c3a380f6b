package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// world is what the producers say, in the order of arrival.
type world struct {
	events []*pb.Event
	beyond time.Duration // how far behind the last event time is carried on
}

var begin = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC).UnixMilli()

const (
	minuteMS = int64(time.Minute / time.Millisecond)
	stepMS   = 30 * minuteMS // events happen at few times, since each minute costs a tick
)

// newWorld makes a few trains with wagons and containers over the border of Khorgos, said with repetitions, corrections,
// retractions and mistakes, out of order.
func newWorld(seed uint64) *world {
	m := &maker{rnd: rand.New(rand.NewPCG(seed, 1))}
	for n := range 2 + m.rnd.IntN(4)/3 {
		m.train(n)
	}
	m.others()
	m.disturb()
	w := &world{beyond: time.Duration(m.rnd.IntN(3)*20) * time.Hour}
	if m.rnd.IntN(8) == 0 {
		w.beyond = 20 * 24 * time.Hour // long enough to lose and forget
	}
	slices.SortStableFunc(m.said, func(a, b said) int { return int(a.at - b.at) })
	for _, s := range m.said {
		w.events = append(w.events, s.ev)
	}
	return w
}

// said is an event and when it arrives.
type said struct {
	at int64
	ev *pb.Event
}

type maker struct {
	rnd  *rand.Rand
	said []said
	n    int
}

// say adds an event now and then left out, and mostly late by some minutes.
func (m *maker) say(verb pb.Verb, kind pb.UnitKind, subject, place string, at int64, fill func(*pb.Event)) {
	m.n++
	if m.rnd.IntN(8) == 0 {
		return
	}
	ev := &pb.Event{
		Source: "sim", Id: fmt.Sprint(m.n), Verb: verb, UnitKind: kind, Subject: subject, Place: place,
		Time: begin + at*stepMS, RecordedAt: begin + at*stepMS, IngestedAt: begin,
	}
	if fill != nil {
		fill(ev)
	}
	m.said = append(m.said, said{ev.Time + m.rnd.Int64N(3)*stepMS*m.rnd.Int64N(2), ev})
}

func (m *maker) train(n int) {
	run := fmt.Sprintf("KTZ:%d-9-7:2026-03-01", 1001+n)
	at := int64(m.rnd.IntN(6))
	wait := func() int64 { at += 1 + m.rnd.Int64N(4); return at }
	tell := func(verb pb.Verb, place string, fill func(*pb.Event)) {
		m.say(verb, pb.UnitKind_TRAIN, run, place, at, fill)
	}
	moved := func(ev *pb.Event) { ev.Data = &pb.Event_Movement{Movement: &pb.Movement{}} }

	tell(pb.Verb_COMPOSITION, "cn-khorgos", m.composition(pb.Composition_SET, n, n+1, n+2))
	if n > 0 {
		tell(pb.Verb_PLANNED, "", func(ev *pb.Event) {
			ev.Data = &pb.Event_Plan{Plan: &pb.Plan{Destination: "kz-zhetygen", ExitBorder: "khorgos", Stops: []*pb.PlanStop{
				{Place: "cn-khorgos", Departure: begin + 6*stepMS}, {Place: "kz-altynkol", Arrival: begin + 8*stepMS, Departure: begin + 20*stepMS},
			}}}
		})
	}
	tell(pb.Verb_ARRIVED, "cn-khorgos", moved)
	tell(pb.Verb_POSITION, "", m.fix(44.2119, 80.4030))
	wait()
	tell(pb.Verb_HANDOVER, "cn-khorgos", handover(pb.Handover_OFFERED))
	wait()
	tell(pb.Verb_HANDOVER, "kz-altynkol", handover(pb.Handover_ACCEPTED))
	tell(pb.Verb_DEPARTED, "cn-khorgos", moved)
	wait()
	tell(pb.Verb_ARRIVED, "kz-altynkol", moved)
	tell(pb.Verb_POSITION, "", m.fix(44.17, 80.26))
	tell(pb.Verb_ACTIVITY, "kz-altynkol", activity("gauge_change", pb.Activity_STARTED))
	wait()
	tell(pb.Verb_POSITION, "", m.fix(44.17, 80.26))
	tell(pb.Verb_ACTIVITY, "kz-altynkol", activity("gauge_change", pb.Activity_FINISHED))
	wait()
	if n == 0 {
		tell(pb.Verb_COMPOSITION, "kz-altynkol", m.composition(pb.Composition_REMOVE, n+1))
	}
	tell(pb.Verb_DEPARTED, "kz-altynkol", moved)
	wait()
	tell(pb.Verb_POSITION, "", m.fix(43.69, 77.11))
	wait()
	tell(pb.Verb_ARRIVED, "kz-zhetygen", moved)
	if n == 0 {
		tell(pb.Verb_ENDED, "kz-zhetygen", func(ev *pb.Event) { ev.Data = &pb.Event_Ended{Ended: &pb.Ended{}} })
	}
}

// containers have sound check digits; train n carries some of them on wagons of their own.
var containers = []string{"MSCU1234566", "CSQU3054383", "KTZU0002000", "TCNU4567893", "MSKU9070323"}

func (m *maker) composition(op pb.Composition_Op, which ...int) func(*pb.Event) {
	return func(ev *pb.Event) {
		c := &pb.Composition{Op: op}
		for i, n := range which {
			item := &pb.CompositionItem{Containers: []*pb.ContainerOn{{Id: containers[n]}}}
			if i == 0 && op == pb.Composition_SET {
				item.Wagon = fmt.Sprintf("9441205%d", n)
			}
			c.Items = append(c.Items, item)
		}
		ev.Data = &pb.Event_Composition{Composition: c}
	}
}

func (m *maker) fix(lat, lon float64) func(*pb.Event) {
	return func(ev *pb.Event) {
		jitter := func() int32 { return int32(m.rnd.IntN(2000)) }
		ev.Data = &pb.Event_Position{Position: &pb.Position{LatE7: int32(lat*1e7) + jitter(), LonE7: int32(lon*1e7) + jitter()}}
	}
}

func handover(s pb.Handover_State) func(*pb.Event) {
	return func(ev *pb.Event) { ev.Data = &pb.Event_Handover{Handover: &pb.Handover{Border: "khorgos", State: s}} }
}

func activity(kind string, s pb.Activity_State) func(*pb.Event) {
	return func(ev *pb.Event) { ev.Data = &pb.Event_Activity{Activity: &pb.Activity{Kind: kind, State: s}} }
}

// others says what is not about a train.
func (m *maker) others() {
	loading := func(run string) func(*pb.Event) {
		return func(ev *pb.Event) {
			ev.Data = &pb.Event_Loading{Loading: &pb.Loading{Vehicle: run, VehicleKind: pb.UnitKind_TRAIN}}
		}
	}
	m.say(pb.Verb_UNLOADED, pb.UnitKind_CONTAINER, containers[1], "kz-altynkol", 12, loading("KTZ:1001-9-7:2026-03-01"))
	m.say(pb.Verb_LOADED, pb.UnitKind_CONTAINER, containers[1], "kz-altynkol", 16, loading("KTZ:1002-9-7:2026-03-01"))
	m.say(pb.Verb_MILESTONE, pb.UnitKind_UNIT_KIND_NONE, "CN-118", "cn-khorgos", 1, func(ev *pb.Event) {
		ev.Data = &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: "gate_in", Units: containers[:2]}}
	})
	m.say(pb.Verb_DECLARED, pb.UnitKind_UNIT_KIND_NONE, "CN-118", "", 0, func(ev *pb.Event) {
		ev.Data = &pb.Event_Shipment{Shipment: &pb.Shipment{Note: "S-1", Origin: "cn-khorgos", Destination: "kz-zhetygen",
			Goods: []*pb.Goods{{Hs: "850760", WeightKg: 12.5}}, Units: []*pb.ShipmentUnit{{Id: containers[0]}}}}
	})
	m.say(pb.Verb_RESTRICTION, pb.UnitKind_UNIT_KIND_NONE, "khorgos", "", 5, func(ev *pb.Event) {
		ev.Data = &pb.Event_Restriction{Restriction: &pb.Restriction{Effect: "closed", From: begin + 6*stepMS, Reason: "wind", Reference: "t 1"}}
	})
	m.say(pb.Verb_BORDER_PLAN, pb.UnitKind_UNIT_KIND_NONE, "khorgos", "", 2, func(ev *pb.Event) {
		ev.Data = &pb.Event_BorderPlan{BorderPlan: &pb.BorderPlan{Direction: "CN-KZ", Date: "2026-03-02", Trains: 14}}
	})
	for i := range 2 {
		m.say(pb.Verb_ARRIVED, pb.UnitKind_TRAIN, "KTZ:1001-9-7:2026-03-01", fmt.Sprintf("no such place %d", i), 7+int64(i), func(ev *pb.Event) {
			ev.Data = &pb.Event_Movement{Movement: &pb.Movement{}}
		})
	}
}

// disturb repeats, corrects and takes back some of what was said; a retraction may come first.
func (m *maker) disturb() {
	for i := range 6 {
		of := m.said[m.rnd.IntN(len(m.said))]
		ev := proto.Clone(of.ev).(*pb.Event)
		switch i % 3 {
		case 1:
			ev.RecordedAt, ev.Time = ev.RecordedAt+m.rnd.Int64N(3)*1000, ev.Time+m.rnd.Int64N(4)*5*minuteMS
		case 2:
			ev.Data = &pb.Event_Retraction{Retraction: &pb.Retraction{Type: schemas.TypeName(ev.Verb, ev.UnitKind), Id: ev.Id}}
			ev.Verb, ev.Id, ev.Place = pb.Verb_RETRACTED, "taken back "+ev.Id, ""
		}
		m.said = append(m.said, said{max(begin, of.at+(m.rnd.Int64N(5)-2)*stepMS), ev})
	}
}
