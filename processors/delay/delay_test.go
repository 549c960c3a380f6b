package delay

import (
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
