package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// incidental are the columns that may differ between two runs over the same events: how a row came about, not what it says.
var incidental = []string{"version", "ingested_at", "known_at", "accepted_at"}

// retold is the view of all versions of alerts: how often one was told again or taken back depends on restarts.
const retold = "v_alert_history"

// Scope says which views are compared.
type Scope int

const (
	AllViews Scope = iota
	// StoredViews are those that read no other view (but v_now, the stage time), and v_crossing_delays, which asks others only whether a
	// crossing is over: what the stages wrote, all of it. The others are worked out of them by queries, some of which take seconds: where
	// two runs are compared often these are enough.
	StoredViews
)

// Content is what a view holds, in short.
type Content struct {
	Rows uint64
	Hash string // of all rows, whatever their order
}

// Hashes returns the content of the v_ views of a database without what may differ between equal runs (version, ingested_at,
// known_at, accepted_at). Two databases are equal if their hashes are. ClickHouse does the work, so millions of rows are nothing
// special.
func Hashes(ctx context.Context, conn driver.Conn, database string, scope Scope) (map[string]Content, error) {
	lines, err := viewLines(ctx, conn, database, scope)
	if err != nil {
		return nil, err
	}
	ctx = thrifty(ctx, scope)
	out := map[string]Content{}
	for view, line := range lines {
		var c Content
		// Equal rows must count: a sum notices them, an exclusive or does not. Two sums make chance agreement out of question.
		query := fmt.Sprintf("SELECT count(), concat(hex(sum(sipHash64(line))), hex(sum(cityHash64(line)))) FROM (%s)", line)
		if err := conn.QueryRow(ctx, query).Scan(&c.Rows, &c.Hash); err != nil {
			return nil, fmt.Errorf("hash view %s: %w", view, err)
		}
		out[view] = c
	}
	return out, nil
}

// Dump returns the rows of the v_ views as sorted lines of JSON, without what may differ between equal runs (see Hashes). It
// is for seeing what differs; a million rows of positions are about 300 MB.
func Dump(ctx context.Context, conn driver.Conn, database string, scope Scope) (map[string][]string, error) {
	lines, err := viewLines(ctx, conn, database, scope)
	if err != nil {
		return nil, err
	}
	ctx = thrifty(ctx, scope)
	out := map[string][]string{}
	for view, line := range lines {
		if out[view], err = column(ctx, conn, line+" ORDER BY line"); err != nil {
			return nil, fmt.Errorf("dump view %s: %w", view, err)
		}
	}
	return out, nil
}

// thrifty lets queries of a scope that is asked for often do without what pays off only where there is much to read: of a few thousand rows
// it is a third of what they cost.
func thrifty(ctx context.Context, scope Scope) context.Context {
	if scope != StoredViews {
		return ctx
	}
	return ch.Context(ctx, ch.WithSettings(ch.Settings{"max_threads": 1, "compile_expressions": 0, "compile_aggregate_expressions": 0, "compile_sort_description": 0}))
}

// Diff says where two dumps differ, at most `most` lines a view; empty if they are equal.
func Diff(a, b map[string][]string, most int) string {
	var out strings.Builder
	views := maps.Clone(a)
	maps.Copy(views, b)
	for _, view := range slices.Sorted(maps.Keys(views)) {
		onlyA, onlyB := subtract(a[view], b[view])
		if len(onlyA)+len(onlyB) == 0 {
			continue
		}
		fmt.Fprintf(&out, "%s: %d and %d rows, %d only in the first, %d only in the second\n",
			view, len(a[view]), len(b[view]), len(onlyA), len(onlyB))
		for _, l := range onlyA[:min(most, len(onlyA))] {
			fmt.Fprintf(&out, "  - %s\n", l)
		}
		for _, l := range onlyB[:min(most, len(onlyB))] {
			fmt.Fprintf(&out, "  + %s\n", l)
		}
	}
	return out.String()
}

// subtract returns what only one of two sorted lists has.
func subtract(a, b []string) (onlyA, onlyB []string) {
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(a[0], b[0]) {
		case 0:
			a, b = a[1:], b[1:]
		case -1:
			onlyA, a = append(onlyA, a[0]), a[1:]
		case 1:
			onlyB, b = append(onlyB, b[0]), b[1:]
		}
	}
	return append(onlyA, a...), append(onlyB, b...)
}

// viewLines returns for each v_ view in scope a query that gives its rows as lines of JSON, column `line`.
func viewLines(ctx context.Context, conn driver.Conn, database string, scope Scope) (map[string]string, error) {
	query := "SELECT name FROM system.tables WHERE database = ? AND name LIKE 'v\\_%' AND name != '" + retold + "'"
	if scope == StoredViews {
		query += ` AND (name = 'v_crossing_delays' OR NOT match(replaceAll(as_select, '.v_now', ''), '\\.v_'))`
	}
	rows, err := conn.Query(ctx, "SELECT table, arraySort(groupArray((position, name))).2 FROM system.columns WHERE database = ? AND table IN ("+query+
		") AND name NOT IN (?) GROUP BY table", database, database, incidental)
	if err != nil {
		return nil, fmt.Errorf("list views of %s: %w", database, err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var view string
		var columns []string
		if err := rows.Scan(&view, &columns); err != nil {
			return nil, fmt.Errorf("list views of %s: %w", database, err)
		}
		out[view] = fmt.Sprintf("SELECT formatRowNoNewline('JSONEachRow', `%s`) AS line FROM %s.%s", strings.Join(columns, "`, `"), database, view)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list views of %s: %w", database, err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("database %s has no v_ views: run 'corridorwatch migrate'", database)
	}
	return out, nil
}

// column returns the one text column of a query.
func column(ctx context.Context, conn driver.Conn, query string, args ...any) (out []string, err error) {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
