package main

import (
	"context"
	"fmt"
	"time"

	"corridorwatch/ingest"
	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/progress"
)

// player sends a simulated world into an installation on data time: it is the one producer of time there.
type player struct {
	writer *ingest.Writer
	world  *simulator.World
	from   time.Time // events before were sent by an earlier start; zero: none were
	// pace is how much event time passes in a second; 0: as fast as it goes. It holds from `paced` on.
	pace  float64
	paced time.Time
	// caughtUp, if set, is called once, when the pace begins to hold.
	caughtUp func()
	bar      *progress.Bar

	tick int64 // last tick sent, ms
	sent int64
}

const minuteMS = int64(time.Minute / time.Millisecond)

// play sends every event in the order of arrival, a tick after each minute of event time, and a closing tick at the end.
func (p *player) play(ctx context.Context) error {
	var began time.Time
	for {
		ev, ok := p.world.Next()
		if !ok {
			break
		}
		if minute := ev.Time / minuteMS * minuteMS; minute > p.tick {
			if err := p.closeMinute(ctx, minute); err != nil {
				return err
			}
			if p.pace > 0 && ev.Time >= p.paced.UnixMilli() && ev.Time >= p.from.UnixMilli() {
				if began.IsZero() {
					if p.caughtUp != nil {
						p.caughtUp()
					}
					began = time.Now().Add(-time.Duration(float64(max(minute-max(p.paced.UnixMilli(), p.from.UnixMilli()), 0)) / p.pace * 1e6))
				}
				due := began.Add(time.Duration(float64(minute-max(p.paced.UnixMilli(), p.from.UnixMilli())) / p.pace * 1e6))
				if err := p.sleepUntil(ctx, due); err != nil {
					return err
				}
			}
		}
		p.sent++
		if ev.Time < p.from.UnixMilli() {
			continue
		}
		p.writer.Event(ev)
		if err := p.writer.FlushIfFull(ctx); err != nil {
			return fmt.Errorf("send events: %w", err)
		}
	}
	if err := p.closeMinute(ctx, p.tick+minuteMS); err != nil {
		return err
	}
	if err := p.writer.Flush(ctx); err != nil {
		return fmt.Errorf("send the closing tick: %w", err)
	}
	p.show()
	return nil
}

// closeMinute sends the tick that says that everything before it has been sent.
func (p *player) closeMinute(ctx context.Context, minute int64) error {
	p.tick = minute
	if minute <= p.from.UnixMilli() {
		return nil
	}
	p.writer.Tick(minute)
	if p.sent%1000 < 50 {
		p.show()
	}
	if err := p.writer.FlushIfFull(ctx); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	return ctx.Err()
}

func (p *player) show() {
	if p.bar != nil {
		p.bar.Set(p.sent, "world time "+time.UnixMilli(p.tick).UTC().Format("2006-01-02 15:04"))
	}
}

func (p *player) sleepUntil(ctx context.Context, due time.Time) error {
	if err := p.writer.Flush(ctx); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	p.show()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(due)):
		return nil
	}
}
