package sink_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

const benchRows = 400_000

// position is the i-th of the rows that both benchmarks insert.
func position(i int) *pb.Event {
	run := fmt.Sprintf("KTZ:7084-%03d-1306:2026-03-01", i%500)
	at := begin + int64(i/500)*60_000
	return fix(run, fmt.Sprintf("%s/%d", run, i), at, 44.2, 80.1+float64(i)/1e7, at, uint64(i)<<40).GetEvent()
}

// BenchmarkSink carries positions from an in-process broker into the engine: broker, sink and engine share the machine. cpu-s is what
// this process, with the broker in it, has used; the engine's is not in it.
func BenchmarkSink(b *testing.B) {
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for i := range benchRows {
			w.task(pb.Stage_INTAKE, i%partitions).write(schemas.TrainEvents, i%partitions, &pb.Record{Body: &pb.Record_Event{Event: position(i)}})
			if i%50_000 == 0 {
				w.flush()
			}
		}
		w.mark(begin)
		cfg := w.config()
		cfg.FlushEvery = time.Second
		before := cpu(b)
		b.StartTimer()
		r := start(b, cfg)
		w.passed(r, begin)
		b.StopTimer()
		spent += cpu(b) - before
		r.end()
		b.StartTimer()
	}
	report(b, spent)
}

// BenchmarkPlainInserts is the baseline: the same rows, already in memory, by the driver's Append row by row, 100,000 an insert.
func BenchmarkPlainInserts(b *testing.B) {
	var spent time.Duration
	ctx := context.Background()
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		events := make([]*pb.Event, benchRows)
		for i := range events {
			events[i] = position(i)
		}
		before := cpu(b)
		b.StartTimer()
		for len(events) > 0 {
			batch, err := w.conn.PrepareBatch(ctx, "INSERT INTO "+w.database+".train_events (source, id, verb, unit_kind, subject, time, offset_min, recorded_at, "+
				"ingested_at, accepted_at, late, classifier, place, hash, implied_by, known_at, deleted, lat_e7, lon_e7, speed_kmh)")
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range events[:100_000] {
				p := e.GetPosition()
				err := batch.Append(e.Source, e.Id, int8(e.Verb), int8(e.UnitKind), e.Subject, time.UnixMilli(e.Time), int16(e.OffsetMin),
					time.UnixMilli(e.RecordedAt), time.UnixMilli(e.IngestedAt), time.UnixMilli(e.AcceptedAt), e.Late, int8(e.Classifier), e.Place,
					e.Hash, e.ImpliedBy, time.UnixMilli(begin), uint8(0), p.LatE7, p.LonE7, *p.SpeedKmh)
				if err != nil {
					b.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				b.Fatal(err)
			}
			events = events[100_000:]
		}
		b.StopTimer()
		spent += cpu(b) - before
		b.StartTimer()
	}
	report(b, spent)
}

func report(b *testing.B, spent time.Duration) {
	rows := float64(b.N) * benchRows
	b.ReportMetric(rows/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(rows/spent.Seconds(), "rows/cpu-s")
}

// cpu is what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
