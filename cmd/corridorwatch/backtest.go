package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/delay"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/pb"
)

// backtest runs the history of an installation through the stages with other thresholds.
type backtest struct {
	from, to string
	lead     time.Duration
	settings string
	format   string

	cfg    config
	choice installation.Choice
	shards clickhouse.Shards
}

// usualLead is how much history is folded before the time that is asked for: usual times rest on 28 days, what is left out of them
// since a border was delayed on the 28 days before, and crossings begin days before they end.
const usualLead = 60 * 24 * time.Hour

func backtestCmd() *cobra.Command {
	var b backtest
	var show bool
	cmd := &cobra.Command{
		Use:   "backtest [--from TIME] [--to TIME] [--settings FILE]",
		Short: "say which alerts would have fired with other thresholds, beside those that did",
		Long: "Folds what the event tables hold, as it was accepted, through all stages in this process, with the thresholds of a file, and prints the\n" +
			"alerts that would have begun to fire from --from to --to beside those that did. It changes nothing and writes nothing. See docs/alerts.md\n" +
			"for what it cannot know.",
		Example: "  corridorwatch backtest --print-settings\n  corridorwatch backtest --from 2026-03-01 --to 2026-04-01 --settings stricter.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := readSettings(b.settings)
			if err != nil {
				return err
			}
			if show {
				printSettings(cmd.OutOrStdout(), set)
				return nil
			}
			if !slices.Contains([]string{"table", "csv", "json"}, b.format) {
				return fmt.Errorf("--format is table, csv or json, not %q", b.format)
			}
			return b.run(cmd.Context(), set, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.from, "from", "", "a date or time, UTC: 2026-03-01, 2026-03-01T18:00Z (default: 28 days before --to)")
	f.StringVar(&b.to, "to", "", "the same (default: the stage time up to which the tables are complete)")
	f.DurationVar(&b.lead, "lead", usualLead, "how much history is folded before --from, for what is usual; more takes longer")
	f.StringVar(&b.settings, "settings", "", "YAML file of thresholds that differ from the defaults, such as overdue.fire: 1.6")
	f.BoolVar(&show, "print-settings", false, "only print all thresholds, as such a file")
	f.StringVar(&b.format, "format", "table", "table, csv (the alerts) or json")
	return cmd
}

func (b *backtest) run(ctx context.Context, set delay.Settings, out io.Writer) error {
	cfg, log, choice, err := connect(ctx)
	if err != nil {
		return err
	}
	defer log.Close()
	b.cfg, b.choice = cfg, choice
	if b.shards, err = clickhouse.OpenShards(cfg.clickhouse()); err != nil {
		return err
	}
	defer b.shards.Close()
	marks, err := sink.Marks(ctx, b.shards, cfg.database(), choice.Partitions)
	if err != nil {
		return err
	}
	until := storedUntil(choice, marks)
	if until == 0 {
		return fmt.Errorf("no stage time has passed through the tables of %q: there is no history", cfg.Prefix)
	}
	from, to, err := b.span(time.UnixMilli(until).UTC())
	if err != nil {
		return err
	}
	r := &backtested{Prefix: cfg.Prefix, From: from, To: to, Settings: changedSettings(set)}
	would, err := b.would(ctx, set, r)
	if err != nil {
		return err
	}
	var did []*pb.Alert
	err = stored.AlertsHistory(ctx, b.shards, cfg.database(), "updated <= fromUnixTimestamp64Milli(?)", []any{to.UnixMilli()}, func(a *pb.Alert) error {
		did = append(did, a)
		return nil
	})
	if err != nil {
		return err
	}
	r.Alerts = compareAlerts(episodesOf(would), episodesOf(did), from, to)
	r.Counts = countAlerts(r.Alerts, from, to)
	return r.print(out, b.format)
}

// span reads the times of the flags; history ends at last.
func (b *backtest) span(last time.Time) (from, to time.Time, err error) {
	to = last
	if b.to != "" {
		if to, err = readTime("--to", b.to); err != nil {
			return from, to, err
		}
	}
	from = to.AddDate(0, 0, -28)
	if b.from != "" {
		if from, err = readTime("--from", b.from); err != nil {
			return from, to, err
		}
	}
	switch {
	case to.After(last):
		return from, to, fmt.Errorf("--to %s: the tables are complete up to %s only", stamp(to), stamp(last))
	case !from.Before(to):
		return from, to, fmt.Errorf("--from %s is not before --to %s", stamp(from), stamp(to))
	case b.lead < 0:
		return from, to, errors.New("--lead cannot be negative")
	}
	return from, to, nil
}

func readTime(flag, s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time: write 2026-03-01 or 2026-03-01T18:00Z", flag, s)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// alertTables are the tables that lead to alerts.
func alertTables() []eventTable {
	return slices.DeleteFunc(slices.Clone(replayed), func(t eventTable) bool { return t.table == "shipments" || t.table == "rejects" })
}

// would returns the versions of the alerts that would have been told.
func (b *backtest) would(ctx context.Context, set delay.Settings, r *backtested) ([]*pb.Alert, error) {
	cat, err := b.cfg.catalogue()
	if err != nil {
		return nil, err
	}
	bar := progress.New(os.Stderr, "backtest", "events", 0)
	defer bar.Done()
	h := history{shards: b.shards, database: b.cfg.database(), tables: alertTables(), progress: func(done, total int64, at time.Time) {
		bar.Total(total)
		bar.Set(done, "history of "+at.Format(time.DateTime))
	}}
	var told []*pb.Alert
	c := newChain(cat, set, func(a *pb.Alert) { told = append(told, a) })
	err = h.each(ctx, r.From.Add(-b.lead).UnixMilli(), r.To.UnixMilli(), func(row stamped) error {
		if r.Events++; r.ReadFrom.IsZero() {
			r.ReadFrom = time.UnixMilli(row.at).UTC()
		}
		return c.accepted(ctx, row.at, row.event)
	})
	if err != nil {
		return nil, err
	}
	if r.Events == 0 {
		return nil, fmt.Errorf("nothing was accepted from %s to %s: there is no history to fold", stamp(r.From.Add(-b.lead)), stamp(r.To))
	}
	if err := c.tickTo(ctx, r.To.UnixMilli()); err != nil {
		return nil, err
	}
	return told, nil
}
