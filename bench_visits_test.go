package corridorwatch_test

import (
	"fmt"
	"testing"
	"time"

	"corridorwatch/ingest"
	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
)

// trainEvents sends a world through intake and returns what intake made of it, and the last tick.
func trainEvents(b *testing.B, log *kafkalog.Client, cat *network.Catalog) (all logged, last int64) {
	world, err := simulator.New(simulator.Config{Catalog: cat, Corridors: []string{"khorgos-aktau", "middle-btk"}, Seed: 1,
		Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Duration: 12 * time.Hour, TrainsPerDay: 6, NoiseM: 10, Containers: true})
	if err != nil {
		b.Fatal(err)
	}
	in := newBench(b, log, "world", benchPartitions)
	w := ingest.NewWriter(log, in.prefix, benchPartitions)
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		if minute := ev.Time / 60_000 * 60_000; minute > last {
			last = minute
			w.Tick(last)
		}
		w.Event(ev)
		if err := w.FlushIfFull(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	in.run(intake.Stage(cat, intake.Config{}), time.Hour, last)
	return in.read(schemas.TrainEvents), last
}

// BenchmarkVisits runs the dwell stage, from train-events in the log to acknowledged visits, over a simulated world, by how often
// it checkpoints. One core is a second of this process's CPU time; the broker is another process.
func BenchmarkVisits(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	log := benchLog(b)
	world, last := trainEvents(b, log, cat)
	events := 0
	for p := range world {
		events += len(world[p])
	}
	n := 0
	for _, every := range []time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second, time.Hour} {
		name := fmt.Sprint("checkpoints=", every)
		if every == time.Hour {
			name = "checkpoints=none"
		}
		b.Run(name, func(b *testing.B) {
			var took, cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				n++
				in := newBench(b, log, fmt.Sprint("visits", n), benchPartitions)
				in.write(schemas.TrainEvents, world)
				began, used := time.Now(), cpuTime()
				b.StartTimer()
				in.run(dwell.Stage(cat), every, last)
				took, cpu = took+time.Since(began), cpu+cpuTime()-used
			}
			b.ReportMetric(float64(b.N*events)/took.Seconds(), "events/s")
			b.ReportMetric(float64(b.N*events)/cpu.Seconds(), "events/s/core")
		})
	}
}
