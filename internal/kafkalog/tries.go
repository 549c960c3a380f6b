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

// tries counts what went wrong with one piece of work and says whether and when to try again. It ends with done, or with the error of
// again.
type tries struct {
	c     *Client
	what  fmt.Stringer
	n     int
	began time.Time
	since time.Time // when the run of `patient` errors began that lasts until now
	stuck bool      // counted among the client's works that do not go on
}

// step names a piece of work in its errors.
type step string

func (s step) String() string { return string(s) }

func (c *Client) try(what fmt.Stringer) tries {
	return tries{c: c, what: what, began: time.Now()}
}

// again waits and returns nil if the work should be tried again, else the error to return.
func (t *tries) again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return t.fail(stopped(ctx, err))
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
		return t.fail(judged(err))
	}
	d := pauseAfter(t.n)
	t.c.log.Debug("kafka: trying again", "step", t.what.String(), "err", err, "tries", t.n, "pause", d)
	if time.Since(t.began) > tellAfter {
		t.c.trouble.tell(t, err)
	}
	if pause(ctx, d) != nil {
		return t.fail(stopped(ctx, err))
	}
	return nil
}

// progressed says that part of the work is done; what goes wrong from here on counts from the beginning.
func (t *tries) progressed() {
	t.done()
	*t = t.c.try(t.what)
}

// done says that the work is done.
func (t *tries) done() {
	if t.stuck {
		t.c.trouble.over(t)
	}
}

func (t *tries) fail(err error) error {
	if t.stuck {
		t.c.trouble.leave(t)
	}
	return fmt.Errorf("%s: %w", t.what, err)
}

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
