package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/internal/installation"
)

func upCmd() *cobra.Command {
	var timeMode string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "run everything embedded (broker, ClickHouse engine, stages, sink) and wait for your events",
		Long: "Runs everything embedded and waits for your events. With CORRIDORWATCH_BROKERS or CORRIDORWATCH_CLICKHOUSE set it uses those\n" +
			"instead of its own broker and engine. Time passes by the clock, or with --time data by what 'ingest' sends,\n" +
			"which is then the one producer of time: for files of the past. Not for production.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if timeMode != installation.Wall && timeMode != installation.Data {
				return errors.New("--time is wall or data")
			}
			cfg, err := setup()
			if err != nil {
				return err
			}
			return up(cmd.Context(), cfg, timeMode, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&timeMode, "time", installation.Wall, "wall (a clock) or data (files: 'ingest' makes time pass)")
	return cmd
}

func up(ctx context.Context, cfg config, timeMode string, out io.Writer) (err error) {
	n, err := startNode(ctx, cfg, timeMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if n.told, err = n.cfg.channels(n.cat); err != nil {
		return err
	}
	feeds, srv, err := n.feeds(n.ready)
	if err != nil {
		return err
	}
	if err := n.announce(srv.addr()); err != nil {
		return err
	}
	n.banner(out, srv.addr())
	fmt.Fprint(out, n.firstEvent(srv.addr()))
	return n.run(ctx, feeds...)
}

// announce leaves the addresses for the other commands.
func (n *node) announce(http string) error {
	return n.cfg.writeAddresses(addresses{Brokers: n.cfg.Brokers, ClickHouse: n.cfg.ClickHouse, HTTP: http, Prefix: n.cfg.Prefix, PID: os.Getpid()})
}

func (n *node) banner(out io.Writer, http string) {
	fmt.Fprintf(out, "corridorwatch %s, %s, %s time. Not for production: one process, no replicas.\n", version, n.kind(), n.time)
	fmt.Fprintf(out, "  broker      %s            topics %s.*\n", n.cfg.Brokers[0], n.cfg.Prefix)
	fmt.Fprintf(out, "  ClickHouse  http://%s     database %s\n", n.cfg.ClickHouse, n.cfg.database())
	if http != "" {
		fmt.Fprintf(out, "  page        http://%s/    borders, trains, diagram, map and reports as they are now\n", http)
		fmt.Fprintf(out, "  HTTP        http://%s     POST /v1/events, /api/v1/, /readyz, /metrics\n", http)
	}
	fmt.Fprintf(out, "  data        %s\n", n.cfg.DataDir)
	fmt.Fprintf(out, "  up after    %s\n\n", time.Since(n.began).Round(10*time.Millisecond))
}

// kind says what is inside the process.
func (n *node) kind() string {
	switch {
	case n.broker != nil && n.engine != nil:
		return "embedded"
	case n.broker != nil:
		return "embedded broker"
	case n.engine != nil:
		return "embedded ClickHouse engine"
	}
	return "all stages in one process"
}

// firstEvent are the exact lines that send a first event.
func (n *node) firstEvent(http string) string {
	event := fmt.Sprintf(`{"specversion":"1.0","type":"train.arrived","source":"my/railway","id":"1","subject":"KTZ:7084-087-1306:%s","time":"%s","data":{"place":"kz-dostyk"}}`,
		time.Now().UTC().Format(time.DateOnly), time.Now().UTC().Format(time.RFC3339))
	return fmt.Sprintf("Send a first event, either way:\n  curl -sS -H 'Content-Type: application/cloudevents+json' -d '%s' http://%s/v1/events\n"+
		"  echo '%s' | kcat -P -b %s -t %s.intake\nand look:\n  corridorwatch query \"SELECT unit, place, arrived, state FROM v_visits\"\nCtrl-C stops.\n",
		event, http, event, n.cfg.Brokers[0], n.cfg.Prefix)
}
