package sink

import (
	"context"
	"fmt"
	"strings"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// RunGroup is Run for as many processes as wanted: they share the partitions by a consumer group, until ctx ends or the group cannot
// be joined. In a rebalance a process stops reading, stores what it has gathered and how far it is, and only then are its partitions
// given to others, who take up what is stored. A partition that must stop (its log has lost something) stops alone: the others go
// on, and Stopped tells.
func RunGroup(ctx context.Context, cfg Config) error {
	w := newWorker(cfg)
	w.shared, w.cfg.FromStart = true, false
	var topics []string
	for _, t := range schemas.Topics {
		if Sunk(t) {
			topics = append(topics, schemas.InKafka(cfg.Prefix, t.Name))
		}
	}
	err := cfg.Log.Join(ctx, kafkalog.GroupConfig{
		ID: schemas.SinkGroup(cfg.Prefix), Topics: topics, SessionTimeout: cfg.SessionTimeout,
	}, w.generation)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return nil
}

// generation works on what this process is given until the next rebalance.
func (w *worker) generation(ctx context.Context, g kafkalog.Generation) error {
	w.lag.As(g.ID, g.Member)
	var places []place
	for topic, partitions := range g.Partitions {
		for _, p := range partitions {
			places = append(places, place{strings.TrimPrefix(topic, w.cfg.Prefix+"."), p})
		}
	}
	w.cfg.Logger.Info("sink: partitions of this process", "partitions", len(places), "generation", g.ID)
	defer w.metrics.released(places)
	if err := w.work(ctx, places); err != nil {
		return err
	}
	<-ctx.Done() // there may be nothing to do
	w.cfg.hit("in-rebalance")
	return nil
}

// halt keeps a partition from going on until the generation ends.
func (w *worker) halt(ctx context.Context, at place, err error) {
	w.cfg.Logger.Error("sink: partition stopped; the others go on", "topic", at.topic, "partition", at.partition, "err", err)
	w.metrics.halted(at, true)
	if w.cfg.Stopped == nil {
		return
	}
	w.cfg.Stopped(at.topic, at.partition, err)
	context.AfterFunc(ctx, func() { w.cfg.Stopped(at.topic, at.partition, nil) })
}
