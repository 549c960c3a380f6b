package live

import (
	"context"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestLookWhileWatched: ClickHouse is asked while somebody watches, and not for nobody; who comes after a rest is shown what is now, and is not
// kept waiting for a ClickHouse that does not answer.
func TestLookWhileWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var stuck atomic.Bool
		p := NewPoll(func(ctx context.Context, sql, _ string, _ url.Values) (io.ReadCloser, error) {
			asked.Add(1)
			if stuck.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			rows := ""
			if strings.Contains(sql, "toUnixTimestamp64Milli(now)") {
				rows = `{"now":1000}` + "\n"
			}
			return io.NopCloser(strings.NewReader(rows)), nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.Run(ctx); close(ended) }()
		rests := func(when string) {
			t.Helper()
			time.Sleep(time.Minute) // by then a look that was under way has ended
			before := asked.Load()
			if time.Sleep(time.Hour); asked.Load() != before {
				t.Errorf("%s: asked %d times in an hour", when, asked.Load()-before)
			}
		}
		rests("before anybody has come")
		first := p.Watch(ctx)
		if time.Since(p.State().Looked) > 0 {
			t.Error("the first to come sees what nobody has looked at")
		}
		second := p.Watch(ctx)
		first()
		time.Sleep(time.Hour)
		if time.Since(p.State().Looked) > time.Second {
			t.Error("not looked at while one of two still watches")
		}
		second()
		rests("after the last has gone")
		began := time.Now()
		third := p.Watch(ctx)
		if took, old := time.Since(began), time.Since(p.State().Looked); took > 0 || old > 0 {
			t.Errorf("after a rest: shown after %s what was so %s ago", took, old)
		}
		third()
		rests("after another has gone")
		stuck.Store(true)
		began = time.Now()
		fourth := p.Watch(ctx)
		if took := time.Since(began); took != soon {
			t.Errorf("ClickHouse does not answer, and who watches waits for %s", took)
		}
		time.Sleep(time.Minute)
		if p.State().Error == "" {
			t.Error("ClickHouse does not answer, and nobody is told")
		}
		fourth()
		rests("after ClickHouse was away")
		fifth := p.Watch(ctx)
		if err := p.State().Error; err != "" {
			t.Errorf("told of what was hours ago: %s", err)
		}
		fifth()
		cancel()
		<-ended
	})
}
