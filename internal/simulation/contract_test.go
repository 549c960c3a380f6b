package simulation

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/schemas/clickhouse"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// TestStore holds the store against the real engine: what the driver inserted in a disturbed run, byte by byte and in that order, and
// the same rows seen in every table.
func TestStore(t *testing.T) {
	notUnderRace(t)
	addr := enginetest.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := migrated(ctx, t, addr)
	checkLayouts(ctx, t, conn)

	type insert struct {
		query string
		body  []byte
	}
	var inserts []insert
	c := testCase{world: 3, deployment: "two", faults: []fault{
		{"lost", "s", "insert", 4, 0}, {"refuse", "s", "insert", 7, 0}, {"late", "s", "insert", 10, 300 * time.Millisecond},
		{"killdone", "a", "produce", 20, 0}, {"upgrade", "a", "checkpoint", 15, 0}, {"killdone", "s", "insert", 20, 0},
	}}
	var s *store
	o := c.simulateWith(t, plant{}, logger(), func(sim *sim) {
		s = sim.store
		s.taken = func(query string, body []byte) { inserts = append(inserts, insert{query, bytes.Clone(body)}) }
	})
	if len(o.problems) > 0 || len(inserts) < 20 {
		t.Fatalf("%d inserts: %v", len(inserts), o.problems)
	}
	for _, in := range inserts {
		send(ctx, t, addr, in.query, in.body)
	}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		got, want := s.tables[name].lines(), engineLines(ctx, t, conn, name, s.tables[name])
		if d := diff(got, want, 3); d != "" {
			t.Errorf("%s: the store (+) and the engine (-) differ\n%s", name, d)
		}
		t.Logf("%s: %d rows", name, len(want))
	}
}

func migrated(ctx context.Context, t *testing.T, addr string) driver.Conn {
	cfg := clickhouse.Config{Addr: addr, Database: database}
	if err := clickhouse.Migrate(ctx, cfg, catalogue()); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Exec(context.Background(), "DROP DATABASE "+database)
		conn.Close()
	})
	return conn
}

// checkLayouts holds the layouts against the tables of the migrations: without one the store refuses what the sink inserts, for ever.
func checkLayouts(ctx context.Context, t *testing.T, conn driver.Conn) {
	t.Helper()
	rows, err := conn.Query(ctx, "SELECT name, sorting_key FROM system.tables WHERE database = ? AND engine LIKE 'Replacing%'", database)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var name, key string
		if err := rows.Scan(&name, &key); err != nil {
			t.Fatal(err)
		}
		seen++
		if l, ok := layouts[name]; !ok || strings.Join(l.key, ", ") != key {
			t.Errorf("table %s is ordered by (%s); the store's layout of it: %v", name, key, l.key)
		}
	}
	if err := rows.Err(); err != nil || seen < len(layouts) {
		t.Errorf("%d of %d layouts are those of a table: %v", seen, len(layouts), err)
	}
}

// send inserts what the driver sent.
func send(ctx context.Context, t *testing.T, addr, query string, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/?query="+url.QueryEscape(query), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", query, text)
	}
}

// lines are the rows of a table, as they are.
func (t *table) lines() (lines []string) {
	for _, r := range t.rows {
		if text, deleted := r.text(); !deleted {
			lines = append(lines, text)
		}
	}
	slices.Sort(lines)
	return lines
}

// engineLines are the engine's rows of a table: the columns that were ever inserted, in the types in which they were.
func engineLines(ctx context.Context, t *testing.T, conn driver.Conn, name string, of *table) (lines []string) {
	t.Helper()
	if len(of.rows) == 0 {
		return nil
	}
	var columns []string
	seen := map[string]bool{}
	for _, r := range of.rows {
		for i, column := range r.block.ColumnsNames() {
			if !seen[column] {
				seen[column] = true
				columns = append(columns, fmt.Sprintf("CAST(%s AS %s) AS %s", column, r.block.Columns[i].Type(), column))
			}
		}
	}
	rows, err := conn.Query(ctx, fmt.Sprintf("SELECT %s FROM (SELECT * FROM %s.%s FINAL)", strings.Join(columns, ", "), database, name))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]any, len(columns))
		for i, c := range rows.ColumnTypes() {
			row[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(row...); err != nil {
			t.Fatal(err)
		}
		text, deleted := rowText(rows.Columns(), func(i int) any { return reflect.ValueOf(row[i]).Elem().Interface() })
		if !deleted {
			lines = append(lines, text)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}
