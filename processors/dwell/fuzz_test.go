package dwell

import (
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
		for _, r := range first.runs {
			first.touch(r)
		}
		pieces, err := first.Changed()
		if err != nil {
			t.Fatal(err)
		}
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
