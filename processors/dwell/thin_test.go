package dwell

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// TestThinning: thin(thin(A) + B) = thin(A + B), in any order, with repetitions, and with fixes taken back before or after they came.
func TestThinning(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var events []*pb.Event
		for i := range 40 {
			at := day.UnixMilli() + rnd.Int64N(5)*thinMS + rnd.Int64N(6)*2000
			events = append(events, &pb.Event{Source: "s", Id: strconv.Itoa(i), Time: at, Verb: pb.Verb_POSITION, Hash: rnd.Uint64(),
				Data: &pb.Event_Position{Position: &pb.Position{LonE7: int32(i)}}})
			if rnd.IntN(3) == 0 {
				events = append(events, &pb.Event{Source: "s", Id: "r" + strconv.Itoa(i), Time: at, Verb: pb.Verb_RETRACTED,
					Data: &pb.Event_Retraction{Retraction: &pb.Retraction{Id: strconv.Itoa(i)}}})
			}
		}
		var want *run
		for range 20 {
			for range 10 {
				events = append(events, events[rnd.IntN(len(events))])
			}
			rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			r := newRun("T1", pb.UnitKind_TRAIN)
			for _, ev := range events {
				r.add(ev)
			}
			if want == nil {
				want = r
			}
			if !reflect.DeepEqual(r.fixes, want.fixes) || !reflect.DeepEqual(r.times, want.times) || len(r.buried) != len(want.buried) {
				t.Fatalf("seed %d: another order holds\n%v, %v\nnot\n%v, %v", seed, r.fixes, r.buried, want.fixes, want.buried)
			}
			for i := range r.fixes {
				if i >= 2 && bucketOf(r.fixes[i]) == bucketOf(r.fixes[i-2]) {
					t.Fatalf("seed %d: three fixes in one bucket", seed)
				}
			}
		}
	}
}

func bucketOf(f fix) int64 { return f.t / thinMS }

// mostState is what the state of a run may take in a checkpoint, whatever its tracker does: 73 hours of two fixes in 15 seconds, of 28
// bytes and less, and what has been found in them.
const mostState = 2 << 20

// TestStateIsBounded: a fix a second for a week from a tracker that runs up and down the line; for two days from one that jitters
// at the edge of a fence, and from one that is anywhere in the world each time; fixes of one time only; and history backwards.
func TestStateIsBounded(t *testing.T) {
	const week = 7 * 24 * 3600
	everywhere := rand.New(rand.NewPCG(1, 1))
	for name, tracker := range map[string]struct {
		n  int
		at func(i int) (second int64, lat, lon float64)
	}{
		"runs": {week, func(i int) (int64, float64, float64) {
			return int64(i), 0, 10 + 0.6*math.Abs(math.Mod(float64(i)/7200, 2)-1)
		}},
		"jitters": {2 * week / 7, func(i int) (int64, float64, float64) { return int64(i), 0, 10.0135 + 0.003*math.Sin(float64(i)/40) }},
		"anywhere": {2 * week / 7, func(i int) (int64, float64, float64) {
			return int64(i), 160*everywhere.Float64() - 80, 358*everywhere.Float64() - 179
		}},
		"one time":  {100_000, func(i int) (int64, float64, float64) { return 100, 0, 10 + float64(i%100)*1e-5 }},
		"backwards": {40_000, func(i int) (int64, float64, float64) { return 40_000 - int64(i), 0, 10 + float64(i%7000)*1e-4 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, largest := newFold(testCatalog(t)), 0
			out := stream.NewOut(func(string, string, *pb.Record) {}, nil)
			now := day.UnixMilli()
			f.Advance(now, out)
			for i := range tracker.n {
				second, lat, lon := tracker.at(i)
				ev := &pb.Event{Source: "s", Id: fmt.Sprint(i), Subject: "T1", UnitKind: pb.UnitKind_TRAIN, Time: day.UnixMilli() + second*1000, RecordedAt: now, Hash: uint64(i) << 40,
					Verb: pb.Verb_POSITION, Data: &pb.Event_Position{Position: &pb.Position{LatE7: int32(lat * 1e7), LonE7: int32(lon * 1e7)}}}
				f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: ev}}}, out)
				if now = max(now, ev.Time); i%7200 == 7199 {
					f.Advance(now, out)
				}
				if i%20000 == 19999 {
					state, err := f.Snapshot()
					if err != nil {
						t.Fatal(err)
					}
					largest = max(largest, len(state))
				}
			}
			t.Logf("%d fixes: %d bytes at most", tracker.n, largest)
			if largest == 0 || largest > mostState {
				t.Errorf("the state takes %d bytes, more than %d", largest, mostState)
			}
		})
	}
}
