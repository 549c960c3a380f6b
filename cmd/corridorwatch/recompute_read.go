package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/processors/dwell"
	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/pb"
)

// subject is a run, wagon or container.
type subject struct {
	id   string
	kind pb.UnitKind
}

func (s subject) vehicle() bool { return s.kind == pb.UnitKind_TRAIN || s.kind == pb.UnitKind_VESSEL }

// subjects finds what the named subjects are, or all those with late events.
func (r *recomputer) subjects(ctx context.Context, names []string, late bool) ([]subject, error) {
	known := map[string]subject{}
	for _, table := range []string{"train_events FINAL", "unit_events FINAL", "visits FINAL"} {
		id, where := "subject", "subject IN ?"
		args := []any{names}
		switch {
		case table == "visits FINAL":
			id, where = "unit", "unit IN ?"
		case late:
			where, args = "late AND subject IN (SELECT subject FROM "+r.database+"."+table[:len(table)-len(" FINAL")]+" WHERE late)", nil
		}
		if late && id == "unit" {
			continue
		}
		query := fmt.Sprintf("SELECT %s, toInt8(unit_kind) FROM %s.%s WHERE %s GROUP BY ALL ORDER BY ALL", id, r.database, table, where)
		err := r.each(ctx, query, func(rows driver.Rows) error {
			var s subject
			var kind int8
			err := rows.Scan(&s.id, &kind)
			s.kind = pb.UnitKind(kind)
			known[s.id] = s
			return err
		}, args...)
		if err != nil {
			return nil, fmt.Errorf("look for the subjects: %w", err)
		}
	}
	for _, name := range names {
		if _, ok := known[name]; !ok {
			return nil, fmt.Errorf("nothing is stored of a run or unit %q: ids are as in v_train_status and v_visits", name)
		}
	}
	var all []subject
	for _, id := range slices.Sorted(maps.Keys(known)) {
		all = append(all, known[id])
	}
	return all, nil
}

// events reads all events of some subjects.
func (r *recomputer) events(ctx context.Context, table string, ids []string) (map[string][]*pb.Event, error) {
	all := map[string][]*pb.Event{}
	if len(ids) == 0 {
		return all, nil
	}
	err := stored.Events(ctx, r.shards, r.database, table, "subject IN ?", "ORDER BY subject, time, source, id", []any{ids}, func(e *pb.Event) error {
		all[e.Subject] = append(all[e.Subject], e)
		return nil
	})
	return all, err
}

// rows reads the keys of what was told of some units.
func (r *recomputer) rows(ctx context.Context, ids []string, tables ...string) (map[string][]*stored.Row, error) {
	all := map[string][]*stored.Row{}
	if len(ids) == 0 {
		return all, nil
	}
	for _, table := range tables {
		err := stored.Rows(ctx, r.shards, r.database, table, ids, func(row *stored.Row) { all[row.Unit] = append(all[row.Unit], row) })
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// rides folds the events of a run as dwell does and returns the rides that come out; with or without those that came too late.
func (r *recomputer) rides(events []*pb.Event, late bool, now int64) []*pb.Ride {
	var all []*pb.Ride
	out := stream.NewOut(func(_, _ string, rec *pb.Record) {
		if ride := rec.GetRide(); ride != nil && ride.Unit != ride.Run {
			all = append(all, ride)
		}
	}, nil)
	fold := dwell.Stage(r.cat).New()
	for _, e := range events {
		was := e.Late
		if was && !late {
			continue
		}
		e.Late = false
		fold.Fold(stream.In{Now: now, Rec: &pb.Record{Body: &pb.Record_Event{Event: e}}}, out)
		e.Late = was
	}
	fold.Advance(now, out)
	return all
}

// carriers finds the runs that have ever had one of some units on board.
func (r *recomputer) carriers(ctx context.Context, units []string) ([]string, error) {
	var runs []string
	err := r.each(ctx, "SELECT DISTINCT subject FROM "+r.database+".train_events WHERE verb = 'composition' AND "+
		"(hasAny(item_container, ?) OR hasAny(item_wagon, ?)) ORDER BY subject", func(rows driver.Rows) error {
		var run string
		err := rows.Scan(&run)
		runs = append(runs, run)
		return err
	}, units, units)
	if err != nil {
		return nil, fmt.Errorf("look for the runs that carried them: %w", err)
	}
	return runs, nil
}

// forgotten returns those of some units of which border may not hold everything any more: the last that is stored of them is old.
func (r *recomputer) forgotten(ctx context.Context, units []string, now int64) ([]subject, error) {
	if len(units) == 0 {
		return nil, nil
	}
	var all []subject
	err := r.each(ctx, `SELECT unit, toInt8(any(kind)), max(newest) AS last FROM (
		SELECT unit, unit_kind AS kind, toUnixTimestamp64Milli(greatest(entered, arrived, departed, left)) AS newest FROM `+r.database+`.visits FINAL WHERE unit IN ?
		UNION ALL SELECT subject, unit_kind, toUnixTimestamp64Milli(time) FROM `+r.database+`.unit_events FINAL WHERE subject IN ?)
		GROUP BY unit HAVING last < ? ORDER BY unit`, func(rows driver.Rows) error {
		var s subject
		var kind int8
		var last int64
		err := rows.Scan(&s.id, &kind, &last)
		s.kind = pb.UnitKind(kind)
		all = append(all, s)
		return err
	}, units, units, now-recompute.HoldMS)
	if err != nil {
		return nil, fmt.Errorf("look for units that were forgotten: %w", err)
	}
	return all, nil
}

// each calls row for every row of a query on every shard.
func (r *recomputer) each(ctx context.Context, sql string, row func(driver.Rows) error, args ...any) error {
	for _, conn := range r.shards {
		if err := each(ctx, conn, sql, row, args...); err != nil {
			return err
		}
	}
	return nil
}
