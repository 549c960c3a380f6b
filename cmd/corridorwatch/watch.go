package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"corridorwatch/internal/installation"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
)

const (
	lookEvery = 5 * time.Second
	// stuckAfter is how long records may wait in a partition while its consumer group does not move.
	stuckAfter = 2 * time.Minute
)

// watch looks at a whole installation from outside: at what its tasks and sinks leave in Kafka and ClickHouse, wherever they run.
type watch struct {
	*member
	stages []stream.Stage
	shards clickhouse.Shards

	stageTime, checkpointed, epoch, lag, marks *prometheus.GaugeVec

	moved map[consumed]standing

	mu      sync.Mutex // guards problem
	problem error
}

// consumed is a partition as a consumer group reads it.
type consumed struct {
	group, topic string
	partition    int
}

// standing is how far a group was, and since when.
type standing struct {
	offset int64
	since  time.Time
}

func newWatch(m *member) (*watch, error) {
	shards, err := clickhouse.OpenShards(m.cfg.clickhouse())
	if err != nil {
		return nil, err
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "corridorwatch_installation_" + name, Help: help}, labels)
		m.metrics.MustRegister(g)
		return g
	}
	return &watch{
		member: m, stages: m.stages(stageNames()), shards: shards, moved: map[consumed]standing{}, problem: errors.New("has not looked at the installation yet"),
		stageTime:    gauge("stage_time_seconds", "Stage time by the last mark a task wrote, seconds since 1970.", "stage", "task"),
		checkpointed: gauge("checkpoint_timestamp_seconds", "When a task last wrote to its checkpoints, seconds since 1970.", "stage", "task"),
		epoch:        gauge("epoch", "Epoch a task works in; it grows with each upgrade of logic or catalogue.", "stage", "task"),
		lag:          gauge("consumer_lag_records", "Records that a consumer group has not dealt with.", "group", "topic", "partition"),
		marks:        gauge("sink_mark_seconds", "Stage time up to which ClickHouse holds a partition, seconds since 1970.", "topic", "partition"),
	}, nil
}

// run looks again and again.
func (w *watch) run(ctx context.Context) error {
	defer w.shards.Close()
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, 6*lookEvery)
		problem := w.look(limited)
		cancel()
		w.mu.Lock()
		if was := w.problem; problem != nil && (was == nil || was.Error() != problem.Error()) && ctx.Err() == nil {
			slog.Warn("the installation is not well", "problem", problem)
		} else if was != nil && problem == nil {
			slog.Info("the installation is well")
		}
		w.problem = problem
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
	return nil
}

// ready tells what is wrong with the installation.
func (w *watch) ready(ctx context.Context) error {
	if err := w.answers(ctx, true); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problem
}

// look takes all the metrics anew and returns what is wrong.
func (w *watch) look(ctx context.Context) error {
	return errors.Join(w.lookAtTasks(ctx), w.lookAtGroups(ctx), w.lookAtTables(ctx))
}

func (w *watch) lookAtTasks(ctx context.Context) error {
	var all []error
	for _, stage := range w.stages {
		for i := range w.cfg.Partitions {
			s, err := stream.Look(ctx, w.log, w.cfg.Prefix, w.cfg.Partitions, stage, i)
			if err != nil {
				return fmt.Errorf("look at the tasks: %w", err)
			}
			name, task := schemas.StageName(stage.Name), strconv.Itoa(i)
			if s.Epoch == 0 {
				all = append(all, fmt.Errorf("no 'process' has taken up task %s/%d yet", name, i))
				continue
			}
			w.epoch.WithLabelValues(name, task).Set(float64(s.Epoch))
			w.checkpointed.WithLabelValues(name, task).Set(seconds(s.Checkpointed.UnixMilli()))
			if s.StageTime > 0 {
				w.stageTime.WithLabelValues(name, task).Set(seconds(s.StageTime))
			}
			if late := time.Since(time.UnixMilli(s.StageTime)); w.time == installation.Wall && late > frozenAfter {
				all = append(all, fmt.Errorf("stage time of %s/%d stands still: %s", name, i, behind(s.StageTime)))
			}
		}
	}
	return errors.Join(all...)
}

// behind says how far stage time lies behind the clock.
func behind(ms int64) string {
	if ms == 0 {
		return "it has not begun"
	}
	return time.Since(time.UnixMilli(ms)).Round(time.Second).String() + " behind the clock"
}

// groups are the consumer groups of an installation, and the topics they read.
func (w *watch) groups() map[string][]schemas.Topic {
	out := map[string][]schemas.Topic{}
	for _, t := range schemas.Topics {
		if sink.Sunk(t) {
			out[schemas.SinkGroup(w.cfg.Prefix)] = append(out[schemas.SinkGroup(w.cfg.Prefix)], t)
		}
		for _, stage := range w.stages {
			if stage.Input == t.Name {
				out[schemas.Group(w.cfg.Prefix, stage.Name)] = []schemas.Topic{t}
			}
		}
	}
	return out
}

// lookAtGroups compares what the groups have committed with the ends of the topics.
func (w *watch) lookAtGroups(ctx context.Context) error {
	var all []error
	for group, topics := range w.groups() {
		ask := map[string][]int{}
		for _, t := range topics {
			for p := range t.Partitions(w.cfg.Partitions) {
				name := schemas.InKafka(w.cfg.Prefix, t.Name)
				ask[name] = append(ask[name], p)
			}
		}
		committed, err := w.log.Committed(ctx, group, ask)
		if err != nil {
			return err
		}
		for topic, partitions := range ask {
			for _, p := range partitions {
				all = append(all, w.lookAtPartition(ctx, consumed{group, topic, p}, committed[topic]))
			}
		}
	}
	return errors.Join(all...)
}

func (w *watch) lookAtPartition(ctx context.Context, c consumed, committed map[int]int64) error {
	start, end, err := w.log.Offsets(ctx, c.topic, c.partition)
	if err != nil {
		return fmt.Errorf("look at %s/%d: %w", c.topic, c.partition, err)
	}
	offset, known := committed[c.partition]
	if !known {
		offset = start
	}
	return w.progressed(c, offset, end)
}

// progressed takes note of how far a group is in a partition; it is an error if it does not move though it has reason to.
func (w *watch) progressed(c consumed, offset, end int64) error {
	lag := max(0, end-offset)
	w.lag.WithLabelValues(c.group, c.topic, strconv.Itoa(c.partition)).Set(float64(lag))
	was, known := w.moved[c]
	if !known || was.offset != offset || lag == 0 {
		w.moved[c] = standing{offset, time.Now()}
		return nil
	}
	if stood := time.Since(was.since); stood > max(stuckAfter, 3*w.cfg.CheckpointEvery) {
		return fmt.Errorf("group %s does not move in %s/%d: %d records wait since %s; who has this partition logs why", c.group, c.topic, c.partition,
			lag, was.since.UTC().Format(time.TimeOnly))
	}
	return nil
}

// lookAtTables reads the marks that the sinks have stored.
func (w *watch) lookAtTables(ctx context.Context) error {
	marks, err := sink.Marks(ctx, w.shards, w.cfg.database(), w.cfg.Partitions)
	if err != nil {
		return err
	}
	var all []error
	for topic, lowest := range marks {
		for p, mark := range lowest {
			w.marks.WithLabelValues(topic, strconv.Itoa(p)).Set(seconds(mark))
			if w.time == installation.Wall && time.Since(time.UnixMilli(mark)) > stuckAfter {
				all = append(all, fmt.Errorf("the tables lack what %s/%d holds: %s; is a 'sink' running?", topic, p, behind(mark)))
			}
		}
	}
	return errors.Join(all...)
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }
