package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// restore takes the task up where the best checkpoint left it, or at the beginning of its input if there is none. Where logic or
// catalogue have changed it opens a new epoch, if it may.
func (t *task) restore(ctx context.Context, mayOpen bool) error {
	began := time.Now()
	h, err := t.readHistory(ctx)
	if err != nil {
		return err
	}
	t.cfg.hit("in-restore")
	t.ckpt = t.newCheckpointer(h)
	t.epoch = max(h.epoch, 1)
	if h.epoch > 0 && h.variant != t.variant() {
		if !mayOpen {
			return fmt.Errorf("%w, one with another logic or catalogue (%s, not %s)", errSuperseded, h.variant, t.variant())
		}
		t.epoch++
	}
	if h.best == nil {
		err = t.startFresh(ctx, t.epoch)
	} else {
		err = t.resume(ctx, h.best)
	}
	if err != nil {
		// What looks like a loss may be the work of another process that has taken up the task since its history was read.
		if taken := t.claimed(ctx); errors.Is(taken, errSuperseded) {
			return taken
		}
		return err
	}
	last := uint32(1) // epoch of the state
	if h.best != nil {
		last = h.best.epoch
	}
	// An epoch begins with this record: the first of a number decides whose it is.
	if err := t.announce(ctx); err != nil {
		return err
	}
	clean := h.clean
	if t.epoch == h.epoch && t.epoch != last {
		// Another process died while it opened this epoch, and its checkpoint may yet arrive: it is opened once more as it was then.
		clean = h.before
	}
	t.unclean = h.best.GetUnclean() || h.epoch > 0 && !clean
	if t.epoch != last {
		if err := t.openEpoch(ctx, h.best, last); err != nil {
			return fmt.Errorf("open epoch %d: %w", t.epoch, err)
		}
	}
	t.cfg.Metrics.restored(t.stage.Name, t.index, time.Since(began), t.now)
	t.cfg.Logger.Info("took up task", "stage", schemas.StageName(t.stage.Name), "task", t.index, "epoch", t.epoch, "offset", t.offset,
		"took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

// GetUnclean is false without a checkpoint.
func (s *saved) GetUnclean() bool { return s != nil && s.Unclean }

// startFresh checks that a task without a checkpoint sees its input from the very beginning, and that the checkpoints have not been
// lost: readers would drop what it sends under a lower epoch than before.
func (t *task) startFresh(ctx context.Context, epoch uint32) error {
	start, _, err := t.cfg.Log.Offsets(ctx, t.topic(t.stage.Input), t.index)
	if err != nil {
		return fmt.Errorf("look at %s/%d: %w", t.stage.Input, t.index, err)
	}
	if start != 0 {
		return fmt.Errorf("no checkpoint, and %s/%d begins at offset %d: what lay before is gone; restore the topic of the checkpoints, or "+
			"start a new prefix", t.stage.Input, t.index, start)
	}
	for _, d := range t.out.dests {
		sent, err := lastSent(ctx, t.cfg.Log, t.topic(d.topic), d.partition, t.stage.Name, t.index)
		if err != nil {
			return fmt.Errorf("look at %s/%d: %w", d.topic, d.partition, err)
		}
		if sent.GetEpoch() > epoch {
			return fmt.Errorf("no checkpoint, but %s/%d holds records that this task wrote in epoch %d: the topic of the checkpoints was lost; "+
				"restore it, or replay into a new prefix", d.topic, d.partition, sent.GetEpoch())
		}
	}
	return nil
}

// resume restores from a checkpoint after making sure that the input is still the one it was folded from.
func (t *task) resume(ctx context.Context, s *saved) error {
	if err := t.checkInput(ctx, s.Checkpoint); err != nil {
		return err
	}
	if err := restoreChain(t.fold, s); err != nil {
		return fmt.Errorf("state of input offset %d: %w", s.InputOffset, err)
	}
	t.now, t.offset = s.StageTime, s.InputOffset
	t.lastBatch = batchID{offset: s.LastBatchOffset, crc: s.LastBatchCrc, known: s.HasLastBatch}
	t.ckpt.offset = s.InputOffset
	for _, r := range s.Received {
		if from := t.in.sender(r.Stage, r.Task); from != nil {
			*from = sender{epoch: r.Epoch, seq: r.Seq, mark: r.Mark}
		}
	}
	if err := t.ahead.restore(s.Checkpoint); err != nil {
		return err
	}
	t.known = t.now
	if t.epoch == s.epoch { // another one numbers its records from 1
		t.resumeNumbers(s)
	}
	return nil
}

// restoreChain restores the whole checkpoint that s builds on, and then applies the changes in the order in which they were made.
func restoreChain(f Fold, s *saved) error {
	var chain []*saved
	for ; s.Partial; s = s.after {
		chain = append(chain, s)
	}
	if err := f.Restore(s.State); err != nil {
		return err
	}
	for i := len(chain) - 1; i >= 0; i-- {
		pieces, ok := f.(Pieces)
		if !ok {
			return fmt.Errorf("the checkpoint holds pieces, of which this stage knows nothing: it was written by a newer version")
		}
		changed := make([]Piece, len(chain[i].Pieces))
		for k, p := range chain[i].Pieces {
			changed[k] = Piece{Key: string(p.Key), Value: p.Value}
		}
		if err := pieces.Apply(changed); err != nil {
			return fmt.Errorf("changes up to input offset %d: %w", chain[i].InputOffset, err)
		}
	}
	return nil
}

func (t *task) resumeNumbers(s *saved) {
	for i := range t.out.dests {
		d := &t.out.dests[i]
		d.seq = s.sent(d)
	}
}

// sent is the number of the last record to d that the checkpoint counts.
func (s *saved) sent(d *dest) uint64 {
	if s == nil {
		return 0
	}
	for _, c := range s.Sent {
		if c.Topic == d.topic && int(c.Partition) == d.partition {
			return c.Seq
		}
	}
	return 0
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

// announce says in the checkpoint partition that the task has been taken up: from here on a clean checkpoint is clean no longer.
func (t *task) announce(ctx context.Context) error {
	if err := t.control(&pb.Control{Body: &pb.Control_Opened{Opened: &pb.Opened{Number: t.ckpt.number}}}); err != nil {
		return err
	}
	first, err := t.ckpt.appender.Flush(ctx)
	if err != nil {
		return fmt.Errorf("announce the task: %w", err)
	}
	if err := t.mine(ctx, first); err != nil {
		return err
	}
	t.ckpt.end = first + 1
	return nil
}
