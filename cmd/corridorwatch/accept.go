package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/ingest/simulator"
	"corridorwatch/ingest/simulator/judge"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
)

// acceptance is what 'accept' simulates.
type acceptance struct {
	days      int
	corridors []string
	seed      uint64
	trains    float64
	keep      string
	cargo     bool
	feeds     map[string]string
	open      []string
	published bool
}

func acceptCmd() *cobra.Command {
	var a acceptance
	cmd := &cobra.Command{
		Use:   "accept",
		Short: "simulate a world, run everything on it, and hold the results against the truth",
		Long: "Simulates a world with trains under way and a position every 60 s, runs broker, stages, sink and ClickHouse on it, and holds the\n" +
			"views against the truth. Then the same with 5 % duplicates and arrival shuffled within ten minutes: the views must be equal,\n" +
			"and v_alerts must tell of the same (when it tells, and with which value, depends on what was known when).",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			cfg.OpenLines = append(cfg.OpenLines, a.open...)
			if a.published {
				return a.figures(cmd.Context(), cfg, cmd.OutOrStdout())
			}
			return a.run(cmd.Context(), cfg, cmd)
		},
	}
	f := cmd.Flags()
	f.IntVar(&a.days, "days", 14, "days")
	f.StringSliceVar(&a.corridors, "corridors", nil, "corridors of the catalogue; empty: all that are open")
	f.Uint64Var(&a.seed, "seed", 1, "seed of the world")
	f.Float64Var(&a.trains, "trains", 1, "trains a day per corridor and direction")
	f.BoolVar(&a.cargo, "containers", false, "compositions, containers and consignments too")
	f.BoolVar(&a.published, "figures", false, "instead, a world fitted to some of CAREC CPMM's published figures, held against all of them")
	f.StringSliceVar(&a.open, "open", nil, openHelp)
	f.StringToStringVar(&a.feeds, "feeds", nil, feedsHelp)
	f.StringVar(&a.keep, "keep", "", "directory to keep the data in")
	return cmd
}

func (a *acceptance) run(ctx context.Context, cfg config, cmd *cobra.Command) error {
	cfg.BrokerListen, cfg.ClickHouseListen, cfg.HTTPListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	dir := a.keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "corridorwatch-accept-"); err != nil {
			return fmt.Errorf("directory for the data: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	out := cmd.OutOrStdout()
	var views [2]map[string]clickhouse.Content
	var alerts [2]map[string]bool
	prefix, began := cfg.Prefix, time.Now().UnixMilli()
	for i, name := range []string{"undisturbed", "disturbed: 5 % duplicates, shuffled within 10 min"} {
		cfg.DataDir = filepath.Join(dir, fmt.Sprint(i))
		if len(cfg.Brokers) > 0 || cfg.ClickHouse != "" { // others than our own: each run is an installation of its own there
			cfg.Prefix = fmt.Sprintf("%s-accept-%d-%d", prefix, began, i)
		}
		fmt.Fprintf(out, "== %s\n", name)
		r, err := a.once(ctx, cfg, i == 1)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		report := r.report
		views[i], alerts[i] = r.views, r.alerts
		fmt.Fprint(out, report.Table())
		if err := report.Err(); err != nil {
			return fmt.Errorf("%s:\n%w", name, err)
		}
	}
	for view, content := range views[0] {
		if views[1][view] != content {
			return fmt.Errorf("view %s differs: undisturbed %v, disturbed %v", view, content, views[1][view])
		}
	}
	if err := sameAlerts(alerts[0], alerts[1]); err != nil {
		return err
	}
	fmt.Fprintf(out, "== equal: all %d views, and what v_alerts tells of (%d alerts)\n", len(views[0]), len(alerts[0]))
	return nil
}

// played is what one run came to.
type played struct {
	report *judge.Report
	views  map[string]clickhouse.Content // all but v_alerts
	alerts map[string]bool               // by fingerprint, whether it fires
}

// once plays the acceptance's world and compares.
func (a *acceptance) once(ctx context.Context, cfg config, disturbed bool) (p played, err error) {
	world := func(n *node) (simulator.Config, error) {
		w := a.world(n, disturbed)
		w.Feeds, err = simulator.ParseFeeds(a.feeds)
		return w, err
	}
	err = play(ctx, cfg, world, func(conn driver.Conn, world *simulator.World) error {
		got, err := results(ctx, conn)
		if err != nil {
			return err
		}
		p.report = judge.Compare(world.Truth(), got, time.Minute)
		if p.alerts, err = readAlerts(ctx, conn); err != nil {
			return err
		}
		p.views, err = clickhouse.Hashes(ctx, conn, cfg.database(), clickhouse.AllViews)
		delete(p.views, "v_alerts")
		return err
	})
	return p, err
}

// play plays a world into a fresh installation, and lets read read from ClickHouse when it is all there.
func play(ctx context.Context, cfg config, of func(*node) (simulator.Config, error), read func(driver.Conn, *simulator.World) error) (err error) {
	n, err := startNode(ctx, cfg, installation.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	w, err := of(n)
	if err != nil {
		return err
	}
	world, err := simulator.New(w)
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- n.run(running) }()

	bar := progress.New(os.Stderr, "simulate", "events", int64(world.Total()))
	p := player{writer: ingest.NewWriter(n.log, cfg.Prefix, cfg.Partitions), world: world, bar: bar}
	began := time.Now()
	if err := p.play(ctx); err != nil {
		return err
	}
	bar.Done()
	conn, err := clickhouse.Open(ctx, n.cfg.clickhouse())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := waitPassed(ctx, conn, n.cfg, p.tick, done); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(os.Stderr, "%d events from simulator to tables in %s: %.0f/s\n", p.sent, took.Round(time.Millisecond), float64(p.sent)/took.Seconds())
	if err := read(conn, world); err != nil {
		return err
	}
	stop()
	return <-done
}

func (a *acceptance) world(n *node, disturbed bool) simulator.Config {
	w := simulator.Config{
		Catalog: n.cat, Corridors: a.corridors, Seed: a.seed, Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Duration: time.Duration(a.days) * 24 * time.Hour, TrainsPerDay: a.trains, Interval: time.Minute, NoiseM: 10, Containers: a.cargo,
		Refusals: 0.1, WindEvery: 60 * time.Hour, WindLength: 20 * time.Hour, Borders: map[string]simulator.Capacity{"khorgos": {TrainsPerDay: 8, Tracks: 4}, "brest": {TrainsPerDay: 4, Tracks: 4}},
	}
	w.Restrictions = []simulator.Restriction{
		{Border: "dostyk", Direction: "KZ-CN", From: w.Start.Add(-36 * time.Hour), Until: w.Start.Add(20 * time.Hour), Reason: "Alashankou is full", Cause: "neighbour_full"},
		{Border: "khorgos", From: w.Start.Add(6 * time.Hour), PerDay: 5, Reason: "track works at Altynkol", Cause: "track_works"},
	}
	if disturbed {
		w.Duplicates, w.ShuffleWithin = 0.05, 10*time.Minute
	}
	return w
}

// waitPassed returns when the sink has stored everything up to tick, or the node has failed.
func waitPassed(ctx context.Context, conn driver.Conn, cfg config, tick int64, failed <-chan error) error {
	for {
		done, _, err := sink.Passed(ctx, []driver.Conn{conn}, cfg.database(), tick, cfg.Partitions)
		if err != nil || done {
			return err
		}
		select {
		case err := <-failed:
			return errors.Join(errors.New("the installation stopped"), err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func each(ctx context.Context, conn driver.Conn, sql string, row func(driver.Rows) error, args ...any) error {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("read results: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read results: %w", err)
	}
	return nil
}
