package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"corridorwatch/processors/sink"
)

// sinkHealth knows which partitions of this sink had to stop.
type sinkHealth struct {
	mu      sync.Mutex
	stopped map[string]error
}

func (h *sinkHealth) note(topic string, partition int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := fmt.Sprintf("%s/%d", topic, partition); err != nil {
		h.stopped[at] = fmt.Errorf("the sink stopped at %s: %w", at, err)
	} else {
		delete(h.stopped, at)
	}
}

func (h *sinkHealth) problem() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(slices.Collect(maps.Values(h.stopped))...)
}

func sinkCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "sink",
		Short: "carry an installation's events and results into ClickHouse, sharing the work with other such processes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := enter(cmd.Context())
			if err != nil {
				return err
			}
			defer m.log.Close()
			health := &sinkHealth{stopped: map[string]error{}}
			srv, err := m.serve(func(ctx context.Context) error { return errors.Join(m.answers(ctx, true), health.problem()) })
			if err != nil {
				return err
			}
			return runJobs(cmd.Context(), []job{
				{"http", srv.run},
				{"sink", func(ctx context.Context) error {
					return m.sink(ctx, sink.RunGroup, func(cfg *sink.Config) { cfg.Stopped, cfg.SessionTimeout = health.note, m.cfg.SessionTimeout })
				}},
			})
		},
	}
}
