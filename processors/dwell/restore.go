package dwell

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/recompute"
	"corridorwatch/schemas/pb"
)

// scanner reads what Snapshot wrote; the first fault ends it.
type scanner struct {
	b   []byte
	err error
}

var errShort = errors.New("the state ends too early")

func (s *scanner) take(n int) []byte {
	if s.err != nil || n < 0 || n > len(s.b) {
		s.err = errShort
		return make([]byte, max(0, min(n, 64)))
	}
	v := s.b[:n]
	s.b = s.b[n:]
	return v
}

func (s *scanner) uvarint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.err = errShort
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *scanner) varint() int64 {
	v, n := binary.Varint(s.b)
	if n <= 0 {
		s.err = errShort
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *scanner) bytes() []byte { return s.take(int(min(s.uvarint(), math.MaxInt32))) }

// text reads a text that messages can carry.
func (s *scanner) text() string {
	t := string(s.bytes())
	if !utf8.ValidString(t) {
		s.err = errors.New("a text is not UTF-8")
	}
	return t
}

func (s *scanner) fixed() uint64  { return binary.LittleEndian.Uint64(s.take(8)) }
func (s *scanner) count() int     { return int(min(s.uvarint(), uint64(len(s.b)))) }
func (s *scanner) float() float64 { return math.Float64frombits(s.fixed()) }

// Restore replaces the state.
func (f *fold) Restore(state []byte) error {
	f.runs, f.asleep, f.recomputes = map[string]*run{}, map[string][]byte{}, recompute.New()
	s := &scanner{b: state}
	for len(s.b) > 0 && s.err == nil {
		b := s.bytes()
		if s.err != nil {
			return s.err
		}
		if len(b) > 0 && b[0] == gathering {
			item := scanner{b: b[1:]}
			if ours, err := f.recomputes.Load(string(item.bytes()), item.b); err != nil || !ours {
				return cmp.Or(err, errShort)
			}
			continue
		}
		if err := f.restore(b); err != nil {
			return err
		}
	}
	f.collect()
	return nil
}

// restore takes up a run that append wrote. If there is nothing to compute for it, it stays as it was written until something comes:
// so a task with many runs is taken up soon.
func (f *fold) restore(b []byte) error {
	s := &scanner{b: b}
	h := s.header()
	switch {
	case s.err != nil:
		return fmt.Errorf("run %q: %w", h.id, s.err)
	case h.format != format && h.format != formatBefore:
		return fmt.Errorf("the state is of format %d, not %d: it was written by another version of this program; start that one, or replay "+
			"into a new prefix", h.format, format)
	case strings.HasPrefix(h.id, recompute.KeyMark):
		return fmt.Errorf("run %q: no run is called so", h.id)
	case !h.dirty:
		f.asleep[h.id] = bytes.Clone(b)
		return nil
	}
	r, err := decode(b)
	if err == nil {
		f.runs[r.id] = r
	}
	return err
}

// known finds a run, and wakes it; nil: there is none.
func (f *fold) known(id string) *run {
	if b, ok := f.asleep[id]; ok {
		r, err := decode(b)
		if err != nil {
			panic(fmt.Sprintf("dwell: run %q cannot be read although its checksum is right: %v", id, err))
		}
		delete(f.asleep, id)
		f.runs[id] = r
	}
	return f.runs[id]
}

// header is what must be known of a run that is asleep.
type header struct {
	format byte
	id     string
	wakes  int64
	dirty  bool
}

func (s *scanner) header() header {
	return header{format: s.take(1)[0], id: s.text(), wakes: s.varint(), dirty: s.uvarint() != 0}
}

func (s *scanner) fixes() []fix {
	n := s.count()
	all := make([]fix, 0, min(n, len(s.b)/leastFix))
	before := fix{}
	for ; n > 0 && s.err == nil; n-- {
		before = s.fix(&before)
		all = append(all, before)
	}
	return all
}

func decode(b []byte) (*run, error) {
	s := &scanner{b: b}
	h := s.header()
	r := newRun(h.id, pb.UnitKind(s.uvarint()))
	r.wakes, r.dirty = h.wakes, h.dirty
	r.newest, r.takenBack, r.ended, r.fed, r.state = s.varint(), s.varint(), s.varint(), s.varint(), pb.State(s.uvarint())
	r.frozen = s.machine()
	r.fixes, r.buried = s.fixes(), s.fixes()
	if s.err != nil {
		return nil, s.err
	}
	if !slices.IsSortedFunc(r.fixes, func(a, b fix) int { return cmp.Compare(a.t, b.t) }) {
		return nil, fmt.Errorf("run %s: the fixes are not in order", r.id)
	}
	for _, f := range r.fixes {
		r.times[f.id] = f.t
	}
	for range s.count() {
		e := new(pb.Event)
		if err := proto.Unmarshal(s.bytes(), e); err != nil {
			return nil, fmt.Errorf("run %s: %w", r.id, err)
		}
		r.reports = append(r.reports, e)
		r.times[eventKey(e.Source, e.Id)] = e.Time
	}
	for range s.count() {
		k, at := s.fixed(), r.takenBack
		if h.format == format {
			at = s.varint()
		}
		r.retracted[k] = at
	}
	for range s.count() {
		k := s.text()
		r.sent[k] = s.fixed()
	}
	r.now = r.frozen.clone()
	return r, s.err
}
