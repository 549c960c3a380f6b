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

	// The bar's own goroutine asks for tail while it draws, and tail takes mu: never call the bar with mu held.
	container *mpb.Progress
	bar       *mpb.Bar
}

// New starts a bar for total units of work (0: not known) on out, which is drawn as a bar if it is a terminal.
func New(out *os.File, name, unit string, total int64) *Bar {
	b := &Bar{name: name, unit: unit, began: time.Now(), out: out, total: total, last: time.Now()}
	if info, err := out.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return b
	}
	b.draw(mpb.WithOutput(out), mpb.WithRefreshRate(200*time.Millisecond))
	return b
}

// draw makes it a bar on a terminal.
func (b *Bar) draw(options ...mpb.ContainerOption) {
	b.container = mpb.New(options...)
	b.bar = b.container.AddBar(b.total,
		mpb.PrependDecorators(decor.Name(b.name+" "), decor.CountersNoUnit("%d / %d "+b.unit, decor.WC{})),
		mpb.AppendDecorators(decor.Percentage(), decor.Any(func(decor.Statistics) string { return "  " + b.tail() })),
	)
}

// Set says how much is done, and what else is worth knowing.
func (b *Bar) Set(done int64, note string) {
	b.mu.Lock()
	b.done, b.note = done, note
	grown := b.bar != nil && done > b.total
	if grown {
		b.total = done
	}
	if now := time.Now(); b.bar == nil && now.Sub(b.last) >= plainEvery {
		b.last = now
		fmt.Fprintln(b.out, b.line())
	}
	b.mu.Unlock()
	if grown {
		b.bar.SetTotal(done, false)
	}
	if b.bar != nil {
		b.bar.SetCurrent(done)
	}
}

// Total changes the amount of work.
func (b *Bar) Total(total int64) {
	b.mu.Lock()
	b.total = total
	b.mu.Unlock()
	if b.bar != nil {
		b.bar.SetTotal(total, false)
	}
}

// Done ends the bar and leaves its last line.
func (b *Bar) Done() {
	b.mu.Lock()
	done := b.done
	if b.bar == nil {
		fmt.Fprintln(b.out, b.line())
	}
	b.mu.Unlock()
	if b.bar != nil {
		b.bar.SetTotal(done, true)
		b.container.Wait()
	}
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
