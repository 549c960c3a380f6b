package sink

import (
	"context"
	"errors"
	"sync"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
)

// worker is what the readers and the collector of a process share.
type worker struct {
	cfg     Config
	shards  clickhouse.Shards
	metrics *metrics
	free    *sheets
	lag     *kafkalog.Lag
	shared  bool // with other processes: a partition that cannot go on stops alone
}

func newWorker(cfg Config) *worker {
	cfg.setDefaults()
	return &worker{
		cfg: cfg, shards: cfg.shards(), metrics: newMetrics(cfg.Metrics), free: new(sheets), lag: cfg.Log.Lag(schemas.SinkGroup(cfg.Prefix)),
	}
}

// work moves the records of some partitions until ctx ends, and stores what it has read by then, if ClickHouse takes it.
func (w *worker) work(ctx context.Context, places []place) error {
	stored, err := w.stored(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	c := newCollector(w)
	failed := make(chan error, len(places))
	var readers sync.WaitGroup
	for _, at := range places {
		readers.Go(func() {
			err := w.read(reading, at, stored, c)
			switch {
			case err == nil:
			case w.shared:
				w.halt(ctx, at, err)
			default:
				failed <- err
				stop()
			}
		})
	}
	go func() { readers.Wait(); close(c.portions) }()
	err = c.run(reading)
	if errors.Is(err, errStopped) {
		w.cfg.Logger.Warn("sink", "err", err)
		err = nil
	}
	stop()
	readers.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// read reads one partition from where the last sink left off.
func (w *worker) read(ctx context.Context, at place, stored map[place]end, c *collector) error {
	p, err := w.partition(at, stored)
	if err == nil {
		err = p.read(ctx, c)
	}
	return ended(ctx, err)
}

// ended makes no error of what is broken off because ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
