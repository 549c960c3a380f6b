package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// TestReplayKeepsTimes replays random histories into other partition counts, stopped at random places and begun again: every record is
// there, first accepted under the tick under which it was accepted before, and the last tick is the same.
func TestReplayKeepsTimes(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: cluster.ListenAddrs()})
	t.Cleanup(func() { log.Close() })
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		from, to := fmt.Sprintf("from%d", seed), fmt.Sprintf("to%d", seed)
		oldParts, newParts := 1+rnd.IntN(4), 1+rnd.IntN(6)
		create(t, log, from, oldParts)
		create(t, log, to, newParts)
		history(t, log, from, oldParts, rnd)
		want, last := acceptedAt(t, log, from, oldParts)
		for stopped := true; stopped; {
			ctx, stop := context.WithCancel(t.Context())
			r := &Replay{Log: log, Prefix: from, Partitions: oldParts, To: NewWriter(log, to, newParts)}
			n := rnd.IntN(400)
			err := r.run(ctx, 0, func() {
				if n--; n == 0 {
					breakOff(t, r.To, rnd)
					stop()
				}
			})
			if stopped = errors.Is(err, context.Canceled); err != nil && !stopped {
				t.Fatalf("seed %d: %v", seed, err)
			}
			stop()
		}
		got, lastHere := acceptedAt(t, log, to, newParts)
		if !maps.Equal(got, want) || lastHere != last {
			t.Fatalf("seed %d: last tick %d, want %d\ngot  %v\nwant %v", seed, lastHere, last, got, want)
		}
	}
}

// breakOff lets a writer die: what it had buffered is sent or not.
func breakOff(t *testing.T, w *Writer, rnd *rand.Rand) {
	t.Helper()
	if rnd.IntN(3) == 0 {
		return
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, log *kafkalog.Client, prefix string, partitions int) {
	t.Helper()
	spec := kafkalog.TopicSpec{Name: schemas.InKafka(prefix, schemas.Intake), Partitions: partitions, Replication: 1}
	if err := log.CreateTopics(t.Context(), []kafkalog.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
}

// history writes ticks into every partition, at times that may lie hours or milliseconds apart, and records anywhere between them.
func history(t *testing.T, log *kafkalog.Client, prefix string, partitions int, rnd *rand.Rand) {
	t.Helper()
	w := NewWriter(log, prefix, partitions)
	at := int64(1_700_000_000_000)
	for i := range 300 {
		switch rnd.IntN(4) {
		case 0:
			at += []int64{1, 1000, 60_000, 7_200_000}[rnd.IntN(4)]
			w.Tick(at)
		case 1:
			w.Reject(fmt.Appendf(nil, "bytes %d", i), "text/plain", nil)
		default:
			w.Event(&pb.Event{Source: "s", Id: fmt.Sprint(i), Subject: fmt.Sprint("T", rnd.IntN(9)), Verb: pb.Verb_ARRIVED, Time: at})
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// acceptedAt is the tick before the first appearance of every record, and the last tick that all partitions have.
func acceptedAt(t *testing.T, log *kafkalog.Client, prefix string, partitions int) (map[string]int64, int64) {
	t.Helper()
	all, ticks := map[string]int64{}, make([]int64, partitions)
	for p := range partitions {
		topic := schemas.InKafka(prefix, schemas.Intake)
		_, end, err := log.Offsets(t.Context(), topic, p)
		if err != nil {
			t.Fatal(err)
		}
		for r := log.Reader(topic, p, 0); r.Offset() < end; {
			batch, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range batch.Records {
				if tick, ok := tickTime(rec.Value); ok {
					ticks[p] = max(ticks[p], tick)
					continue
				}
				name := string(rec.Value)
				if ev := new(pb.Event); proto.Unmarshal(rec.Value, ev) == nil && ev.Id != "" {
					name = ev.Id
				}
				if first, there := all[name]; !there || ticks[p] < first {
					all[name] = ticks[p]
				}
			}
		}
	}
	return all, slices.Min(ticks)
}

// TestReplayFromCutTopic: a topic without its beginning is refused, with the time from which on it is there.
func TestReplayFromCutTopic(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: cluster.ListenAddrs()})
	t.Cleanup(func() { log.Close() })
	create(t, log, "from", 2)
	create(t, log, "to", 2)
	history(t, log, "from", 2, rand.New(rand.NewPCG(1, 1)))
	if err := log.DeleteRecords(t.Context(), "from.intake", 1, 20); err != nil {
		t.Fatal(err)
	}
	r := &Replay{Log: log, Prefix: "from", Partitions: 2, To: NewWriter(log, "to", 2)}
	if err := r.Run(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "from.intake/1 begins at offset 20: what was sent before 2023-11-1") {
		t.Error(err)
	}
}
