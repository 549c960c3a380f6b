package stream_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

const (
	prefix     = "t"
	partitions = 2
)

// counter is the smallest stage with state: it counts events per subject and tells the counts when a round closes.
type counter struct {
	topic  string
	counts map[string]uint64
	dirty  map[string]bool
}

func newCounter(topic string) *counter {
	return &counter{topic: topic, counts: map[string]uint64{}, dirty: map[string]bool{}}
}

func (c *counter) Fold(in stream.In, out *stream.Out) {
	if in.Rec == nil { // the first stage: "tick 60000" or a subject
		word := string(in.Raw.Value)
		var t int64
		if _, err := fmt.Sscanf(word, "tick %d", &t); err == nil {
			out.Tick(t)
			return
		}
		out.Emit(c.topic, word, &pb.Record{Body: &pb.Record_Event{Event: &pb.Event{Subject: word}}})
		return
	}
	s := in.Rec.GetEvent().GetSubject()
	c.counts[s]++
	c.dirty[s] = true
}

func (c *counter) Advance(now int64, out *stream.Out) {
	keys := make([]string, 0, len(c.dirty))
	for k := range c.dirty {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		out.Emit(c.topic, k, &pb.Record{Body: &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{Run: k, SeenAt: int64(c.counts[k])}}})
	}
	c.dirty = map[string]bool{}
}

func (c *counter) Snapshot() ([]byte, error) {
	keys := make([]string, 0, len(c.counts))
	for k := range c.counts {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b []byte
	for _, k := range keys {
		b = binary.AppendUvarint(b, uint64(len(k)))
		b = append(b, k...)
		b = binary.AppendUvarint(b, c.counts[k]<<1|map[bool]uint64{true: 1}[c.dirty[k]])
	}
	return b, nil
}

func (c *counter) Restore(b []byte) error {
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		k := string(b[w : w+int(n)])
		b = b[w+int(n):]
		v, w := binary.Uvarint(b)
		b = b[w:]
		c.counts[k] = v >> 1
		if v&1 == 1 {
			c.dirty[k] = true
		}
	}
	return nil
}

func stages(logic string) []stream.Stage {
	return []stream.Stage{
		{Name: pb.Stage_INTAKE, Input: schemas.Intake, Outputs: []string{schemas.TrainEvents}, Logic: logic,
			New: func() stream.Fold { return newCounter(schemas.TrainEvents) }},
		{Name: pb.Stage_DWELL, Input: schemas.TrainEvents, Upstreams: []pb.Stage{pb.Stage_INTAKE}, Outputs: []string{schemas.TrainStatus}, Logic: logic,
			New: func() stream.Fold { return newCounter(schemas.TrainStatus) }},
	}
}

// world is a broker with the topics of a small installation.
type world struct {
	t       *testing.T
	log     *kafkalog.Client
	brokers []string
}

func newWorld(t *testing.T) *world {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: cluster.ListenAddrs()})
	t.Cleanup(func() { log.Close() })
	w := &world{t: t, log: log, brokers: cluster.ListenAddrs()}
	w.createTopics()
	return w
}

// createTopics creates those that are not there.
func (w *world) createTopics() {
	w.t.Helper()
	var specs []kafkalog.TopicSpec
	for _, topic := range schemas.Topics {
		specs = append(specs, kafkalog.TopicSpec{Name: schemas.InKafka(prefix, topic.Name), Partitions: topic.Partitions(partitions), Replication: 1})
	}
	if err := w.log.CreateTopics(w.t.Context(), specs); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) produce(partition int, words ...string) {
	a := w.log.Appender(schemas.InKafka(prefix, schemas.Intake), partition)
	for _, word := range words {
		a.Append(nil, []byte(word))
	}
	if _, err := a.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start(logic string) (stop func() error) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() {
		done <- stream.Run(ctx, stream.Config{Log: w.log, Prefix: prefix, Partitions: partitions, Catalogue: "c",
			CheckpointEvery: 100 * time.Millisecond}, stages(logic))
	}()
	return func() error { cancel(); return <-done }
}

// read returns every record of a topic's partition up to and with the mark `until` of each writer.
func (w *world) read(topic string, until int64) []*pb.Record {
	w.t.Helper()
	var all []*pb.Record
	for p := range partitions {
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
		defer cancel()
		r := w.log.Reader(schemas.InKafka(prefix, topic), p, 0)
		for marked := false; !marked; {
			b, err := r.Next(ctx)
			if err != nil {
				w.t.Fatalf("waiting for mark %d in %s/%d: %v", until, topic, p, err)
			}
			for _, raw := range b.Records {
				rec := new(pb.Record)
				if err := proto.Unmarshal(raw.Value, rec); err != nil {
					w.t.Fatal(err)
				}
				all = append(all, rec)
				marked = marked || rec.GetMark() >= until
			}
		}
	}
	return all
}

// table is what the keyed rows of a topic come to.
func table(recs []*pb.Record) string {
	last := map[string]*pb.Record{}
	for _, r := range recs {
		if s := r.GetTrainStatus(); s != nil {
			if old := last[s.Run]; old == nil || schemas.Version(r.Epoch, r.Seq) >= schemas.Version(old.Epoch, old.Seq) {
				last[s.Run] = r
			}
		}
	}
	var lines []string
	for k, r := range last {
		lines = append(lines, fmt.Sprintf("%s %d", k, r.GetTrainStatus().SeenAt))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

func TestStagesCountAndMark(t *testing.T) {
	w := newWorld(t)
	w.produce(0, "a", "b", "a", "tick 60000")
	w.produce(1, "a", "c", "tick 60000", "tick 30000")
	stop := w.start("v1")
	if got, want := table(w.read(schemas.TrainStatus, 60000)), "a 3\nb 1\nc 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestRestartGoesOn(t *testing.T) {
	w := newWorld(t)
	stop := w.start("v1")
	w.produce(0, "a", "b", "tick 60000")
	w.produce(1, "a", "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	w.produce(0, "a", "tick 120000")
	w.produce(1, "c", "tick 120000")
	stop = w.start("v1")
	recs := w.read(schemas.TrainStatus, 120000)
	if got, want := table(recs), "a 3\nb 1\nc 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	contiguous(t, recs)
}

// contiguous checks that nothing was sent twice under another number, nor a number left out.
func contiguous(t *testing.T, recs []*pb.Record) {
	t.Helper()
	last := map[uint32]uint64{}
	for _, r := range recs {
		if r.Seq > last[r.Task]+1 {
			t.Errorf("task %d: %d follows %d", r.Task, r.Seq, last[r.Task])
		}
		last[r.Task] = max(last[r.Task], r.Seq)
	}
}

func TestNewLogicOpensAnEpoch(t *testing.T) {
	w := newWorld(t)
	stop := w.start("v1")
	w.produce(0, "a", "tick 60000")
	w.produce(1, "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	stop = w.start("v2")
	w.produce(0, "a", "tick 120000")
	w.produce(1, "tick 120000")
	recs := w.read(schemas.TrainStatus, 120000)
	if got, want := table(recs), "a 2"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if e := recs[len(recs)-1].Epoch; e != 2 {
		t.Errorf("epoch %d, want 2", e)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func TestGapStopsTheTask(t *testing.T) {
	w := newWorld(t)
	a := w.log.Appender(schemas.InKafka(prefix, schemas.TrainEvents), 0)
	for _, seq := range []uint64{1, 2, 4} {
		value, err := proto.Marshal(&pb.Record{Stage: pb.Stage_INTAKE, Epoch: 1, Seq: seq, Body: &pb.Record_Event{Event: &pb.Event{Subject: "a"}}})
		if err != nil {
			t.Fatal(err)
		}
		a.Append([]byte("a"), value)
	}
	if _, err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := stream.Run(t.Context(), stream.Config{Log: w.log, Prefix: prefix, Partitions: partitions}, stages("v1")[1:])
	if err == nil || !strings.Contains(err.Error(), "sequence gap: task intake/0 epoch 1 sent 4 where 3 was due") {
		t.Errorf("got %v, want a sequence gap", err)
	}
}
