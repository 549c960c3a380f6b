package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/ingest/simulator"
)

// figuresFactor is how far a figure may be off without a reason.
const figuresFactor = 1.5

// figures runs a world that is fitted to some of CAREC CPMM's published figures, and prints what the views say beside all of them.
func (a *acceptance) figures(ctx context.Context, cfg config, out io.Writer) error {
	dir, err := os.MkdirTemp("", "corridorwatch-figures-")
	if err != nil {
		return fmt.Errorf("directory for the data: %w", err)
	}
	defer os.RemoveAll(dir)
	cfg.DataDir = dir
	cfg.BrokerListen, cfg.ClickHouseListen, cfg.HTTPListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	var measured map[string]measure
	world := func(n *node) (simulator.Config, error) { return simulator.FiguresWorld(n.cat, a.seed), nil }
	if err := play(ctx, cfg, world, func(conn driver.Conn, _ *simulator.World) (err error) {
		measured, err = measures(ctx, conn)
		return err
	}); err != nil {
		return err
	}
	return figuresTable(out, measured)
}

// measure is what the views say of one measure.
type measure struct {
	value float64
	n     uint64
}

// measures reads TFI1 by country and role and by border, and SWD and SWOD by country, of containers.
func measures(ctx context.Context, conn driver.Conn) (map[string]measure, error) {
	out := map[string]measure{}
	tfi1 := `SELECT concat('TFI1 ', country, ' ', side, at), sum(mean_h * n) / sum(n), sum(n) FROM (
		SELECT country, side, arrayJoin(['', concat(' at ', border), concat(' from ', substring(direction, 1, 2))]) AS at, mean_h, n FROM v_tfi1
		WHERE unit_kind = 'container' AND side != 'pair' AND period = 'all' AND n > 0) GROUP BY country, side, at`
	speed := `SELECT concat(arrayJoin(['SWD ', 'SWOD ']) AS what, country), assumeNotNull(if(what = 'SWD ', swd_kmh, swod_kmh)), toUInt64(journeys)
		FROM v_country_speed WHERE unit_kind = 'container' AND mode = 'rail' AND period = 'all' AND isNotNull(swod_kmh)`
	for _, sql := range []string{tfi1, speed} {
		if err := each(ctx, conn, sql, func(rows driver.Rows) error {
			var name string
			var m measure
			err := rows.Scan(&name, &m.value, &m.n)
			out[name] = m
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// figuresTable prints the figures. The error names those that are off by more than the factor and have no reason.
func figuresTable(out io.Writer, measured map[string]measure) error {
	var errs []error
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "measure\tyear\tpublished\tsimulated\tn\tsimulated/published\t\tpage of cpmm.carecprogram.org, why it is off")
	for _, f := range simulator.Figures() {
		m, ok := measured[f.Measure]
		if !ok {
			errs = append(errs, fmt.Errorf("%s: the world shows none", f.Measure))
			continue
		}
		ratio := m.value / f.Value
		how, why := "held out", f.Source
		if f.Fitted {
			how = "fitted"
		}
		if math.Max(ratio, 1/ratio) > figuresFactor {
			if why += ": " + f.Reason; f.Reason == "" {
				errs = append(errs, fmt.Errorf("%s of %d: %.1f simulated, %.1f published", f.Measure, f.Year, m.value, f.Value))
			}
		}
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%d\t%.2f\t%s\t%s\n", f.Measure, f.Year, f.Value, m.value, m.n, ratio, how, why)
	}
	w.Flush()
	for line := range strings.Lines(b.String()) {
		if _, err := io.WriteString(out, strings.TrimRight(line, " \n")+"\n"); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}
