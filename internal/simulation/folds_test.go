package simulation

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/stream"
	"corridorwatch/processors/stream/foldtest"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

var (
	foldFlag = flag.Int("fold", 0, "print the digests of all logs, each state written and read again after so many events (set by the test itself)")
	logsFlag = flag.Int("logs", 60, "how many fuzzed logs to fold twice")
)

// TestFoldedTwice folds logs through all stages, here and in another process, where every state is written and read again now and
// then, whole and in pieces. Every record that comes out is the same, byte by byte and in the same order, and so are the last states.
func TestFoldedTwice(t *testing.T) {
	if *foldFlag > 0 {
		for _, name := range logNames() {
			log := logOf(t, name)
			every := *foldFlag
			switch {
			case len(log) < 10:
				every = 1
			case len(log) > 1000: // large states take long to write
				every = len(log) / 2
			}
			fmt.Printf("digest of %s: %s\n", name, digest(log, every))
		}
		return
	}
	args := []string{"-test.run=^TestFoldedTwice$", "-fold=7", fmt.Sprintf("-logs=%d", *logsFlag)}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	there, err := exec.CommandContext(t.Context(), os.Args[0], args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range logNames() {
		log := logOf(t, name)
		if line := fmt.Sprintf("digest of %s: %s\n", name, digest(log, 0)); !strings.Contains(string(there), line) {
			t.Errorf("%s: another process does not fold it to the same; the least that differs, for testdata/folds.txt: %s", name, shrinkLog(name, log))
		}
	}
}

// logNames are the logs: a simulated world, fuzzed ones, and those that once differed.
func logNames() (names []string) {
	if !testing.Short() {
		names = append(names, "world")
	}
	for seed := range *logsFlag {
		names = append(names, fmt.Sprintf("fuzzed %d", seed))
	}
	kept, err := os.ReadFile("testdata/folds.txt")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(string(kept), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") {
			names = append(names, line)
		}
	}
	return names
}

// logOf makes a log of its name: the values of an intake partition.
func logOf(t *testing.T, name string) [][]byte {
	if name == "world" {
		return worldLog(t)
	}
	w := strings.Fields(name)
	seed, err := strconv.ParseUint(w[1], 10, 64)
	if err != nil {
		t.Fatalf("log %q: %v", name, err)
	}
	log := fuzzedLog(seed)
	for _, n := range slices.Backward(w[2:]) { // "without" and what is left out, ascending
		if i, err := strconv.Atoi(n); err == nil {
			log = slices.Delete(log, i, i+1)
		}
	}
	return log
}

// worldLog is eight hours of two corridors, disturbed.
func worldLog(t *testing.T) (log [][]byte) {
	world, err := simulator.New(simulator.Config{
		Catalog: catalogue(), Corridors: []string{"khorgos-aktau", "middle-btk"}, Seed: 3, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Duration: 8 * time.Hour, NoiseM: 10, Containers: true, Duplicates: 0.05, ShuffleWithin: 10 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	var events []*pb.Event
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		events = append(events, ev)
	}
	return ticked(events)
}

// ticked is a log of events with a tick ahead of each that enters another minute, and one behind the last.
func ticked(events []*pb.Event) (log [][]byte) {
	tick := int64(0)
	put := func(ev *pb.Event) {
		value, err := proto.Marshal(ev)
		if err != nil {
			panic(err)
		}
		log = append(log, value)
	}
	for _, ev := range events {
		if minute := ev.Time / minuteMS * minuteMS; minute > tick {
			tick = minute
			put(&pb.Event{Source: "clock", Id: fmt.Sprint(tick), Verb: pb.Verb_TICK, Time: tick})
		}
		put(ev)
	}
	put(&pb.Event{Source: "clock", Id: "last", Verb: pb.Verb_TICK, Time: tick + minuteMS})
	return log
}

// fuzzedLog is the log of a small world in which some records are missing, repeated, moved, or changed in a field or in their bytes,
// and in which time jumps.
func fuzzedLog(seed uint64) [][]byte {
	rnd := rand.New(rand.NewPCG(seed, 4))
	events := newWorld(seed).events
	for range rnd.IntN(20) {
		i := rnd.IntN(len(events))
		ev := proto.Clone(events[i]).(*pb.Event)
		other := events[rnd.IntN(len(events))]
		switch rnd.IntN(8) {
		case 0:
			ev.Time += (rnd.Int64N(200) - 100) * stepMS
		case 1:
			ev.Place = other.Place
		case 2:
			ev.Subject, ev.UnitKind = other.Subject, other.UnitKind
		case 3:
			ev.Id = other.Id
		case 4:
			ev.RecordedAt += rnd.Int64N(3) - 1
		case 5:
			ev.Verb, ev.Data = other.Verb, other.Data
		case 6:
			ev.Classifier = pb.Classifier(rnd.IntN(3))
		case 7:
			ev.Time += 5 * 24 * 60 * minuteMS // time goes on for days
		}
		events = slices.Insert(events, rnd.IntN(len(events)), ev)
	}
	log := ticked(events)
	for range rnd.IntN(4) {
		at := rnd.IntN(len(log))
		broken := slices.Clone(log[at])
		broken[rnd.IntN(len(broken))] ^= 1 << rnd.IntN(8)
		log = slices.Insert(log, at, broken)
	}
	return log
}

// digest folds a log, each stage restarted after every so many records, and sums up what comes out.
func digest(log [][]byte, every int) string {
	c := &chain{}
	for _, s := range allStages() {
		c.folds = append(c.folds, foldtest.New(s, every))
	}
	for _, value := range log {
		c.take(value)
	}
	var sums []string
	for _, f := range c.folds {
		sums = append(sums, f.Digest())
	}
	return strings.Join(sums, "; ")
}

// chain is the stages one behind the other, with one partition each.
type chain struct {
	folds  []*foldtest.Fold
	now    int64
	offset int64
}

func (c *chain) take(value []byte) {
	ticked := int64(0)
	out := stream.NewOut(c.emit, func(t int64) { ticked = max(ticked, t) })
	c.folds[0].Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: value, Offset: c.offset}}, out)
	c.offset++
	if ticked > c.now {
		c.now = ticked
		for _, f := range c.folds {
			f.Advance(c.now, out)
		}
	}
}

func (c *chain) emit(topic, _ string, rec *pb.Record) {
	if next := map[string]int{schemas.TrainEvents: 1, schemas.UnitEvents: 2, schemas.AreaEvents: 3}[topic]; next > 0 {
		c.folds[next].Fold(stream.In{Now: c.now, Round: c.now, Rec: rec}, stream.NewOut(c.emit, func(int64) {}))
	}
}

// shrinkLog looks for the least of a log that is not folded to the same when states are written and read again, or just once more.
func shrinkLog(name string, log [][]byte) string {
	without := map[int]bool{}
	left := func() (kept [][]byte) {
		for i, value := range log {
			if !without[i] {
				kept = append(kept, value)
			}
		}
		return kept
	}
	differs := func() bool {
		l := left()
		want := digest(l, 0)
		return digest(l, 0) != want || digest(l, 1) != want || digest(l, 7) != want
	}
	if !differs() {
		return name + " (it differs between processes only)"
	}
	for size := len(log) / 2; size > 0; size /= 2 {
		for from := 0; from < len(log); from += size {
			before := maps.Clone(without)
			for i := from; i < min(from+size, len(log)); i++ {
				without[i] = true
			}
			if !differs() {
				without = before
			}
		}
	}
	name += " without"
	for _, i := range slices.Sorted(maps.Keys(without)) {
		name += " " + strconv.Itoa(i)
	}
	return name
}
