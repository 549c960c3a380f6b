package delay

import (
	"fmt"
	"math"
)

// QueueSettings say when a queue grows faster than it is worked off. The usual queue is the usual number of arrivals times the mean
// stay (Little's law); by chance it varies by its square root.
type QueueSettings struct {
	Fire, Keep float64 // square roots above the usual queue
	Extra      float64 // and so many trains more
	Growth     int     // arrivals less releases within a day, at least
	OverMS     int64   // of a day, so much at least: the time in which nothing moved does not count
	HistoryMS  int64   // stays are known for so long, at least
	Page       float64 // multiple of the usual queue
}

func defaultQueue() QueueSettings {
	return QueueSettings{Fire: 3, Keep: 1.5, Extra: 2, Growth: 3, OverMS: 12 * hourMS, HistoryMS: 7 * dayMS, Page: 3}
}

// growingQueue sees more trains than usual, of which more come than go on.
func (f *fold) growingQueue(w *flow) *finding {
	set := f.set.Queue
	history := w.history(w.at)
	recent := w.recent(w.at)
	if w.border == nil || history < set.HistoryMS || len(recent) < f.set.MinSamples {
		return nil
	}
	var sum int64
	for _, s := range recent {
		sum += s
	}
	usual := float64(w.arrivals(w.at-history, w.at)) / inHours(history/1000) * inHours(sum) / float64(len(recent))
	queue := len(w.waits) + len(w.held)
	from := w.at - dayMS
	for _, c := range w.covers {
		if c.how == still { // what piled up while nothing moved is not growing
			from = max(from, c.to)
		}
	}
	in, out := w.arrivals(from, w.at), w.releases(from, w.at)
	held := 0
	for _, h := range w.held {
		if h.From > from {
			held++
		}
	}
	d := w.finding(KindGrowingQueue)
	d.value, d.baseline, d.basis = float64(queue), math.Round(usual*10)/10, basisUsual
	spread := math.Sqrt(math.Max(usual, 1))
	d.fire = float64(queue) >= usual+set.Fire*spread+set.Extra && in+held-out >= set.Growth && w.at-from >= set.OverMS
	d.keep = float64(queue) >= usual+set.Keep*spread
	if f.idle(d) {
		return nil
	}
	if float64(queue) >= set.Page*math.Max(usual, 1) && float64(queue) >= usual+2*set.Fire*spread {
		d.severity = Page
	}
	d.summary = fmt.Sprintf("%s: %s, usual %.0f; in the %s since %s %d came and %d went on", w.name(), waiting(queue), usual, hours((w.at-from)/1000), moment(from), in, out)
	clear := "none went on, so it does not clear"
	if out > 0 {
		clear = fmt.Sprintf("at that pace it takes %s to clear without new ones", hours(int64(float64(queue)/float64(out)*float64((w.at-from)/1000))))
	}
	d.evidence = fmt.Sprintf("%s; %s; %s.", f.beyond(w), f.upstream(w), clear)
	return d
}
