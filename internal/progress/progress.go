// Package progress shows how far a long job has come: a bar on a terminal, a plain line every five seconds elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const plainEvery = 5 * time.Second

// Bar is the progress of one job. It may be used by several goroutines.
type Bar struct {
	name, unit string
	began      time.Time
	out        io.Writer

	mu    sync.Mutex // guards the following
	done  int64
	total int64
	note  string
	last  time.Time

	container *mpb.Progress
	bar       *mpb.Bar
}

// New starts a bar for total units of work (0: not known) on out, which is drawn as a bar if it is a terminal.
func New(out *os.File, name, unit string, total int64) *Bar {
	b := &Bar{name: name, unit: unit, began: time.Now(), out: out, total: total, last: time.Now()}
	if info, err := out.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return b
	}
	b.container = mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(200*time.Millisecond))
	b.bar = b.container.AddBar(total,
		mpb.PrependDecorators(decor.Name(name+" "), decor.CountersNoUnit("%d / %d "+unit, decor.WC{})),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string { return "  " + b.tail() })),
	)
	return b
}

// Set says how much is done, and what else is worth knowing.
func (b *Bar) Set(done int64, note string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done, b.note = done, note
	if b.bar != nil {
		if done > b.total {
			b.total = done
			b.bar.SetTotal(b.total, false)
		}
		b.bar.SetCurrent(done)
		return
	}
	if now := time.Now(); now.Sub(b.last) >= plainEvery {
		b.last = now
		fmt.Fprintln(b.out, b.line())
	}
}

// Total changes the amount of work.
func (b *Bar) Total(total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total = total
	if b.bar != nil {
		b.bar.SetTotal(total, false)
	}
}

// Done ends the bar and leaves its last line.
func (b *Bar) Done() {
	if b.bar != nil {
		b.mu.Lock()
		b.bar.SetTotal(b.done, true)
		b.mu.Unlock()
		b.container.Wait()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(b.out, b.line())
}

// line is the plain form; the caller holds mu.
func (b *Bar) line() string {
	of := ""
	if b.total > 0 {
		of = fmt.Sprintf(" of %d (%d %%)", b.total, 100*b.done/b.total)
	}
	return fmt.Sprintf("%s: %d%s %s, %s", b.name, b.done, of, b.unit, b.rate())
}

func (b *Bar) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rate()
}

func (b *Bar) rate() string {
	took := time.Since(b.began)
	s := fmt.Sprintf("%.0f/s, %s", float64(b.done)/max(took.Seconds(), 0.001), took.Round(100*time.Millisecond))
	if b.note != "" {
		s += ", " + b.note
	}
	return s
}
