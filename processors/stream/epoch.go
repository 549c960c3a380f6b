package stream

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// variant names what a stage computes: its logic and the catalogue. Another one opens a new epoch.
func variant(stage Stage, catalogue string) string { return stage.Logic + "+" + catalogue }

func (t *task) variant() string { return variant(t.stage, t.cfg.Catalogue) }

// openEpoch begins an epoch with the state of an older one (s, of epoch last; nil: none). If the older one was not stopped cleanly, it
// has written more than the state knows of. These rows are told anew or deleted, as the state has it, in the next round.
func (t *task) openEpoch(ctx context.Context, s *saved, last uint32) error {
	t.cfg.Logger.Info("new epoch", "stage", schemas.StageName(t.stage.Name), "task", t.index, "epoch", t.epoch, "variant", t.variant(), "unclean", t.unclean)
	for i := range t.out.dests {
		t.out.dests[i].seq = 0
	}
	if t.unclean {
		// What the older epochs write behind these marks nobody takes any more. So what lies before them is all there is to read.
		for i := range t.out.dests {
			t.append(&t.out.dests[i], nil, &pb.Record{Body: &pb.Record_Mark{Mark: t.now}})
		}
		if err := t.outbox.Flush(ctx); err != nil {
			return fmt.Errorf("write the first marks: %w", err)
		}
		reteller, ok := t.fold.(Reteller)
		for i := range t.out.dests {
			if !ok {
				break
			}
			d := &t.out.dests[i]
			if err := t.readTail(ctx, d, last, s.sent(d), reteller.Retell); err != nil {
				return fmt.Errorf("read what epoch %d wrote last to %s/%d: %w", last, d.topic, d.partition, err)
			}
		}
	}
	t.unclean = false
	return t.checkpoint(ctx, false)
}

// readTail hands over what this task wrote to d in older epochs: of epoch last the records behind number seq, of later ones all.
func (t *task) readTail(ctx context.Context, d *dest, last uint32, seq uint64, take func(*pb.Record)) error {
	topic := t.topic(d.topic)
	start, end, err := t.cfg.Log.Offsets(ctx, topic, d.partition)
	if err != nil {
		return err
	}
	reader := t.cfg.Log.Reader(topic, d.partition, start)
	progress := t.progress("reading what an older epoch wrote last to "+d.topic, start, end)
	defer progress.done()
	for reader.Offset() < end {
		batch, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		for i := range batch.Records {
			rec := new(pb.Record)
			if err := proto.Unmarshal(batch.Records[i].Value, rec); err != nil {
				return fmt.Errorf("offset %d: %w", batch.Records[i].Offset, err)
			}
			if rec.Stage != t.stage.Name || int(rec.Task) != t.index {
				continue
			}
			if rec.Epoch == t.epoch {
				return nil
			}
			if rec.Epoch > last || rec.Epoch == last && rec.Seq > seq {
				take(rec)
			}
		}
		progress.at(reader.Offset())
	}
	return nil
}

// Active tells which variant of a stage worked last in an installation: that of the highest epoch of any of its tasks, "" if none
// has worked yet.
func Active(ctx context.Context, log *kafkalog.Client, prefix string, partitions int, stage pb.Stage) (string, error) {
	topic := schemas.InKafka(prefix, schemas.Checkpoints)
	epoch, active := uint32(0), ""
	for task := range partitions {
		err := tail(ctx, log, topic, schemas.CheckpointPartition(stage, task, partitions), 1, func(r *kafkalog.Record) error {
			c := new(pb.Control)
			if err := proto.Unmarshal(r.Value, c); err != nil {
				return err
			}
			if c.Epoch > epoch {
				epoch, active = c.Epoch, c.Variant
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("which variant worked last: %w", err)
		}
	}
	return active, nil
}
