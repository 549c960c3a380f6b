package progress

import (
	"io"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"
)

// TestSetWhileDrawn sets a bar that is being drawn all the time, as on a terminal: neither may wait for the other.
func TestSetWhileDrawn(t *testing.T) {
	const total = 100_000
	b := &Bar{name: "test", unit: "events", began: time.Now(), out: io.Discard, total: total / 2}
	b.draw(mpb.WithOutput(io.Discard), mpb.WithAutoRefresh(), mpb.WithRefreshRate(100*time.Microsecond))
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for i := range int64(total) {
			b.Set(i+1, "note")
		}
		b.Total(total)
		b.Done()
	}()
	select {
	case <-finished:
	case <-time.After(30 * time.Second):
		t.Fatal("the bar and its user wait for each other")
	}
}
