package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"corridorwatch/schemas"
)

// gathered is what goes into one flush: the sheets of all partitions by kind, and how far each partition is once they are stored.
type gathered struct {
	sheets [kinds][]*sheet
	ends   map[place]end
	rows   int
	bytes  int
}

func (g *gathered) take(p portion) {
	for k, s := range p.sheets {
		if s != nil {
			g.sheets[k] = append(g.sheets[k], s)
		}
	}
	g.ends[p.from] = p.end
	g.rows += p.rows
	g.bytes += p.bytes
}

// collector gathers portions and flushes them. While one flush is on its way the next is gathered.
type collector struct {
	*worker
	portions chan portion
	done     chan struct{} // closed when the collector takes no more
	open     gathered
	marks    map[markKey]int64 // in table ticks
}

func newCollector(w *worker) *collector {
	return &collector{
		worker: w, portions: make(chan portion), done: make(chan struct{}), open: gathered{ends: map[place]end{}}, marks: map[markKey]int64{},
	}
}

// lastFlush bounds the flush after the end of ctx.
const lastFlush = 15 * time.Second

// run flushes when it is time or enough is gathered, until the readers have closed portions; then it flushes the rest. The first
// error that time does not mend ends it.
func (c *collector) run(ctx context.Context) error {
	defer close(c.done)
	timer := time.NewTimer(c.cfg.FlushEvery)
	defer timer.Stop()
	flushed := make(chan error, 1)
	flushing, due := false, true // nothing was inserted before: the first portion goes at once
	for {
		full := c.open.rows >= c.cfg.MaxRows || c.open.bytes >= c.cfg.MaxBytes
		if !flushing && len(c.open.ends) > 0 && (due || full) {
			batch := c.open
			c.open = gathered{ends: map[place]end{}}
			flushing, due, full = true, false, false
			timer.Reset(c.cfg.FlushEvery)
			go func() { flushed <- c.flush(ctx, &batch) }()
		}
		portions := c.portions
		if full {
			portions = nil // back-pressure: the flush on its way must end first
		}
		select {
		case p, ok := <-portions:
			if !ok {
				return c.finish(ctx, flushing, flushed)
			}
			c.open.take(p)
		case <-timer.C:
			due = true
		case err := <-flushed:
			flushing = false
			if err != nil {
				return err
			}
		}
	}
}

// finish waits for the flush on its way and flushes what is left.
func (c *collector) finish(ctx context.Context, flushing bool, flushed <-chan error) error {
	if flushing {
		if err := <-flushed; err != nil {
			return err
		}
	}
	if len(c.open.ends) == 0 {
		return nil
	}
	return c.flush(ctx, &c.open)
}

// errStopped ends the collector when ctx has ended and a flush failed. No later flush may follow: its offsets would count rows
// that were not stored.
var errStopped = errors.New("stopped before everything was stored; the rest is read again at the next start")

// flush stores what was gathered: the rows, then the marks, then how far the sink is. A mark is true once the rows before it are
// stored; behind the offsets, a kill in between would lose it for good if nothing follows it. A ctx that ended lets the attempt
// under way go on for a while but begins no other.
func (c *collector) flush(ctx context.Context, g *gathered) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastFlush, cancel) })()
	for _, step := range []func(context.Context, context.Context, *gathered) error{c.storeRows, c.storeMarks, c.storeOffsets} {
		if err := step(ctx, hard, g); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %w", errStopped, err)
			}
			return err
		}
	}
	next := map[string]map[int]int64{}
	for at, e := range g.ends {
		if c.cfg.Stored != nil {
			c.cfg.Stored(at.topic, at.partition, e.next)
		}
		topic := schemas.InKafka(c.cfg.Prefix, at.topic)
		if next[topic] == nil {
			next[topic] = map[int]int64{}
		}
		next[topic][at.partition] = e.next
	}
	if !c.cfg.FromStart { // that is not how far the installation is
		c.lag.Commit(ctx, next)
	}
	return nil
}

// insertsAtOnce bounds how many inserts run side by side.
const insertsAtOnce = 4

// storeRows makes one insert a table of every kind there are rows of.
func (c *collector) storeRows(ctx, hard context.Context, g *gathered) error {
	c.cfg.hit("before-insert")
	slots := make(chan struct{}, insertsAtOnce)
	failed := make(chan error, 2*int(kinds))
	var inserts sync.WaitGroup
	for k := range g.sheets {
		group := g.sheets[k]
		if len(group) == 0 {
			continue
		}
		for _, table := range group[0].into {
			slots <- struct{}{}
			inserts.Go(func() {
				defer func() { <-slots }()
				failed <- c.insertSheets(ctx, hard, table, group)
			})
		}
	}
	inserts.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	for _, group := range g.sheets {
		c.free.put(group)
	}
	c.cfg.hit("after-insert")
	return nil
}

func (c *collector) insertSheets(ctx, hard context.Context, table string, group []*sheet) error {
	began, rows := time.Now(), 0
	for _, s := range group {
		rows += s.rows
	}
	err := stubbornly(ctx, hard, c.cfg.Logger, c.metrics, fmt.Sprintf("insert %d rows into %s", rows, table), func(ctx context.Context) error {
		return insert(ctx, c.cfg.Conn, c.cfg.Database+"."+table, group)
	})
	if err == nil {
		c.metrics.inserted(table, rows, time.Since(began))
	}
	return err
}

// storeOffsets writes how far each partition is.
func (c *collector) storeOffsets(ctx, hard context.Context, g *gathered) error {
	return stubbornly(ctx, hard, c.cfg.Logger, c.metrics, "store offsets", func(ctx context.Context) error {
		return insertOffsets(ctx, c.cfg, g.ends)
	})
}

// storeMarks writes the marks that have moved.
func (c *collector) storeMarks(ctx, hard context.Context, g *gathered) error {
	moved := map[markKey]int64{}
	for at, e := range g.ends {
		for _, s := range e.senders {
			key := markKey{at, stageName(s.stage), s.task}
			if s.mark > c.marks[key] {
				moved[key] = s.mark
			}
		}
	}
	if len(moved) == 0 {
		return nil
	}
	err := stubbornly(ctx, hard, c.cfg.Logger, c.metrics, "store marks", func(ctx context.Context) error {
		return insertMarks(ctx, c.cfg, moved)
	})
	if err == nil {
		maps.Copy(c.marks, moved)
		c.metrics.passed(c.marks)
	}
	return err
}
