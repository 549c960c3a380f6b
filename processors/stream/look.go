package stream

import (
	"context"
	"fmt"

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
	batch, err := log.Reader(topic, partition, start).Next(ctx)
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
