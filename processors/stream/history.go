package stream

import (
	"context"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// history is what lies in a checkpoint partition.
type history struct {
	best  *saved // nil: none
	bases [2]base
	clean bool // the best one says that nothing was written after it, and nobody took the task up since
	end   int64

	epoch   uint32 // highest epoch, 0: none; it may be open without a checkpoint yet
	variant string // of that epoch: what its first record says

	all map[saveID]*saved // what later ones may build on
}

// saveID is a checkpoint by its writer and the writer's number.
type saveID struct{ writer, number uint64 }

// saved is one checkpoint.
type saved struct {
	*pb.Checkpoint
	id    saveID
	epoch uint32
	first int64  // offset of its first segment
	after *saved // if partial: what its pieces change
}

// readHistory reads the checkpoint partition whole.
func (t *task) readHistory(ctx context.Context) (history, error) {
	h := history{all: map[saveID]*saved{}}
	topic, partition := t.topic(schemas.Checkpoints), t.checkpointPartition()
	start, end, err := t.cfg.Log.Offsets(ctx, topic, partition)
	if err != nil {
		return h, fmt.Errorf("look at %s/%d: %w", schemas.Checkpoints, partition, err)
	}
	h.end = end
	writers := map[uint64]*assembly{}
	reader := t.cfg.Log.Reader(topic, partition, start)
	for at := start; at < end; {
		batch, err := reader.Next(ctx)
		if err != nil {
			return h, fmt.Errorf("read %s/%d: %w", schemas.Checkpoints, partition, err)
		}
		for _, r := range batch.Records {
			c := new(pb.Control)
			if err := proto.Unmarshal(r.Value, c); err != nil {
				return h, fmt.Errorf("%s/%d offset %d: %w", schemas.Checkpoints, partition, r.Offset, err)
			}
			if c.Stage != t.stage.Name || int(c.Task) != t.index {
				return h, fmt.Errorf("%s/%d offset %d belongs to task %s/%d: the topics belong to an installation of another size",
					schemas.Checkpoints, partition, r.Offset, stageName(c.Stage), c.Task)
			}
			h.add(c, r.Offset, writers)
		}
		at = batch.Next
	}
	return h, nil
}

func (h *history) add(c *pb.Control, offset int64, writers map[uint64]*assembly) {
	if c.Epoch > h.epoch {
		h.epoch, h.variant = c.Epoch, c.Variant
	}
	if c.Epoch == h.epoch && c.Variant != h.variant {
		return // it lost the race for this epoch, and has written nothing else under it
	}
	a := writers[c.Writer]
	if a == nil {
		a = &assembly{}
		writers[c.Writer] = a
	}
	if c.GetOpened() != nil {
		h.clean = false
	}
	if whole := a.add(c, offset); whole != nil {
		h.take(&saved{Checkpoint: whole, id: saveID{c.Writer, whole.Number}, epoch: c.Epoch, first: a.first})
	}
}

// take chooses the checkpoint with the highest epoch and input offset, whoever wrote it: since folds are deterministic, any is right.
// One whose predecessor is missing is of no use.
func (h *history) take(s *saved) {
	if h.all[s.id] != nil {
		return // sent twice
	}
	if s.Partial {
		if s.after = h.all[saveID{s.id.writer, s.id.number - 1}]; s.after == nil {
			return
		}
	}
	h.all[s.id] = s
	if h.best != nil && (s.epoch < h.best.epoch || s.epoch == h.best.epoch && s.InputOffset < h.best.InputOffset) {
		return
	}
	h.best, h.clean = s, s.Clean
	if !s.Partial {
		h.all = map[saveID]*saved{s.id: s} // the older ones need no longer be held: what builds on them is behind this one, or as good
		h.bases[0], h.bases[1] = h.bases[1], base{first: s.first, input: s.InputOffset, known: true}
	}
}

// assembly joins the segments of one writer. A broken checkpoint (its writer was killed) is forgotten when the next begins.
type assembly struct {
	of    *pb.Segment // the first
	first int64
	next  uint32
	data  []byte
}

// add returns the checkpoint once its last segment has come and its CRC fits.
func (a *assembly) add(c *pb.Control, offset int64) *pb.Checkpoint {
	s := c.GetSegment()
	if s == nil {
		a.of, a.data = nil, nil
		return nil
	}
	same := a.of != nil && s.Crc == a.of.Crc && s.InputOffset == a.of.InputOffset && s.Parts == a.of.Parts
	switch {
	case same && s.Part < a.next:
		return nil // a repetition, by a request that was slow to die
	case s.Part == 0:
		a.of, a.first, a.next, a.data = s, offset, 0, nil
	case !same || s.Part != a.next:
		a.of, a.data = nil, nil
		return nil
	}
	a.next++
	a.data = append(a.data, s.Data...)
	if a.next != s.Parts {
		return nil
	}
	data := a.data
	a.of, a.data = nil, nil
	if crc32.Checksum(data, castagnoli) != s.Crc {
		return nil
	}
	whole := new(pb.Checkpoint)
	if proto.Unmarshal(data, whole) != nil {
		return nil
	}
	return whole
}
