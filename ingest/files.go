package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/normal"
	"corridorwatch/schemas/pb"
)

// Options says what Files reads, and how.
type Options struct {
	Paths []string  // files in order of their names or of arrival; "-" is Stdin; gzip is recognised
	Stdin io.Reader // for "-"

	// CSV maps columns to fields; nil: the files hold JSON lines.
	CSV *Mapping

	// Form, if set, is the normal form of the installation's catalogue. Then places and ids that intake will reject are counted as
	// rejected here already. Without it they are counted as sent, and still rejected by intake: its word counts.
	Form *normal.Form

	// DataTime says that this is the one producer of time: the files are merged by time, and ticks are sent.
	DataTime bool
	// Beyond is how far beyond the minute after the last event the closing tick lies. Time that passes without events turns silent
	// trackers into silent ones, and closes what is lost.
	Beyond time.Duration

	// Progress, if set, is told now and then how far it is.
	Progress Progress
}

// Progress is told how many events were read, how many of them were sent as events, and how many as rejects.
type Progress func(read, accepted, rejected int64)

// Result is what became of the input. Read = Sent + Rejected; all of it is acknowledged by Kafka.
type Result struct {
	Read     int64
	Sent     int64     // as events
	Rejected int64     // as bytes that intake puts into rejects
	LastTick time.Time // closing tick, zero in wall time or if there was nothing that shows a time
	Offsets  []int64   // end of each intake partition behind the last event: the next tick there closes it in
}

// Files sends the events of files. Everything is read, whatever it holds: a line that is no event is sent on to be rejected, and
// counted. Errors are those of files that cannot be read and of Kafka.
func Files(ctx context.Context, w *Writer, o Options) (Result, error) {
	s := &sender{w: w, o: o, now: time.Now().UnixMilli()}
	if o.Stdin != nil {
		// Whoever pipes events in may pause between them: what came goes out before the next read waits for more.
		o.Stdin = &hooked{o.Stdin, func() error { return w.Flush(ctx) }}
	}
	readers, done, err := openAll(o)
	defer done()
	if err != nil {
		return s.res, err
	}
	err = s.run(ctx, readers)
	return s.res, err
}

// Events sends the events of seq, in order of their arrival, as Files does those of one file. A producer that makes its events as it
// goes, such as the simulator, may take its time: what was yielded goes out after a tenth of a second at the latest, or with the
// next event. An error of seq ends it.
func Events(ctx context.Context, w *Writer, seq iter.Seq2[*pb.Event, error], o Options) (Result, error) {
	next, stop := iter.Pull2(seq)
	defer stop()
	s := &sender{w: w, o: o, now: time.Now().UnixMilli(), every: 100 * time.Millisecond}
	err := s.run(ctx, []reader{pulled(next)})
	return s.res, err
}

// pulled is a reader of events made elsewhere.
type pulled func() (*pb.Event, error, bool)

func (p pulled) next() (item, error) {
	ev, err, ok := p()
	if !ok {
		err = io.EOF
	}
	return item{ev: ev}, err
}

// hooked calls before ahead of each read.
type hooked struct {
	io.Reader
	before func() error
}

func (h *hooked) Read(b []byte) (int, error) {
	if err := h.before(); err != nil {
		return 0, err
	}
	return h.Reader.Read(b)
}

// openAll opens every file before anything is sent, so that a wrong name is not found half-way.
func openAll(o Options) (readers []reader, done func(), err error) {
	var files []io.Closer
	done = func() {
		for _, f := range files {
			f.Close()
		}
	}
	for _, path := range o.Paths {
		f, err := open(path, o.Stdin)
		if err != nil {
			return nil, done, fmt.Errorf("open input: %w", err)
		}
		files = append(files, f)
		r, err := newReader(f, path, o.CSV)
		if err != nil {
			return nil, done, fmt.Errorf("read %s: %w", path, err)
		}
		readers = append(readers, named{r, path})
	}
	return readers, done, nil
}

func newReader(r io.Reader, path string, m *Mapping) (reader, error) {
	if m == nil {
		return newJSONLines(r), nil
	}
	c, err := newCSV(r, *m)
	if err != nil || !m.Sort {
		return c, err
	}
	return &sorted{from: c}, nil
}

// named says in errors which input they are of.
type named struct {
	reader
	path string
}

func (n named) next() (item, error) {
	it, err := n.reader.next()
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read %s: %w", n.path, err)
	}
	return it, err
}

// sender counts and sends what readers read.
type sender struct {
	w        *Writer
	o        Options
	now      int64 // time of ingestion, ms
	res      Result
	lastTick int64
	prior    int64         // last tick of the installation before this input
	end      int64         // last event time
	every    time.Duration // how often to flush, 0: when much is buffered
	flushed  time.Time
}

func (s *sender) run(ctx context.Context, readers []reader) (err error) {
	if s.o.DataTime {
		err = s.merged(ctx, readers)
	} else {
		err = s.oneByOne(ctx, readers)
	}
	if err != nil {
		return err
	}
	return s.finish(ctx)
}

func (s *sender) oneByOne(ctx context.Context, readers []reader) error {
	for _, r := range readers {
		for {
			it, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if err := s.send(ctx, it); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sender) merged(ctx context.Context, readers []reader) error {
	var err error
	if s.prior, err = LastTick(ctx, s.w); err != nil {
		return fmt.Errorf("find the installation's time: %w", err)
	}
	m, err := newMerge(readers)
	if err != nil {
		return err
	}
	for {
		it, ok, err := m.next()
		if err != nil {
			return err
		}
		if !ok {
			return nil
		}
		s.end = m.time
		if t := m.time - m.time%minute; t > s.lastTick {
			s.lastTick = t
			s.w.Tick(t)
		}
		if err := s.send(ctx, it); err != nil {
			return err
		}
	}
}

func (s *sender) send(ctx context.Context, it item) error {
	s.res.Read++
	if it.fault == nil {
		it.ev.IngestedAt = s.now
		if s.o.Form != nil {
			it.fault = s.o.Form.Apply(it.ev)
		}
		it.raw = nil // the reader has gone on; if need be the event is written anew
	}
	switch {
	case it.fault == nil && it.ev.Verb == pb.Verb_TICK:
		if s.o.DataTime { // it has moved the merged time, that is all it is for
			s.res.Sent++
			break
		}
		it.own = true
		it.fault = &schemas.Fault{Reason: schemas.ImpossibleValue, Path: "type", Detail: "ticks come from the clock of the installation, not from files"}
		s.reject(it)
	case it.fault == nil:
		s.w.Event(it.ev)
		s.res.Sent++
	default:
		s.reject(it)
	}
	if s.o.Progress != nil && s.res.Read%1000 == 0 {
		s.o.Progress(s.res.Read, s.res.Sent, s.res.Rejected)
		s.now = time.Now().UnixMilli()
	}
	if s.every > 0 && time.Since(s.flushed) > s.every {
		s.flushed = time.Now()
		return s.w.Flush(ctx)
	}
	return s.w.FlushIfFull(ctx)
}

// reject sends an item on as what it is: bytes with a fault.
func (s *sender) reject(it item) {
	s.res.Rejected++
	if it.raw == nil {
		it.raw, it.ct = schemas.EncodeJSON(it.ev), schemas.JSONType
	}
	s.w.Reject(it.raw, it.ct, it.told())
}

func (s *sender) finish(ctx context.Context) error {
	if err := s.w.Flush(ctx); err != nil {
		return err
	}
	var err error
	if s.res.Offsets, err = s.w.Ends(ctx); err != nil {
		return fmt.Errorf("note how far the input reached: %w", err)
	}
	if s.o.DataTime {
		if err := s.close(ctx); err != nil {
			return err
		}
	}
	if s.o.Progress != nil {
		s.o.Progress(s.res.Read, s.res.Sent, s.res.Rejected)
	}
	return nil
}

// close sends the closing tick: the minute after the last event, or just beyond the installation's time if the input is older than
// that, so that it is a tick and not a repetition.
func (s *sender) close(ctx context.Context) error {
	t := int64(0)
	if s.end > 0 {
		t = (s.end+minute-1)/minute*minute + minute + s.o.Beyond.Milliseconds()
	}
	if s.prior > 0 {
		t = max(t, s.prior+1)
	}
	if t == 0 {
		return nil
	}
	s.w.Tick(t)
	s.res.LastTick = time.UnixMilli(t).UTC()
	return s.w.Flush(ctx)
}
