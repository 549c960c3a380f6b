// Package audit holds the tables of a running installation against its topics.
//
// First it reads the topics by itself and checks the numbers of every task; then a sink fills a database of its own from them, on the
// same servers, and ClickHouse compares the two, shard by shard, a bounded part of the keys at a time. The installation's topics and
// tables are only read.
package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"text/tabwriter"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
)

// Config of an audit. All must be given.
type Config struct {
	Log               *kafkalog.Client
	Shards            clickhouse.Shards
	Prefix            string
	Partitions        int
	Database, Scratch string // of the installation, and the audit's own, which has been migrated and is empty
	Progress          func(what string, done, total int64)
	Logger            *slog.Logger
}

// partition of a topic, without prefix.
type partition struct {
	topic string
	index int
}

func (p partition) String() string { return fmt.Sprintf("%s/%d", p.topic, p.index) }

// extent is what lies in a partition when the audit begins: records [start, end). What is deleted meanwhile is no longer part of it.
type extent struct{ start, end int64 }

func (e extent) without(start int64) extent { return extent{min(max(e.start, start), e.end), e.end} }

// ErrCut is that retention deleted what was being read: the audit is to be run again, into an empty database.
var ErrCut = errors.New("records were deleted while they were read, run the audit again")

// Run writes what it finds to out, as tables, and tells whether all is as it should be. An error means that it could not judge.
func Run(ctx context.Context, cfg Config, out io.Writer) (clean bool, err error) {
	all, err := cfg.extents(ctx)
	if err != nil {
		return false, err
	}
	runs, err := cfg.sequences(ctx, all)
	if err != nil {
		return false, err
	}
	whole, err := printRuns(out, runs)
	if err != nil {
		return false, err
	}
	if !whole {
		fmt.Fprintln(out, "WRONG: the topics have lost records. The tables are not compared: restore the topics, or replay into a new prefix.")
		return false, nil
	}
	if err := cfg.fill(ctx, all, epochs(runs)); err != nil {
		return false, err
	}
	if err := cfg.begins(ctx, all); err != nil {
		return false, err
	}
	cut := printCuts(out, all)
	if err := cfg.awaitSink(ctx); err != nil {
		return false, err
	}
	return cfg.compare(ctx, out, cut)
}

// extents are those of all partitions with a table that hold anything.
func (c Config) extents(ctx context.Context) (map[partition]extent, error) {
	all := map[partition]extent{}
	for _, t := range schemas.Topics {
		if !sink.Sunk(t) {
			continue
		}
		for p := range t.Partitions(c.Partitions) {
			start, end, err := c.Log.Offsets(ctx, schemas.InKafka(c.Prefix, t.Name), p)
			if err != nil {
				return nil, err
			}
			if end > start {
				all[partition{t.Name, p}] = extent{start, end}
			}
		}
	}
	return all, nil
}

// begins takes what has been deleted in the meantime out of all extents.
func (c Config) begins(ctx context.Context, all map[partition]extent) error {
	for p, e := range all {
		start, _, err := c.Log.Offsets(ctx, schemas.InKafka(c.Prefix, p.topic), p.index)
		if err != nil {
			return err
		}
		all[p] = e.without(start)
	}
	return nil
}

// printCuts names what lies outside retention, and tells of which topics.
func printCuts(out io.Writer, all map[partition]extent) map[string]bool {
	cut := map[string]bool{}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range sorted(all) {
		if e := all[p]; e.start > 0 {
			if len(cut) == 0 {
				fmt.Fprintln(w, "OUTSIDE RETENTION\tBEFORE OFFSET")
			}
			cut[p.topic] = true
			fmt.Fprintf(w, "%s\t%d\n", p, e.start)
		}
	}
	w.Flush()
	return cut
}

// fill runs a sink from the topics' beginning to the end of what is audited into the scratch database.
func (c Config) fill(ctx context.Context, all map[partition]extent, epochs map[sink.Sender]uint32) error {
	if err := c.begins(ctx, all); err != nil {
		return err
	}
	var mu sync.Mutex // guards what follows
	left, at := map[partition]extent{}, map[partition]int64{}
	var done, total int64
	for p, e := range all {
		if e.start == e.end {
			continue
		}
		left[p], at[p] = e, e.start
		total += e.end - e.start
	}
	if total == 0 {
		return nil
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	err := sink.Run(reading, sink.Config{
		Log: c.Log, Shards: c.Shards, Prefix: c.Prefix, Database: c.Scratch, Partitions: c.Partitions, FromStart: true, Epochs: epochs, Logger: c.Logger,
		Stored: func(topic string, index int, offset int64) {
			mu.Lock()
			defer mu.Unlock()
			p := partition{topic, index}
			done += offset - at[p]
			at[p] = offset
			if offset >= left[p].end {
				delete(left, p)
			}
			c.Progress("fill", min(done, total), total)
			if len(left) == 0 {
				stop()
			}
		},
	})
	mu.Lock()
	defer mu.Unlock()
	if err == nil && len(left) > 0 {
		err = context.Cause(ctx)
	}
	if gone := new(kafkalog.RangeError); errors.As(err, &gone) {
		return fmt.Errorf("fill %s from the topics: %w: %w", c.Scratch, ErrCut, err)
	}
	if err != nil {
		return fmt.Errorf("fill %s from the topics: %w", c.Scratch, err)
	}
	return nil
}

// behindFor is how long the installation's sink may be behind what the audit has read without getting on.
const behindFor = time.Minute

// awaitSink returns when the installation's sink has stored what the audit has read.
func (c Config) awaitSink(ctx context.Context) error {
	least, since := uint64(1<<63), time.Now()
	for {
		var behind uint64
		for _, conn := range c.Shards {
			var n uint64
			err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT toUInt64(sum(audit.next_offset - least(live.next_offset, audit.next_offset))) FROM %s.sink_offsets AS audit FINAL
				LEFT JOIN (SELECT * FROM %s.sink_offsets FINAL) AS live USING (topic, partition)`, c.Scratch, c.Database)).Scan(&n)
			if err != nil {
				return fmt.Errorf("compare the sink's offsets: %w", err)
			}
			behind += n
		}
		if behind == 0 {
			return nil
		}
		if behind < least {
			least, since = behind, time.Now()
		}
		if time.Since(since) > behindFor {
			return fmt.Errorf("the sink is %d records behind and has not got on for %s: is it running?", behind, behindFor)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
