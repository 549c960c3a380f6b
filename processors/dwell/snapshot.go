package dwell

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// Snapshot writes all runs in the order of their ids: what was folded, what is frozen, what was told. What can be computed again
// from that is left out. Before them stand the recomputes that are not whole yet.
func (f *fold) Snapshot() ([]byte, error) {
	b := make([]byte, 0, f.size+f.size/8)
	for _, p := range f.recomputes.State() {
		b = appendBytes(appendBytes(append(b, gathering), []byte(p.Key)), p.Value)
	}
	for _, id := range sortedKeys(f.runs) {
		var err error
		if b, err = f.runs[id].append(b); err != nil {
			return nil, fmt.Errorf("run %s: %w", id, err)
		}
	}
	f.size = len(b)
	f.untouch()
	return b, nil
}

// Changed returns the runs that changed since it, Snapshot or Restore was last called.
func (f *fold) Changed() ([]stream.Piece, error) {
	pieces := f.recomputes.Changed()
	for id := range f.gone {
		if f.runs[id] == nil {
			pieces = append(pieces, stream.Piece{Key: id})
		}
	}
	for _, r := range f.touched {
		if f.runs[r.id] != r {
			continue // forgotten since
		}
		b, err := r.append(nil)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", r.id, err)
		}
		pieces = append(pieces, stream.Piece{Key: r.id, Value: b})
	}
	slices.SortFunc(pieces, func(a, b stream.Piece) int { return cmp.Compare(a.Key, b.Key) })
	f.untouch()
	return pieces, nil
}

func (f *fold) untouch() {
	for _, r := range f.touched {
		r.touched = false
	}
	f.touched = f.touched[:0]
	clear(f.gone)
}

// Apply replaces runs. Timers and what is to be computed are collected when the last has been applied: a run may change again.
func (f *fold) Apply(pieces []stream.Piece) error {
	for _, p := range pieces {
		if ours, err := f.recomputes.Load(p.Key, p.Value); err != nil {
			return err
		} else if ours {
			continue
		}
		if len(p.Value) == 0 {
			delete(f.runs, p.Key)
			continue
		}
		s := &scanner{b: p.Value}
		r, err := s.run()
		if err != nil {
			return err
		}
		f.runs[r.id] = r
	}
	f.collect()
	return nil
}

// collect finds what is to be computed and the timers.
func (f *fold) collect() {
	f.dirty, f.timers, f.touched = nil, nil, nil
	clear(f.gone)
	for _, r := range f.runs {
		if r.dirty {
			f.dirty = append(f.dirty, r) // Advance orders them
		}
		if r.wakes != 0 {
			f.timers = append(f.timers, timer{r.wakes, r.id})
		}
	}
	heap.Init(&f.timers) // timers are ordered wholly: how they lie in the heap does not show
}

// format is that of a run in a snapshot; gathering stands in its place before a recompute that is not whole yet.
const (
	format    = 3
	gathering = 1
)

func appendBytes(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

func (r *run) append(b []byte) ([]byte, error) {
	b = append(b, format)
	b = appendBytes(b, []byte(r.id))
	b = binary.AppendUvarint(b, uint64(r.kind))
	b = binary.AppendVarint(b, r.newest)
	b = binary.AppendVarint(b, r.takenBack)
	b = binary.AppendVarint(b, r.ended)
	b = binary.AppendVarint(b, r.fed)
	b = binary.AppendUvarint(b, uint64(r.state))
	b = binary.AppendUvarint(b, uint64(boolInt(r.dirty)))
	b = binary.AppendVarint(b, r.wakes)
	b = r.frozen.append(b)
	b = binary.AppendUvarint(b, uint64(len(r.fixes)))
	before := &fix{}
	for i := range r.fixes {
		b = r.fixes[i].append(b, before)
		before = &r.fixes[i]
	}
	b = binary.AppendUvarint(b, uint64(len(r.reports)))
	for _, e := range r.reports {
		v, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			return nil, err
		}
		b = appendBytes(b, v)
	}
	b = appendKeys(b, r.retracted)
	b = binary.AppendUvarint(b, uint64(len(r.sent)))
	for _, k := range sortedKeys(r.sent) {
		b = binary.LittleEndian.AppendUint64(appendBytes(b, []byte(k)), r.sent[k])
	}
	return b, nil
}

func appendKeys(b []byte, set map[uint64]bool) []byte {
	keys := make([]uint64, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, k := range keys {
		b = binary.LittleEndian.AppendUint64(b, k)
	}
	return b
}

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

func (s *scanner) bytes() []byte  { return s.take(int(min(s.uvarint(), math.MaxInt32))) }
func (s *scanner) fixed() uint64  { return binary.LittleEndian.Uint64(s.take(8)) }
func (s *scanner) count() int     { return int(min(s.uvarint(), uint64(len(s.b)))) }
func (s *scanner) float() float64 { return math.Float64frombits(s.fixed()) }

// Restore replaces the state.
func (f *fold) Restore(state []byte) error {
	f.runs, f.recomputes = map[string]*run{}, recompute.New()
	s := &scanner{b: state}
	for len(s.b) > 0 && s.err == nil {
		if s.b[0] == gathering {
			s.take(1)
			if ours, err := f.recomputes.Load(string(s.bytes()), s.bytes()); err != nil || !ours {
				return cmp.Or(err, errShort)
			}
			continue
		}
		r, err := s.run()
		if err != nil {
			return err
		}
		f.runs[r.id] = r
	}
	f.collect()
	return s.err
}

func (s *scanner) run() (*run, error) {
	if have := s.take(1)[0]; have != format && s.err == nil {
		return nil, fmt.Errorf("the state is of format %d, not %d: it was written by another version of this program; start that one, or replay "+
			"into a new prefix", have, format)
	}
	r := newRun(string(s.bytes()), pb.UnitKind(s.uvarint()))
	r.newest, r.takenBack, r.ended, r.fed, r.state = s.varint(), s.varint(), s.varint(), s.varint(), pb.State(s.uvarint())
	r.dirty, r.wakes = s.uvarint() != 0, s.varint()
	r.frozen = s.machine()
	n := s.count()
	r.fixes = make([]fix, 0, min(n, len(s.b)/leastFix))
	before := fix{}
	for range n {
		f := s.fix(&before)
		r.fixes = append(r.fixes, f)
		r.times[f.id] = f.t
		if before = f; s.err != nil {
			return nil, s.err
		}
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
		r.retracted[s.fixed()] = true
	}
	for range s.count() {
		k := string(s.bytes())
		r.sent[k] = s.fixed()
	}
	r.now = r.frozen.clone()
	return r, s.err
}
