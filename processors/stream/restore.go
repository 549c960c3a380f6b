package stream

import (
	"context"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// restore takes the task up where the best checkpoint left it, or at the beginning of its input if there is none.
func (t *task) restore(ctx context.Context) error {
	found, err := t.readCheckpoints(ctx)
	if err != nil {
		return err
	}
	t.epoch = 1
	if found.best == nil {
		if err := t.startFresh(ctx); err != nil {
			return err
		}
	} else if err := t.resume(ctx, found); err != nil {
		return err
	}
	t.ckpt.appender = t.cfg.Log.Appender(t.topic(schemas.Checkpoints), t.checkpointPartition())
	t.ckpt.end = found.end
	if found.best != nil && t.epoch != found.epoch {
		// The epoch is opened by a checkpoint that carries it, before anything is written under it.
		if err := t.checkpoint(ctx, true); err != nil {
			return fmt.Errorf("open epoch %d: %w", t.epoch, err)
		}
	}
	return t.open(ctx)
}

// found is what lies in a checkpoint partition.
type found struct {
	best  *pb.Checkpoint
	epoch uint32
	bases [2]base
	clean bool // the best one says that nothing was written after it, and nobody took the task up since
	end   int64
}

// readCheckpoints reads the partition whole and chooses the whole checkpoint with the highest epoch and input offset, whoever
// wrote it: since folds are deterministic, any is right.
func (t *task) readCheckpoints(ctx context.Context) (found, error) {
	var f found
	topic, partition := t.topic(schemas.Checkpoints), t.checkpointPartition()
	start, end, err := t.cfg.Log.Offsets(ctx, topic, partition)
	if err != nil {
		return f, fmt.Errorf("look at %s/%d: %w", schemas.Checkpoints, partition, err)
	}
	f.end = end
	var a assembly
	reader := t.cfg.Log.Reader(topic, partition, start)
	for at := start; at < end; {
		batch, err := reader.Next(ctx)
		if err != nil {
			return f, fmt.Errorf("read %s/%d: %w", schemas.Checkpoints, partition, err)
		}
		for _, r := range batch.Records {
			c := new(pb.Control)
			if err := proto.Unmarshal(r.Value, c); err != nil {
				return f, fmt.Errorf("%s/%d offset %d: %w", schemas.Checkpoints, partition, r.Offset, err)
			}
			if c.Stage != t.stage.Name || int(c.Task) != t.index {
				return f, fmt.Errorf("%s/%d offset %d belongs to task %s/%d: the topics belong to an installation of another size",
					schemas.Checkpoints, partition, r.Offset, stageName(c.Stage), c.Task)
			}
			if c.GetOpened() != nil {
				f.clean = false
			}
			if whole := a.add(c, r.Offset); whole != nil {
				f.take(c.Epoch, whole, a.first)
			}
		}
		at = batch.Next
	}
	return f, nil
}

func (f *found) take(epoch uint32, c *pb.Checkpoint, first int64) {
	if f.best != nil && (epoch < f.epoch || epoch == f.epoch && c.InputOffset < f.best.InputOffset) {
		return
	}
	f.best, f.epoch, f.clean = c, epoch, c.Clean
	f.bases[0], f.bases[1] = f.bases[1], base{first: first, input: c.InputOffset, known: true}
}

// assembly joins the segments of one checkpoint. A broken one (its writer was killed) is forgotten when the next begins.
type assembly struct {
	epoch uint32
	first int64
	next  uint32
	data  []byte
}

// add returns the checkpoint once its last segment has come and its CRC fits.
func (a *assembly) add(c *pb.Control, offset int64) *pb.Checkpoint {
	s := c.GetSegment()
	if s == nil {
		a.next, a.data = 0, nil
		return nil
	}
	if s.Part == 0 {
		a.epoch, a.first, a.next, a.data = c.Epoch, offset, 0, nil
	}
	if s.Part != a.next || c.Epoch != a.epoch {
		a.next, a.data = 0, nil
		return nil
	}
	a.next++
	a.data = append(a.data, s.Data...)
	if a.next != s.Parts || crc32.Checksum(a.data, castagnoli) != s.Crc {
		return nil
	}
	whole := new(pb.Checkpoint)
	if proto.Unmarshal(a.data, whole) != nil {
		return nil
	}
	return whole
}

// startFresh checks that a task without a checkpoint sees its input from the very beginning.
func (t *task) startFresh(ctx context.Context) error {
	start, _, err := t.cfg.Log.Offsets(ctx, t.topic(t.stage.Input), t.index)
	if err != nil {
		return fmt.Errorf("look at %s/%d: %w", t.stage.Input, t.index, err)
	}
	if start != 0 {
		return fmt.Errorf("no checkpoint, and %s/%d begins at offset %d: what lay before is gone; restore the topic %q, or start "+
			"a new prefix", t.stage.Input, t.index, start, t.topic(schemas.Checkpoints))
	}
	return nil
}

// resume restores from the best checkpoint after making sure that the input is still the one it was folded from.
func (t *task) resume(ctx context.Context, f found) error {
	c := f.best
	if err := t.checkInput(ctx, c); err != nil {
		return err
	}
	if err := t.fold.Restore(c.State); err != nil {
		return fmt.Errorf("state of input offset %d: %w", c.InputOffset, err)
	}
	t.epoch, t.now, t.offset = f.epoch, c.StageTime, c.InputOffset
	t.lastBatch = batchID{offset: c.LastBatchOffset, crc: c.LastBatchCrc, known: c.HasLastBatch}
	t.ckpt.bases, t.ckpt.offset = f.bases, c.InputOffset
	for _, s := range c.Received {
		if from := t.in.sender(s.Stage, s.Task); from != nil {
			*from = sender{epoch: s.Epoch, seq: s.Seq, mark: s.Mark}
		}
	}
	t.known = max(t.now, t.in.knownAt())
	if c.Logic != t.stage.Logic || c.Catalogue != t.cfg.Catalogue {
		if !f.clean {
			return fmt.Errorf("logic or catalogue changed (%s, catalogue %.8s to %s, catalogue %.8s) after an unclean stop: start once "+
				"with the former binary and catalogue, stop it with Ctrl-C, then start with the new", c.Logic, c.Catalogue, t.stage.Logic, t.cfg.Catalogue)
		}
		t.epoch++ // a new epoch numbers its records from 1
		t.cfg.Logger.Info("new epoch", "stage", stageName(t.stage.Name), "task", t.index, "epoch", t.epoch, "logic", t.stage.Logic)
		return nil
	}
	for _, s := range c.Sent {
		for i := range t.out.dests {
			if d := &t.out.dests[i]; d.topic == s.Topic && d.partition == int(s.Partition) {
				d.seq = s.Seq
			}
		}
	}
	return nil
}

// checkInput stops if the log starts beyond the checkpoint, ends before it, or holds another batch where the last folded one was.
func (t *task) checkInput(ctx context.Context, c *pb.Checkpoint) error {
	topic := t.topic(t.stage.Input)
	start, end, err := t.cfg.Log.Offsets(ctx, topic, t.index)
	if err != nil {
		return fmt.Errorf("look at %s/%d: %w", t.stage.Input, t.index, err)
	}
	if start > c.InputOffset || end < c.InputOffset {
		return fmt.Errorf("the checkpoint goes on at offset %d, but %s/%d holds %d to %d: the log was cut or replaced; restore it, or "+
			"replay into a new prefix", c.InputOffset, t.stage.Input, t.index, start, end)
	}
	if !c.HasLastBatch || c.LastBatchOffset < start {
		return nil
	}
	crc, err := t.cfg.Log.BatchCRC(ctx, topic, t.index, c.LastBatchOffset)
	if err != nil {
		return fmt.Errorf("read the last folded batch of %s/%d at %d: %w", t.stage.Input, t.index, c.LastBatchOffset, err)
	}
	if crc != c.LastBatchCrc {
		return fmt.Errorf("%s/%d holds another batch at %d than the one folded (CRC %08x, not %08x): the log was replaced; restore it, "+
			"or replay into a new prefix", t.stage.Input, t.index, c.LastBatchOffset, crc, c.LastBatchCrc)
	}
	return nil
}

// open announces in the checkpoint partition that the task has been taken up: from here on a clean checkpoint is clean no longer.
func (t *task) open(ctx context.Context) error {
	if err := t.control(&pb.Control{Body: &pb.Control_Opened{Opened: &pb.Opened{Logic: t.stage.Logic, Catalogue: t.cfg.Catalogue}}}); err != nil {
		return err
	}
	first, err := t.ckpt.appender.Flush(ctx)
	if err != nil {
		return fmt.Errorf("announce the task: %w", err)
	}
	if first != t.ckpt.end {
		return fmt.Errorf("another process took up this task at the same moment: stop one of the two")
	}
	t.ckpt.end++
	return nil
}
