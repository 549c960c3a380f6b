package dwell

import (
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// FuzzRestore: no bytes make Restore panic. What it takes it writes again, and whoever restores that, whole or in pieces, tells the
// same afterwards.
func FuzzRestore(f *testing.F) {
	cat := testCatalog(f)
	for _, name := range []string{"stop", "composition"} {
		fold := newFold(cat)
		lines, _ := parse(new(testing.T), "testdata/"+name+".txt")
		play(fold, lines, table{})
		fold.recomputes.Take(&pb.Recompute{Id: 1, Subject: "T1", Piece: 1, Pieces: 3, ReadAt: day.UnixMilli()}, 0, nil)
		state, err := fold.Snapshot()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		first := newFold(cat)
		if first.Restore(state) != nil {
			return
		}
		for id, b := range first.asleep {
			if _, err := decode(b); err != nil {
				return // its checksum would not be right
			}
			first.touch(first.known(id))
		}
		for _, r := range first.runs {
			first.touch(r)
		}
		gathered := first.recomputes.State()
		pieces, err := first.Changed()
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(gathered, pieces...)
		whole, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		second, third := newFold(cat), newFold(cat)
		if err := second.Restore(whole); err != nil {
			t.Fatal(err)
		}
		if err := third.Apply(pieces); err != nil {
			t.Fatal(err)
		}
		a, b, c := told(t, first), told(t, second), told(t, third)
		if a != b || a != c {
			t.Fatalf("told\n%q\nrestored\n%q\nfrom pieces\n%q", a, b, c)
		}
	})
}

// told is everything a fold tells when time goes on, and its state then.
func told(t *testing.T, f *fold) string {
	var all []byte
	out := stream.NewOut(func(topic, key string, rec *pb.Record) {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(append(all, topic+" "+key+" "...), b...), '\n')
	}, nil)
	f.Advance(day.UnixMilli(), out)
	f.Advance(day.UnixMilli()+100*24*hourMS, out)
	state, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return string(append(all, state...))
}

// Every field of the machine comes back from a snapshot: one that is added must be written too, and set here.
func TestMachineComesBack(t *testing.T) {
	e := edge{5, 4, 7}
	f := fix{t: 1772323200000, id: 1 << 63, rec: 1772323200001, hash: 3, lat: degrees(441712001), lon: degrees(-1799600999), speed: 31.5, acc: 12}
	g := f
	g.rec, g.speed, g.acc = 0, -1, 0
	v := stay{Place: "a", Entered: e, Arr: e, Dep: e, Left: e, Stopped: true, First: true, Seen: 9}
	d := stand{"b", e, e}
	m := machine{HasLast: true, HasPrev: true, Last: f, Prev: g, Since: 1, SameSince: 8, Believed: 2, Doubt: []fix{f, g}, Inside: true, In: v, TentOut: e,
		Anchor: f, StillN: 2, StillEnd: 3, StillFrom: 2, ArrEst: e, Standing: true, DepPending: true, DepDist: 1.5, DepFrom: 4, Ended: d, Leaving: v, LeftFrac: 0.5,
		Stays: []stay{v, {}}, Stands: []stand{d, {}}, Gaps: []gap{{7, 9}}}
	for i := range reflect.TypeFor[machine]().NumField() {
		if reflect.ValueOf(m).Field(i).IsZero() {
			t.Errorf("%s is not tried", reflect.TypeFor[machine]().Field(i).Name)
		}
	}
	s := &scanner{b: m.append(nil)}
	if got := s.machine(); s.err != nil || len(s.b) > 0 || !reflect.DeepEqual(got, m) {
		t.Errorf("%v, %d bytes left, got\n%+v\nwant\n%+v", s.err, len(s.b), got, m)
	}
	s = &scanner{b: new(machine).append(nil)}
	if got := s.machine(); s.err != nil || len(s.b) > 0 || !reflect.DeepEqual(got, machine{}) {
		t.Errorf("empty: %v, %+v", s.err, got)
	}
}

// The id of a run may hold the bar that separates the parts of a key: what was told of it is taken back under the same keys.
func TestBarInRunID(t *testing.T) {
	const run = "KTZ:7|x|1:2026-03-01"
	held := map[string]bool{}
	out := stream.NewOut(func(topic, key string, rec *pb.Record) {
		switch b := rec.Body.(type) {
		case *pb.Record_Visit:
			key += visitKey(b.Visit)
		case *pb.Record_Ride:
			key += rideKey(b.Ride) + visitKey(b.Ride.Visit)
		default:
			return
		}
		if held[topic+" "+key] = true; rec.Deleted {
			delete(held, topic+" "+key)
		}
	}, nil)
	f := newFold(testCatalog(t))
	for _, ev := range []*pb.Event{
		{Id: "1", Verb: pb.Verb_ARRIVED, Place: "b", Time: day.UnixMilli(), Data: &pb.Event_Movement{Movement: &pb.Movement{}}},
		{Id: "2", Verb: pb.Verb_RETRACTED, Time: day.UnixMilli(), Data: &pb.Event_Retraction{Retraction: &pb.Retraction{Id: "1"}}},
	} {
		ev.Source, ev.Subject, ev.UnitKind = "s", run, pb.UnitKind_TRAIN
		f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: ev}}}, out)
		f.Advance(day.UnixMilli()+hourMS, out)
		if ev.Id == "1" && len(held) != 2 {
			t.Fatalf("told: %v", held)
		}
	}
	if len(held) > 0 {
		t.Errorf("rows that nobody takes back: %v", held)
	}
}
