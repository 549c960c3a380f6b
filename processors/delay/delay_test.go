package delay

import (
	"maps"
	"slices"
	"testing"

	"corridorwatch/schemas/pb"
)

// TestEqualToFacts: what is told of a world, in which sides are revised and taken back, is what its facts say at the end, worked out
// plainly from the definitions.
func TestEqualToFacts(t *testing.T) {
	cat := testCatalog(t)
	w := newWorld(cat, 3)
	until := day0 + 26*dayMS
	w.run(traffic{border: "dostyk", direction: "CN-KZ", every: 3 * hourMS, outbound: 9 * hourMS, inbound: 20 * hourMS, spread: 0.5, from: day0, to: until, boxes: 3}, nil)
	n := len(w.recs)
	for i := 0; i < n; i += 17 { // revised: half an hour later; or taken back
		r := w.recs[i]
		at := r.at + int64(w.rng.IntN(48))*hourMS
		c := cloneCrossing(r.rec)
		later := &pb.Record{Stage: r.rec.Stage, Body: &pb.Record_Crossing{Crossing: c}}
		if i%2 == 0 {
			later.Deleted = true
			at = r.at + 200*hourMS
		} else if c.Outbound.Arrived != nil {
			c.Outbound.Arrived.At += 30 * minuteMS
			if c.Outbound.Seconds > 0 {
				c.Outbound.Seconds -= 1800
			}
		}
		w.add(at, later)
	}
	tb := &tables{}
	f := newFold(cat, Defaults())
	w.play(f, tb, 5*minuteMS, until)
	facts := latest(w, until)
	o := oracle{f: f, facts: facts, until: f.now}
	want := o.rows()
	if len(want) < 1000 {
		t.Fatalf("only %d rows are expected", len(want))
	}
	compareRows(t, tb, want)
}

// TestHoursOfOneTrain: a train that is told to have departed waits no longer, though when it was out of the fence is only inferred, for later:
// it ends where border measures its stay to. One that waited and is lost waits at no time, in hours that were told before neither.
func TestHoursOfOneTrain(t *testing.T) {
	cat := testCatalog(t)
	b, _ := cat.Border("dostyk")
	for name, c := range map[string]struct {
		mend func(*pb.Side)
		want map[int64][2]uint32 // waiting and releases by hour
	}{
		"reported": {func(s *pb.Side) { s.Left = &pb.Moment{At: day0 + 8*hourMS, Basis: pb.Basis_INFERRED} }, map[int64][2]uint32{1: {1, 0}, 2: {1, 0}, 3: {0, 1}}},
		"lost":     {func(s *pb.Side) { s.Departed, s.State, s.Seconds = nil, pb.State_LOST, 0 }, map[int64][2]uint32{1: {0, 0}}},
	} {
		w := newWorld(cat, 5)
		for _, at := range []int64{day0 + hourMS, day0 + 12*hourMS} {
			x := crossingAt(b, "CN-KZ", at, &train{came: day0 + hourMS, left: day0 + 3*hourMS, entered: day0 + 9*hourMS, out: day0 + 11*hourMS})
			x.Unit, x.UnitKind, x.Journey = "KTZ:1:2026-03-01", pb.UnitKind_TRAIN, "KTZ:1:2026-03-01"
			if at > day0+hourMS {
				c.mend(x.Outbound)
			}
			w.add(at, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Crossing{Crossing: x}})
		}
		tb := &tables{}
		w.play(newFold(cat, Defaults()), tb, 5*minuteMS, day0+14*hourMS)
		got := map[int64][2]uint32{}
		for _, rec := range tb.rows {
			if st := rec.GetDelayStats(); st.GetRole() == "outbound" {
				got[(st.Hour-day0)/hourMS] = [2]uint32{st.Waiting, st.Releases}
			}
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: waiting and releases by hour %v, want %v", name, got, c.want)
		}
	}
}

// TestMemoryIsBounded: after the window and the lateness, what is over leaves the state.
func TestMemoryIsBounded(t *testing.T) {
	cat := testCatalog(t)
	w := newWorld(cat, 4)
	until := day0 + 75*dayMS
	w.run(traffic{border: "dostyk", direction: "CN-KZ", every: 6 * hourMS, outbound: 9 * hourMS, inbound: 20 * hourMS, spread: 0.5, from: day0, to: day0 + 70*dayMS, boxes: 2}, nil)
	f := newFold(cat, Defaults())
	w.play(f, &tables{}, hourMS, until)
	if n := len(f.crossings); n > 3*4*33 || n < 3*4*20 {
		t.Errorf("%d crossings in the state: 12 come a day, and 31 days stay", n)
	}
	for _, r := range f.order {
		if len(r.told) > 31*24+2 {
			t.Errorf("%v: %d hours in the state", r.key, len(r.told))
		}
		if r.key.role == pair && r.key.kind == pb.UnitKind_CONTAINER && (len(r.ends) != len(f.consists) || len(r.ends) == 0) {
			t.Errorf("%d stays of %d consists", len(r.ends), len(f.consists))
		}
	}
}

// TestQuantile: by linear interpolation between closest ranks.
func TestQuantile(t *testing.T) {
	v := []int64{10, 20, 30, 40}
	for _, c := range []struct{ level, want float64 }{{0, 10}, {0.5, 25}, {0.95, 38.5}, {1, 40}} {
		if got := quantile(c.level, v); got != c.want {
			t.Errorf("quantile(%v) = %v, want %v", c.level, got, c.want)
		}
	}
	if got := quantile(0.95, []int64{7}); got != 7 {
		t.Errorf("of one value %v", got)
	}
}

func cloneCrossing(rec *pb.Record) *pb.Crossing {
	return protoClone(rec).GetCrossing()
}

func sortedRows(m map[string]*pb.Record) []string { return slices.Sorted(keysOf(m)) }

// One train is not "1 trains".
func TestCountedTrains(t *testing.T) {
	if got := []string{trains(1), trains(2), waiting(1), waiting(0)}; !slices.Equal(got, []string{"1 train", "2 trains", "1 train waits", "0 trains wait"}) {
		t.Errorf("%q", got)
	}
}
