package border

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
	for _, name := range []string{"plain", "gate_not_seen"} {
		fold := newFold(cat)
		lines, _ := parse(new(testing.T), "testdata/"+name+".txt")
		play(fold, lines[:len(lines)/2], table{})
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
		for _, u := range first.units {
			if u.asleep != nil && u.decode() != nil {
				return // its checksum would not be right
			}
			first.touch(u)
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

// The id of a run may hold the bar that separates the parts of a key: what was told of it is taken back under the same keys.
func TestBarInRunID(t *testing.T) {
	const run = "KTZ:7|x|1:2026-03-01"
	keys := map[string]bool{}
	out := stream.NewOut(func(_, _ string, rec *pb.Record) {
		key := ""
		switch b := rec.Body.(type) {
		case *pb.Record_Leg:
			key = legKey(b.Leg)
		case *pb.Record_Crossing:
			key = crossingKey(b.Crossing)
		}
		if keys[key] = true; rec.Deleted {
			delete(keys, key)
		}
	}, nil)
	f := newFold(testCatalog(t))
	rides := func(deleted bool) {
		for i, place := range []string{"inner", "gate", "pass", "middle"} {
			at := day.UnixMilli() + int64(i)*hourMS
			m := &pb.Moment{At: at, Earliest: at, Latest: at}
			f.Fold(stream.In{Rec: &pb.Record{Deleted: deleted, Body: &pb.Record_Ride{Ride: &pb.Ride{Unit: run, UnitKind: pb.UnitKind_TRAIN, Run: run,
				Visit: &pb.Visit{Unit: run, Place: place, N: 1, Stopped: true, Entered: m, Arrived: m, Departed: m, Left: m}}}}}, out)
		}
		f.Advance(day.UnixMilli()+20*hourMS, out)
	}
	rides(false)
	if len(keys) == 0 {
		t.Fatal("nothing was told")
	}
	rides(true)
	if len(keys) > 0 {
		t.Errorf("rows that nobody takes back: %v", keys)
	}
}
