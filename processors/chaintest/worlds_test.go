package chaintest

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/processors/intake"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var (
	worlds = flag.Uint64("worlds", 2, "how many simulated worlds to try")
	first  = flag.Uint64("world", 1, "seed of the first world")
)

// world is one simulated world: its events in order of time, and what really happened.
type world struct {
	cfg    simulator.Config
	events []*pb.Event
	truth  *simulator.Truth
}

// pairs of corridors that the worlds take in turns.
var corridors = [][]string{{"khorgos-aktau", "middle-btk"}, {"northern"}, {"southern-uzbekistan", "middle-poti"}, {"northern-dostyk"}}

func newWorld(t *testing.T, cat *network.Catalog, seed uint64) *world {
	w := &world{cfg: simulator.Config{
		Catalog: cat, Corridors: chosen(cat, seed), Seed: seed, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Duration: 2 * 24 * time.Hour,
		TrainsPerDay: 1, Interval: 3 * time.Minute, NoiseM: 5, Refusals: 0.1,
	}}
	sim, err := simulator.New(w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	for ev, ok := sim.Next(); ok; ev, ok = sim.Next() {
		w.events = append(w.events, ev)
	}
	w.truth = sim.Truth()
	return w
}

// chosen are the corridors of a world that the catalogue has.
func chosen(cat *network.Catalog, seed uint64) (ids []string) {
	for _, id := range corridors[seed%uint64(len(corridors))] {
		if slices.ContainsFunc(cat.Corridors, func(k *network.Corridor) bool { return k.ID == id }) {
			ids = append(ids, id)
		}
	}
	return ids
}

const lateness = 72 * time.Hour

// TestWorlds disturbs simulated worlds: 20 % of the events are lost, positions jitter, one in a thousand lies elsewhere, trackers have
// gaps of an hour. What is left arrives in order of time; delayed by up to the lateness, 30 % twice, with restarts; and once more
// otherwise. What comes out is the same each time, and is what really happened (judge_test.go). -worlds=50 tries more.
func TestWorlds(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	total := &verdict{}
	for seed := *first; seed < *first+*worlds; seed++ {
		w := newWorld(t, cat, seed)
		d := Disturbance{Loss: 0.2, JitterM: 15, Spikes: 0.001, GapEvery: 12 * time.Hour, GapLength: time.Hour}
		arrived := Disturb(w.events, seed, d)
		end := w.cfg.Start.Add(w.cfg.Duration + lateness).UnixMilli()
		chain := w.play(cat, arrived, end, 0)
		want := dump(chain)
		for _, o := range []struct {
			within time.Duration
			every  int
		}{{lateness - time.Hour, len(arrived) / 3}, {6 * time.Hour, 0}} {
			d.Within, d.Duplicates = o.within, 0.3
			if got := dump(w.play(cat, Disturb(w.events, seed, d), end, o.every)); !bytes.Equal(got, want) {
				t.Errorf("world %d, delays up to %s: other results:%s", seed, o.within, difference(want, got))
			}
		}
		v := judge(cat, w, arrived, chain)
		total.add(v)
		if testing.Verbose() {
			t.Logf("world %d, %d events\n%s", seed, len(arrived), v.table())
		}
	}
	t.Logf("\n%s", total.table())
	if err := total.err(); err != nil {
		t.Error(err)
	}
}

// play folds what arrives, with ticks each two hours, until everything that can arrive has.
func (w *world) play(cat *network.Catalog, arrived []Arrival, end int64, every int) *Chain {
	c := New(cat, intake.Config{}, every)
	const step = 2 * 3_600_000
	now := w.cfg.Start.UnixMilli()
	c.Tick(now)
	for _, a := range arrived {
		if a.At >= now+step {
			now = a.At / step * step
			c.Tick(now)
		}
		value, err := proto.Marshal(a.Ev)
		if err != nil {
			panic(err)
		}
		c.Put(value)
	}
	c.Tick(end)
	return c
}

// dump writes all results.
func dump(c *Chain) []byte {
	var b bytes.Buffer
	put := func(m proto.Message) {
		text, err := prototext.MarshalOptions{}.Marshal(m)
		if err != nil {
			panic(err)
		}
		b.Write(bytes.ReplaceAll(text, []byte("  "), []byte(" "))) // prototext spaces at random
		b.WriteByte('\n')
	}
	for _, v := range c.Visits() {
		put(v)
	}
	for _, l := range c.Legs() {
		put(l)
	}
	for _, x := range c.Crossings() {
		put(x)
	}
	for _, s := range c.Statuses() {
		put(s)
	}
	return b.Bytes()
}

// difference shows the first lines that differ.
func difference(want, got []byte) string {
	a, b := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return fmt.Sprintf("\nin order\n%s\nnow\n%s", a[i], b[i])
		}
	}
	return fmt.Sprintf(" %d rows, in order %d", len(b), len(a))
}
