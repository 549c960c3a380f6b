package sink

import (
	"context"
	"fmt"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// begin makes the readers of all partitions, each where the last sink left off.
func begin(ctx context.Context, cfg Config, m *metrics, free *sheets) ([]*partition, error) {
	var stored map[place]end
	err := patiently(ctx, cfg.Logger, m, "read sink_offsets", func(ctx context.Context) (err error) {
		stored, err = loadOffsets(ctx, cfg)
		return err
	})
	if err != nil {
		return nil, err
	}
	var parts []*partition
	for _, t := range schemas.Topics {
		if !Sunk(t) {
			continue
		}
		for i := range t.Partitions(cfg.Partitions) {
			p := &partition{cfg: cfg, metrics: m, topic: t, index: i, senders: newSenders(t, i, cfg.Partitions), free: free}
			if err := p.resume(ctx, stored); err != nil {
				return nil, err
			}
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// resume takes up what was stored of p and checks that the log still goes on from there.
func (p *partition) resume(ctx context.Context, stored map[place]end) error {
	from, known := stored[place{p.topic.Name, p.index}]
	if known {
		p.next = from.next
		if err := p.senders.load(from.senders); err != nil {
			return fmt.Errorf("sink_offsets of %s: %w", p, err)
		}
	}
	start, end, err := p.cfg.Log.Offsets(ctx, p.inKafka(), p.index)
	if err != nil {
		return err
	}
	if p.cfg.FromStart {
		p.next = start
		p.senders.unknown()
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

// rangeProblem explains an offset that vanished while reading.
func (p *partition) rangeProblem(e *kafkalog.RangeError) error {
	if err := p.check(e.Start, e.End); err != nil {
		return err
	}
	return e
}
