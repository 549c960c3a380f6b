package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/stream"
)

func processCmd() *cobra.Command {
	var stages []string
	cmd := &cobra.Command{
		Use:   "process",
		Short: "run stages of an installation, sharing their tasks with other such processes",
		Long: "Runs stages of an installation that 'topics apply' or 'embedded' has created. Start as many as you like, at most one a partition is\n" +
			"of use: they share the tasks by a consumer group a stage, and take over what one that ended has left.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range stages {
				if !slices.Contains(stageNames(), s) {
					return fmt.Errorf("--stages %s: choose among %s", s, strings.Join(stageNames(), ", "))
				}
			}
			m, err := enter(cmd.Context())
			if err != nil {
				return err
			}
			defer m.log.Close()
			return m.process(cmd.Context(), stages)
		},
	}
	cmd.Flags().StringSliceVar(&stages, "stages", stageNames(), "which")
	return cmd
}

func (m *member) process(ctx context.Context, stages []string) error {
	cfg := m.streamConfig()
	cfg.Health = stream.NewHealth()
	if isTerminal(os.Stderr) {
		cfg.Progress = bars()
	}
	srv, err := m.serve(func(ctx context.Context) error {
		if err := m.answers(ctx, false); err != nil {
			return err
		}
		if err := cfg.Health.Problem(); err != nil || m.time != installation.Wall {
			return err
		}
		return frozen(m.metrics)
	})
	if err != nil {
		return err
	}
	return runJobs(ctx, []job{
		{"http", srv.run},
		{"stages", func(ctx context.Context) error { return stream.RunGroup(ctx, cfg, m.stages(stages)) }},
	})
}

// bars shows each long piece of work as a bar.
func bars() func(what, stage string, task int, done, total int64) {
	var mu sync.Mutex
	shown := map[string]*progress.Bar{}
	return func(what, stage string, task int, done, total int64) {
		name := fmt.Sprintf("%s %s/%d", what, stage, task)
		mu.Lock()
		defer mu.Unlock()
		bar := shown[name]
		if bar == nil {
			bar = progress.New(os.Stderr, name, "records", total)
			shown[name] = bar
		}
		bar.Set(done, "")
		if done >= total {
			bar.Done()
			delete(shown, name)
		}
	}
}
