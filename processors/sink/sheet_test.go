package sink

import (
	"fmt"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// full fills every field of a message (of a oneof the wanted one) with something that is not zero.
func full(m protoreflect.Message, oneof protoreflect.Name) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() && f.Name() != oneof {
			continue
		}
		switch {
		case f.IsList() && f.Message() != nil:
			full(m.Mutable(f).List().AppendMutable().Message(), "")
		case f.IsList():
			m.Mutable(f).List().Append(protoreflect.ValueOfString("x"))
		case f.Message() != nil:
			full(m.Mutable(f).Message(), "")
		default:
			m.Set(f, something(f))
		}
	}
}

func something(f protoreflect.FieldDescriptor) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("x")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("x"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(1)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(1)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(1)
	}
	return protoreflect.ValueOfInt64(1)
}

// fullRecords are records of every kind with every field set, by topic.
func fullRecords() map[string][]*pb.Record {
	out := map[string][]*pb.Record{}
	add := func(topic string, body proto.Message, in protoreflect.Name, oneof protoreflect.Name) {
		full(body.ProtoReflect(), oneof)
		rec := &pb.Record{Epoch: 1, Seq: 1, KnownAt: 1, Deleted: true}
		r := rec.ProtoReflect()
		r.Set(r.Descriptor().Fields().ByName(in), protoreflect.ValueOfMessage(body.ProtoReflect()))
		out[topic] = append(out[topic], rec)
	}
	for _, data := range []protoreflect.Name{"position", "movement", "plan", "composition", "ended", "held", "handover", "loading", "activity", "cost", "milestone", "retraction"} {
		add(schemas.TrainEvents, &pb.Event{}, "event", data)
		add(schemas.UnitEvents, &pb.Event{}, "event", data)
	}
	for _, data := range []protoreflect.Name{"shipment", "milestone", "retraction"} {
		add(schemas.Shipments, &pb.Event{}, "event", data)
	}
	for _, data := range []protoreflect.Name{"restriction", "retraction"} {
		add(schemas.Restrictions, &pb.Event{}, "event", data)
	}
	for _, data := range []protoreflect.Name{"border_plan", "retraction"} {
		add(schemas.Plans, &pb.Event{}, "event", data)
	}
	add(schemas.Rejects, &pb.Reject{}, "reject", "")
	add(schemas.TrainStatus, &pb.TrainStatus{}, "train_status", "")
	add(schemas.Visits, &pb.Visit{}, "visit", "")
	add(schemas.Legs, &pb.Leg{}, "leg", "")
	add(schemas.Crossings, &pb.Crossing{}, "crossing", "")
	add(schemas.CrossingDelays, &pb.CrossingDelay{}, "crossing_delay", "")
	add(schemas.DelayStats, &pb.DelayStats{}, "delay_stats", "")
	add(schemas.Alerts, &pb.Alert{}, "alert", "")
	return out
}

// Every field of every message has a column: one that is set shows somewhere.
func TestEveryFieldHasAColumn(t *testing.T) {
	for topic, recs := range fullRecords() {
		for _, rec := range recs {
			k, ok, err := kindOf(topic, rec)
			if err != nil || !ok {
				t.Fatalf("%s: no kind for %T: %v", topic, rec.Body, err)
			}
			all := cellsOf(k, rec)
			walk(rec.ProtoReflect(), func(name string, clear func(), restore func()) {
				clear()
				without := cellsOf(k, rec)
				restore()
				if reflect.DeepEqual(all, without) {
					t.Errorf("%s, %T: nothing changes without %s", topic, rec.GetBody(), name)
				}
			})
		}
	}
}

// unsaid are fields that no table needs: whose record it was.
var unsaid = map[protoreflect.FullName]bool{
	"corridorwatch.v1.Record.stage": true, "corridorwatch.v1.Record.task": true,
}

// walk visits every scalar field that is set, and every list.
func walk(m protoreflect.Message, visit func(name string, clear, restore func())) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case unsaid[f.FullName()]:
		case f.Message() != nil && !f.IsList():
			walk(v.Message(), visit)
		case f.Message() != nil && v.List().Len() > 0:
			walk(v.List().Get(0).Message(), visit)
		// In the tables of events and rejects the version is made of their contents, and the sequence number not kept.
		case f.FullName() == "corridorwatch.v1.Record.epoch" || f.FullName() == "corridorwatch.v1.Record.seq":
			if r := m.Interface().(*pb.Record); r.GetEvent() != nil || r.GetReject() != nil {
				return true
			}
			fallthrough
		default:
			visit(string(f.FullName()), func() { m.Clear(f) }, func() { m.Set(f, v) })
		}
		return true
	})
}

// cellsOf is the row a record makes: column by column.
func cellsOf(k kind, rec *pb.Record) map[string]any {
	s := newSheet(k)
	s.take(rec)
	out := map[string]any{}
	for _, c := range s.columns {
		out[c.name] = fmt.Sprint(reflect.ValueOf(c.cells).Elem().FieldByName("values").Index(0))
	}
	return out
}

func TestColumnsStayEven(t *testing.T) {
	for k := range kinds {
		s := newSheet(k)
		for topic, recs := range fullRecords() {
			for _, rec := range recs {
				if got, ok, _ := kindOf(topic, rec); ok && got == k {
					s.take(rec)
				}
			}
		}
		for _, round := range []string{"filled", "reset"} {
			for _, c := range s.columns {
				if n := reflect.ValueOf(c.cells).Elem().FieldByName("values").Len(); n != s.rows {
					t.Errorf("kind %d, %s: column %s has %d cells for %d rows", k, round, c.name, n, s.rows)
				}
			}
			s.reset()
		}
	}
}
