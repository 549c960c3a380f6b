package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 20 * time.Millisecond
	longPause  = time.Second
	// patience is how long an error is retried that is usually for ever but may pass, such as a topic that is not there: the
	// brokers learn of a new topic one after the other.
	patience = 5 * time.Second
)

// tries counts what went wrong with one piece of work and says whether and when to try again. Its zero value is ready.
type tries struct {
	n     int
	since time.Time // when the run of `patient` errors began that lasts until now
}

// step names a piece of work in its errors.
type step string

func (s step) String() string { return string(s) }

// again waits and returns nil if the work should be tried again, else the error to return.
func (t *tries) again(ctx context.Context, c *Client, what fmt.Stringer, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", what, stopped(ctx, err))
	}
	t.n++
	r := remedyFor(err)
	switch {
	case r != patient:
		t.since = time.Time{}
	case t.since.IsZero():
		t.since = time.Now()
	}
	if r == stop || r == patient && time.Since(t.since) > patience {
		return fmt.Errorf("%s: %w", what, judged(err))
	}
	d := pauseAfter(t.n)
	c.log.Debug("kafka: trying again", "step", what.String(), "error", err, "tries", t.n, "pause", d)
	if pause(ctx, d) != nil {
		return fmt.Errorf("%s: %w", what, stopped(ctx, err))
	}
	return nil
}

func (t *tries) reset() { *t = tries{} }

// stopped is the error of work that ctx ended, with what kept it from ending by itself.
func stopped(ctx context.Context, err error) error {
	done := context.Cause(ctx)
	if errors.Is(err, done) || errors.Is(err, ctx.Err()) {
		return done
	}
	return fmt.Errorf("%w (last: %v)", done, err)
}

// pauseAfter doubles with each error, with a quarter drawn so that readers do not come back in step.
func pauseAfter(n int) time.Duration {
	d := longPause
	if n < 7 {
		d = min(longPause, firstPause<<(n-1))
	}
	return d - rand.N(d/4+1)
}

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
