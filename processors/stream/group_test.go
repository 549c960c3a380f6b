package stream_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// A second process gets its share, of which each task had been checkpointed; what stays keeps its state. When it stops the first takes
// its tasks back, from their checkpoints.
func TestHandOver(t *testing.T) {
	w := newWorld(t)
	first := w.launch("1", true, nil)
	w.produce(0, "a", "tick 60000")
	w.produce(1, "b", "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	if n := first.folds.Load(); n != partitions {
		t.Fatalf("%d ledgers, want %d", n, partitions)
	}
	second := w.launch("1", true, nil)
	w.until("both have a task", func() bool {
		return second.folds.Load() == 1 && second.health.Problem() == nil && first.health.Problem() == nil
	})
	w.produce(0, "a", "tick 120000")
	w.produce(1, "b", "tick 120000")
	w.read(schemas.TrainStatus, 120000)
	second.stop()
	w.produce(0, "a", "tick 180000")
	w.produce(1, "b", "tick 180000")
	recs := w.read(schemas.TrainStatus, 180000)
	sameRows(t, alive(recs), map[string]int64{"a1": 3, "b1": 3})
	contiguous(t, recs)
	if n := first.folds.Load(); n != partitions+1 {
		t.Errorf("the first process made %d states: the task it kept all the time must not be restored", n)
	}
	// It may have folded all this before the rebalance is over: stopped in the middle of it, it gives up the task that it kept.
	w.until("the first has both tasks", func() bool { return first.health.Problem() == nil })
	first.stop()
	for task := range partitions {
		all := w.controls(pb.Stage_DWELL, task)
		if c := all[len(all)-1]; c.GetSegment() == nil {
			t.Errorf("task %d was released without a checkpoint", task)
		}
	}
}

// A process that was paused in the middle, and wakes after another has taken over, changes nothing: neither at once nor when a later
// version asks whether the state is all that was ever told.
func TestWokenProcess(t *testing.T) {
	for _, point := range []string{"after-produce", "before-checkpoint"} {
		t.Run(point, func(t *testing.T) {
			w := newWorld(t)
			var mu sync.Mutex
			armed, paused, goOn := false, make(chan bool, 10), make(chan bool)
			sleeper := w.launch("1", false, func(cfg *stream.Config) {
				cfg.Failpoint = func(at string) {
					mu.Lock()
					wait := armed && at == point
					mu.Unlock()
					if wait {
						paused <- true
						<-goOn
					}
				}
			})
			w.produce(0, "a", "tick 60000")
			w.produce(1, "b", "tick 60000")
			w.read(schemas.TrainStatus, 60000)
			mu.Lock()
			armed = true
			mu.Unlock()
			w.produce(0, "a", "tick 120000")
			w.produce(1, "b", "tick 120000")
			for range partitions { // all of intake; dwell then has nothing to do, or pauses too
				<-paused
			}
			other := w.launch("1", true, nil)
			w.produce(0, "c", "tick 180000")
			w.produce(1, "c", "tick 180000")
			w.read(schemas.TrainStatus, 180000)
			mu.Lock()
			armed = false
			mu.Unlock()
			close(goOn)
			sleeper.fails("another process has taken up this task")
			w.produce(0, "a", "tick 240000")
			w.produce(1, "b", "tick 240000")
			recs := w.read(schemas.TrainStatus, 240000)
			sameRows(t, alive(recs), map[string]int64{"a1": 3, "b1": 3, "c1": 2})
			contiguous(t, recs)
			other.stop()
			p := w.launch("2", true, nil)
			w.produce(0, "tick 300000")
			w.produce(1, "tick 300000")
			sameRows(t, alive(w.read(schemas.TrainStatus, 300000)), map[string]int64{"a2": 3, "b2": 3, "c2": 2})
			p.stop()
		})
	}
}

// A gap stops the task it is in, which says so; the other tasks go on.
func TestGapStopsOneTask(t *testing.T) {
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	p := &process{w: w, health: stream.NewHealth(), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	p.cancel = cancel
	w.send(schemas.TrainEvents, 0, 1, 2, 4)
	w.send(schemas.TrainEvents, 1, 1, 2, 3)
	go func() {
		p.done <- stream.RunGroup(ctx, stream.Config{Log: w.log, Prefix: prefix, Partitions: partitions, Health: p.health, Metrics: stream.NewMetrics(reg)},
			ledgers("1", &p.folds)[1:])
	}()
	w.until("the task stops", func() bool { err := p.health.Problem(); return err != nil && strings.Contains(err.Error(), "stopped") })
	w.until("the other goes on", func() bool { return !strings.Contains(p.health.Problem().Error(), "dwell/1") })
	if err := p.health.Problem(); !strings.Contains(err.Error(), "task dwell/0 stopped: train-events/0 offset 2: sequence gap") ||
		!strings.Contains(err.Error(), "restore the topic or replay into a new prefix") {
		t.Errorf("got %v", err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			values[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	if values["corridorwatch_stage_gaps_total"] != 1 || values["corridorwatch_stage_stopped"] != 1 {
		t.Errorf("metrics: %v", values)
	}
	p.stop()
}

// send writes records of intake task 0 with the given numbers.
func (w *world) send(topic string, partition int, numbers ...uint64) {
	w.t.Helper()
	a := w.log.Appender(schemas.InKafka(prefix, topic), partition)
	for _, seq := range numbers {
		value, err := proto.Marshal(&pb.Record{Stage: pb.Stage_INTAKE, Epoch: 1, Seq: seq, Body: &pb.Record_Event{Event: &pb.Event{Subject: "a"}}})
		if err != nil {
			w.t.Fatal(err)
		}
		a.Append([]byte("a"), value)
	}
	if _, err := a.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// The offsets of the groups are for people: set to anything, or gone, they change nothing.
func TestOffsetsReset(t *testing.T) {
	for _, to := range []int64{0, 1 << 40} {
		w := newWorld(t)
		p := w.launch("1", true, nil)
		w.produce(0, "a", "tick 60000")
		w.produce(1, "b", "tick 60000")
		w.read(schemas.TrainStatus, 60000)
		p.stop()
		for _, stage := range stages("1") {
			w.commit(schemas.Group(prefix, stage.Name), schemas.InKafka(prefix, stage.Input), to)
		}
		p = w.launch("1", true, nil)
		w.produce(0, "a", "tick 120000")
		w.produce(1, "b", "tick 120000")
		recs := w.read(schemas.TrainStatus, 120000)
		sameRows(t, alive(recs), map[string]int64{"a1": 2, "b1": 2})
		contiguous(t, recs)
		p.stop()
	}
}

// commit sets the offsets of a group, as kafka-consumer-groups --reset-offsets does.
func (w *world) commit(group, topic string, offset int64) {
	w.t.Helper()
	client := kafka.Client{Addr: kafka.TCP(w.brokers...), Timeout: 10 * time.Second}
	var commits []kafka.OffsetCommit
	for p := range partitions {
		commits = append(commits, kafka.OffsetCommit{Partition: p, Offset: offset})
	}
	res, err := client.OffsetCommit(w.t.Context(), &kafka.OffsetCommitRequest{GroupID: group, GenerationID: -1, Topics: map[string][]kafka.OffsetCommit{topic: commits}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			w.t.Fatal(p.Error)
		}
	}
}
