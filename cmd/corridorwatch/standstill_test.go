package main

import (
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

// TestStandstill: from positions through every stage to the alert. In a simulated world Khorgos stands still for a day, towards Kazakhstan,
// and nobody declares it: that is told of while it lasts, once, and ends when trains go on. Besides it nothing is told but what is in the
// undisturbed world of the same seed, where there is nothing about the border itself.
func TestStandstill(t *testing.T) {
	t.Parallel()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	const standstill = "nothing_moving|khorgos|khorgos|outbound|CN-KZ||"
	from := demoBegin.Add(6 * 24 * time.Hour)
	until := from.Add(24 * time.Hour)
	for seed := range uint64(2) {
		cfg := simulator.Config{Catalog: cat, Corridors: []string{"middle-poti"}, Seed: seed + 1, Start: demoBegin, Duration: 9 * 24 * time.Hour, Interval: 20 * time.Minute, NoiseM: 10,
			Lines: []simulator.Line{{Corridor: "middle-poti", First: "cn-jinghe", Last: "kz-almaty1", PerDay: 10}}}
		ordinary := map[string]bool{}
		for _, a := range alertsOf(t, cfg) {
			if ordinary[a.Fingerprint] = true; a.Unit == "" {
				t.Errorf("seed %d, undisturbed: %s", cfg.Seed, a.Summary)
			}
		}
		cfg.Restrictions = []simulator.Restriction{{Border: "khorgos", Direction: "CN-KZ", From: from, Until: until}}
		var told []*pb.Alert
		for _, a := range alertsOf(t, cfg) {
			switch {
			case a.Fingerprint == standstill:
				told = append(told, a)
			case !ordinary[a.Fingerprint]:
				t.Errorf("seed %d, told besides: %s", cfg.Seed, a.Summary)
			}
		}
		if len(told) < 2 || told[0].Updated > until.UnixMilli() || told[0].Updated < from.UnixMilli() || told[len(told)-1].Firing || told[len(told)-1].Revision != uint32(len(told)) ||
			told[len(told)-1].Resolved > until.Add(6*time.Hour).UnixMilli() {
			t.Errorf("seed %d: of the border that stands still was told %v", cfg.Seed, told)
			continue
		}
		t.Logf("seed %d: told %s after trains stopped, over %s after they went on; nothing else but %d ordinary alerts of single trains", cfg.Seed,
			time.UnixMilli(told[0].Updated).Sub(from), time.UnixMilli(told[len(told)-1].Resolved).Sub(until), len(ordinary))
	}
}

// alertsOf folds what a world sends, without what its railways declare, through all stages, and returns every version of every alert.
func alertsOf(t *testing.T, cfg simulator.Config) []*pb.Alert {
	t.Helper()
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var told []*pb.Alert
	c := newChain(cfg.Catalog, delay.Defaults(), func(a *pb.Alert) { told = append(told, a) })
	c.tick(cfg.Start.UnixMilli())
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		if ev.Verb == pb.Verb_RESTRICTION {
			continue
		}
		if err := c.tickTo(t.Context(), ev.Time/minuteMS*minuteMS); err != nil {
			t.Fatal(err)
		}
		value, err := proto.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		c.intake.Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: value}}, c.out(pb.Stage_INTAKE, c.now))
	}
	return told
}
