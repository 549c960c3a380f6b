package main

import (
	"context"
	"errors"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/ingest"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/pb"
)

// wait returns when every subject was answered and everything that followed from it is stored.
func (r *recomputer) wait(ctx context.Context, id uint64, stage pb.Stage, subjects []subject) error {
	if err := r.writer.Flush(ctx); err != nil {
		return err
	}
	var folded int64 // stage time at which the last was folded
	for {
		n, at, no, err := r.answers(ctx, id, stage)
		if err != nil {
			return err
		}
		if n >= len(subjects) {
			if no != nil {
				return *no
			}
			folded = at
			break
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return r.passed(ctx, folded)
}

// answers counts what the tasks said of a recompute, with the last stage time at which one did, and one that refused.
func (r *recomputer) answers(ctx context.Context, id uint64, stage pb.Stage) (n int, at int64, no *refused, err error) {
	name := map[pb.Stage]string{pb.Stage_DWELL: "dwell", pb.Stage_BORDER: "border"}[stage]
	err = r.each(ctx, "SELECT subject, refused, toUnixTimestamp64Milli(known_at) FROM "+r.database+".recomputed FINAL WHERE id = ? AND stage = ?",
		func(rows driver.Rows) error {
			var one refused
			var known int64
			err := rows.Scan(&one.subject, &one.why, &known)
			n, at = n+1, max(at, known)
			if one.why != "" {
				no = &one
			}
			return err
		}, id, name)
	return n, at, no, err
}

// passed returns when stage time has gone on beyond a time and everything that was written before is stored. In data time it makes
// time pass by a millisecond.
func (r *recomputer) passed(ctx context.Context, beyond int64) error {
	var asked time.Time
	for {
		done, _, err := sink.Passed(ctx, r.shards, r.database, beyond+1, r.partitions)
		if err != nil || done {
			return err
		}
		if r.dataTime && time.Since(asked) > 5*time.Second {
			asked = time.Now()
			last, err := ingest.LastTick(ctx, r.writer)
			if err != nil {
				return err
			}
			r.writer.Tick(max(last, beyond) + 1)
			if err := r.writer.Flush(ctx); err != nil {
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}

// storedUntil is the stage time up to which everything is in the tables.
func (r *recomputer) storedUntil(ctx context.Context) (int64, error) {
	_, at, err := sink.Passed(ctx, r.shards, r.database, 0, r.partitions)
	if err == nil && at == 0 {
		err = errors.New("no stage time has passed through the tables yet: is the installation running?")
	}
	return at, err
}

// folded is how many late events a recompute folded.
func (r *recomputer) folded(ctx context.Context, id uint64) (all uint64, err error) {
	err = r.each(ctx, "SELECT sum(late) FROM "+r.database+".recomputed FINAL WHERE id = ? AND refused = ''", func(rows driver.Rows) error {
		var n uint64
		err := rows.Scan(&n)
		all += n
		return err
	}, id)
	return all, err
}
