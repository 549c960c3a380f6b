package delay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

func (f *fold) loadCrossing(key string, s *scanner, gone bool) error {
	old := f.crossings[key]
	delete(f.crossings, key)
	var x *crossing
	if !gone {
		x = &crossing{key: s.text(), unit: s.text(), journey: s.text(), border: s.text(), area: s.text(), direction: s.text(), corridor: s.text(), consist: s.text()}
		x.kind, x.n = pb.UnitKind(s.number()), uint32(s.number())
		for i, role := range roles {
			s.row(&x.rows[i])
			r := &x.rows[i]
			r.of, r.piece, r.role, r.at.of, r.at.id, r.at.unit = x, crossingPiece+x.key, role, r, x.key, x.unit
		}
		if s.err != nil || x.key != key {
			return errors.Join(s.err, otherKey(key, x.key))
		}
		f.crossings[key] = x
	}
	if old != nil || x != nil {
		f.exchange(old, x)
	}
	return nil
}

func (f *fold) loadStay(key string, s *scanner, gone bool) error {
	if old := f.stays[key]; old != nil {
		delete(f.stays, key)
		f.seriesOf(old.series(), f.cat.Area(old.place)).replace(&old.at, nil, f.now)
	}
	if gone {
		return nil
	}
	x := &stay{row: &row{of: &crossing{}}, key: s.text()}
	x.of.key, x.of.unit, x.of.journey, x.place, x.direction, x.kind = x.key, s.text(), s.text(), s.text(), s.text(), pb.UnitKind(s.number())
	s.row(x.row)
	x.of.kind, x.of.direction, x.piece = x.kind, x.direction, stayPiece+x.key
	x.at.of, x.at.id, x.at.unit = x.row, x.key, x.of.unit
	if s.err != nil || x.key != key {
		return errors.Join(s.err, otherKey(key, x.key))
	}
	f.stays[key] = x
	f.seriesOf(x.series(), f.cat.Area(x.place)).replace(nil, &x.at, f.now)
	return nil
}

func otherKey(want, have string) error {
	if want == have {
		return nil
	}
	return fmt.Errorf("it holds %q", have)
}

// settleHolds makes the series for whose borders a vehicle is held.
func (f *fold) settleHolds(unit string) {
	facts := f.held[unit]
	for _, h := range facts.GetHolds() {
		if b, ok := f.cat.Border(h.Border); ok {
			f.seriesOf(seriesKey{border: h.Border, role: "outbound", direction: h.Direction, kind: facts.UnitKind}, b.Area)
		}
	}
}

func (f *fold) loadSeries(prefix, rest string, s *scanner, gone bool) error {
	hour := int64(0)
	if prefix == hoursPiece {
		at := len(rest) - 20
		if at < 0 {
			return errors.New("it has no hour")
		}
		var err error
		if hour, err = strconv.ParseInt(rest[at:], 10, 64); err != nil {
			return err
		}
		rest = rest[:at]
	}
	var r *series
	if gone {
		if r = f.index()[rest]; r == nil {
			return nil
		}
	} else {
		key := seriesKey{border: s.text(), role: s.text(), place: s.text(), direction: s.text()}
		area := s.text()
		if key.kind = pb.UnitKind(s.number()); s.err != nil || key.text() != rest {
			return errors.Join(s.err, otherKey(rest, key.text()))
		}
		r = f.seriesOf(key, area)
	}
	if prefix == hoursPiece {
		if delete(r.told, hour); !gone {
			s.number()
			r.told[hour] = uint64(s.number())
		}
		return s.err
	}
	r.covers = nil
	for len(s.b) > 0 {
		r.covers = append(r.covers, cover{s.number(), s.number(), coverKind(s.number())})
	}
	return s.err
}

// writer appends what a piece holds.
type writer []byte

func (w *writer) number(v int64) { *w = binary.AppendVarint(*w, v) }
func (w *writer) bytes(v []byte) { *w = append(binary.AppendUvarint(*w, uint64(len(v))), v...) }
func (w *writer) text(v string)  { *w = append(binary.AppendUvarint(*w, uint64(len(v))), v...) }

func (w *writer) message(m proto.Message) { w.bytes(encoded(m)) }

func (w *writer) truth(v bool) {
	if v {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *writer) row(r *row) {
	w.text(r.place)
	w.truth(r.at.silent)
	w.truth(r.at.tracked)
	w.truth(r.worked)
	w.truth(r.watched)
	for _, n := range []int64{r.at.began, r.at.ended, r.at.seconds, r.normS, r.normP, int64(r.n), r.usual, r.p95, int64(r.told)} {
		w.number(n)
	}
}

func encoded(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("delay: a message that cannot be encoded: " + err.Error())
	}
	return b
}

// scanner reads what a writer wrote; the first fault ends it.
type scanner struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends too early")

func (s *scanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
	s.b = nil
}

func (s *scanner) number() int64 {
	v, n := binary.Varint(s.b)
	if n <= 0 {
		s.fail(errShort)
		return 0
	}
	s.b = s.b[n:]
	return v
}

// moment is a time, ms, or 0, or math.MaxInt64: never. What the stages write lies in the years that intake takes; from others on hours would be counted for ever.
func (s *scanner) moment() int64 {
	t := s.number()
	if t != 0 && t != math.MaxInt64 && !schemas.IsTime(t) {
		s.fail(fmt.Errorf("%d is no time", t))
	}
	return t
}

func (s *scanner) bytes() []byte {
	size, n := binary.Uvarint(s.b)
	if n <= 0 || size > uint64(len(s.b)-n) {
		s.fail(errShort)
		return nil
	}
	v := s.b[n : n+int(size)]
	s.b = s.b[n+int(size):]
	return v
}

// text reads a text that messages can carry.
func (s *scanner) text() string {
	t := string(s.bytes())
	if !utf8.ValidString(t) {
		s.fail(errors.New("a text is not UTF-8"))
	}
	return t
}

func (s *scanner) message(m proto.Message) {
	if err := proto.Unmarshal(s.bytes(), m); err != nil {
		s.fail(err)
	}
}

func (s *scanner) row(r *row) {
	r.place = s.text()
	r.at.silent, r.at.tracked, r.worked, r.watched = s.number() == 1, s.number() == 1, s.number() == 1, s.number() == 1
	r.at.began, r.at.ended, r.at.seconds, r.normS, r.normP = s.moment(), s.moment(), s.number(), s.number(), s.number()
	r.n, r.usual, r.p95, r.told = uint32(s.number()), s.number(), s.number(), uint64(s.number())
}
