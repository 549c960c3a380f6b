package sink

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
)

const (
	// insertRowsMost bounds one insert.
	insertRowsMost = 500_000
	// insertsAtOnce bounds how many inserts run side by side in one shard.
	insertsAtOnce = 4
)

// storeRows inserts the rows into the tables of their shards, and returns when all are stored.
func (c *collector) storeRows(ctx, hard context.Context, g *gathered) error {
	c.cfg.hit("before-insert")
	err := c.inShards(func(shard int) error {
		var jobs []func() error
		for _, group := range g.shards[shard] {
			for len(group) > 0 {
				part := group[:mostSheets(group)]
				group = group[len(part):]
				for _, table := range part[0].into {
					jobs = append(jobs, func() error { return c.insertSheets(ctx, hard, shard, table, part) })
				}
			}
		}
		return atOnce(insertsAtOnce, jobs)
	})
	if err != nil {
		return err
	}
	for _, sheets := range g.shards {
		for _, group := range sheets {
			c.free.put(group)
		}
	}
	c.cfg.hit("after-insert")
	return nil
}

// mostSheets is how many of the first sheets go into one insert.
func mostSheets(group []*sheet) int {
	rows := 0
	for i, s := range group {
		if rows += s.rows; i > 0 && rows > insertRowsMost {
			return i
		}
	}
	return len(group)
}

func (c *collector) insertSheets(ctx, hard context.Context, shard int, table string, group []*sheet) error {
	began, rows := time.Now(), 0
	for _, s := range group {
		rows += s.rows
	}
	what := fmt.Sprintf("insert %d rows into %s%s", rows, table, c.ofShard(shard))
	err := c.stubbornly(ctx, hard, what, func(ctx context.Context) error {
		return c.insert(ctx, shard, table, group)
	})
	if err == nil {
		c.metrics.inserted(table, rows, time.Since(began))
	}
	return err
}

// storeOffsets writes how far each partition is.
func (c *collector) storeOffsets(ctx, hard context.Context, g *gathered) error {
	return c.inShards(func(shard int) error {
		ends := map[place]end{}
		for at, e := range g.ends {
			if c.shardOf(at) == shard {
				ends[at] = e
			}
		}
		if len(ends) == 0 {
			return nil
		}
		return c.stubbornly(ctx, hard, "store offsets"+c.ofShard(shard), func(ctx context.Context) error {
			return c.insertOffsets(ctx, shard, ends)
		})
	})
}

// storeMarks writes the marks that have moved.
func (c *collector) storeMarks(ctx, hard context.Context, g *gathered) error {
	moved := make([]map[markKey]int64, len(c.shards))
	for at, e := range g.ends {
		shard := c.shardOf(at)
		for _, s := range e.senders {
			key := markKey{at, schemas.StageName(s.stage), s.task}
			if s.mark > c.marks[key] {
				if moved[shard] == nil {
					moved[shard] = map[markKey]int64{}
				}
				moved[shard][key] = s.mark
			}
		}
	}
	err := c.inShards(func(shard int) error {
		if len(moved[shard]) == 0 {
			return nil
		}
		return c.stubbornly(ctx, hard, "store marks"+c.ofShard(shard), func(ctx context.Context) error {
			return c.insertMarks(ctx, shard, moved[shard])
		})
	})
	if err != nil {
		return err
	}
	for _, m := range moved {
		maps.Copy(c.marks, m)
	}
	c.metrics.passed(c.marks)
	c.cfg.hit("after-marks")
	return nil
}

// shardOf is the shard that holds how far a partition is.
func (w *worker) shardOf(at place) int { return clickhouse.Shard(at.topic, len(w.shards)) }

// ofShard names a shard, where there are several, from 1.
func (w *worker) ofShard(shard int) string {
	if len(w.shards) == 1 {
		return ""
	}
	return fmt.Sprintf(" of shard %d", shard+1)
}

// inShards works on all shards side by side.
func (w *worker) inShards(do func(shard int) error) error {
	var jobs []func() error
	for shard := range w.shards {
		jobs = append(jobs, func() error { return do(shard) })
	}
	return atOnce(len(jobs), jobs)
}

// atOnce does all jobs, some of them side by side, and returns an error if one fails.
func atOnce(most int, jobs []func() error) error {
	slots := make(chan struct{}, most)
	failed := make(chan error, len(jobs))
	var wg sync.WaitGroup
	for _, do := range jobs {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			failed <- do()
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
