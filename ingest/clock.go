package ingest

import (
	"context"
	"fmt"
	"time"
)

// Clock makes wall time pass: a tick into every intake partition, each second. Exactly one should run in an installation; a second
// one does no harm, since tasks take the maximum.
type Clock struct {
	Writer *Writer       // of its own
	Every  time.Duration // one second when zero
}

// Run ticks until ctx ends. If the machine's clock is set back, ticks repeat the highest time until it has caught up. If Kafka is
// slow, ticks are left out rather than queued.
func (c *Clock) Run(ctx context.Context) error {
	every := c.Every
	if every == 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := int64(0); ; {
		last = max(last, time.Now().UnixMilli())
		c.Writer.Tick(last)
		if err := c.Writer.Flush(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("clock: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
