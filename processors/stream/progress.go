package stream

import (
	"time"

	"corridorwatch/schemas"
)

// toldEvery is how often a long piece of work says how far it is.
const toldEvery = 3 * time.Second

// shownAfter is how long work takes before Config.Progress is told of it.
const shownAfter = time.Second

// progress of reading a part of a partition.
type progress struct {
	t               *task
	what            string
	start, now, end int64
	began, last     time.Time
	told            bool
}

func (t *task) progress(what string, start, end int64) *progress {
	now := time.Now()
	return &progress{t: t, what: what, start: start, now: start, end: end, began: now, last: now}
}

// at says that everything before offset has been read.
func (p *progress) at(offset int64) {
	p.now = offset
	if p.t.cfg.Progress != nil && time.Since(p.began) >= shownAfter || time.Since(p.last) >= toldEvery {
		p.tell()
	}
}

// done ends it, with a last word if there was one before.
func (p *progress) done() {
	if p.told {
		p.end = p.now
		p.tell()
	}
}

func (p *progress) tell() {
	p.told, p.last = true, time.Now()
	stage := schemas.StageName(p.t.stage.Name)
	done, total := p.now-p.start, p.end-p.start
	if p.t.cfg.Progress != nil {
		p.t.cfg.Progress(p.what, stage, p.t.index, done, total)
		return
	}
	p.t.cfg.Logger.Info(p.what, "stage", stage, "task", p.t.index, "records", done, "of", total, "percent", 100*done/max(total, 1),
		"took", time.Since(p.began).Round(time.Millisecond).String())
}
