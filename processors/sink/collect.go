package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"corridorwatch/schemas"
)

// gathered is what goes into one flush: the sheets of all partitions by shard and kind, and how far each partition is once they are
// stored.
type gathered struct {
	shards [][kinds][]*sheet
	ends   map[place]end
	rows   int
	bytes  int
}

func (w *worker) gather() gathered {
	return gathered{shards: make([][kinds][]*sheet, len(w.shards)), ends: map[place]end{}}
}

func (g *gathered) take(p portion) {
	for shard, sheets := range p.shards {
		for k, s := range sheets {
			if s != nil {
				g.shards[shard][k] = append(g.shards[shard][k], s)
			}
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
	return &collector{worker: w, portions: make(chan portion), done: make(chan struct{}), open: w.gather(), marks: map[markKey]int64{}}
}

// lastFlush bounds the flush after the end of ctx.
const lastFlush = 15 * time.Second

// run flushes when it is time, until the readers have closed portions; then it flushes the rest. It never does so sooner after the last
// flush: many small parts are what ClickHouse bears least. While a flush is on its way, or not due yet, readers wait once enough is
// gathered. The first error that time does not mend ends it.
func (c *collector) run(ctx context.Context) error {
	defer close(c.done)
	timer := time.NewTimer(c.cfg.FlushEvery)
	defer timer.Stop()
	flushed := make(chan error, 1)
	flushing, due := false, true // nothing was inserted before: the first portion goes at once
	for {
		full := ctx.Err() == nil && (c.open.rows >= c.cfg.MaxRows || c.open.bytes >= c.cfg.MaxBytes)
		if !flushing && due && len(c.open.ends) > 0 {
			batch := c.open
			c.open = c.gather()
			flushing, due, full = true, false, false
			timer.Reset(c.cfg.FlushEvery)
			go func() { flushed <- c.flush(ctx, &batch) }()
		}
		portions, ended := c.portions, (<-chan struct{})(nil)
		if full {
			portions, ended = nil, ctx.Done() // back-pressure
		}
		select {
		case p, ok := <-portions:
			if !ok {
				return c.finish(ctx, flushing, flushed)
			}
			c.open.take(p)
		case <-ended:
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
	c.tell(ctx, g.ends)
	return nil
}

// tell says how far the sink is to those who want to know.
func (c *collector) tell(ctx context.Context, ends map[place]end) {
	next := map[string]map[int]int64{}
	for at, e := range ends {
		c.metrics.stored(at, e)
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
}
