package audit_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink/audit"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// numbers are epoch and number of records of one task.
type numbers [][2]uint64

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
			clean, err := audit.Run(t.Context(), config(t, c.written), &out)
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
	cfg := config(t, numbers{{1, 1}, {1, 2}, {1, 3}, {1, 5}})
	status := cfg.Log.Appender(schemas.InKafka("t", schemas.TrainStatus), 0) // is read before visits
	status.Append([]byte("key"), []byte{})
	if _, err := status.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Progress = func(string, int64, int64) {
		if err := cfg.Log.DeleteRecords(t.Context(), schemas.InKafka("t", schemas.Visits), 1, 2); err != nil {
			t.Error(err)
		}
	}
	var out strings.Builder
	clean, err := audit.Run(t.Context(), cfg, &out)
	if err != nil || clean || !strings.Contains(out.String(), "5 follows 3 at offset 3") {
		t.Errorf("clean %t, %v\n%s", clean, err, out.String())
	}
}

func config(t *testing.T, written numbers) audit.Config {
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
	to := log.Appender(schemas.InKafka("t", schemas.Visits), 1)
	for _, n := range written {
		b, err := proto.Marshal(&pb.Record{Stage: pb.Stage_DWELL, Task: 1, Epoch: uint32(n[0]), Seq: n[1], Body: &pb.Record_Mark{Mark: 1}})
		if err != nil {
			t.Fatal(err)
		}
		to.Append([]byte("key"), b)
	}
	if _, err := to.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return audit.Config{
		Log: log, Prefix: "t", Partitions: 2, Progress: func(string, int64, int64) {}, Logger: slog.New(slog.DiscardHandler),
	}
}
