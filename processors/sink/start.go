package sink

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// stored is how far sinks have been, as ClickHouse knows it.
func (w *worker) stored(ctx context.Context) (map[place]end, error) {
	err := w.patiently(ctx, "look at the shards", func(ctx context.Context) error {
		return w.shards.Check(ctx, w.cfg.Database)
	})
	if err != nil {
		return nil, err
	}
	all := make([]map[place]end, len(w.shards))
	err = w.inShards(func(shard int) error {
		return w.patiently(ctx, "read "+offsetsTable+w.ofShard(shard), func(ctx context.Context) (err error) {
			all[shard], err = loadOffsets(ctx, w.shards[shard], w.cfg.Database)
			return err
		})
	})
	out := map[place]end{}
	for _, ends := range all {
		maps.Copy(out, ends)
	}
	return out, err
}

// partition makes the reader of a partition where the last sink left off.
func (w *worker) partition(at place, stored map[place]end) (*partition, error) {
	i := slices.IndexFunc(schemas.Topics[:], func(t schemas.Topic) bool { return t.Name == at.topic })
	if i < 0 || at.partition >= schemas.Topics[i].Partitions(w.cfg.Partitions) {
		return nil, fmt.Errorf("%s/%d is not of an installation of %d partitions", at.topic, at.partition, w.cfg.Partitions)
	}
	p := &partition{worker: w, topic: schemas.Topics[i], index: at.partition}
	return p, p.resume(stored)
}

// resume takes up what was stored of p.
func (p *partition) resume(stored map[place]end) error {
	p.senders = newSenders(p.topic, p.index, p.cfg.Partitions)
	from, known := stored[p.place()]
	if !known {
		return nil
	}
	p.next = from.next
	if err := p.senders.load(from.senders); err != nil {
		return fmt.Errorf("sink_offsets of %s: %w", p, err)
	}
	return nil
}

// start finds where the log begins, for a sink that is to begin there. Any other learns from its first fetch whether the log still goes
// on where it left off.
func (p *partition) start(ctx context.Context) error {
	if !p.cfg.FromStart {
		return nil
	}
	start, _, err := p.cfg.Log.Offsets(ctx, p.inKafka(), p.index)
	if err != nil {
		return err
	}
	p.next = start
	p.senders.any = true
	for i := range p.senders.from {
		from := &p.senders.from[i]
		from.epoch = p.cfg.Epochs[Sender{p.topic.Name, p.index, from.stage, from.task}]
	}
	return nil
}

// overtaken goes on behind what another sink has stored in the meantime, since the log below may have been deleted. If no other has,
// the log is not the one it should be. Which that is, is asked for after what was stored, which may have been long in coming.
func (p *partition) overtaken(ctx context.Context, gone *kafkalog.RangeError) error {
	if p.cfg.FromStart {
		return gone
	}
	if gone.End < p.next { // no other sink can do that
		return p.check(gone.Start, gone.End)
	}
	stored, err := p.stored(ctx)
	if err != nil {
		return err
	}
	if at := stored[p.place()]; at.next > p.next {
		p.cfg.Logger.Info("sink: another sink has stored more of a partition; going on behind it", "partition", p.String(), "from", p.next, "offset", at.next)
		if err := p.resume(stored); err != nil {
			return err
		}
	}
	start, end, err := p.cfg.Log.Offsets(ctx, p.inKafka(), p.index)
	if err != nil {
		return err
	}
	return p.check(start, end)
}

// check compares the range the log holds with where p goes on.
func (p *partition) check(start, end int64) error {
	switch {
	case start > p.next:
		return fmt.Errorf("%s begins at offset %d, but only what lies before %d is in ClickHouse: records [%d, %d) are lost to it; "+
			"replay into a new prefix, or restore the topic", p, start, p.next, p.next, start)
	case end < p.next:
		return fmt.Errorf("%s ends at offset %d, but ClickHouse holds what was before %d: this is not the log it was filled from; "+
			"restore the topic, or use a new database (another prefix)", p, end, p.next)
	}
	return nil
}
