package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/schemas/clickhouse"
)

// demo is a simulated world on embedded everything. Its dates are fixed: started again it is the same world, and goes on.
type demo struct {
	corridors []string
	days      int     // of history, played as fast as it goes
	speed     float64 // seconds of the world in a second, after the history
	seed      uint64
}

// demoBegin is the first day of the world, demoLive how long it lasts after its history.
var demoBegin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const demoLive = 60 * 24 * time.Hour

func demoCmd() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "embedded everything, and a simulated world at speed",
		Long: "Runs everything embedded on a simulated world: some days of history as fast as it goes, then at a pace one can watch, while the\n" +
			"Khorgos border slows down, closes in a storm and opens again. Not for production. Started again it goes on where it was stopped.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			cfg.DataDir = filepath.Join(cfg.DataDir, "demo")
			return d.run(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&d.corridors, "corridors", []string{"khorgos-aktau"}, "corridors of the catalogue; empty: all that are open")
	f.IntVar(&d.days, "days", 10, "days of history")
	f.Float64Var(&d.speed, "speed", 600, "seconds of the world in a second, after the history")
	f.Uint64Var(&d.seed, "seed", 1, "seed of the world")
	return cmd
}

func (d *demo) run(ctx context.Context, cfg config, out io.Writer) (err error) {
	if d.days < 1 || d.speed <= 0 {
		return errors.New("--days must be at least 1 and --speed more than 0")
	}
	n, err := startNode(ctx, cfg, installation.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	history := time.Duration(d.days) * 24 * time.Hour
	// At the usual pace it is told of after half a minute of watching, and over three minutes later.
	storm := simulator.Restriction{Border: "khorgos", From: demoBegin.Add(history + 6*time.Hour), Until: demoBegin.Add(history + 36*time.Hour), Reason: "storm", Cause: "wind"}
	world, err := simulator.New(simulator.Config{
		Catalog: n.cat, Corridors: d.corridors, Seed: d.seed, Start: demoBegin, Duration: history + demoLive, NoiseM: 10, Containers: true,
		Refusals: 0.05, WindEvery: 168 * time.Hour, WindLength: 20 * time.Hour,
		Restrictions: []simulator.Restriction{{Border: "khorgos", From: demoBegin.Add(history - 24*time.Hour), Until: demoBegin.Add(history + 48*time.Hour),
			PerDay: 6, Slow: 1.7, Reason: "works on the tracks between the stations", Cause: "track_works"}, storm},
	})
	if err != nil {
		return err
	}
	writer := ingest.NewWriter(n.log, n.cfg.Prefix, n.cfg.Partitions)
	from, err := ingest.SentUntil(ctx, writer)
	if err != nil {
		return fmt.Errorf("find where the world was stopped: %w", err)
	}
	feeds, srv, err := n.feeds(n.ready)
	if err != nil {
		return err
	}
	if err := n.announce(srv.addr()); err != nil {
		return err
	}
	n.banner(out, srv.addr())
	if from > 0 {
		fmt.Fprintf(out, "The world goes on from %s.\n", time.UnixMilli(from).UTC().Format("2006-01-02 15:04"))
	}
	bar := progress.New(os.Stderr, "simulate", "events", int64(float64(world.Total())*float64(history)/float64(history+demoLive)))
	play := func(ctx context.Context) error {
		p := player{writer: writer, world: world, from: time.UnixMilli(from), pace: d.speed, paced: demoBegin.Add(history), bar: bar}
		p.caughtUp = func() {
			bar.Done()
			p.bar = nil
			fmt.Fprintf(out, "History is in. From here a second shows %s; Khorgos is slow, and closed in a storm from %s to %s. Ctrl-C stops.\n",
				time.Duration(d.speed*float64(time.Second)).Round(time.Second), storm.From.Format("2006-01-02 15:04"), storm.Until.Format("2006-01-02 15:04"))
		}
		if err := p.play(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, "The simulated world has ended; its tables stay. Ctrl-C stops.")
		<-ctx.Done()
		return nil
	}
	tell := func(ctx context.Context) error {
		if err := n.firstCrossing(ctx, out); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	return n.run(ctx, append(feeds, job{"simulation", play}, job{"first crossing", tell})...)
}

// demoQueries are what the banner offers.
var demoQueries = []struct{ what, sql string }{
	{"worst border sides now", "SELECT border_name, role, direction, waiting, round(oldest_s/3600, 1) AS oldest_h, round(norm_s/3600, 1) AS norm_h, over_norm FROM v_borders_now WHERE unit_kind = 'train' ORDER BY worst_delay_s DESC"},
	{"dwell by place", "SELECT place_name, country, n, round(median_s/3600, 1) AS median_h, round(p95_s/3600, 1) AS p95_h, standing_now FROM v_dwell_by_place WHERE unit_kind = 'train' ORDER BY median_h DESC"},
	{"SWD and SWOD by corridor section", "SELECT from_name, to_name, n, round(swd_kmh, 1) AS swd, round(swod_kmh, 1) AS swod FROM v_section_speed WHERE period = 'all' AND unit_kind = 'train' ORDER BY swd"},
	{"one container's journey", "SELECT from_time, step, what, role, round(seconds/3600, 1) AS hours, vehicle, cause, detail FROM v_journey WHERE journey = (SELECT max(journey) FROM v_crossings WHERE unit_kind = 'container' AND isNotNull(total_s)) ORDER BY from_time, level, to_time"},
}

// firstCrossing waits for the first whole crossing in ClickHouse whose leg over the border has both speeds, and shows it, and what
// to ask next.
func (n *node) firstCrossing(ctx context.Context, out io.Writer) error {
	conn, err := clickhouse.Open(ctx, n.cfg.clickhouse())
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		var unit, border, direction string
		var hours, delay, swd, swod float64
		var found uint64
		err := conn.QueryRow(ctx, `SELECT count(), any(unit), any(border_name), any(direction), toFloat64(any(total_s)) / 3600, toFloat64(any(delay)) / 3600,
			any(swd), any(swod) FROM (
			SELECT c.unit AS unit, c.border_name AS border_name, c.direction AS direction, assumeNotNull(c.total_s) AS total_s, ifNull(c.delay_norm_s, 0) AS delay,
				assumeNotNull(l.swd_kmh) AS swd, assumeNotNull(l.swod_kmh) AS swod
			FROM v_crossings AS c INNER JOIN v_legs AS l ON l.unit = c.unit AND l.journey = c.journey AND l.border = c.border
			WHERE c.unit_kind = 'train' AND isNotNull(c.total_s) AND NOT c.candidate AND notEmpty(c.outbound_places) AND notEmpty(c.inbound_places)
				AND isNotNull(l.swd_kmh) AND isNotNull(l.swod_kmh)
			ORDER BY c.known_at, c.unit, l.n LIMIT 1)`).
			Scan(&found, &unit, &border, &direction, &hours, &delay, &swd, &swod)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for the first crossing: %w", err)
		}
		if found > 0 {
			fmt.Fprintf(out, "\nFirst crossing, %s after the start: %s over %s (%s) took %.1f h, %+.1f h against the norm;\n"+
				"over the border SWD %.1f km/h (stops included), SWOD %.1f km/h (in motion).\nAsk more, in another terminal:\n",
				time.Since(n.began).Round(100*time.Millisecond), unit, border, direction, hours, delay, swd, swod)
			for _, q := range demoQueries {
				fmt.Fprintf(out, "  # %s\n  CORRIDORWATCH_CLICKHOUSE=%s .bin/corridorwatch query %q\n", q.what, n.cfg.ClickHouse, q.sql)
			}
			fmt.Fprintln(out)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}
