package corridorwatch_test

import (
	"flag"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var keys = flag.Int("keys", 1_000_000, "of the state that BenchmarkRestore restores")

// BenchmarkRestore takes up a task whose state is of a million keys, each with little: from a whole checkpoint, and the changes of a
// hundredth of them, in the log, to the first record folded.
func BenchmarkRestore(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	log := benchLog(b)
	b.Run("dwell", func(b *testing.B) {
		benchRestore(newBench(b, log, "runs", 1), dwell.Stage(cat), reports)
	})
	b.Run("border", func(b *testing.B) {
		benchRestore(newBench(b, log, "units", 1), border.Stage(cat), rides)
	})
}

// benchRestore lets a task write that state and restores it. What makes the records that the first so many keys get at a time.
func benchRestore(b *bench, stage stream.Stage, what func(at int64, keys int) iter.Seq[*pb.Record]) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	grown := stage
	grown.New = func() stream.Fold { // as if it had folded them
		f, quiet := stage.New(), stream.NewOut(func(string, string, *pb.Record) {}, nil)
		for rec := range what(from, *keys) {
			f.Fold(stream.In{Rec: rec}, quiet)
		}
		f.Advance(from, quiet)
		return observe(f, func(now int64) {
			if now == from+1 {
				go b.send(stage, from+2, what(from+2, *keys/100)) // behind the checkpoint that is due now
			}
		})
	}
	b.send(stage, from+1, what(0, 0))
	b.run(grown, time.Millisecond, from+2)
	var took, cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		from++
		b.send(stage, from+2, what(0, 0))
		runtime.GC()
		began, used := time.Now(), cpuTime()
		again := stage
		again.New = func() stream.Fold {
			return observe(stage.New(), func(int64) { took, cpu = took+time.Since(began), cpu+cpuTime()-used })
		}
		b.StartTimer()
		b.run(again, time.Hour, from+2)
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/restore")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/restore")
}

// send writes records to the input of a stage as the first stage above it, and then the marks of all of them.
func (b *bench) send(stage stream.Stage, now int64, records iter.Seq[*pb.Record]) {
	a := b.log.Appender(b.topic(stage.Input), 0)
	put := func(from pb.Stage, rec *pb.Record) {
		b.sent[from]++
		rec.Stage, rec.Epoch, rec.Seq = from, 1, b.sent[from]
		value, err := proto.Marshal(rec)
		if err != nil {
			b.Error(err)
		}
		a.Append(nil, value)
	}
	for rec := range records {
		put(stage.Upstreams[0], rec)
	}
	for _, from := range stage.Upstreams {
		put(from, &pb.Record{Body: &pb.Record_Mark{Mark: now}})
	}
	if _, err := a.Flush(b.Context()); err != nil {
		b.Error(err)
	}
}

// reports are an arrival and a position of each of a number of runs.
func reports(at int64, runs int) iter.Seq[*pb.Record] {
	return func(yield func(*pb.Record) bool) {
		for i := range runs {
			run := fmt.Sprintf("KTZ:%d:2026-03-01", i)
			arrived := &pb.Event{Verb: pb.Verb_ARRIVED, Place: "kz-altynkol", Data: &pb.Event_Movement{Movement: &pb.Movement{}}}
			position := &pb.Event{Verb: pb.Verb_POSITION, Data: &pb.Event_Position{Position: &pb.Position{LatE7: 441712000, LonE7: 802601000}}}
			for k, ev := range []*pb.Event{arrived, position} {
				ev.Source, ev.Id, ev.Subject, ev.UnitKind, ev.Time = "s", fmt.Sprint(run, k, at), run, pb.UnitKind_TRAIN, at
				ev.Hash = schemas.Hash(ev)
				if !yield(&pb.Record{Body: &pb.Record_Event{Event: ev}}) {
					return
				}
			}
		}
	}
}

// rides are visits of a train as they concern each of a number of containers.
func rides(at int64, containers int) iter.Seq[*pb.Record] {
	m := &pb.Moment{At: at, Basis: pb.Basis_REPORT, Earliest: at, Latest: at}
	return func(yield func(*pb.Record) bool) {
		for i := range containers {
			for _, place := range []string{"kz-altynkol", "kz-almaty1"} {
				if !yield(&pb.Record{Body: &pb.Record_Ride{Ride: &pb.Ride{
					Unit: fmt.Sprintf("MSCU%07d", i), UnitKind: pb.UnitKind_CONTAINER, Run: "KTZ:1:2026-03-01", RunKind: pb.UnitKind_TRAIN, OnFrom: at,
					Visit: &pb.Visit{Unit: "KTZ:1:2026-03-01", Place: place, N: 1, Stopped: true, Arrived: m, Departed: m, Entered: m, Left: m},
				}}}) {
					return
				}
			}
		}
	}
}
