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

// history is what the event tables of an installation hold, in the order of acceptance. An event that came late and was recomputed since
// is where it would just have been in time.
type history struct {
	shards   clickhouse.Shards
	database string
	tables   []eventTable
	progress func(done, total int64, at time.Time)
	done     int64
	total    int64
}

// tableReplay sends it to the intake of another installation, with a tick before each time at which something was accepted.
type tableReplay struct {
	history
	to    *ingest.Writer
	batch *ingest.Accepted
	tick  int64
}

// eventTable is a table with the time at which a row of it was accepted.
type eventTable struct{ table, at string }

// replayed are all that a replay sends. Of restrictions it is every version: one that is lifted under its id was in force before. The last
// of them is sent twice, which counts once: a sink of an older version wrote it into the one table alone.
var replayed = []eventTable{
	{"train_events", eventAt}, {"unit_events", eventAt}, {"shipments", eventAt}, {"restrictions", eventAt}, {"restrictions_history", eventAt}, {"plans", eventAt},
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
	r.tick, r.batch = from, ingest.NewAccepted(r.to)
	if err := r.each(ctx, from, until, func(row stamped) error { return r.send(ctx, row) }); err != nil {
		return err
	}
	r.sendTick(until)
	return r.to.Flush(ctx)
}

// each calls take for what was accepted from from to until (ms), in order.
func (h *history) each(ctx context.Context, from, until int64, take func(stamped) error) error {
	windows, err := h.windows(ctx, from, until)
	if err != nil {
		return err
	}
	for _, w := range windows {
		h.total += w.rows
	}
	for _, w := range windows {
		rows, err := h.read(ctx, w)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := take(row); err != nil {
				return err
			}
			if h.done++; h.done%10_000 == 0 {
				h.show(row.at)
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
	}
	h.show(until)
	return nil
}

// windows cuts the time between from and until so that each part holds about as many rows, an hour at least.
func (h *history) windows(ctx context.Context, from, until int64) ([]window, error) {
	var parts []string
	for _, t := range h.tables {
		parts = append(parts, fmt.Sprintf("SELECT %s AS at FROM %s.%s", t.at, h.database, t.table))
	}
	const hour = 3600_000
	sql := fmt.Sprintf("SELECT intDiv(at, %d) AS hour, toInt64(count()) FROM (%s) WHERE at >= %d AND at < %d GROUP BY hour ORDER BY hour",
		hour, strings.Join(parts, " UNION ALL "), from, until)
	var all []window
	perHour := map[int64]int64{}
	for _, conn := range h.shards {
		err := each(ctx, conn, sql, func(rows driver.Rows) error {
			var at, n int64
			err := rows.Scan(&at, &n)
			perHour[at] += n
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, at := range slices.Sorted(maps.Keys(perHour)) {
		n := perHour[at]
		if last := len(all) - 1; last >= 0 && all[last].rows+n <= windowRows {
			all[last].to, all[last].rows = (at+1)*hour, all[last].rows+n
			continue
		}
		all = append(all, window{max(at*hour, from), (at + 1) * hour, n})
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

// read reads one window.
func (h *history) read(ctx context.Context, w window) ([]stamped, error) {
	var rows []stamped
	for _, t := range h.tables {
		where := fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", t.at, w.from, w.to)
		var err error
		if t.table == "rejects" {
			err = stored.Rejects(ctx, h.shards, h.database, where, nil, func(x *pb.Reject) error {
				rows = append(rows, stamped{at: max(x.At, x.AcceptedAt), reject: x})
				return nil
			})
		} else {
			err = stored.Events(ctx, h.shards, h.database, t.table, where, "", nil, func(e *pb.Event) error {
				rows = append(rows, stamped{at: acceptedAt(e), event: e})
				return nil
			})
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(rows, func(a, b stamped) int { return cmp.Compare(a.at, b.at) })
	return rows, nil
}

func (h *history) show(at int64) {
	h.progress(h.done, max(h.total, h.done), time.UnixMilli(at).UTC())
}

func (r *tableReplay) send(ctx context.Context, row stamped) error {
	r.sendTick(row.at)
	if row.event != nil {
		r.batch.Event(row.event)
	} else {
		r.batch.Reject(row.reject)
	}
	return r.to.FlushIfFull(ctx)
}

// sendTick lets time pass, after what was accepted before.
func (r *tableReplay) sendTick(t int64) {
	if t > r.tick {
		r.batch.Flush()
		r.to.Tick(t)
		r.tick = t
	}
}
