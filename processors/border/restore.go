package border

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
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
	u := &unit{}
	s.header(u, have)
	switch {
	case s.err != nil:
		return nil, fmt.Errorf("unit %q: %w", u.id, s.err)
	case have != format && have != formatBefore:
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
	awake := newUnit("", 0)
	s.header(awake, s.uvarint())
	awake.touched = u.touched
	s.sets(awake)
	*u = *awake
	return s.err
}

// header reads what must be known of a unit that is asleep.
func (s *scanner) header(u *unit, have uint64) {
	u.id, u.kind = s.text(), pb.UnitKind(s.uvarint())
	u.newest, u.forget, u.keep = s.varint(), s.varint(), s.varint()
	if have != formatBefore {
		u.ended = s.varint()
	}
	u.dirty = s.uvarint() == 1
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
