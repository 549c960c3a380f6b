package clickhouse_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"corridorwatch/schemas/clickhouse"
)

// story.sql is a small world in plain SQL: two trains and a container at a border, at stage time 2026-03-02 00:00.
func TestStory(t *testing.T) { tellStory(migrated(t), "story") }

// indicators.sql is a world for the indicators: what is expected of it was reckoned by hand.
func TestIndicators(t *testing.T) { tellStory(migrated(t), "indicators") }

// gauge.sql is a border where the gauge changes: one train ends, the next is formed, and what is between them waits.
func TestGauge(t *testing.T) { tellStory(migrated(t), "gauge") }

func tellStory(d *database, name string) {
	d.t.Helper()
	for _, s := range strings.Split(readFile(d.t, "testdata/"+name+".sql"), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			d.exec(s)
		}
	}
	for _, q := range strings.Split(readFile(d.t, "testdata/"+name+".want"), "\n\n") {
		query, want, _ := strings.Cut(strings.Trim(q, "\n"), "\n")
		var lines []string
		if want != "" {
			lines = strings.Split(want, "\n")
		}
		d.want(query, lines...)
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHashesAndDumps(t *testing.T) {
	a, b := migrated(t), migrated(t)
	ctx := within(t, time.Minute)
	for i, d := range []*database{a, b} {
		// The same row as another version, known at another time, in another order.
		d.exec(fmt.Sprintf("INSERT INTO DB.legs (unit, unit_kind, journey, n, km, known_at, version) SELECT 'U', 'train', 'J', if(%[1]d, 100 - number, number + 1), 3, %[1]d, 7 + %[1]d FROM numbers(100)", i))
	}
	ha, err := clickhouse.Hashes(ctx, a.conn, a.config.Database, clickhouse.StoredViews)
	if err != nil {
		t.Fatal(err)
	}
	hb, err := clickhouse.Hashes(ctx, b.conn, b.config.Database, clickhouse.StoredViews)
	if err != nil {
		t.Fatal(err)
	}
	if ha["v_legs"] != hb["v_legs"] || ha["v_legs"].Rows != 100 {
		t.Errorf("hashes of equal views: %v and %v", ha["v_legs"], hb["v_legs"])
	}
	b.exec("INSERT INTO DB.legs (unit, unit_kind, journey, n, km, version) VALUES ('U', 'train', 'J', 5, 4, 100)")
	if hb, err = clickhouse.Hashes(ctx, b.conn, b.config.Database, clickhouse.StoredViews); err != nil || ha["v_legs"] == hb["v_legs"] {
		t.Errorf("one leg is longer and the hashes are equal (%v)", err)
	}
	da, err := clickhouse.Dump(ctx, a.conn, a.config.Database, clickhouse.StoredViews)
	if err != nil {
		t.Fatal(err)
	}
	db, err := clickhouse.Dump(ctx, b.conn, b.config.Database, clickhouse.StoredViews)
	if err != nil {
		t.Fatal(err)
	}
	diff := clickhouse.Diff(da, db, 3)
	if !strings.Contains(diff, "v_legs: 100 and 100 rows, 1 only in the first, 1 only in the second") || strings.Contains(diff, "v_visits") {
		t.Errorf("diff:\n%s", diff)
	}
	if diff := clickhouse.Diff(da, da, 3); diff != "" {
		t.Errorf("diff of one with itself:\n%s", diff)
	}
}

// TestStoredViews: where only these are compared nothing that a stage wrote is left out, and what takes long is.
func TestStoredViews(t *testing.T) {
	d := migrated(t)
	d.exec("INSERT INTO DB.legs (unit, unit_kind, journey, n) VALUES ('U', 'train', 'J', 1)")
	views, err := clickhouse.Hashes(within(t, time.Minute), d.conn, d.config.Database, clickhouse.StoredViews)
	if err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string]bool{"v_legs": true, "v_crossing_sides": true, "v_gauge_breaks": true, "v_journey": false, "v_tfi1": false} {
		if _, ok := views[name]; ok != stored {
			t.Errorf("%s among the stored views: %v", name, ok)
		}
	}
	var names []string
	for name := range views {
		names = append(names, "'"+name+"'")
	}
	// Which tables does none of them read?
	d.want(fmt.Sprintf("SELECT name FROM system.tables WHERE database = '%[1]s' AND engine = 'ReplacingMergeTree' AND NOT match((SELECT "+
		"arrayStringConcat(groupArray(as_select)) FROM system.tables WHERE database = '%[1]s' AND name IN (%[2]s)), concat('%[1]s\\\\.', name, '\\\\b')) ORDER BY name",
		d.config.Database, strings.Join(names, ", ")),
		"alerts_history", "crossings_history", "legs_history", // the earlier states of what a view shows
		"recomputed", "restrictions_history", "sink_offsets", // how the rows came about
		"visits_history")
}
