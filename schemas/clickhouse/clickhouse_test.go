package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// database is a migrated database of its own.
type database struct {
	t      testing.TB
	config clickhouse.Config
	conn   driver.Conn
}

func migrated(t testing.TB) *database {
	t.Helper()
	c := clickhouse.Config{Addr: enginetest.Start(t), Database: fmt.Sprintf("schema_%d", time.Now().UnixNano())}
	if err := clickhouse.Migrate(within(t, time.Minute), c, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(within(t, time.Minute), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Exec(context.Background(), "DROP DATABASE "+c.Database)
		conn.Close()
	})
	return &database{t, c, conn}
}

func catalogue(t testing.TB) *network.Catalog {
	t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// exec runs a statement in which DB stands for the database.
func (d *database) exec(query string) {
	d.t.Helper()
	if err := d.conn.Exec(within(d.t, time.Minute), strings.ReplaceAll(query, "DB.", d.config.Database+".")); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

// want compares the rows of a query, each as text with tabs between.
func (d *database) want(query string, want ...string) {
	d.t.Helper()
	rows, err := d.conn.Query(within(d.t, time.Minute),
		"SELECT formatRowNoNewline('TSV', *) FROM ("+strings.ReplaceAll(query, "DB.", d.config.Database+".")+")")
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			d.t.Fatal(err)
		}
		got = append(got, line)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		d.t.Errorf("%s\ngot:\n%s\nwant:\n%s", query, g, w)
	}
}

func TestMigrateAgainChangesNothing(t *testing.T) {
	d := migrated(t)
	d.exec("INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1000)")
	if err := clickhouse.Migrate(within(t, time.Minute), d.config, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	d.want("SELECT now FROM DB.v_now", "1970-01-01 00:00:01.000")
	have, want, err := clickhouse.Version(within(t, time.Minute), d.config)
	if err != nil || have != want || want < 4 {
		t.Errorf("version %d of %d, %v", have, want, err)
	}
}

// TestViewsAreThoseOfTheProgram: a migration makes views anew where another program made them, and else leaves them as they are.
func TestViewsAreThoseOfTheProgram(t *testing.T) {
	d := migrated(t)
	const uuids = "SELECT toString(uuid) FROM system.tables WHERE database = '%s' AND name = 'v_now'"
	var first, second string
	ask := func(uuid *string) {
		if err := d.conn.QueryRow(within(t, time.Minute), fmt.Sprintf(uuids, d.config.Database)).Scan(uuid); err != nil {
			t.Fatal(err)
		}
	}
	ask(&first)
	if err := clickhouse.Migrate(within(t, time.Minute), d.config, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	if ask(&second); first != second {
		t.Error("made anew, and nothing had changed")
	}
	d.exec("CREATE OR REPLACE VIEW DB.v_now AS SELECT 'of an older program' AS now")
	d.exec("CREATE OR REPLACE VIEW DB.views_made AS SELECT 'its sum' AS sum")
	if err := clickhouse.Migrate(within(t, time.Minute), d.config, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	d.exec("INSERT INTO DB.ticks VALUES ('visits', 0, 'dwell', 0, 1000)")
	d.want("SELECT now FROM DB.v_now", "1970-01-01 00:00:01.000")
}

func TestBadDatabaseName(t *testing.T) {
	err := clickhouse.Migrate(t.Context(), clickhouse.Config{Addr: "127.0.0.1:1", Database: "a-b"}, nil)
	if err == nil || !strings.Contains(err.Error(), `"a-b"`) {
		t.Errorf("error %v, want the name", err)
	}
}

// The views are the contract with analysts: every column is explained, and each says what kind of unit it is about.
func TestEveryColumnIsCommented(t *testing.T) {
	d := migrated(t)
	columns := "FROM system.columns WHERE database = '" + d.config.Database + "' AND table LIKE 'v\\_%'"
	d.want("SELECT table, name " + columns + " AND comment = ''")
	d.want("SELECT table "+columns+" GROUP BY table HAVING countIf(name = 'unit_kind') = 0 ORDER BY table", "v_catalogue_borders", "v_catalogue_places", "v_now") // the catalogue and the clock
	d.want("SELECT count(DISTINCT table) > 10, count() > 200 "+columns, "1\t1")
	// Times carry their zone, durations their unit.
	d.want("SELECT table, name " + columns + " AND type LIKE '%Date%' AND type NOT LIKE '%DateTime64(3, \\'UTC\\')%' AND type NOT IN ('Date', 'Nullable(Date)')")
	d.want("SELECT table, name " + columns + " AND name LIKE '%\\_s' AND comment NOT LIKE '%second%'")
}

// Of the versions of an event the one recorded last counts, then the greater hash, then the one that was not late: whatever the
// order of the inserts, and between parts as within one.
func TestVersionsOfEvents(t *testing.T) {
	d := migrated(t)
	insert := func(rows ...string) {
		d.exec("INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, time, recorded_at, hash, late, lat_e7) VALUES " +
			strings.Join(rows, ", "))
	}
	row := func(id string, recorded int, hash uint64, late bool, lat int) string {
		return fmt.Sprintf("('s', '%s', 'position', 'train', 'R', 1000, fromUnixTimestamp64Milli(%d), %d, %t, %d)", id, recorded, hash, late, lat)
	}
	const huge = ^uint64(0)
	insert(row("a", 2, 1, false, 30_000_000), row("a", 1, huge, false, 10_000_000))
	insert(row("a", 1, 5, false, 20_000_000))
	insert(row("b", 7, huge-1, false, 10_000_000))
	insert(row("b", 7, huge, false, 20_000_000))
	insert(row("b", 7, 1<<63, false, 30_000_000))
	insert(row("c", 7, 9, false, 10_000_000))
	insert(row("c", 7, 9, true, 10_000_000))
	want := []string{"a\t3\tfalse", "b\t2\tfalse", "c\t1\tfalse"}
	d.want("SELECT id, lat, late FROM DB.v_positions ORDER BY id", want...)
	d.exec("OPTIMIZE TABLE DB.train_events FINAL")
	d.want("SELECT id, lat, late FROM DB.v_positions ORDER BY id", want...)
	d.want("SELECT count() FROM DB.train_events", "3")
}

func TestRetractedPositionIsNotShown(t *testing.T) {
	d := migrated(t)
	d.exec("INSERT INTO DB.train_events (source, id, verb, unit_kind, subject, retracts_type, retracts_id) VALUES " +
		"('s', 'a', 'position', 'train', 'R', '', ''), ('s', 'b', 'position', 'train', 'R', '', ''), " +
		"('other', 'a', 'position', 'train', 'R', '', ''), ('s', 'r', 'retracted', 'train', 'R', 'train.position', 'a')")
	d.want("SELECT source, id FROM DB.v_positions ORDER BY ALL", "other\ta", "s\tb")
}

// A row that was deleted is gone from views, comes back with a newer version, and an older insert never shows.
func TestDeletedRows(t *testing.T) {
	d := migrated(t)
	insert := func(version, deleted int) {
		d.exec(fmt.Sprintf("INSERT INTO DB.visits (unit, unit_kind, journey, place, n, refused, version, deleted) VALUES ('U', 'wagon', 'J', 'p', 1, %[1]d, %[1]d, %[2]d)",
			version, deleted))
	}
	insert(5, 1)
	d.want("SELECT refused FROM DB.v_visits")
	insert(4, 0)
	d.want("SELECT refused FROM DB.v_visits")
	insert(6, 0)
	insert(5, 1)
	d.want("SELECT refused FROM DB.v_visits", "6")
	d.exec("OPTIMIZE TABLE DB.visits FINAL")
	insert(3, 0)
	d.want("SELECT refused FROM DB.v_visits", "6")
}

func TestDictionaries(t *testing.T) {
	d, cat := migrated(t), catalogue(t)
	p := cat.Places[0]
	d.want(fmt.Sprintf("SELECT dictGet('DB.places', 'name', '%s'), dictGet('DB.places', 'country', '%[1]s')", p.ID), p.Name+"\t"+p.Country)
	b := cat.Borders[0]
	d.want(fmt.Sprintf("SELECT dictGet('DB.borders', 'name', '%s'), dictGet('DB.borders', 'country_b', '%[1]s')", b.ID), b.Name+"\t"+b.B.Country)
	c := cat.Corridors[0]
	d.want(fmt.Sprintf("SELECT dictGet('DB.corridors', 'name', '%s')", c.ID), c.Name)
	d.want("SELECT count() FROM DB.catalogue_sections", fmt.Sprint(len(cat.Sections)))
}
