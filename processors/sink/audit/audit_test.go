package audit

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// numbers are epoch and number of records of one task, and in which minute they were written.
type numbers [][3]uint64

// TestGaps: what the numbers of a task say about the log. Where it has lost something the audit says where and ends there, before it
// looks at any table.
func TestGaps(t *testing.T) {
	for _, c := range []struct {
		name    string
		written numbers
		line    string
	}{
		{"gap", numbers{{1, 1}, {1, 2}, {1, 4}, {1, 5}}, "visits/1 dwell/1 1 4 1 5 0 0 4 follows 2 at offset 2"},
		{"beginning", numbers{{1, 3}, {1, 4}}, "visits/1 dwell/1 1 2 3 4 0 0 begins with number 3 at offset 0"},
		{"epoch", numbers{{1, 1}, {2, 2}}, "visits/1 dwell/1 2 1 2 2 0 0 begins with number 2 at offset 1"},
		{"repeated, then a gap", numbers{{1, 1}, {1, 2}, {1, 1}, {1, 2}, {1, 3}, {2, 1}, {1, 4}, {2, 3}}, "visits/1 dwell/1 1 3 1 3 2 0 none"},
		{"superseded, then a gap", numbers{{1, 1}, {2, 1}, {1, 2}, {2, 3}}, "visits/1 dwell/1 2 2 1 3 0 1 3 follows 1 at offset 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			clean, err := Run(t.Context(), config(t, c.written), &out)
			if err != nil || clean {
				t.Errorf("clean %t, %v", clean, err)
			}
			var lines []string
			for line := range strings.Lines(out.String()) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			if said := strings.Join(lines, "\n"); !strings.Contains(said, c.line) || !strings.Contains(said, "WRONG: the topics have lost records") {
				t.Errorf("want %q in\n%s", c.line, said)
			}
		})
	}
}

// TestCutWhileRead: what retention deletes during an audit is not what the topics have lost. What is left is judged.
func TestCutWhileRead(t *testing.T) {
	cfg := config(t, numbers{{1, 1}, {1, 2}, {1, 3}, {1, 4, 1}, {1, 6, 1}})
	first, err := proto.Marshal(&pb.Record{Stage: pb.Stage_DWELL, Epoch: 1, Seq: 1, Body: &pb.Record_Mark{Mark: 1}})
	if err != nil {
		t.Fatal(err)
	}
	status := cfg.Log.Appender(schemas.InKafka("t", schemas.TrainStatus), 0) // is read before visits
	status.Append([]byte("key"), first)
	if _, err := status.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Progress = func(string, int64, int64) {
		if err := cfg.Log.DeleteRecords(t.Context(), schemas.InKafka("t", schemas.Visits), 1, 2); err != nil {
			t.Error(err)
		}
	}
	var out strings.Builder
	clean, err := Run(t.Context(), cfg, &out)
	if err != nil || clean || !strings.Contains(out.String(), "6 follows 4 at offset 4") || strings.Contains(out.String(), "offset 0") {
		t.Errorf("clean %t, %v\n%s", clean, err, out.String())
	}
}

// TestCutWhereTwoWrote: a process that was paused, and the one that took its task up, write the same numbers, each in order. What is left
// of that behind a cut has lost nothing, though numbers are not there.
func TestCutWhereTwoWrote(t *testing.T) {
	for _, c := range []struct {
		name    string
		written numbers
		before  int64 // what lies below this offset is deleted
		line    string
		whole   bool
		lowest  uint32 // epoch that is to be compared
	}{
		{"repeated first", numbers{{1, 1}, {1, 2}, {1, 3}, {1, 1}, {1, 4}, {1, 5}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}}, 3,
			"visits/1 dwell/1 1 4 1 6 4 0 none known: behind what was deleted 4 follows 1 at offset 4", true, 0},
		{"gave up before it came to what is new", numbers{{1, 1}, {1, 2}, {1, 3}, {1, 1}, {1, 4}, {1, 5}}, 3,
			"visits/1 dwell/1 1 3 1 5 0 0 none known: behind what was deleted 4 follows 1 at offset 4", true, 0},
		{"superseded first", numbers{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {2, 3}}, 2,
			"visits/1 dwell/1 2 2 2 3 0 0 none known: behind what was deleted begins with number 2 at offset 3", true, 2},
		{"what had been written before the pause comes late", numbers{{1, 1}, {1, 2}, {1, 3, 2}, {1, 1, 0}, {1, 4, 2}, {1, 5, 2}}, 3,
			"visits/1 dwell/1 1 3 1 5 0 0 none known: behind what was deleted 4 follows 1 at offset 4", true, 0},
		{"silent between", numbers{{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 2}, {1, 3}, {1, 5, 3}}, 4,
			"visits/1 dwell/1 1 3 2 5 0 0 none known: behind what was deleted 5 follows 3 at offset 6", true, 0},
		{"lost long after", numbers{{1, 1}, {1, 2}, {1, 3}, {1, 4, 1}, {1, 6, 1}}, 2, "visits/1 dwell/1 1 3 3 6 0 0 6 follows 4 at offset 4", false, 0},
		{"lost twice", numbers{{1, 1}, {1, 2}, {1, 5}, {1, 7}}, 1, "visits/1 dwell/1 1 3 2 7 0 0 7 follows 5 at offset 3", false, 0},
		{"epoch lost long after", numbers{{1, 1}, {1, 2}, {1, 3, 1}, {2, 2, 1}}, 1, "visits/1 dwell/1 2 1 2 2 0 0 begins with number 2 at offset 3", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(t, c.written)
			if err := cfg.Log.DeleteRecords(t.Context(), schemas.InKafka("t", schemas.Visits), 1, c.before); err != nil {
				t.Fatal(err)
			}
			all, err := cfg.extents(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			runs, err := cfg.sequences(t.Context(), all)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			whole, err := printRuns(&out, runs)
			if said := strings.Join(strings.Fields(out.String()), " "); err != nil || whole != c.whole || !strings.HasSuffix(said, c.line) {
				t.Errorf("whole %t, %v; want %q in\n%s", whole, err, c.line, said)
			}
			if lowest := epochs(runs)[sink.Sender{Topic: schemas.Visits, Partition: 1, Stage: pb.Stage_DWELL, Task: 1}]; lowest != c.lowest {
				t.Errorf("epochs from %d on are compared, want %d", lowest, c.lowest)
			}
		})
	}
}

func config(t *testing.T, written numbers) Config {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: broker.ListenAddrs(), ClientID: "test", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { log.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var specs []kafkalog.TopicSpec
	for _, topic := range schemas.Topics {
		specs = append(specs, kafkalog.TopicSpec{Name: schemas.InKafka("t", topic.Name), Partitions: topic.Partitions(2), Replication: 1})
	}
	if err := log.CreateTopics(ctx, specs); err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-time.Hour)
	var records []kafka.Record
	for _, n := range written {
		b, err := proto.Marshal(&pb.Record{Stage: pb.Stage_DWELL, Task: 1, Epoch: uint32(n[0]), Seq: n[1], Body: &pb.Record_Mark{Mark: 1}})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, kafka.Record{Time: began.Add(time.Duration(n[2]) * time.Minute), Key: kafka.NewBytes([]byte("key")), Value: kafka.NewBytes(b)})
	}
	client := &kafka.Client{Addr: kafka.TCP(broker.ListenAddrs()...)}
	_, err = client.Produce(ctx, &kafka.ProduceRequest{
		Topic: schemas.InKafka("t", schemas.Visits), Partition: 1, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Log: log, Prefix: "t", Partitions: 2, Progress: func(string, int64, int64) {}, Logger: slog.New(slog.DiscardHandler),
	}
}
