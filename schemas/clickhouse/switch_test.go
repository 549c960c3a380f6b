package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
)

// TestLongSwitch: the views of one database read another's tables, stay so over migrations of either, and go back. Whoever asks meanwhile
// sees the one or the other.
func TestLongSwitch(t *testing.T) {
	longtest.Only(t)
	a, b := migrated(t), migrated(t)
	visit := "INSERT INTO DB.visits (unit, unit_kind, journey, place, n, version) VALUES ('%s', 'train', 'J', 'kz-dostyk', 1, 1)"
	a.exec(fmt.Sprintf(visit, "A"))
	b.exec(fmt.Sprintf(visit, "B"))
	const units = "SELECT unit FROM DB.v_visits"
	a.want(units, "A")

	asking, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for asking.Err() == nil {
			var unit string
			err := a.conn.QueryRow(asking, "SELECT any(unit) FROM "+a.config.Database+".v_visits").Scan(&unit)
			if asking.Err() == nil && (err != nil || unit != "A" && unit != "B") {
				t.Errorf("while switching: %q, %v", unit, err)
			}
		}
	})
	for range 2 {
		if err := clickhouse.Switch(within(t, time.Minute), a.config, b.config.Database); err != nil {
			t.Fatal(err)
		}
		a.want(units, "B")
		if err := clickhouse.Switch(within(t, time.Minute), a.config, a.config.Database); err != nil {
			t.Fatal(err)
		}
		a.want(units, "A")
	}
	stop()
	wg.Wait()

	if err := clickhouse.Switch(within(t, time.Minute), a.config, b.config.Database); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*database{a, b} {
		if err := clickhouse.Migrate(within(t, time.Minute), d.config, catalogue(t)); err != nil {
			t.Fatal(err)
		}
		a.want(units, "B")
		b.want(units, "B")
	}
	a.want("SELECT table, name FROM system.columns WHERE database = '" + a.config.Database + "' AND table LIKE 'v\\_%' AND comment = ''")
	a.want("SELECT name FROM system.tables WHERE database = '" + a.config.Database + "' AND name LIKE 'next%'")
	// A view that is missing after a program of an older version is made again by the migration of the tables it reads.
	a.exec("DROP VIEW DB.v_visits")
	if err := clickhouse.Migrate(within(t, time.Minute), b.config, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	a.want(units, "B")
	if err := clickhouse.Switch(within(t, time.Minute), a.config, "nowhere"); err == nil {
		t.Error("switched to a database that is not there")
	}
	if from, err := clickhouse.ViewsFrom(within(t, time.Minute), a.conn, a.config.Database); from != b.config.Database || errors.Is(err, context.Canceled) {
		t.Errorf("the views read %s, %v", from, err)
	}
}
