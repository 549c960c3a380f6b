package main

import (
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/delay"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// BenchmarkDelayStage folds five days of a simulated world through all stages in memory, a tick a minute, with the delay stage and without
// it in turns. A core is a second of this process's CPU time.
func BenchmarkDelayStage(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	world, err := simulator.New(simulator.Config{Catalog: cat, Corridors: []string{"khorgos-aktau"}, Seed: 1,
		Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Duration: 5 * 24 * time.Hour, TrainsPerDay: 6, Interval: 5 * time.Minute, NoiseM: 10, Containers: true, Refusals: 0.05})
	if err != nil {
		b.Fatal(err)
	}
	type arrival struct {
		at    int64
		value []byte
	}
	var all []arrival
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		value, err := proto.Marshal(ev)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, arrival{ev.Time - ev.Time%minuteMS, value})
	}
	alerts := 0
	run := func(with bool) time.Duration {
		alerts = 0
		c := newChain(cat, delay.Defaults(), func(*pb.Alert) { alerts++ })
		if !with {
			c.delay = nil
		}
		began := processTime(b)
		for _, a := range all {
			if c.now == 0 || a.at > c.now {
				if err := c.tickTo(b.Context(), a.at); err != nil {
					b.Fatal(err)
				}
			}
			c.intake.Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: a.value}}, c.out(pb.Stage_INTAKE, c.now))
		}
		if err := c.tickTo(b.Context(), c.now+minuteMS); err != nil {
			b.Fatal(err)
		}
		return processTime(b) - began
	}
	var with, without time.Duration
	for b.Loop() {
		without += run(false)
		with += run(true)
	}
	if alerts == 0 {
		b.Error("the delay stage told of nothing")
	}
	events := float64(b.N * len(all))
	b.ReportMetric(events/without.Seconds(), "without/s/core")
	b.ReportMetric(events/with.Seconds(), "with/s/core")
	b.ReportMetric(with.Seconds()/without.Seconds(), "times")
	b.ReportMetric(float64(len(all)), "events")
}

// processTime is the CPU time of this process so far.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
