package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/ingest"
	"corridorwatch/processors/recompute"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/pb"
)

// tableReplay sends what the event tables of an installation hold to the intake of another, in the order of acceptance, with a tick
// before each time at which something was accepted. An event that came late and was recomputed since is sent where it would just have
// been in time.
type tableReplay struct {
	shards   clickhouse.Shards
	database string
	to       *ingest.Writer
	progress func(done, total int64, at time.Time)
	tick     int64
	done     int64
	total    int64
}

// replayed are the tables, each with the time at which a row was accepted.
var replayed = [...]struct{ table, at string }{
	{"train_events", eventAt}, {"unit_events", eventAt}, {"shipments", eventAt}, {"restrictions", eventAt}, {"plans", eventAt},
	{"rejects", "toUnixTimestamp64Milli(greatest(at, accepted_at))"},
}

var eventAt = fmt.Sprintf("if(late, toUnixTimestamp64Milli(accepted_at), least(toUnixTimestamp64Milli(accepted_at), toUnixTimestamp64Milli(time) + %d))", recompute.HoldMS)

// acceptedAt is eventAt of one event.
func acceptedAt(e *pb.Event) int64 {
	if e.Late {
		return e.AcceptedAt
	}
	return min(e.AcceptedAt, e.Time+recompute.HoldMS)
}

// window is a span of acceptance times with the rows accepted in it.
type window struct{ from, to, rows int64 }

// windowRows is about how many rows are held in memory at once.
const windowRows = 200_000

// run replays what was accepted before until (ms), from where an earlier run was stopped.
func (r *tableReplay) run(ctx context.Context, until int64) error {
	from, err := ingest.SentUntil(ctx, r.to)
	if err != nil {
		return fmt.Errorf("find where the replay was stopped: %w", err)
	}
	r.tick = from
	windows, err := r.windows(ctx, from, until)
	if err != nil {
		return err
	}
	for _, w := range windows {
		r.total += w.rows
	}
	for _, w := range windows {
		if err := r.window(ctx, w); err != nil {
			return err
		}
	}
	r.sendTick(until)
	r.show()
	return r.to.Flush(ctx)
}

// windows cuts the time between from and until so that each part holds about as many rows, an hour at least.
func (r *tableReplay) windows(ctx context.Context, from, until int64) ([]window, error) {
	var parts []string
	for _, t := range replayed {
		parts = append(parts, fmt.Sprintf("SELECT %s AS at FROM %s.%s", t.at, r.database, t.table))
	}
	const hour = 3600_000
	sql := fmt.Sprintf("SELECT intDiv(at, %d) AS hour, toInt64(count()) FROM (%s) WHERE at >= %d AND at < %d GROUP BY hour ORDER BY hour",
		hour, strings.Join(parts, " UNION ALL "), from, until)
	var all []window
	perHour := map[int64]int64{}
	for _, conn := range r.shards {
		err := each(ctx, conn, sql, func(rows driver.Rows) error {
			var h, n int64
			err := rows.Scan(&h, &n)
			perHour[h] += n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, h := range slices.Sorted(maps.Keys(perHour)) {
		n := perHour[h]
		if last := len(all) - 1; last >= 0 && all[last].rows+n <= windowRows {
			all[last].to, all[last].rows = (h+1)*hour, all[last].rows+n
			continue
		}
		all = append(all, window{max(h*hour, from), (h + 1) * hour, n})
	}
	if n := len(all); n > 0 {
		all[n-1].to = min(all[n-1].to, until)
	}
	return all, nil
}

// stamped is an event or a reject with the time at which it is sent.
type stamped struct {
	at     int64
	event  *pb.Event
	reject *pb.Reject
}

func (r *tableReplay) window(ctx context.Context, w window) error {
	var rows []stamped
	for _, t := range replayed {
		where := fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", t.at, w.from, w.to)
		var err error
		if t.table == "rejects" {
			err = stored.Rejects(ctx, r.shards, r.database, where, nil, func(x *pb.Reject) error {
				rows = append(rows, stamped{at: max(x.At, x.AcceptedAt), reject: x})
				return nil
			})
		} else {
			err = stored.Events(ctx, r.shards, r.database, t.table, where, "", nil, func(e *pb.Event) error {
				rows = append(rows, stamped{at: acceptedAt(e), event: e})
				return nil
			})
		}
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(rows, func(a, b stamped) int { return cmp.Compare(a.at, b.at) })
	return r.send(ctx, rows)
}

func (r *tableReplay) send(ctx context.Context, rows []stamped) error {
	batch := ingest.NewAccepted(r.to)
	for _, row := range rows {
		if row.at > r.tick {
			batch.Flush()
			r.sendTick(row.at)
		}
		if row.event != nil {
			batch.Event(row.event)
		} else {
			batch.Reject(row.reject)
		}
		if r.done++; r.done%10_000 == 0 {
			r.show()
		}
		if err := r.to.FlushIfFull(ctx); err != nil {
			return err
		}
	}
	batch.Flush()
	return nil
}

func (r *tableReplay) sendTick(t int64) {
	if t > r.tick {
		r.to.Tick(t)
		r.tick = t
	}
}

func (r *tableReplay) show() { r.progress(r.done, max(r.total, r.done), time.UnixMilli(r.tick).UTC()) }
