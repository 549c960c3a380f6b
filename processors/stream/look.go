package stream

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Needs tells from which offset of its input on a task needs the log, to restore its second-last whole checkpoint; false if it has not
// come so far. It is for processes that do not run the task.
func Needs(ctx context.Context, log *kafkalog.Client, prefix string, partitions int, stage pb.Stage, task int) (int64, bool, error) {
	topic, partition := schemas.InKafka(prefix, schemas.Checkpoints), schemas.CheckpointPartition(stage, task, partitions)
	start, end, err := log.Offsets(ctx, topic, partition)
	if err != nil || start == 0 || start == end { // nothing pruned yet
		return 0, false, err
	}
	batch, err := log.Reader(topic, partition, start).NextKept(ctx)
	if err != nil || len(batch.Records) == 0 {
		return 0, false, err
	}
	c := new(pb.Control)
	if err := proto.Unmarshal(batch.Records[0].Value, c); err != nil {
		return 0, false, fmt.Errorf("%s/%d offset %d: %w", schemas.Checkpoints, partition, batch.Records[0].Offset, err)
	}
	// A task deletes what lies before its second-last whole checkpoint. So that is where the partition begins; or with something older,
	// where the broker forgot the deletion.
	s := c.GetSegment()
	return s.GetInputOffset(), s != nil, nil
}

// Sight is what can be seen of a task from outside.
type Sight struct {
	StageTime    int64     // ms; 0: not seen
	Checkpointed time.Time // when it last wrote to its checkpoint partition; zero: never
	Epoch        uint32    // 0: nobody has taken it up yet
}

// Look tells what can be seen of a task without running it.
func Look(ctx context.Context, log *kafkalog.Client, prefix string, partitions int, stage Stage, task int) (Sight, error) {
	var s Sight
	topic, partition := schemas.InKafka(prefix, schemas.Checkpoints), schemas.CheckpointPartition(stage.Name, task, partitions)
	err := tail(ctx, log, topic, partition, 1, func(r *kafkalog.Record) error {
		c := new(pb.Control)
		if err := proto.Unmarshal(r.Value, c); err != nil {
			return err
		}
		s.Checkpointed, s.Epoch = time.UnixMilli(r.TimeMS), c.Epoch
		return nil
	})
	if err != nil {
		return s, err
	}
	dests := newSent(stage.Outputs, partitions, task).dests
	slices.SortStableFunc(dests, func(a, b dest) int {
		return cmp.Compare(boolInt(ownPartition(b.topic)), boolInt(ownPartition(a.topic)))
	}) // these are quieter
	for _, d := range dests {
		rec, err := lastSent(ctx, log, schemas.InKafka(prefix, d.topic), d.partition, stage.Name, task)
		if err != nil || rec.GetMark() > 0 {
			s.StageTime = rec.GetMark()
			return s, err
		}
	}
	return s, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tailRecords is how far back from the end of a partition a task's last record is looked for. Each task that writes there sends a
// mark at each tick.
const tailRecords = 1000

// lastSent is the last mark that a task wrote near the end of a partition, else its last record there, nil if there is none.
func lastSent(ctx context.Context, log *kafkalog.Client, topic string, partition int, stage pb.Stage, task int) (*pb.Record, error) {
	var last *pb.Record
	err := tail(ctx, log, topic, partition, tailRecords, func(r *kafkalog.Record) error {
		rec := new(pb.Record)
		if err := proto.Unmarshal(r.Value, rec); err != nil {
			return err
		}
		if rec.Stage == stage && int(rec.Task) == task && (rec.GetMark() > 0 || last.GetMark() == 0) {
			last = rec
		}
		return nil
	})
	return last, err
}

// tail hands over the last n records of a partition, fewer if there are not so many.
func tail(ctx context.Context, log *kafkalog.Client, topic string, partition int, n int64, take func(*kafkalog.Record) error) error {
	start, end, err := log.Offsets(ctx, topic, partition)
	if err != nil {
		return err
	}
	reader := log.Reader(topic, partition, max(start, end-n))
	for reader.Offset() < end {
		batch, err := reader.NextKept(ctx)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			if err := take(&batch.Records[i]); err != nil {
				return fmt.Errorf("%s/%d offset %d: %w", topic, partition, batch.Records[i].Offset, err)
			}
		}
	}
	return nil
}
