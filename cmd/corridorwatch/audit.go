package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
)

// audit holds the tables of a running installation against its topics: it fills a database of its own from the topics, as the sink
// does, and compares row by row inside ClickHouse.
type audit struct {
	cfg     config
	log     *kafkalog.Client
	conn    driver.Conn
	parts   int
	scratch string // database
	cut     int    // partitions whose beginning is no longer in the log
}

func auditCmd() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "hold the tables against the topics: nothing missing, nothing older, nothing else",
		Long: "Reads every topic that has tables from its beginning, checks that the sequence numbers of every task have no gap, fills a database\n" +
			"PREFIX_audit from what it reads, and compares: for every key the row with the highest version must be in the installation's own\n" +
			"tables too, with the same contents. Rows whose records are no longer in the topics cannot be judged, and are counted. It runs\n" +
			"beside a running installation and ends with status 1 if something is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, choice, err := connect(cmd.Context())
			if err != nil {
				return err
			}
			defer log.Close()
			conn, err := clickhouse.Open(cmd.Context(), cfg.clickhouse())
			if err != nil {
				return err
			}
			defer conn.Close()
			a := &audit{cfg: cfg, log: log, conn: conn, parts: choice.Partitions, scratch: cfg.database() + "_audit"}
			return a.run(cmd.Context(), cmd.OutOrStdout(), keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the database PREFIX_audit, to look into it")
	return cmd
}

func (a *audit) run(ctx context.Context, out io.Writer, keep bool) (err error) {
	drop := func() error { return a.conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+a.scratch) }
	if err := drop(); err != nil {
		return fmt.Errorf("drop what an earlier audit left: %w", err)
	}
	if !keep {
		defer func() { err = errors.Join(err, drop()) }()
	}
	read, err := a.fill(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d records read, sequence numbers without a gap\n", read)
	if err := a.awaitSink(ctx); err != nil {
		return err
	}
	return a.compare(ctx, out)
}

// fill runs a sink from the topics' beginning to what is now their end into the scratch database.
func (a *audit) fill(ctx context.Context) (read int64, err error) {
	cat, err := a.cfg.catalogue()
	if err != nil {
		return 0, err
	}
	target := a.cfg.clickhouse()
	target.Database = a.scratch
	if err := clickhouse.Migrate(ctx, target, cat); err != nil {
		return 0, fmt.Errorf("make the database %s: %w", a.scratch, err)
	}
	conn, err := clickhouse.Open(ctx, target)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	left, read, err := a.extent(ctx)
	if err != nil {
		return 0, err
	}
	bar := progress.New(os.Stderr, "audit", "records", read)
	defer bar.Done()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if len(left) == 0 {
		return 0, nil
	}
	var mu sync.Mutex
	done, total := int64(0), read
	at := map[partition]int64{}
	for p, e := range left {
		at[p] = e.start
	}
	stored := func(topic string, index int, offset int64) {
		mu.Lock()
		defer mu.Unlock()
		p := partition{topic, index}
		done += offset - at[p]
		at[p] = offset
		if offset >= left[p].end {
			delete(left, p)
		}
		bar.Set(min(done, total), "")
		if len(left) == 0 {
			stop()
		}
	}
	err = sink.Run(ctx, sink.Config{
		Log: a.log, Conn: conn, Prefix: a.cfg.Prefix, Database: a.scratch, Partitions: a.parts, FromStart: true, Stored: stored, Logger: slog.Default(),
	})
	mu.Lock()
	defer mu.Unlock()
	if err == nil && len(left) > 0 {
		err = context.Cause(ctx)
	}
	return read, err
}

type partition struct {
	topic string
	index int
}

type extent struct{ start, end int64 }

// extent is what lies in the topics now, of the partitions that hold anything.
func (a *audit) extent(ctx context.Context) (map[partition]extent, int64, error) {
	all := map[partition]extent{}
	var records int64
	for _, t := range schemas.Topics {
		if !sink.Sunk(t) {
			continue
		}
		for p := range t.Partitions(a.parts) {
			start, end, err := a.log.Offsets(ctx, schemas.InKafka(a.cfg.Prefix, t.Name), p)
			if err != nil {
				return nil, 0, err
			}
			if start > 0 {
				a.cut++
			}
			if end > start {
				all[partition{t.Name, p}] = extent{start, end}
				records += end - start
			}
		}
	}
	return all, records, nil
}

// awaitSink returns when the installation's sink has stored what the audit has read.
func (a *audit) awaitSink(ctx context.Context) error {
	for began := time.Now(); ; {
		var behind uint64
		err := a.conn.QueryRow(ctx, fmt.Sprintf(`SELECT countIf(live.next_offset < audit.next_offset) FROM %s.sink_offsets AS audit FINAL
			LEFT JOIN (SELECT * FROM %s.sink_offsets FINAL) AS live USING (topic, partition)`, a.scratch, a.cfg.database())).Scan(&behind)
		if err != nil {
			return fmt.Errorf("compare the sink's offsets: %w", err)
		}
		if behind == 0 {
			return nil
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("for a minute the sink has been behind in %d partitions: is it running?", behind)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// verdict is what a comparison found in one table, in keys.
type verdict struct{ keys, missing, older, differ, newer, unknown uint64 }

func (v verdict) bad(cut bool) bool { return v.missing+v.older+v.differ > 0 || v.unknown > 0 && !cut }

func (a *audit) compare(ctx context.Context, out io.Writer) error {
	tables, err := a.tables(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	unknown := "NOT IN THE TOPICS"
	if a.cut > 0 {
		unknown = "OUTSIDE RETENTION"
	}
	fmt.Fprintln(w, "TABLE\tKEYS\tMISSING\tOLDER\tDIFFERENT\tNEWER SINCE\t"+unknown)
	bad := 0
	for _, t := range tables {
		v, err := a.table(ctx, t)
		if err != nil {
			return fmt.Errorf("compare %s: %w", t.name, err)
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", t.name, v.keys, v.missing, v.older, v.differ, v.newer, v.unknown)
		if v.bad(a.cut > 0) {
			bad++
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d tables do not hold what the topics say; with --keep database %s shows what they should", bad, a.scratch)
	}
	fmt.Fprintln(out, "the tables hold what the topics say")
	return nil
}

// table is a table whose rows have versions.
type table struct {
	name           string
	keys, contents []string
}

// unsaid are columns that equal versions of a row may differ in: when it was taken in.
var unsaid = []string{"known_at", "ingested_at", "accepted_at"}

func (a *audit) tables(ctx context.Context) ([]table, error) {
	var all []table
	err := each(ctx, a.conn, fmt.Sprintf(`SELECT table, groupArrayIf(name, is_in_sorting_key), groupArrayIf(name, NOT is_in_sorting_key AND name NOT IN ('version', 'deleted', '%s'))
		FROM system.columns WHERE database = '%s' AND table IN (SELECT table FROM system.columns WHERE database = '%[2]s' AND name = 'version')
		GROUP BY table HAVING has(groupArray(name), 'deleted') ORDER BY table`, strings.Join(unsaid, "', '"), a.scratch), func(rows driver.Rows) error {
		var t table
		err := rows.Scan(&t.name, &t.keys, &t.contents)
		all = append(all, t)
		return err
	})
	if err == nil && len(all) == 0 {
		err = errors.New("no tables with versions")
	}
	return all, err
}

func (a *audit) table(ctx context.Context, t table) (v verdict, err error) {
	latest := func(database string) string {
		return fmt.Sprintf(`SELECT tuple(%s) AS key, max(version) AS v, argMax(deleted, version) AS gone, argMax(cityHash64(tuple(%s)), version) AS contents
			FROM %s.%s GROUP BY key`, strings.Join(t.keys, ", "), strings.Join(t.contents, ", "), database, t.name)
	}
	err = a.conn.QueryRow(ctx, fmt.Sprintf(`SELECT countIf(isNotNull(s.v)), countIf(isNull(l.v) AND s.gone = 0), countIf(l.v < s.v),
		countIf(l.v = s.v AND (l.gone != s.gone OR l.contents != s.contents)), countIf(l.v > s.v), countIf(isNull(s.v) AND l.gone = 0)
		FROM (%s) AS s FULL OUTER JOIN (%s) AS l ON s.key = l.key SETTINGS join_use_nulls = 1`, latest(a.scratch), latest(a.cfg.database()))).
		Scan(&v.keys, &v.missing, &v.older, &v.differ, &v.newer, &v.unknown)
	return v, err
}
