package dwell

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
)

// Snapshot writes all runs in the order of their ids: what was folded, what is frozen, what was told. What can be computed again
// from that is left out. Before them stand the recomputes that are not whole yet.
func (f *fold) Snapshot() ([]byte, error) {
	b := make([]byte, 0, f.size+f.size/8)
	for _, p := range f.recomputes.State() {
		b = appendBytes(b, append(appendBytes([]byte{gathering}, []byte(p.Key)), p.Value...))
	}
	for _, id := range f.ids() {
		own := f.asleep[id]
		if r := f.runs[id]; r != nil {
			var err error
			if f.buf, err = r.append(f.buf[:0]); err != nil {
				return nil, fmt.Errorf("run %s: %w", id, err)
			}
			own = f.buf
		}
		b = appendBytes(b, own)
	}
	f.size = len(b)
	f.untouch()
	return b, nil
}

// ids are those of all runs, in order.
func (f *fold) ids() []string {
	ids := make([]string, 0, len(f.runs)+len(f.asleep))
	for id := range f.runs {
		ids = append(ids, id)
	}
	for id := range f.asleep {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
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
		delete(f.runs, p.Key)
		delete(f.asleep, p.Key)
		if len(p.Value) == 0 {
			continue
		}
		if err := f.restore(p.Value); err != nil {
			return err
		}
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
	for id, b := range f.asleep {
		if h := (&scanner{b: b}).header(); h.wakes != 0 {
			f.timers = append(f.timers, timer{h.wakes, id})
		}
	}
	heap.Init(&f.timers) // timers are ordered wholly: how they lie in the heap does not show
}

// format is that of a run in a snapshot; one of the format before is read, too. gathering stands in its place before a recompute that is
// not whole yet.
const (
	format       = 7
	formatBefore = 6 // no times of what was taken back
	gathering    = 1
)

func appendBytes(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

func (r *run) append(b []byte) ([]byte, error) {
	b = append(b, format)
	b = appendBytes(b, []byte(r.id))
	b = binary.AppendVarint(b, r.wakes)
	b = binary.AppendUvarint(b, uint64(boolInt(r.dirty)))
	b = binary.AppendUvarint(b, uint64(r.kind))
	b = binary.AppendVarint(b, r.newest)
	b = binary.AppendVarint(b, r.takenBack)
	b = binary.AppendVarint(b, r.ended)
	b = binary.AppendVarint(b, r.fed)
	b = binary.AppendUvarint(b, uint64(r.state))
	b = r.frozen.append(b)
	b = appendFixes(appendFixes(b, r.fixes), r.buried)
	b = binary.AppendUvarint(b, uint64(len(r.reports)))
	for _, e := range r.reports {
		v, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			return nil, err
		}
		b = appendBytes(b, v)
	}
	b = appendTimes(b, r.retracted)
	b = binary.AppendUvarint(b, uint64(len(r.sent)))
	for _, k := range sortedKeys(r.sent) {
		b = binary.LittleEndian.AppendUint64(appendBytes(b, []byte(k)), r.sent[k])
	}
	return b, nil
}

func appendFixes(b []byte, fixes []fix) []byte {
	b = binary.AppendUvarint(b, uint64(len(fixes)))
	before := &fix{}
	for i := range fixes {
		b = fixes[i].append(b, before)
		before = &fixes[i]
	}
	return b
}

func appendTimes(b []byte, times map[uint64]int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(times)))
	for _, k := range slices.Sorted(maps.Keys(times)) {
		b = binary.AppendVarint(binary.LittleEndian.AppendUint64(b, k), times[k])
	}
	return b
}
