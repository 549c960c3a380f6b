package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/internal/installation"
	"corridorwatch/processors/deliver"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
)

func embeddedCmd() *cobra.Command {
	var timeMode string
	cmd := &cobra.Command{
		Use:   "embedded",
		Short: "run only the embedded broker and ClickHouse engine, for 'process', 'sink' and 'live' as processes of their own",
		Long: "Runs only the embedded broker and ClickHouse engine, with an installation created in them, and leaves their addresses in\n" +
			"CORRIDORWATCH_DATA_DIR: 'process', 'sink' and 'live' with the same directory find them there. For trying the roles out.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeMode != installation.Wall && timeMode != installation.Data {
				return errors.New("--time is wall or data")
			}
			cfg, err := setup()
			if err != nil {
				return err
			}
			return embedded(cmd.Context(), cfg, timeMode, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&timeMode, "time", installation.Wall, "wall (the clock of 'live') or data (files: 'ingest' makes time pass)")
	return cmd
}

func embedded(ctx context.Context, cfg config, timeMode string, out io.Writer) (err error) {
	if len(cfg.Brokers) > 0 && cfg.ClickHouse != "" {
		return errors.New("CORRIDORWATCH_BROKERS and CORRIDORWATCH_CLICKHOUSE name others: nothing is left to run embedded")
	}
	n, err := startNode(ctx, cfg, timeMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if err := n.announce(""); err != nil {
		return err
	}
	n.banner(out, "")
	fmt.Fprint(out, "Start 'corridorwatch process', 'sink' and 'live', as many as you like.\nCtrl-C stops.\n")
	if n.told, err = n.cfg.channels(n.cat); err != nil {
		return err
	}
	jobs := n.watchEngine()
	if n.broker != nil {
		jobs = append(jobs, job{"retention", n.retainForOthers})
	}
	return runJobs(ctx, jobs)
}

// retainForOthers deletes what no process needs any more, as their checkpoints and the sink's stored offsets say.
func (n *node) retainForOthers(ctx context.Context) error {
	retention := installation.NewRetention(n.log, n.cfg.Prefix, names(n.told)...)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
		if err := errors.Join(n.askNeeds(ctx, retention), retention.Sweep(ctx)); err != nil && ctx.Err() == nil {
			slog.Warn("retention: nothing is lost, the log only grows until the next sweep", "err", err)
		}
	}
}

func (n *node) askNeeds(ctx context.Context, retention *installation.Retention) error {
	for _, stage := range n.stages(stageNames()) {
		for task := range n.cfg.Partitions {
			offset, known, err := stream.Needs(ctx, n.log, n.cfg.Prefix, n.cfg.Partitions, stage.Name, task)
			if err != nil {
				return fmt.Errorf("what %s/%d needs: %w", stage.Name, task, err)
			}
			if known {
				retention.StageNeeds(stage.Input, task, offset)
			}
		}
	}
	rows, err := n.cfg.queryRows(ctx, "SELECT topic, partition, next_offset FROM sink_offsets FINAL")
	if err != nil {
		return fmt.Errorf("what the sink has stored: %w", err)
	}
	for _, row := range rows {
		partition, err1 := strconv.Atoi(row[1])
		offset, err2 := strconv.ParseInt(row[2], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("what the sink has stored: %w", err)
		}
		retention.SinkStored(row[0], partition, offset)
	}
	return n.askChannels(ctx, retention)
}

// askChannels asks how far the channels have got: each commits it to its group. One that has not begun yet holds everything.
func (n *node) askChannels(ctx context.Context, retention *installation.Retention) error {
	topic := schemas.InKafka(n.cfg.Prefix, schemas.Alerts)
	all := map[string][]int{topic: nil}
	for p := range n.cfg.Partitions {
		all[topic] = append(all[topic], p)
	}
	for _, c := range n.told {
		committed, err := n.log.Committed(ctx, deliver.Group(n.cfg.Prefix, c.Name), all)
		if err != nil {
			return fmt.Errorf("what channel %s has delivered: %w", c.Name, err)
		}
		for p, offset := range committed[topic] {
			retention.ChannelNeeds(c.Name, p, offset)
		}
	}
	return nil
}
