package dwell

import (
	"runtime"
	"strconv"
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// minutes folds a position a minute of each of a number of runs that go up and down the line, and lets time pass.
func minutes(f *fold, runs, from, to int) {
	out := stream.NewOut(func(string, string, *pb.Record) {}, nil)
	for minute := from; minute < to; minute++ {
		at := day.UnixMilli() + int64(minute)*60_000
		for k := range runs {
			name := "KTZ:" + strconv.Itoa(k) + ":2026-03-01"
			x := int32((minute*800+k*977)%60_000) * 90
			f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: &pb.Event{
				Source: "s", Id: name + "/" + strconv.Itoa(minute), Subject: name, UnitKind: pb.UnitKind_TRAIN, Time: at, RecordedAt: at, Hash: uint64(minute) << 20,
				Verb: pb.Verb_POSITION, Data: &pb.Event_Position{Position: &pb.Position{LonE7: 10e7 + x}},
			}}}}, out)
		}
		f.Advance(at, out)
	}
}

// BenchmarkKept tells what a position costs while it can still change: 60 runs, a position a minute each, for two days.
func BenchmarkKept(b *testing.B) {
	const runs, long = 60, 48 * 60
	cat := testCatalog(b)
	for b.Loop() {
		before := held()
		f := newFold(cat)
		minutes(f, runs, 0, long)
		after := held()
		state, err := f.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(after-before)/(runs*long), "B/position")
		b.ReportMetric(float64(len(state))/(runs*long), "snapshot-B/position")
		runtime.KeepAlive(f)
	}
}

func held() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
