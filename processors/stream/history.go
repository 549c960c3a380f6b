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
	clean bool   // the best one says that nothing was written after it, and nobody took the task up since
	owner uint64 // who took the task up last, 0: not known
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
	parts := map[assemblyID]*assembly{}
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
			h.add(c, r.Offset, parts)
		}
		at = batch.Next
	}
	return h, nil
}

func (h *history) add(c *pb.Control, offset int64, parts map[assemblyID]*assembly) {
	if c.Epoch > h.epoch {
		h.epoch, h.variant = c.Epoch, c.Variant
	}
	if c.Epoch == h.epoch && c.Variant != h.variant {
		return // it lost the race for this epoch, and has written nothing else under it
	}
	if c.GetOpened() != nil {
		h.clean, h.owner = false, c.Writer
	}
	s := c.GetSegment()
	if s == nil {
		return
	}
	id := assemblyID{c.Writer, s.InputOffset, s.Crc, s.Parts}
	a := parts[id]
	if a == nil {
		a = new(assembly)
		parts[id] = a
	}
	if a.add(s, offset) {
		delete(parts, id)
		if whole := a.checkpoint(s.Crc); whole != nil {
			h.take(&saved{Checkpoint: whole, id: saveID{c.Writer, whole.Number}, epoch: c.Epoch, first: a.first})
		}
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
	if h.best != nil && s.id.writer == h.best.id.writer && s.id.number < h.best.id.number {
		return // an old one sent again
	}
	// A clean one by a process that has lost the task says nothing about what the new owner has written.
	h.best, h.clean = s, s.Clean && (h.owner == 0 || h.owner == s.id.writer)
	if !s.Partial {
		h.all = map[saveID]*saved{s.id: s} // the older ones need no longer be held: what builds on them is behind this one, or as good
		h.bases[0], h.bases[1] = h.bases[1], base{first: s.first, input: s.InputOffset, known: true}
	}
}

// assemblyID tells the segments of one checkpoint from those of others, among which they may lie: of other writers, and repetitions
// of older ones by requests that were slow to die.
type assemblyID struct {
	writer uint64
	input  int64
	crc    uint32
	parts  uint32
}

// assembly joins the segments of one checkpoint. One whose writer was killed in the middle stays without its end.
type assembly struct {
	first int64 // offset of the first
	next  uint32
	data  []byte
}

// add tells whether the last segment has come. One that has come already, or whose predecessor is missing, counts for nothing.
func (a *assembly) add(s *pb.Segment, offset int64) bool {
	if s.Part != a.next {
		return false
	}
	if s.Part == 0 {
		a.first = offset
	}
	a.next++
	a.data = append(a.data, s.Data...)
	return a.next == s.Parts
}

// checkpoint is what the segments hold; nil if they are damaged.
func (a *assembly) checkpoint(crc uint32) *pb.Checkpoint {
	whole := new(pb.Checkpoint)
	if crc32.Checksum(a.data, castagnoli) != crc || proto.Unmarshal(a.data, whole) != nil {
		return nil
	}
	return whole
}
