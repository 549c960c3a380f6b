package stream

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// segmentBytes is the size of one piece of a checkpoint: below the megabyte a broker takes by default.
const segmentBytes = 512 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errSuperseded says that another process has taken up the task. Nothing is lost by that: what both write is the same.
var errSuperseded = errors.New("another process has taken up this task")

// checkpointer writes a task's checkpoints and remembers the two last whole ones, which are kept.
type checkpointer struct {
	appender *kafkalog.Appender
	writer   uint64
	end      int64         // end of the checkpoint partition after our last write; somebody else's write moves it
	bases    [2]base       // older, newer
	pruned   int64         // what lies before has been deleted
	last     time.Time     // when the last one was written
	took     time.Duration // how long that took
	offset   int64         // input offset it holds
	number   uint64        // of the last one by this writer
	whole    int           // bytes of the last whole one this process wrote; 0: none
	changes  int           // bytes of those since
}

// base is one whole checkpoint in the log.
type base struct {
	first int64 // offset of its first segment
	input int64 // input offset it holds
	known bool
}

func (t *task) newCheckpointer(h *history) checkpointer {
	return checkpointer{appender: t.cfg.Log.Appender(t.topic(schemas.Checkpoints), t.checkpointPartition()), writer: rand.Uint64(), end: h.end, bases: h.bases}
}

// due is how long it is until the next checkpoint, 0 or less if it is time; never: nothing has been folded since the last one.
func (t *task) due() (in time.Duration, never bool) {
	every := max(t.cfg.CheckpointEvery, 10*t.ckpt.took)
	return every - time.Since(t.ckpt.last), t.offset == t.ckpt.offset
}

func (t *task) checkpointIfDue(ctx context.Context) error {
	if in, never := t.due(); never || in > 0 {
		return nil
	}
	ctx, cancel := stubborn(ctx)
	defer cancel()
	return t.checkpoint(ctx, false)
}

// checkpoint writes the state, whole or what has changed of it. Every output it counts has been acknowledged by then: foldBatch flushes.
func (t *task) checkpoint(ctx context.Context, clean bool) error {
	began := time.Now()
	if n := t.outbox.Buffered(); n > 0 {
		return fmt.Errorf("%d bytes of output are not acknowledged yet", n)
	}
	c := t.describe(clean)
	if err := errors.Join(t.addState(c), t.ahead.describe(c)); err != nil {
		return err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if err := t.claimed(ctx); err != nil {
		return err
	}
	t.cfg.hit("before-checkpoint")
	segments := split(data, t.offset, t.ckpt.number+1, segmentBytes)
	first, err := t.writeSegments(ctx, segments)
	if err != nil {
		return fmt.Errorf("write %d segments: %w", len(segments), err)
	}
	t.cfg.hit("after-checkpoint")
	if err := t.mine(ctx, first); err != nil { // in between it may have been paused
		return err
	}
	t.ckpt.end = first + int64(len(segments))
	t.ckpt.last, t.ckpt.took, t.ckpt.offset = time.Now(), time.Since(began), t.offset
	t.ckpt.number++
	if c.Partial {
		t.ckpt.changes += len(data)
	} else {
		t.ckpt.whole, t.ckpt.changes = len(data), 0
		t.ckpt.bases[0], t.ckpt.bases[1] = t.ckpt.bases[1], base{first: first, input: t.offset, known: true}
	}
	t.cfg.Metrics.checkpointed(t.stage.Name, t.index, t.ckpt.whole+t.ckpt.changes, t.ckpt.took)
	t.lag.Commit(ctx, map[string]map[int]int64{t.topic(t.stage.Input): {t.index: t.offset}})
	return t.prune(ctx)
}

// writeSegments sends segments a few at a time, so that a large state is not held twice, and returns the offset of the first.
func (t *task) writeSegments(ctx context.Context, segments []*pb.Segment) (first int64, err error) {
	first = -1
	for i, segment := range segments {
		if err := t.control(&pb.Control{Body: &pb.Control_Segment{Segment: segment}}); err != nil {
			return 0, err
		}
		if t.ckpt.appender.Buffered() < flushBytes && i+1 < len(segments) {
			continue
		}
		at, err := t.ckpt.appender.Flush(ctx)
		if err != nil {
			return 0, err
		}
		if first < 0 {
			first = at
		}
	}
	return first, nil
}

// split cuts a marshalled checkpoint into segments of at most size bytes, one at least.
func split(data []byte, inputOffset int64, number uint64, size int) []*pb.Segment {
	crc := crc32.Checksum(data, castagnoli)
	segments := make([]*pb.Segment, max(1, (len(data)+size-1)/size))
	for i := range segments {
		segments[i] = &pb.Segment{InputOffset: inputOffset, Part: uint32(i), Parts: uint32(len(segments)), Crc: crc, Number: number,
			Data: data[i*size : min((i+1)*size, len(data))]}
	}
	return segments
}

// addState puts the whole state into c, or the pieces that changed since the last checkpoint of this process.
func (t *task) addState(c *pb.Checkpoint) error {
	pieces, ok := t.fold.(Pieces)
	if ok && t.ckpt.whole > t.cfg.WholeBytes && t.ckpt.changes < t.ckpt.whole/2 {
		changed, err := pieces.Changed()
		if err != nil {
			return fmt.Errorf("what has changed: %w", err)
		}
		c.Partial = true
		for _, p := range changed {
			c.Pieces = append(c.Pieces, &pb.Piece{Key: []byte(p.Key), Value: p.Value})
		}
		return nil
	}
	state, err := t.fold.Snapshot()
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	c.State = state
	return nil
}

// describe is the checkpoint as it stands now, without the state.
func (t *task) describe(clean bool) *pb.Checkpoint {
	c := &pb.Checkpoint{
		InputOffset: t.offset, StageTime: t.now, Clean: clean && !t.unclean, Unclean: t.unclean,
		LastBatchOffset: t.lastBatch.offset, LastBatchCrc: t.lastBatch.crc, HasLastBatch: t.lastBatch.known,
	}
	for _, d := range t.out.dests {
		c.Sent = append(c.Sent, &pb.Sent{Topic: d.topic, Partition: uint32(d.partition), Seq: d.seq})
	}
	for i, s := range t.in.from {
		c.Received = append(c.Received, &pb.Received{
			Stage: t.in.stages[i/t.in.partitions], Task: uint32(i % t.in.partitions), Epoch: s.epoch, Seq: s.seq, Mark: s.mark,
		})
	}
	return c
}

// claimed makes sure that nobody else has written to the checkpoint partition since this task last did.
func (t *task) claimed(ctx context.Context) error {
	end, err := t.cfg.Log.End(ctx, t.topic(schemas.Checkpoints), t.checkpointPartition())
	if err != nil {
		return fmt.Errorf("look at the checkpoint partition: %w", err)
	}
	if err := t.mine(ctx, end); err != nil {
		return err
	}
	t.ckpt.end = max(t.ckpt.end, end)
	return nil
}

// mine looks at what lies between our last write and end. Records of our own are repetitions, of requests whose answer was lost.
func (t *task) mine(ctx context.Context, end int64) error {
	reader := t.cfg.Log.Reader(t.topic(schemas.Checkpoints), t.checkpointPartition(), t.ckpt.end)
	for reader.Offset() < end {
		batch, err := reader.Next(ctx)
		if gone := new(kafkalog.RangeError); errors.As(err, &gone) && gone.Start > reader.Offset() {
			return fmt.Errorf("%w (it has deleted the checkpoint partition up to offset %d)", errSuperseded, gone.Start)
		}
		if err != nil {
			return fmt.Errorf("look at the checkpoint partition: %w", err)
		}
		for _, r := range batch.Records {
			c := new(pb.Control)
			if err := proto.Unmarshal(r.Value, c); err != nil {
				return fmt.Errorf("%s/%d offset %d: %w", schemas.Checkpoints, t.checkpointPartition(), r.Offset, err)
			}
			if r.Offset < end && c.Writer != t.ckpt.writer {
				return fmt.Errorf("%w (checkpoint partition, offset %d): stop one of the two", errSuperseded, r.Offset)
			}
		}
	}
	return nil
}

// control buffers one record for the checkpoint partition.
func (t *task) control(c *pb.Control) error {
	c.Stage, c.Task, c.Epoch, c.Variant, c.Writer = t.stage.Name, uint32(t.index), t.epoch, t.variant(), t.ckpt.writer
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode control record: %w", err)
	}
	t.ckpt.appender.Append(nil, value)
	return nil
}

// prune drops what is older than the last two whole checkpoints and tells from where on the input is still needed.
func (t *task) prune(ctx context.Context) error {
	older := t.ckpt.bases[0]
	if !older.known {
		return nil
	}
	if older.first > t.ckpt.pruned {
		if err := t.cfg.Log.DeleteRecords(ctx, t.topic(schemas.Checkpoints), t.checkpointPartition(), older.first); err != nil {
			return fmt.Errorf("delete checkpoints before %d: %w", older.first, err)
		}
		t.ckpt.pruned = older.first
	}
	if t.cfg.Needed != nil {
		t.cfg.Needed(t.stage.Input, t.index, older.input)
	}
	return nil
}

func (t *task) checkpointPartition() int {
	return schemas.CheckpointPartition(t.stage.Name, t.index, t.cfg.Partitions)
}
