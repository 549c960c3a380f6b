package border

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/recompute"
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

// format is that of a unit in a snapshot; gathering stands in its place before a recompute that is not whole yet.
const (
	format    = 3
	gathering = 1
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

// scanner reads what Snapshot wrote; the first fault ends it.
type scanner struct {
	b   []byte
	err error
}

var errShort = errors.New("the state ends too early")

func (s *scanner) uvarint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.err, s.b = errShort, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *scanner) varint() int64 {
	v, n := binary.Varint(s.b)
	if n <= 0 {
		s.err, s.b = errShort, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *scanner) bytes() []byte {
	n := s.uvarint()
	if n > uint64(len(s.b)) {
		s.err, s.b = errShort, nil
		return nil
	}
	v := s.b[:n]
	s.b = s.b[n:]
	return v
}

// text reads a text that messages can carry.
func (s *scanner) text() string {
	t := string(s.bytes())
	if !utf8.ValidString(t) {
		s.err, s.b = errors.New("a text is not UTF-8"), nil
	}
	return t
}

func (s *scanner) count() int { return int(min(s.uvarint(), uint64(len(s.b)))) }

func (s *scanner) message(m proto.Message) {
	if err := proto.Unmarshal(s.bytes(), m); err != nil && s.err == nil {
		s.err = err
	}
}

func (s *scanner) times(into map[string]int64) {
	for range s.count() {
		k := s.text()
		into[k] = s.varint()
	}
}

// Restore replaces the state.
func (f *fold) Restore(state []byte) error {
	f.units, f.recomputes = map[string]*unit{}, recompute.New()
	s := &scanner{b: state}
	f.swept = s.varint()
	for len(s.b) > 0 && s.err == nil {
		item := s.bytes()
		if len(item) > 0 && item[0] == gathering {
			g := &scanner{b: item[1:]}
			if ours, err := f.recomputes.Load(string(g.bytes()), g.b); err != nil || g.err != nil || !ours {
				return cmp.Or(err, g.err, errShort)
			}
			continue
		}
		u, err := restored(item)
		if err != nil {
			return err
		}
		f.units[u.id] = u
	}
	f.collect()
	return s.err
}

// restored is the unit of which append wrote b, asleep if there is nothing to compute for it.
func restored(b []byte) (*unit, error) {
	s := &scanner{b: b}
	have := s.uvarint()
	u := &unit{id: s.text(), kind: pb.UnitKind(s.uvarint()), newest: s.varint(), forget: s.varint(), keep: s.varint(), dirty: s.uvarint() == 1}
	switch {
	case s.err != nil:
		return nil, fmt.Errorf("unit %q: %w", u.id, s.err)
	case have != format:
		return nil, fmt.Errorf("the state is of format %d, not %d: it was written by another version of this program; start that one, or replay "+
			"into a new prefix", have, format)
	case strings.HasPrefix(u.id, recompute.KeyMark):
		return nil, fmt.Errorf("unit %q: no unit is called so", u.id)
	}
	u.asleep = bytes.Clone(b)
	if u.dirty {
		if err := u.decode(); err != nil {
			return nil, fmt.Errorf("unit %q: %w", u.id, err)
		}
	}
	return u, nil
}

// sleep keeps what append writes instead of the sets: most units are containers for which nothing has come for long, and which will
// be forgotten one day as they are.
func (u *unit) sleep() {
	if u.asleep == nil {
		*u = unit{id: u.id, kind: u.kind, newest: u.newest, forget: u.forgetAt(), keep: u.keep, touched: u.touched, idle: true, asleep: u.append(nil)}
	}
}

func (u *unit) wake() {
	if u.asleep == nil {
		return
	}
	if err := u.decode(); err != nil {
		panic(fmt.Sprintf("border: unit %q cannot be read although its checksum is right: %v", u.id, err))
	}
}

func (u *unit) decode() error {
	s := &scanner{b: u.asleep}
	s.uvarint()
	awake := newUnit(s.text(), pb.UnitKind(s.uvarint()))
	awake.newest, _, awake.keep, awake.dirty, awake.touched = s.varint(), s.varint(), s.varint(), s.uvarint() == 1, u.touched
	s.sets(awake)
	*u = *awake
	return s.err
}

func (s *scanner) sets(u *unit) {
	for range s.count() {
		k, r := s.text(), new(pb.Ride)
		if s.message(r); r.Visit == nil {
			s.err = cmp.Or(s.err, errors.New("a ride without its visit"))
		}
		u.rides[k] = r
	}
	if facts := s.bytes(); len(facts) > 0 {
		u.facts = new(pb.RunFacts)
		if err := proto.Unmarshal(facts, u.facts); err != nil {
			s.err = err
		}
	}
	for range s.count() {
		k, e := s.text(), new(pb.Event)
		if s.message(e); !tablesAlone(e) {
			u.events[k] = e
		}
	}
	s.times(u.retracted)
	s.times(u.dropped)
	for range s.count() {
		k := s.text()
		if len(s.b) < 8 {
			s.err, s.b = errShort, nil
			break
		}
		u.sent[k] = binary.LittleEndian.Uint64(s.b)
		s.b = s.b[8:]
	}
}
