package corridorwatch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// asFolder in the environment makes the test binary print the digest of the world of TestFoldedTwice and nothing else.
const asFolder = "CORRIDORWATCH_TEST_FOLDER"

func TestMain(m *testing.M) {
	if os.Getenv(asFolder) != "" {
		digest, err := foldWorld()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(digest)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestFoldedTwice folds a disturbed world through all stages, here and in another process, cut by snapshots at other places: every
// record that comes out is the same, byte by byte and in the same order, and so are the last snapshots.
func TestFoldedTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("folds a whole world twice")
	}
	here, err := foldWorld()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asFolder+"=7777")
	there, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(there)); got != here {
		t.Errorf("another process gives\n%s\nthis one\n%s", got, here)
	}
}

// foldWorld folds a world; the number in asFolder is after how many events each state is written and read again, 0: never.
func foldWorld() (digest string, err error) {
	cat, err := network.Embedded()
	if err != nil {
		return "", err
	}
	world, err := simulator.New(simulator.Config{
		Catalog: cat, Corridors: []string{"khorgos-aktau", "middle-btk"}, Seed: 3, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Duration: 24 * time.Hour, NoiseM: 10, Containers: true, Duplicates: 0.05, ShuffleWithin: 10 * time.Minute,
	})
	if err != nil {
		return "", err
	}
	every := 0
	fmt.Sscan(os.Getenv(asFolder), &every)
	stages := []stream.Stage{intake.Stage(cat, intake.Config{}), dwell.Stage(cat), border.Stage(cat)}
	c := &chain{}
	for _, s := range stages {
		c.folds = append(c.folds, s.New())
	}
	tick := int64(0)
	for n := 1; ; n++ {
		ev, ok := world.Next()
		if !ok {
			break
		}
		if minute := ev.Time / 60_000 * 60_000; minute > tick {
			tick = minute
			c.take(&pb.Event{Source: "clock", Id: fmt.Sprint(tick), Verb: pb.Verb_TICK, Time: tick})
		}
		c.take(ev)
		if every > 0 && n%every == 0 {
			if err := c.restart(stages); err != nil {
				return "", err
			}
		}
	}
	c.take(&pb.Event{Source: "clock", Id: "last", Verb: pb.Verb_TICK, Time: tick + 60_000})
	out := fmt.Sprintf("%d records %s", c.records, hex.EncodeToString(c.digest()))
	for i, f := range c.folds {
		state, err := f.Snapshot()
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(state)
		out += fmt.Sprintf("\n%v state %d bytes %s", stages[i].Name, len(state), hex.EncodeToString(sum[:8]))
	}
	return out, nil
}

// chain is the stages one behind the other, with one partition each.
type chain struct {
	folds   []stream.Fold
	now     int64
	offset  int64
	records int
	sum     [sha256.Size]byte // of the sum before and the record
}

func (c *chain) digest() []byte { return c.sum[:] }

func (c *chain) take(ev *pb.Event) {
	value, err := proto.Marshal(ev)
	if err != nil {
		panic(err)
	}
	ticked := int64(0)
	out := stream.NewOut(c.emit, func(t int64) { ticked = t })
	c.folds[0].Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: value, Offset: c.offset}}, out)
	c.offset++
	if ticked > c.now {
		c.now = ticked
		for _, f := range c.folds {
			f.Advance(c.now, out)
		}
	}
}

func (c *chain) emit(topic, key string, rec *pb.Record) {
	rec.KnownAt = c.now
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
	if err != nil {
		panic(err)
	}
	c.records++
	c.sum = sha256.Sum256(append(append(c.sum[:], topic+"|"+key+"|"...), b...))
	next := map[string]int{schemas.TrainEvents: 1, schemas.UnitEvents: 2}[topic]
	if next > 0 {
		c.folds[next].Fold(stream.In{Now: c.now, Rec: rec}, stream.NewOut(c.emit, func(int64) {}))
	}
}

// restart writes every state and goes on with new folds that read it.
func (c *chain) restart(stages []stream.Stage) error {
	for i, f := range c.folds {
		state, err := f.Snapshot()
		if err != nil {
			return err
		}
		c.folds[i] = stages[i].New()
		if err := c.folds[i].Restore(state); err != nil {
			return fmt.Errorf("%v: %w", stages[i].Name, err)
		}
	}
	return nil
}
