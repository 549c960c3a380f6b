package installation

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// Retention bounds the growth of an embedded broker: it deletes the records that lie below what every reader still needs. A stage
// needs its input from its second-last checkpoint on, the sink needs a topic from the offset it has stored on, a channel the alerts that
// it has not delivered.
type Retention struct {
	log      *kafkalog.Client
	prefix   string
	channels []string // that are told of alerts

	mu     sync.Mutex // guards needed
	needed map[place]map[string]int64
}

type place struct {
	topic     string
	partition int
}

// Readers of the topics by stage; the sink reads everything that has a table.
const sinkReader = "sink"

func (r *Retention) readers(topic string) []string {
	switch topic {
	case schemas.Alerts:
		all := []string{sinkReader}
		for _, c := range r.channels {
			all = append(all, channelReader(c))
		}
		return all
	case schemas.Intake, schemas.AreaEvents:
		return []string{"stage"}
	case schemas.TrainEvents, schemas.UnitEvents:
		return []string{"stage", sinkReader}
	case schemas.Checkpoints, schemas.Installation:
		return nil // checkpoints are pruned by their task
	}
	return []string{sinkReader}
}

func channelReader(name string) string { return "channel " + name }

// NewRetention deletes nothing until Run is called. channels are those that are told of alerts.
func NewRetention(log *kafkalog.Client, prefix string, channels ...string) *Retention {
	return &Retention{log: log, prefix: prefix, channels: channels, needed: map[place]map[string]int64{}}
}

// StageNeeds takes note from where on a stage needs its input.
func (r *Retention) StageNeeds(topic string, partition int, offset int64) {
	r.set("stage", topic, partition, offset)
}

// SinkStored takes note up to where the sink has stored a topic.
func (r *Retention) SinkStored(topic string, partition int, offset int64) {
	r.set(sinkReader, topic, partition, offset)
}

// ChannelNeeds takes note from where on a channel needs the alerts.
func (r *Retention) ChannelNeeds(channel string, partition int, offset int64) {
	r.set(channelReader(channel), schemas.Alerts, partition, offset)
}

func (r *Retention) set(reader, topic string, partition int, offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := place{topic, partition}
	if r.needed[p] == nil {
		r.needed[p] = map[string]int64{}
	}
	r.needed[p][reader] = offset
}

// Run sweeps each time `every` has passed, until ctx ends.
func (r *Retention) Run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := r.Sweep(ctx); err != nil && ctx.Err() == nil {
				slog.Warn("retention: nothing is lost, the log only grows until the next sweep", "err", err)
			}
		}
	}
}

// Sweep deletes once what no reader needs.
func (r *Retention) Sweep(ctx context.Context) error {
	for p, before := range r.deletable() {
		topic := schemas.InKafka(r.prefix, p.topic)
		start, end, err := r.log.Offsets(ctx, topic, p.partition)
		if err != nil {
			return fmt.Errorf("look at %s/%d: %w", p.topic, p.partition, err)
		}
		// Never to the end: an emptied partition would begin again at offset 0 after a restart.
		if before = min(before, end-1); before <= start {
			continue
		}
		if err := r.log.DeleteRecords(ctx, topic, p.partition, before); err != nil {
			return fmt.Errorf("delete %s/%d before %d: %w", p.topic, p.partition, before, err)
		}
	}
	return nil
}

// deletable is the minimum over all readers of a partition, where each has said what it needs.
func (r *Retention) deletable() map[place]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[place]int64{}
	for p, needs := range r.needed {
		expected := r.readers(p.topic)
		if len(expected) == 0 || len(needs) < len(expected) {
			continue
		}
		lowest := needs[expected[0]]
		for _, n := range needs {
			lowest = min(lowest, n)
		}
		out[p] = lowest
	}
	return out
}
