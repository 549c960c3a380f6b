package border

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// upsert tells a row if it differs from what was told; topic is empty for what only the delay stage is told. It returns whether it does.
func (t *teller) upsert(key, topic string, rec *pb.Record, m proto.Message) bool {
	h := fnv.New64a()
	h.Write(encoded(m))
	sum := h.Sum64()
	t.kept[key] = sum
	old, ok := t.u.sent[key]
	if ok && old == sum {
		return false
	}
	if topic != "" {
		t.out.Emit(topic, t.u.id, rec)
	}
	return true
}

func encoded(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("border: a message that cannot be encoded: " + err.Error())
	}
	return b
}

// Snapshot writes all units in the order of their ids, and before them the recomputes that are not whole yet.
func (f *fold) Snapshot() ([]byte, error) {
	b := binary.AppendVarint(make([]byte, 0, f.size+f.size/8), f.swept)
	for _, p := range f.recomputes.State() {
		b = appendBytes(b, append(appendBytes([]byte{gathering}, []byte(p.Key)), p.Value...))
	}
	for _, id := range sortedKeys(f.units) {
		f.buf = f.units[id].append(f.buf[:0])
		b = appendBytes(b, f.buf)
	}
	f.size = len(b)
	f.untouch()
	return b, nil
}

// sweptKey is the piece that holds no unit but when units were last forgotten; no unit has an empty id.
const sweptKey = ""

// Changed returns the units that changed since it, Snapshot or Restore was last called.
func (f *fold) Changed() ([]stream.Piece, error) {
	pieces := append(f.recomputes.Changed(), stream.Piece{Key: sweptKey, Value: binary.AppendVarint(nil, f.swept)})
	for id := range f.gone {
		if f.units[id] == nil {
			pieces = append(pieces, stream.Piece{Key: id})
		}
	}
	for _, u := range f.touched {
		if f.units[u.id] == u { // else it was forgotten since
			pieces = append(pieces, stream.Piece{Key: u.id, Value: u.append(nil)})
		}
	}
	slices.SortFunc(pieces, func(a, b stream.Piece) int { return cmp.Compare(a.Key, b.Key) })
	f.untouch()
	return pieces, nil
}

func (f *fold) untouch() {
	for _, u := range f.touched {
		u.touched = false
	}
	f.touched = f.touched[:0]
	clear(f.gone)
}

// Apply replaces units.
func (f *fold) Apply(pieces []stream.Piece) error {
	for _, p := range pieces {
		if ours, err := f.recomputes.Load(p.Key, p.Value); err != nil {
			return err
		} else if ours {
			continue
		}
		s := &scanner{b: p.Value}
		switch {
		case p.Key == sweptKey:
			f.swept = s.varint()
		case len(p.Value) == 0:
			delete(f.units, p.Key)
		default:
			u, err := restored(p.Value)
			if err != nil {
				return err
			}
			f.units[u.id] = u
		}
		if s.err != nil {
			return s.err
		}
	}
	f.collect()
	return nil
}

// collect finds the units that are to be computed.
func (f *fold) collect() {
	f.dirty, f.touched = nil, nil
	clear(f.gone)
	for _, u := range f.units {
		if u.dirty {
			f.dirty = append(f.dirty, u) // Advance orders them
		}
	}
}

// format is that of a unit in a snapshot; one of the format before is read, too. gathering stands in its place before a recompute that
// is not whole yet.
const (
	format       = 4
	formatBefore = 3 // not when the last journey that was forgotten ended
	gathering    = 1
)

func appendBytes(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

func (u *unit) append(b []byte) []byte {
	if u.asleep != nil {
		return append(b, u.asleep...)
	}
	b = binary.AppendUvarint(b, format)
	b = appendBytes(b, []byte(u.id))
	b = binary.AppendUvarint(b, uint64(u.kind))
	b = binary.AppendVarint(b, u.newest)
	b = binary.AppendVarint(b, u.forgetAt())
	b = binary.AppendVarint(b, u.keep)
	b = binary.AppendVarint(b, u.ended)
	dirty := uint64(0)
	if u.dirty {
		dirty = 1
	}
	b = binary.AppendUvarint(b, dirty)
	b = binary.AppendUvarint(b, uint64(len(u.rides)))
	for _, k := range sortedKeys(u.rides) {
		b = appendBytes(appendBytes(b, []byte(k)), encoded(u.rides[k]))
	}
	if u.facts == nil {
		b = appendBytes(b, nil)
	} else {
		b = appendBytes(b, encoded(u.facts))
	}
	b = binary.AppendUvarint(b, uint64(len(u.events)))
	for _, k := range sortedKeys(u.events) {
		b = appendBytes(appendBytes(b, []byte(k)), encoded(u.events[k]))
	}
	b = appendTimes(b, u.retracted)
	b = appendTimes(b, u.dropped)
	b = binary.AppendUvarint(b, uint64(len(u.sent)))
	for _, k := range sortedKeys(u.sent) {
		b = binary.LittleEndian.AppendUint64(appendBytes(b, []byte(k)), u.sent[k])
	}
	return b
}

func appendTimes(b []byte, times map[string]int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(times)))
	for _, k := range sortedKeys(times) {
		b = binary.AppendVarint(appendBytes(b, []byte(k)), times[k])
	}
	return b
}
