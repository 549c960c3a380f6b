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

// TestBorderDays: railway days are those of each side, by its clocks and from its hour on. R1 came to east at 0:00 UTC of 1 March and left it at
// 6:00, R2 came there at 12:00; R1 came to west at 8:00.
func TestBorderDays(t *testing.T) {
	d := migrated(t)
	tellStory(d, "story")
	clocks := func(zoneA string, startA int, zoneB string, startB int) {
		d.exec("TRUNCATE TABLE DB.catalogue_borders")
		d.exec(fmt.Sprintf("INSERT INTO DB.catalogue_borders VALUES ('b', 'The border', 'AA', 'BB', ['east'], ['west'], '', true, false, false, 'area', '%s', %d, '%s', %d)",
			zoneA, startA, zoneB, startB))
	}
	const moves = "SELECT country, railway_day, formatDateTime(day_ends, '%d %H:%i'), arrived, departed FROM DB.v_border_days WHERE border = 'b' AND arrived + departed > 0 AND railway_day > '2026-02-22' ORDER BY ALL"
	d.want(moves, "AA\t2026-03-01\t01 18:00\t2\t1", "BB\t2026-03-01\t01 18:00\t1\t0") // the catalogue has no such border: as of old
	clocks("Asia/Almaty", 360, "UTC", 0)
	d.want(moves, "AA\t2026-02-28\t01 01:00\t1\t0", "AA\t2026-03-01\t02 01:00\t1\t1", "BB\t2026-03-01\t02 00:00\t1\t0")
	clocks("Asia/Shanghai", 1200, "Europe/Warsaw", 720)
	d.want(moves, "AA\t2026-03-01\t01 12:00\t1\t1", "AA\t2026-03-02\t02 12:00\t1\t0", "BB\t2026-03-01\t01 11:00\t1\t0")
	d.want("SELECT direction, outbound_zone, outbound_day_start, inbound_zone, inbound_day_start FROM DB.v_catalogue_borders ORDER BY direction",
		"AA-BB\tAsia/Shanghai\t20:00\tEurope/Warsaw\t12:00", "BB-AA\tEurope/Warsaw\t12:00\tAsia/Shanghai\t20:00")

	// The clocks go forward at 1:00 UTC of 29 March: a day that ends before, and one that ends after it.
	d.exec("INSERT INTO DB.ticks SELECT topic, partition, stage, task, 1774915200000 FROM DB.ticks")
	clocks("Europe/Warsaw", 60, "Europe/Warsaw", 1080)
	d.want("SELECT country, railway_day, formatDateTime(day_ends, '%d %H:%i') FROM DB.v_border_days WHERE border = 'b' AND railway_day BETWEEN '2026-03-28' AND '2026-03-29' ORDER BY ALL",
		"AA\t2026-03-28\t29 00:00", "AA\t2026-03-29\t29 23:00", "BB\t2026-03-28\t28 17:00", "BB\t2026-03-29\t29 16:00")
}
