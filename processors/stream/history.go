package stream

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// history is what lies in a checkpoint partition.
type history struct {
	best       *saved // nil: none
	bases      [2]base
	clean      bool // the best one says that nothing was written after it, and nobody took the task up since
	start, end int64
	broken     error // what is wrong with the checkpoints behind the best one

	epoch   uint32 // highest epoch, 0: none; it may be open without a checkpoint yet
	variant string // of that epoch: what its first record says
	before  bool   // clean, as it was when that epoch was opened
	opener  uint64 // writer that took the task up last; 0: that was before the log begins

	all     map[saveID]*saved // what later ones may build on
	writers map[uint64]*assembly
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

func newHistory(start, end int64) *history {
	return &history{start: start, end: end, all: map[saveID]*saved{}, writers: map[uint64]*assembly{}}
}

// readHistory reads the checkpoint partition whole; once more, if another process that still has the task deletes from its beginning
// meanwhile.
func (t *task) readHistory(ctx context.Context) (*history, error) {
	for {
		h, err := t.readHistoryOnce(ctx)
		if gone := new(kafkalog.RangeError); !errors.As(err, &gone) || gone.Offset >= gone.Start {
			return h, err
		}
	}
}

func (t *task) readHistoryOnce(ctx context.Context) (*history, error) {
	topic, partition := t.topic(schemas.Checkpoints), t.checkpointPartition()
	start, end, err := t.cfg.Log.Offsets(ctx, topic, partition)
	if err != nil {
		return nil, fmt.Errorf("look at %s/%d: %w", schemas.Checkpoints, partition, err)
	}
	h := newHistory(start, end)
	progress := t.progress("restore", h.start, h.end)
	defer progress.done()
	reader := t.cfg.Log.Reader(topic, partition, h.start)
	for reader.Offset() < h.end {
		batch, err := reader.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("read %s/%d: %w", schemas.Checkpoints, partition, err)
		}
		for _, r := range batch.Records {
			c := new(pb.Control)
			if err := proto.Unmarshal(r.Value, c); err != nil {
				return nil, fmt.Errorf("%s/%d offset %d: %w", schemas.Checkpoints, partition, r.Offset, err)
			}
			if c.Stage != t.stage.Name || int(c.Task) != t.index {
				return nil, fmt.Errorf("%s/%d offset %d belongs to task %s/%d: the topics belong to an installation of another size",
					schemas.Checkpoints, partition, r.Offset, schemas.StageName(c.Stage), c.Task)
			}
			h.add(c, r.Offset)
		}
		progress.at(reader.Offset())
	}
	if err := h.sound(); err != nil {
		return nil, fmt.Errorf("%s/%d: %w; restore the topic, or replay into a new prefix", schemas.Checkpoints, partition, err)
	}
	return h, nil
}

// sound tells whether the log holds all that was written to it. To go on from an older checkpoint would be right too, but a broker that
// lost what it had acknowledged has likely lost more.
func (h *history) sound() error {
	if h.broken == nil && h.best == nil && h.start > 0 {
		return errors.New("what lay before is deleted, as it is below two whole checkpoints, but these are not there")
	}
	return h.broken
}

func (h *history) add(c *pb.Control, offset int64) {
	if c.Epoch > h.epoch {
		h.epoch, h.variant, h.before = c.Epoch, c.Variant, h.clean
	}
	if c.Epoch == h.epoch && c.Variant != h.variant {
		return // it lost the race for this epoch, and has written nothing else under it
	}
	a := h.writers[c.Writer]
	if a == nil {
		a = &assembly{cut: h.start > 0, took: -1}
		h.writers[c.Writer] = a
	}
	var whole *pb.Checkpoint
	var err error
	switch body := c.Body.(type) {
	case *pb.Control_Opened:
		var news bool
		if news, err = a.opened(body.Opened.Number); news {
			h.clean, h.opener = false, c.Writer
		}
	case *pb.Control_Segment:
		whole, err = a.add(body.Segment, offset)
	}
	if err != nil {
		h.broken = fmt.Errorf("offset %d: %w", offset, err)
	}
	if whole != nil {
		h.take(&saved{Checkpoint: whole, id: saveID{c.Writer, a.done}, epoch: c.Epoch, first: a.first})
	}
}

// take chooses the checkpoint with the highest epoch and input offset, whoever wrote it: since folds are deterministic, any is right.
// One whose predecessor is missing is of no use.
func (h *history) take(s *saved) {
	if s.Partial {
		if s.after = h.all[saveID{s.id.writer, s.id.number - 1}]; s.after == nil {
			return
		}
	}
	h.all[s.id] = s
	if h.best != nil && (s.epoch < h.best.epoch || s.epoch == h.best.epoch && s.InputOffset < h.best.InputOffset) {
		return
	}
	// A writer that was paused in the middle of its last one may end it after another has taken the task up.
	h.best, h.clean = s, s.Clean && (h.opener == 0 || h.opener == s.id.writer)
	if !s.Partial {
		h.all = map[saveID]*saved{s.id: s} // the older ones need no longer be held: what builds on them is behind this one, or as good
		h.bases[0], h.bases[1] = h.bases[1], base{first: s.first, input: s.InputOffset, known: true}
		h.broken = nil
	}
}
