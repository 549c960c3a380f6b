// Package sink carries what the stages write into ClickHouse.
//
// One goroutine a topic partition reads and decodes; one collector gathers what they bring into one insert a table and flush:
//
//	train-events/0 ─► reader ─┐
//	train-events/1 ─► reader ─┤   portions    ┌────────────┐  rows of all partitions   ┌──────────────┐
//	visits/0       ─► reader ─┼──────────────►│ collector  │──────────────────────────►│ visits, ...  │ 1. rows
//	...                       ┘               │ (gathers   │──────────────────────────►│ sink_offsets │ 2. how far
//	                                          │ and flush) │──────────────────────────►│ ticks        │ 3. stage time
//	                                          └────────────┘                           └──────────────┘
//
// Nothing is done exactly once, and yet the tables are as if it were: rows are versions of keyed rows, of which the greatest
// counts, so inserting a record again changes nothing. How far the sink is lies in ClickHouse too and is written after the rows;
// after a crash some records are inserted again. The same holds where several sinks share the partitions (RunGroup): one that was
// silent for too long may insert what its successor inserts too, and may write offsets older or newer than those of its successor.
// Of both the greater count, and they are true, since their rows were stored before them. Each record carries a sequence number of the task that wrote it: repetitions
// are dropped, and a gap stops the sink, since then the log has lost something.
//
// While ClickHouse is away inserts are tried again without end; readers wait once enough is gathered, so the records stay in
// Kafka and memory does not grow.
package sink

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Sender is a task, and a partition that it writes.
type Sender struct {
	Topic     string // without prefix
	Partition int
	Stage     pb.Stage
	Task      uint32
}

// Config of a sink. Log, Conn or Shards, Prefix, Database and Partitions must be given.
type Config struct {
	Log        *kafkalog.Client
	Conn       driver.Conn // to ClickHouse; where there are several shards, Shards instead
	Prefix     string      // of the topics
	Database   string
	Partitions int // of the installation

	Shards     []driver.Conn         // one each, in the order of the cluster's definition; a row lies in the shard of its key
	Quorum     string                // replicas that must have an insert before it counts: a number or auto; empty: where there are no replicas
	FlushEvery time.Duration         // so long between two flushes, each at most one insert a table; 0: one second
	MaxRows    int                   // readers wait while so many rows are gathered; 0: 500,000
	MaxBytes   int                   // ... or records of this many bytes; 0: 64 MiB
	Logger     *slog.Logger          // nil: slog.Default()
	Metrics    prometheus.Registerer // takes the sink's metrics; nil: none
	// FromStart begins where each log begins, whatever was stored, and takes all it finds: to fill other tables from the same topics, for
	// who looks for gaps himself. What is of an older epoch than Epochs says is not taken; epochs that begin behind where the log begins
	// need not be there.
	FromStart bool
	Epochs    map[Sender]uint32
	// Stored is called when a partition's next offset has been stored: nothing below it will be read again. topic is without
	// prefix. May be nil.
	Stored func(topic string, partition int, offset int64)

	// For sinks that share the work, by RunGroup.

	// SessionTimeout is how long a process may be silent until the others take over; 10 s when zero.
	SessionTimeout time.Duration
	// Stopped, if set, is told when a partition stops because of an error that others cannot mend either, and, with nil, when this
	// process no longer has it.
	Stopped func(topic string, partition int, err error)

	// Failpoint, if set, is called at named points of the work, for tests that let the process die there: "before-insert", "after-insert"
	// (of the rows; the marks are next), "after-marks" (the offsets are next) and "in-rebalance" (everything is stored).
	Failpoint func(name string)
}

func (c *Config) hit(name string) {
	if c.Failpoint != nil {
		c.Failpoint(name)
	}
}

func (c *Config) shards() []driver.Conn {
	if len(c.Shards) > 0 {
		return c.Shards
	}
	return []driver.Conn{c.Conn}
}

func (c *Config) setDefaults() {
	if c.FlushEvery <= 0 {
		c.FlushEvery = time.Second
	}
	if c.MaxRows <= 0 {
		c.MaxRows = 500_000
	}
	if c.MaxBytes <= 0 {
		c.MaxBytes = 64 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}

// Run moves the records of all partitions into tables until ctx ends; then it inserts what it holds, if ClickHouse takes it, and
// returns nil. Errors are what time does not mend: a gap in the sequence numbers, a log that lost what was not stored yet.
func Run(ctx context.Context, cfg Config) error {
	w := newWorker(cfg)
	if err := w.work(ctx, w.cfg.places()); err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return nil
}

// places are all partitions the sink reads.
func (c *Config) places() (all []place) {
	for _, t := range schemas.Topics {
		if Sunk(t) {
			for i := range t.Partitions(c.Partitions) {
				all = append(all, place{t.Name, i})
			}
		}
	}
	return all
}

// Sunk tells whether the sink reads a topic: those that stages write and that have tables.
func Sunk(t schemas.Topic) bool { return len(t.Writers) > 0 && t.Name != schemas.AreaEvents }
