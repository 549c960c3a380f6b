package ingest

import (
	"container/heap"
	"errors"
	"io"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Data time: time comes out of the events themselves. Each input is read in its own order, which is the order of arrival, not of
// event time; its time is the greatest event time it has shown so far. The merge always takes from the input whose time is the
// least, and that is the merged time: it never goes back, whatever the order within the inputs, and needs no look-ahead. Each
// time it enters another minute a tick goes out, before the event that brought it there.
//
// One wrong clock must not carry time away for good: see lane. Estimates and plans speak of the future and move no time.

// farAhead is how far ahead of its input's time a single event may be.
const farAhead = int64(time.Hour / time.Millisecond)

// lookAhead bounds how many events wait for a confirmation.
const lookAhead = 1000

// lane is one input with its time. An event more than an hour ahead of it, and at the start the first event, is held:
//
//   - as soon as a second subject is ahead as well, both confirm that time has come as far as the earlier of them;
//   - at the end of the input, or when lookAhead events are held, what nothing spoke against since is confirmed too;
//   - once time has moved on by an hour without it, or the input ends after others went on as before, it is rejected.
//
// All held events have one subject at any time, since a second one resolves them.
type lane struct {
	src   reader
	time  int64 // greatest event time handed out, 0 before the first
	front int64 // the same with what is ready
	ready []item
	done  int    // of ready
	early []item // move no time and came before anything that does: they follow it, so that they are not without a stage time
	held  []held
	ended bool
}

type held struct {
	item
	since        int64 // time of the lane when it was held
	contradicted bool  // others have gone on as before since
}

// next returns the next item, or false at the end. The lane's time includes it.
func (l *lane) next() (item, bool, error) {
	for l.done == len(l.ready) {
		l.ready, l.done = l.ready[:0], 0
		if l.ended {
			return item{}, false, nil
		}
		it, err := l.src.next()
		switch {
		case errors.Is(err, io.EOF):
			l.ended = true
			for len(l.held) > 0 {
				l.decide()
			}
			l.flushEarly()
		case err != nil:
			return item{}, false, err
		default:
			l.take(it)
		}
	}
	it := l.ready[l.done]
	l.done++
	if it.counts() {
		l.time = max(l.time, it.ev.Time)
	}
	return it, true, nil
}

// counts tells whether an item moves time.
func (it item) counts() bool {
	return it.fault == nil && it.ev.Classifier == pb.Classifier_ACTUAL
}

// put makes an item ready.
func (l *lane) put(it item) {
	switch {
	case it.counts():
		l.front = max(l.front, it.ev.Time)
		l.ready = append(l.ready, it)
		l.flushEarly()
	case l.front > 0:
		l.ready = append(l.ready, it)
	default:
		if l.early = append(l.early, it); len(l.early) >= lookAhead {
			l.flushEarly()
		}
	}
}

// flushEarly makes ready what came early.
func (l *lane) flushEarly() {
	l.ready = append(l.ready, l.early...)
	l.early = nil
}

func (l *lane) take(it item) {
	switch {
	case !it.counts():
		l.put(it)
	case l.front > 0 && it.ev.Time <= l.front+farAhead:
		l.put(it)
		l.contradict(len(l.held))
		l.review()
	default:
		l.hold(it)
	}
}

func (l *lane) hold(it item) {
	it.raw = nil // belongs to the reader
	l.held = append(l.held, held{item: it, since: l.front})
	for l.mixed() {
		l.confirm()
	}
	if len(l.held) >= lookAhead {
		l.decide()
	}
}

// mixed tells whether two subjects are held. All but the last have the same.
func (l *lane) mixed() bool {
	n := len(l.held)
	return n > 1 && l.held[0].ev.Subject != l.held[n-1].ev.Subject
}

// contradict notes that the input went on as before after the first n held.
func (l *lane) contradict(n int) {
	for i := range l.held[:n] {
		l.held[i].contradicted = true
	}
}

// decide ends the waiting: what was contradicted is rejected, else time has come as far as the earliest event held.
func (l *lane) decide() {
	if !l.rejectIf(func(h held) bool { return h.contradicted }) {
		l.confirm()
	}
}

// confirm says that time has come as far as the earliest event held, which goes out with all that follow from it within an hour
// each. What had come before it and is further ahead still is contradicted by it.
func (l *lane) confirm() {
	first := 0
	for i, h := range l.held {
		if h.ev.Time < l.held[first].ev.Time {
			first = i
		}
	}
	l.put(l.held[first].item)
	l.contradict(first)
	l.held = append(l.held[:first], l.held[first+1:]...)
	l.review()
}

// review lets go what is no longer far ahead, and rejects what time has left standing.
func (l *lane) review() {
	for before := -1; before != len(l.held); {
		before = len(l.held)
		kept := l.held[:0]
		for _, h := range l.held {
			if h.ev.Time <= l.front+farAhead {
				l.put(h.item)
			} else {
				kept = append(kept, h)
			}
		}
		l.held = kept
	}
	for i := range l.held {
		if l.held[i].since == 0 {
			l.held[i].since = l.front
		}
	}
	l.rejectIf(func(h held) bool { return h.contradicted && l.front-h.since >= farAhead })
}

func (l *lane) rejectIf(bad func(held) bool) (any bool) {
	kept := l.held[:0]
	for _, h := range l.held {
		if !bad(h) {
			kept = append(kept, h)
			continue
		}
		any = true
		h.own = true
		h.fault = &schemas.Fault{Reason: schemas.FarAhead, Path: "time", Detail: "is more than an hour ahead of the events around it, " +
			"and no second subject confirms that time has come so far: set the sender's clock and send it again"}
		l.put(h.item)
	}
	l.held = kept
	return any
}

// merge takes from several lanes in order of their times.
type merge struct {
	heads []head
	time  int64 // merged time, 0 before the first event
}

type head struct {
	lane  *lane
	index int // of the input, decides between equal times
	item  item
}

func newMerge(readers []reader) (*merge, error) {
	m := &merge{}
	for i, r := range readers {
		h := head{lane: &lane{src: r}, index: i}
		var ok bool
		var err error
		if h.item, ok, err = h.lane.next(); err != nil {
			return nil, err
		}
		if ok {
			m.heads = append(m.heads, h)
		}
	}
	heap.Init(m)
	return m, nil
}

// next returns the next item of all inputs, or false at the end. The item's bytes are valid until the next call.
func (m *merge) next() (item, bool, error) {
	if len(m.heads) == 0 {
		return item{}, false, nil
	}
	h := &m.heads[0]
	it := h.item
	m.time = max(m.time, h.lane.time)
	var ok bool
	var err error
	if h.item, ok, err = h.lane.next(); err != nil {
		return item{}, false, err
	}
	if ok {
		heap.Fix(m, 0)
	} else {
		heap.Pop(m)
	}
	return it, true, nil
}

func (m *merge) Len() int { return len(m.heads) }
func (m *merge) Less(i, j int) bool {
	a, b := &m.heads[i], &m.heads[j]
	return a.lane.time < b.lane.time || a.lane.time == b.lane.time && a.index < b.index
}
func (m *merge) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merge) Push(x any)    { m.heads = append(m.heads, x.(head)) }
func (m *merge) Pop() any {
	h := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return h
}
