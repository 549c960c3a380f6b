package intake_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const (
	prefix     = "t"
	partitions = 2
)

// TestFromFileToTopics runs the stage in its runtime over what a file brought in: everything is accounted for, and a reject comes
// in when it is sent again in good form.
func TestFromFileToTopics(t *testing.T) {
	log := newLog(t)
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	w := ingest.NewWriter(log, prefix, partitions)
	res, err := ingest.Files(t.Context(), w, ingest.Options{Paths: []string{"../../ingest/testdata/mixed.jsonl"}, DataTime: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		cfg := stream.Config{Log: log, Prefix: prefix, Partitions: partitions, Catalogue: cat.Hash()}
		done <- stream.Run(ctx, cfg, []stream.Stage{intake.Stage(cat, intake.Config{})})
	}()
	events := read(t, log, schemas.TrainEvents, res.LastTick)
	rejects := read(t, log, schemas.Rejects, res.LastTick)
	if got := int64(len(events) + len(rejects)); got != res.Read || len(rejects) != 4 {
		t.Errorf("%d events and %d rejects of %d read", len(events), len(rejects), res.Read)
	}
	var again *pb.Reject
	for _, rec := range rejects {
		if r := rec.GetReject(); r.Reason == schemas.UnknownPlace {
			again = r
		}
	}
	if again == nil || again.Source != "gps" || again.At == 0 {
		t.Fatalf("rejects: %v", rejects)
	}

	// Its place is put right, and it is sent again. It lies in the log as protobuf, as ingest had sent it.
	ev := new(pb.Event)
	if err := proto.Unmarshal(again.Value, ev); err != nil {
		t.Fatal(err)
	}
	ev.Place = "kz-altynkol"
	if again.Value, err = proto.Marshal(ev); err != nil {
		t.Fatal(err)
	}
	if err := w.Retry(again); err != nil {
		t.Fatal(err)
	}
	later := res.LastTick.Add(time.Minute)
	w.Tick(later.UnixMilli())
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(read(t, log, schemas.TrainEvents, later)); got != len(events)+1 {
		t.Errorf("%d events after the retry, want one more than %d", got, len(events))
	}
	last := read(t, log, schemas.Rejects, later)
	if len(last) != len(rejects)+1 || !accepted(last, again.Id) {
		t.Errorf("the retry of %s told %v", again.Id, last)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func accepted(recs []*pb.Record, id string) bool {
	for _, rec := range recs {
		r := rec.GetReject()
		if r.Id == id && r.AcceptedAt != 0 && r.Attempts == 2 && r.Reason == schemas.UnknownPlace && len(r.Value) > 0 {
			return true
		}
	}
	return false
}

func newLog(t *testing.T) *kafkalog.Client {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: cluster.ListenAddrs()})
	t.Cleanup(func() { log.Close() })
	var specs []kafkalog.TopicSpec
	for _, topic := range schemas.Topics {
		specs = append(specs, kafkalog.TopicSpec{Name: schemas.InKafka(prefix, topic.Name), Partitions: topic.Partitions(partitions), Replication: 1})
	}
	if err := log.CreateTopics(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	return log
}

// read returns the records of a topic before the mark of the given time, without the marks.
func read(t *testing.T, log *kafkalog.Client, topic string, until time.Time) (all []*pb.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for p := range partitions {
		r := log.Reader(schemas.InKafka(prefix, topic), p, 0)
		marks := map[uint32]bool{}
		// Every task writes into every partition of a topic between stages, and into its own of a result topic.
		wanted := partitions
		if topic == schemas.Rejects {
			wanted = 1
		}
		for len(marks) < wanted {
			b, err := r.Next(ctx)
			if err != nil {
				t.Fatalf("%s/%d: %v", topic, p, err)
			}
			for _, raw := range b.Records {
				rec := new(pb.Record)
				if err := proto.Unmarshal(raw.Value, rec); err != nil {
					t.Fatal(err)
				}
				if rec.GetMark() >= until.UnixMilli() {
					marks[rec.Task] = true
				} else if rec.GetMark() == 0 {
					all = append(all, rec)
					if e := rec.GetEvent(); e != nil && strings.TrimSpace(e.Subject) != string(raw.Key) {
						t.Errorf("key %q of %v", raw.Key, e)
					}
				}
			}
		}
	}
	return all
}
