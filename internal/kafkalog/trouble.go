package kafkalog

import (
	"sync"
	"time"
)

const (
	// tellAfter is how long a piece of work may take until its errors are told: a new leader is found sooner.
	tellAfter = time.Second
	// tellEvery is how often it is told while it lasts.
	tellEvery = 10 * time.Second
)

// trouble tells people what does not go on. Where one broker is gone, dozens of readers and writers wait for it: one line tells of all.
type trouble struct {
	mu    sync.Mutex // guards what follows
	stuck int        // pieces of work that do not go on
	since time.Time  // since when there is one
	told  time.Time
}

// tell counts a piece of work that does not go on, and tells of it if nothing was told lately.
func (tr *trouble) tell(t *tries, err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !t.stuck {
		if t.stuck = true; tr.stuck == 0 {
			tr.since = t.began
		}
		tr.stuck++
	}
	if time.Since(tr.told) < tellEvery {
		return
	}
	tr.told = time.Now()
	t.c.log.Warn("kafka: something does not go on, and is tried again until it does", "step", t.what.String(), "err", err,
		"for", time.Since(t.began).Round(time.Millisecond).String(), "stuck", tr.stuck)
}

// over tells when the last piece of work goes on.
func (tr *trouble) over(t *tries) {
	tr.leave(t)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.stuck == 0 {
		tr.told = time.Time{}
		t.c.log.Info("kafka: everything goes on", "after", time.Since(tr.since).Round(time.Millisecond).String())
	}
}

// leave takes a piece of work out of the count.
func (tr *trouble) leave(t *tries) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	t.stuck = false
	tr.stuck--
}
