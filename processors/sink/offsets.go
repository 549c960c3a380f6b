package sink

import (
	"context"
	"fmt"
	"math"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas"
)

// Tables of how far the sink is. Their shard is chosen by the topic.
const (
	offsetsTable = "sink_offsets"
	ticksTable   = "ticks"
)

// loadOffsets reads how far sinks were, as one shard knows it.
func loadOffsets(ctx context.Context, conn driver.Conn, database string) (map[place]end, error) {
	rows, err := conn.Query(ctx, "SELECT topic, partition, next_offset, stage, task, epoch, seq FROM "+database+"."+offsetsTable+" FINAL")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[place]end{}
	for rows.Next() {
		var (
			topic        string
			partition    uint32
			next         uint64
			stage        []string
			tasks, epoch []uint32
			seq          []uint64
		)
		if err := rows.Scan(&topic, &partition, &next, &stage, &tasks, &epoch, &seq); err != nil {
			return nil, err
		}
		e := end{next: int64(next)}
		for i := range stage {
			e.senders = append(e.senders, sender{stage: stageByName(stage[i]), task: tasks[i], epoch: epoch[i], seq: seq[i]})
		}
		out[place{topic, int(partition)}] = e
	}
	return out, rows.Err()
}

// Offsets tells for the partitions of a topic (without prefix) from where on the tables, whose shards are given, hold nothing of it yet.
// Of a partition of which nothing was ever stored it tells nothing. What is read from the tables afterwards holds everything before.
func Offsets(ctx context.Context, shards []driver.Conn, database, topic string) (map[int]int64, error) {
	out := map[int]int64{}
	for _, conn := range shards {
		ends, err := loadOffsets(ctx, conn, database)
		if err != nil {
			return nil, fmt.Errorf("read how far the sink is: %w", err)
		}
		for at, e := range ends {
			if at.topic == topic {
				out[at.partition] = e.next
			}
		}
	}
	return out, nil
}

// insertOffsets writes how far partitions are.
func (w *worker) insertOffsets(ctx context.Context, shard int, ends map[place]end) error {
	columns := []ch.ColumnNameAndType{
		{Name: "topic", Type: "String"}, {Name: "partition", Type: "UInt32"}, {Name: "next_offset", Type: "UInt64"},
		{Name: "stage", Type: "Array(String)"}, {Name: "task", Type: "Array(UInt32)"}, {Name: "epoch", Type: "Array(UInt32)"},
		{Name: "seq", Type: "Array(UInt64)"},
	}
	return w.insertRows(ctx, shard, offsetsTable, columns, nil, func(b driver.Batch) error {
		for at, e := range ends {
			var (
				stage        []string
				tasks, epoch []uint32
				seq          []uint64
			)
			for _, s := range e.senders {
				stage, tasks = append(stage, schemas.StageName(s.stage)), append(tasks, s.task)
				epoch, seq = append(epoch, s.epoch), append(seq, s.seq)
			}
			if err := b.Append(at.topic, uint32(at.partition), uint64(e.next), stage, tasks, epoch, seq); err != nil {
				return err
			}
		}
		return nil
	})
}

// markKey is whose mark, where.
type markKey struct {
	at    place
	stage string
	task  uint32
}

func (w *worker) insertMarks(ctx context.Context, shard int, marks map[markKey]int64) error {
	columns := []ch.ColumnNameAndType{
		{Name: "topic", Type: "String"}, {Name: "partition", Type: "UInt32"}, {Name: "stage", Type: "String"},
		{Name: "task", Type: "UInt32"}, {Name: "mark", Type: "UInt64"},
	}
	return w.insertRows(ctx, shard, ticksTable, columns, nil, func(b driver.Batch) error {
		for k, mark := range marks {
			if err := b.Append(k.at.topic, uint32(k.at.partition), k.stage, k.task, uint64(mark)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Passed tells whether everything the tasks wrote at a stage time before want (ms) is in the tables of an installation of that
// many partitions, whose shards are given: every task's mark has passed the sink in every partition it writes. min is the lowest of
// these marks, 0 if one is still missing.
func Passed(ctx context.Context, shards []driver.Conn, database string, want int64, partitions int) (done bool, min int64, err error) {
	marks, err := Marks(ctx, shards, database, partitions)
	if err != nil {
		return false, 0, err
	}
	first := true
	for _, lowest := range marks {
		for _, mark := range lowest {
			if first || mark < min {
				min, first = mark, false
			}
		}
	}
	return min >= want, min, nil
}

// Marks tells for each partition of each topic the lowest mark that has passed the sink, of the tasks that write there.
func Marks(ctx context.Context, shards []driver.Conn, database string, partitions int) (map[string][]int64, error) {
	marks := map[markKey]int64{}
	for _, conn := range shards {
		if err := loadMarks(ctx, conn, database, marks); err != nil {
			return nil, fmt.Errorf("read the marks in %s.%s: %w", database, ticksTable, err)
		}
	}
	out := map[string][]int64{}
	for _, t := range schemas.Topics {
		if !Sunk(t) {
			continue
		}
		for p := range t.Partitions(partitions) {
			lowest := int64(math.MaxInt64)
			for _, s := range newSenders(t, p, partitions).from {
				lowest = min(lowest, marks[markKey{place{t.Name, p}, schemas.StageName(s.stage), s.task}])
			}
			out[t.Name] = append(out[t.Name], lowest)
		}
	}
	return out, nil
}

func loadMarks(ctx context.Context, conn driver.Conn, database string, into map[markKey]int64) error {
	rows, err := conn.Query(ctx, "SELECT topic, partition, stage, task, mark FROM "+database+"."+ticksTable+" FINAL")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			k         markKey
			partition uint32
			mark      uint64
		)
		if err := rows.Scan(&k.at.topic, &partition, &k.stage, &k.task, &mark); err != nil {
			return err
		}
		k.at.partition = int(partition)
		into[k] = int64(mark)
	}
	return rows.Err()
}
