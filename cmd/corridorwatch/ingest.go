package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/normal"
)

func ingestCmd() *cobra.Command {
	var format, mapping, mappingFile string
	var dryRun, wait bool
	var rows int
	var beyond time.Duration
	cmd := &cobra.Command{
		Use:   "ingest FILE...",
		Short: "send events from files (CloudEvents JSON lines or CSV, also gzip; - is standard input)",
		Example: "  corridorwatch ingest --wait events.jsonl.gz\n" +
			"  corridorwatch ingest --format csv --map 'time=time,subject=Caltrain:{train_id},lat=lat,lon=lon,type=train.position,source=caltrain' --dry-run positions.csv",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := ingest.Options{Paths: args, Stdin: os.Stdin, Beyond: beyond}
			if err := csvOptions(&o, format, mapping, mappingFile); err != nil {
				return err
			}
			if dryRun {
				return ingestDryRun(cmd, o, rows)
			}
			return ingestFiles(cmd, o, wait)
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", "jsonl", "jsonl, csv, or trips: trip forms as CSV (docs/trip-forms.md)")
	f.StringVar(&mapping, "map", "", "CSV: field=column or field=text with {column}, separated by commas")
	f.StringVar(&mappingFile, "mapping", "", "CSV: the same in a YAML file")
	f.BoolVar(&dryRun, "dry-run", false, "print raw beside normalised, send nothing")
	f.IntVar(&rows, "rows", 20, "rows that --dry-run prints")
	f.BoolVar(&wait, "wait", false, "return when ClickHouse holds the results of everything sent")
	f.DurationVar(&beyond, "beyond", 0, "data time: how far beyond the last event time passes at the end")
	return cmd
}

func csvOptions(o *ingest.Options, format, mapping, file string) error {
	switch {
	case format == "jsonl" && mapping == "" && file == "":
		return nil
	case format == "trips" && mapping == "" && file == "":
		m := ingest.TripForms()
		o.CSV = &m
		return nil
	case format != "csv":
		return fmt.Errorf("--format %s: choose jsonl, csv or trips; --map and --mapping go with csv", format)
	case (mapping == "") == (file == ""):
		return errors.New("--format csv needs one of --map and --mapping, to say which columns are time, subject, lat and lon")
	}
	var m ingest.Mapping
	var err error
	if file != "" {
		m, err = ingest.LoadMapping(file)
	} else {
		m, err = ingest.ParseMapping(mapping)
	}
	o.CSV = &m
	return err
}

func ingestDryRun(cmd *cobra.Command, o ingest.Options, rows int) error {
	cfg, err := setup()
	if err != nil {
		return err
	}
	cat, err := cfg.catalogue()
	if err != nil {
		return err
	}
	o.Form = normal.New(cat)
	rejected, err := ingest.DryRun(cmd.OutOrStdout(), o, rows)
	if err == nil && rejected > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "%d would be rejected\n", rejected)
	}
	return err
}

func ingestFiles(cmd *cobra.Command, o ingest.Options, wait bool) error {
	ctx := cmd.Context()
	cfg, log, choice, err := connect(ctx)
	for began := time.Now(); wait && errors.Is(err, syscall.ECONNREFUSED) && time.Since(began) < startPatience && pause(ctx) == nil; {
		cfg, log, choice, err = connect(ctx)
	}
	if err != nil {
		return err
	}
	defer log.Close()
	cat, err := cfg.catalogue()
	if err != nil {
		return err
	}
	var stored *tables
	if wait {
		if stored, err = openTables(ctx, cfg, choice.Partitions); err != nil {
			return err
		}
		defer stored.shards.Close()
	}
	o.Form, o.DataTime = normal.New(cat), choice.Time == installation.Data
	bar := progress.New(os.Stderr, "ingest", "events", 0)
	o.Progress = func(read, _, rejected int64) { bar.Set(read, fmt.Sprintf("%d rejected", rejected)) }
	began := time.Now()
	res, err := ingest.Files(ctx, ingest.NewWriter(log, cfg.Prefix, choice.Partitions), o)
	bar.Set(res.Read, fmt.Sprintf("%d rejected", res.Rejected))
	bar.Done()
	fmt.Fprintf(cmd.OutOrStdout(), "read %d, accepted %d, rejected %d, in %s\n", res.Read, res.Sent, res.Rejected, time.Since(began).Round(time.Millisecond))
	if err != nil || !wait || res.Read == 0 {
		return err
	}
	tick, err := ingest.NextTick(ctx, log, cfg.Prefix, res.Offsets)
	if err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	if err := stored.await(ctx, tick); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(cmd.OutOrStdout(), "stored after %s (%.0f events/s from file to tables)\n", took.Round(time.Millisecond), float64(res.Read)/took.Seconds())
	return nil
}

// tables tell how far the sink is.
type tables struct {
	shards     clickhouse.Shards
	database   string
	partitions int
}

// startPatience is how long --wait thinks that a broker or ClickHouse that takes no connection is just starting, with 'up' for instance.
const startPatience = 30 * time.Second

// openTables makes sure that they can be asked, before anything is sent.
func openTables(ctx context.Context, cfg config, partitions int) (*tables, error) {
	shards, err := clickhouse.OpenShards(cfg.clickhouse())
	if err != nil {
		return nil, err
	}
	t := &tables{shards, cfg.database(), partitions}
	for began := time.Now(); ; {
		_, _, err := t.passed(ctx, time.Time{})
		if err == nil {
			return t, nil
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Since(began) > startPatience || pause(ctx) != nil {
			return nil, errors.Join(fmt.Errorf("--wait asks ClickHouse what is stored: %w", err), shards.Close())
		}
	}
}

// passed tells whether every task has closed the round of a tick and the sink has stored it, and how far they are.
func (t *tables) passed(ctx context.Context, tick time.Time) (done bool, at time.Time, err error) {
	done, ms, err := sink.Passed(ctx, t.shards, t.database, tick.UnixMilli(), t.partitions)
	return done, time.UnixMilli(ms).UTC(), err
}

// await returns when everything before a tick is stored. ClickHouse may go away meanwhile, and come back.
func (t *tables) await(ctx context.Context, tick time.Time) error {
	bar := progress.New(os.Stderr, "waiting", "s of stage time", 0)
	defer bar.Done()
	for {
		done, at, err := t.passed(ctx, tick)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			bar.Set(0, fmt.Sprintf("everything is sent, but whether it is stored ClickHouse does not say now: %v", err))
		case done:
			return nil
		default:
			bar.Set(0, fmt.Sprintf("stored up to %s of %s", at.Format(time.DateTime), tick.Format(time.DateTime)))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
