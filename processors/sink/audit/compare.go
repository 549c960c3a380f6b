package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// verdict is what a comparison found in one table, in keys.
type verdict struct{ keys, missing, older, differ, newer, unknown uint64 }

func (v *verdict) add(o verdict) {
	v.keys += o.keys
	v.missing += o.missing
	v.older += o.older
	v.differ += o.differ
	v.newer += o.newer
	v.unknown += o.unknown
}

// compare holds every table against the scratch one of its shard. cut are the topics of which a part lies outside retention: rows that
// are not in the rest of them cannot be judged.
func (c Config) compare(ctx context.Context, out io.Writer, cut map[string]bool) (clean bool, err error) {
	tables, err := c.tables(ctx)
	if err != nil {
		return false, err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tKEYS\tMISSING\tOLDER\tDIFFERENT\tNEWER SINCE\tNOT IN THE TOPICS\tOUTSIDE RETENTION")
	bad := 0
	for i, t := range tables {
		c.Progress("compare "+t.name, int64(i), int64(len(tables)))
		var v verdict
		for shard, conn := range c.Shards {
			part, err := c.table(ctx, conn, t)
			if err != nil {
				return false, fmt.Errorf("compare %s in shard %d: %w", t.name, shard+1, err)
			}
			v.add(part)
		}
		ghosts, outside := v.unknown, uint64(0)
		if cut[t.topic()] {
			ghosts, outside = 0, v.unknown
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", t.name, v.keys, v.missing, v.older, v.differ, v.newer, ghosts, outside)
		if v.missing+v.older+v.differ+ghosts > 0 {
			bad++
		}
	}
	if err := w.Flush(); err != nil {
		return false, err
	}
	if bad > 0 {
		fmt.Fprintf(out, "WRONG: %d tables do not hold what the topics say; with --keep database %s shows what they should\n", bad, c.Scratch)
		return false, nil
	}
	fmt.Fprintln(out, "the tables hold what the topics say")
	return true, nil
}

// table is a table whose rows have versions.
type table struct {
	name           string
	keys, contents []string
}

// topic is what fills the table.
func (t table) topic() string {
	return strings.ReplaceAll(strings.TrimSuffix(t.name, "_history"), "_", "-")
}

// unsaid are columns that equal versions of a row may differ in: when it was taken in.
var unsaid = []string{"known_at", "ingested_at", "accepted_at"}

func (c Config) tables(ctx context.Context) ([]table, error) {
	rows, err := c.Shards[0].Query(ctx, fmt.Sprintf(`SELECT table, groupArrayIf(name, is_in_sorting_key),
		groupArrayIf(name, NOT is_in_sorting_key AND default_kind != 'ALIAS' AND name NOT IN ('version', 'deleted', '%s'))
		FROM system.columns WHERE database = '%s' AND table IN (SELECT name FROM system.tables WHERE database = '%[2]s' AND engine LIKE '%%ReplacingMergeTree')
		GROUP BY table HAVING has(groupArray(name), 'deleted') ORDER BY table`, strings.Join(unsaid, "', '"), c.Scratch))
	if err != nil {
		return nil, fmt.Errorf("list the tables of %s: %w", c.Scratch, err)
	}
	defer rows.Close()
	var all []table
	for rows.Next() {
		var t table
		if err := rows.Scan(&t.name, &t.keys, &t.contents); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no tables with versions")
	}
	return all, nil
}

// rowsAtOnce bounds what ClickHouse holds in memory for a comparison.
const rowsAtOnce = 2_000_000

// table compares a table in one shard, a part of the keys at a time.
func (c Config) table(ctx context.Context, conn driver.Conn, t table) (v verdict, err error) {
	var rows uint64
	if err := conn.QueryRow(ctx, fmt.Sprintf("SELECT (SELECT count() FROM %s.%s) + (SELECT count() FROM %s.%[2]s)", c.Scratch, t.name, c.Database)).Scan(&rows); err != nil {
		return v, err
	}
	parts := rows/rowsAtOnce + 1
	for i := range parts {
		part, err := c.part(ctx, conn, t, i, parts)
		if err != nil {
			return v, err
		}
		v.add(part)
	}
	return v, nil
}

func (c Config) part(ctx context.Context, conn driver.Conn, t table, i, parts uint64) (v verdict, err error) {
	latest := func(database string) string {
		return fmt.Sprintf(`SELECT tuple(%[1]s) AS key, max(version) AS v, argMax(deleted, version) AS gone, argMax(cityHash64(tuple(%[2]s)), version) AS contents
			FROM %[3]s.%[4]s WHERE cityHash64(%[1]s) %% %[5]d = %[6]d GROUP BY key`,
			strings.Join(t.keys, ", "), strings.Join(t.contents, ", "), database, t.name, parts, i)
	}
	err = conn.QueryRow(ctx, fmt.Sprintf(`SELECT countIf(isNotNull(s.v)), countIf(isNull(l.v) AND s.gone = 0), countIf(l.v < s.v),
		countIf(l.v = s.v AND (l.gone != s.gone OR l.contents != s.contents)), countIf(l.v > s.v), countIf(isNull(s.v) AND l.gone = 0)
		FROM (%s) AS s FULL OUTER JOIN (%s) AS l ON s.key = l.key SETTINGS join_use_nulls = 1`, latest(c.Scratch), latest(c.Database))).
		Scan(&v.keys, &v.missing, &v.older, &v.differ, &v.newer, &v.unknown)
	return v, err
}
