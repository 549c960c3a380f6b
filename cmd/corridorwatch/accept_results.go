package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/ingest/simulator"
	"corridorwatch/ingest/simulator/judge"
)

// results reads what the views say of trains and vessels.
func results(ctx context.Context, conn driver.Conn) (judge.Results, error) {
	var r judge.Results
	ms := func(columns ...string) string {
		for i, c := range columns {
			columns[i] = "ifNull(toUnixTimestamp64Milli(" + c + "), 0)"
		}
		return strings.Join(columns, ", ")
	}
	visits := "SELECT unit, place, " + ms("entered", "arrived", "departed", "left") + ", stopped FROM v_visits WHERE unit_kind IN ('train', 'vessel', 'container')"
	if err := each(ctx, conn, visits, func(rows driver.Rows) error {
		var v judge.Visit
		err := rows.Scan(&v.Unit, &v.Place, &v.Entered, &v.Arrived, &v.Departed, &v.Left, &v.Stopped)
		r.Visits = append(r.Visits, v)
		return err
	}); err != nil {
		return r, err
	}
	legs := "SELECT unit, from_place, to_place, ifNull(km, 0), " + ms("departed_at", "arrived_at") + ", toFloat64(elapsed_s), toFloat64(moving_s) FROM v_legs WHERE unit_kind IN ('train', 'vessel')"
	if err := each(ctx, conn, legs, func(rows driver.Rows) error {
		var l judge.Leg
		err := rows.Scan(&l.Unit, &l.From, &l.To, &l.Km, &l.Departed, &l.Arrived, &l.Elapsed, &l.Moving)
		r.Legs = append(r.Legs, l)
		return err
	}); err != nil {
		return r, err
	}
	sides := "SELECT unit, border, " + ms("outbound_entered", "outbound_left", "inbound_entered", "inbound_left", "handover_offered_at", "handover_accepted_at") +
		", toInt64(refused), approach_s, customs_s, gauge_change_s FROM v_crossings WHERE unit_kind IN ('train', 'vessel', 'container') AND NOT candidate"
	if err := each(ctx, conn, sides, func(rows driver.Rows) error {
		var c judge.Crossing
		err := rows.Scan(&c.Unit, &c.Border, &c.OutEntered, &c.OutLeft, &c.InEntered, &c.InLeft, &c.Offered, &c.Accepted, &c.Refused, &c.Approach, &c.Customs, &c.GaugeChange)
		r.Crossings = append(r.Crossings, c)
		return err
	}); err != nil {
		return r, err
	}
	notices := "SELECT 'restriction', subject, direction, reference, effect, " + ms("from_time", "until_time") + ", ifNull(limit_per_day, 0), '' FROM v_restrictions" +
		" UNION ALL SELECT 'plan', border, direction, '', '', 0, 0, trains, ifNull(toString(date), '') FROM v_plans"
	err := each(ctx, conn, notices, func(rows driver.Rows) error {
		var n simulator.Notice
		err := rows.Scan(&n.Kind, &n.Border, &n.Direction, &n.Reference, &n.Effect, &n.From, &n.Until, &n.PerDay, &n.Date)
		r.Notices = append(r.Notices, n)
		return err
	})
	return r, err
}

// readAlerts reads by fingerprint whether an alert fires.
func readAlerts(ctx context.Context, conn driver.Conn) (map[string]bool, error) {
	alerts := map[string]bool{}
	err := each(ctx, conn, "SELECT fingerprint, firing FROM v_alerts", func(rows driver.Rows) error {
		var fingerprint string
		var firing bool
		err := rows.Scan(&fingerprint, &firing)
		alerts[fingerprint] = firing
		return err
	})
	return alerts, err
}

// sameAlerts holds what was told in two runs against each other. When an alert was told, and with which value, depends on what was
// known when, so on arrival; a train on the edge of what is usual may even be told of in one run alone. One in twenty, and one
// besides, may differ.
func sameAlerts(a, b map[string]bool) error {
	var differ []string
	for _, fingerprint := range slices.Sorted(maps.Keys(a)) {
		if firing, told := b[fingerprint]; !told || firing != a[fingerprint] {
			differ = append(differ, fingerprint)
		}
	}
	for _, fingerprint := range slices.Sorted(maps.Keys(b)) {
		if _, told := a[fingerprint]; !told {
			differ = append(differ, fingerprint)
		}
	}
	if len(differ) > 1+max(len(a), len(b))/20 {
		return fmt.Errorf("alerts differ, %d undisturbed and %d disturbed; told in one run only, or firing in one only: %s", len(a), len(b), strings.Join(differ, ", "))
	}
	return nil
}
