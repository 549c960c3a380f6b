package delay

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// The state falls into pieces; the first letter of a piece's key says of what.
const (
	clockPiece    = "0"
	roundPiece    = "1|" // all records of one round
	crossingPiece = "2|"
	stayPiece     = "3|"
	holdPiece     = "4|"
	noticePiece   = "5|"
	newsPiece     = "6|"
	hoursPiece    = "7|" // sum of an hour that was told
	coversPiece   = "8|"
	alertPiece    = "9|"
	unsurePiece   = "a|"
)

// format is that of the pieces; it stands in the first one.
const format = 1

func roundKey(round int64) string           { return fmt.Sprintf("%s%020d", roundPiece, round) }
func hourPiece(k seriesKey, h int64) string { return hoursPiece + k.text() + fmt.Sprintf("%020d", h) }
func coverPiece(k seriesKey) string         { return coversPiece + k.text() }

func (k seriesKey) text() string {
	return strings.Join([]string{k.border, k.role, k.place, k.direction, strconv.Itoa(int(k.kind)), ""}, "\x1f")
}

// rowPiece names a row that an older epoch told.
func rowPiece(rec *pb.Record) string {
	switch b := rec.Body.(type) {
	case *pb.Record_CrossingDelay:
		d := b.CrossingDelay
		return "d|" + crossingKey(&pb.Crossing{Journey: d.Journey, Border: d.Border, N: d.N}) + "|" + d.Role
	case *pb.Record_DelayStats:
		s := b.DelayStats
		return "s|" + hourPiece(seriesKey{border: s.Border, role: s.Role, direction: s.Direction, kind: s.UnitKind}, s.Hour)
	}
	return "t|" + rec.GetAlert().GetFingerprint()
}

// Snapshot returns all pieces in the order of their keys.
func (f *fold) Snapshot() ([]byte, error) {
	keys := []string{clockPiece}
	for round := range f.rounds {
		keys = append(keys, roundKey(round))
	}
	for _, r := range f.order {
		for h := range r.told {
			keys = append(keys, hourPiece(r.key, h))
		}
		if len(r.covers) > 0 {
			keys = append(keys, coverPiece(r.key))
		}
	}
	add := func(prefix string, all []string) {
		for _, k := range all {
			keys = append(keys, prefix+k)
		}
	}
	add(crossingPiece, sortedKeys(f.crossings))
	add(stayPiece, sortedKeys(f.stays))
	add(holdPiece, sortedKeys(f.held))
	add(noticePiece, sortedKeys(f.notices))
	add(newsPiece, sortedKeys(f.news))
	add(alertPiece, sortedKeys(f.alerts))
	add(unsurePiece, sortedKeys(f.unsure))
	slices.Sort(keys)
	known := f.index()
	var w writer
	for _, key := range keys {
		w.text(key)
		w.bytes(f.piece(key, known))
	}
	clear(f.touched)
	return w, nil
}

// Changed returns the pieces that changed since it, Snapshot or Restore was last called.
func (f *fold) Changed() ([]stream.Piece, error) {
	known := f.index()
	pieces := make([]stream.Piece, 0, len(f.touched))
	for _, key := range slices.Sorted(maps.Keys(f.touched)) {
		pieces = append(pieces, stream.Piece{Key: key, Value: f.piece(key, known)})
	}
	clear(f.touched)
	return pieces, nil
}

// index finds series by the text of their key.
func (f *fold) index() map[string]*series {
	known := make(map[string]*series, len(f.series))
	for _, r := range f.order {
		known[r.key.text()] = r
	}
	return known
}

// piece writes one piece; nil if there is none of that key.
func (f *fold) piece(key string, known map[string]*series) []byte {
	if key == clockPiece {
		var w writer
		w.number(format)
		w.number(f.now)
		w.number(f.dropped)
		w.number(f.left)
		return w
	}
	rest := key[2:]
	switch key[:2] {
	case roundPiece:
		round, _ := strconv.ParseInt(rest, 10, 64)
		var w writer
		for _, rec := range f.rounds[round] {
			w.message(rec)
		}
		return w
	case crossingPiece:
		if x := f.crossings[rest]; x != nil {
			return x.append()
		}
	case stayPiece:
		if s := f.stays[rest]; s != nil {
			return s.append()
		}
	case holdPiece:
		if h := f.held[rest]; h != nil {
			return encoded(h)
		}
	case noticePiece:
		if n := f.notices[rest]; n != nil {
			return encoded(n)
		}
	case newsPiece:
		if at, ok := f.news[rest]; ok {
			var w writer
			w.number(at)
			return w
		}
	case hoursPiece:
		at := len(rest) - 20
		h, _ := strconv.ParseInt(rest[at:], 10, 64)
		if r := known[rest[:at]]; r != nil {
			if sum, ok := r.told[h]; ok {
				return r.header(h, int64(sum))
			}
		}
	case coversPiece:
		if r := known[rest]; r != nil && len(r.covers) > 0 {
			var times []int64
			for _, c := range r.covers {
				times = append(times, c.from, c.to, int64(c.how))
			}
			return r.header(times...)
		}
	case alertPiece:
		if a := f.alerts[rest]; a != nil {
			var w writer
			w.number(a.seen)
			w.number(a.missing)
			if a.told != nil {
				w.message(a.told)
			}
			return w
		}
	case unsurePiece:
		if rec := f.unsure[rest]; rec != nil {
			return encoded(rec)
		}
	}
	return nil
}

// header writes a series and numbers about it.
func (r *series) header(numbers ...int64) []byte {
	var w writer
	for _, t := range []string{r.key.border, r.key.role, r.key.place, r.key.direction, r.area} {
		w.text(t)
	}
	w.number(int64(r.key.kind))
	for _, n := range numbers {
		w.number(n)
	}
	return w
}

func (x *crossing) append() []byte {
	var w writer
	for _, t := range []string{x.key, x.unit, x.journey, x.border, x.area, x.direction, x.corridor, x.consist} {
		w.text(t)
	}
	w.number(int64(x.kind))
	w.number(int64(x.n))
	for i := range x.rows {
		w.row(&x.rows[i])
	}
	return w
}

func (s *stay) append() []byte {
	var w writer
	for _, t := range []string{s.key, s.at.unit, s.of.journey, s.place, s.direction} {
		w.text(t)
	}
	w.number(int64(s.kind))
	w.row(s.row)
	return w
}

// Restore replaces the state.
func (f *fold) Restore(state []byte) error {
	f.clear()
	s := scanner{b: state}
	for len(s.b) > 0 && s.err == nil {
		key, value := s.text(), s.bytes()
		if s.err != nil {
			break
		}
		if err := f.load(key, value); err != nil {
			return err
		}
	}
	f.settle()
	return s.err
}

// Apply replaces pieces by what Changed returned.
func (f *fold) Apply(pieces []stream.Piece) error {
	for _, p := range pieces {
		if err := f.load(p.Key, p.Value); err != nil {
			return err
		}
	}
	f.settle()
	return nil
}

// settle forgets what changed: all of it was worked out before the state was written.
func (f *fold) settle() {
	f.noted = nil
	for _, r := range f.order {
		r.stale, r.rows, r.floor = open, nil, f.dropped
		r.sortedGood, r.shiftGood = false, false
		clear(r.hours)
	}
	f.untold = nil
	clear(f.touched)
}

// load takes one piece; without a value it is gone.
func (f *fold) load(key string, value []byte) error {
	if key == "" || key != clockPiece && len(key) < 3 {
		return errors.New("a piece of the state has no key")
	}
	s := &scanner{b: value}
	if key == clockPiece {
		if have := s.number(); have != format && s.err == nil {
			return fmt.Errorf("the state is of format %d, not %d: it was written by another version of this program; start that one, or replay into "+
				"a new prefix", have, format)
		}
		f.now, f.dropped, f.left = s.moment(), s.number(), s.number()
		return s.err
	}
	if err := f.loadPart(key[:2], key[2:], s, len(value) == 0); err != nil || s.err != nil {
		return fmt.Errorf("piece %q of the state: %w", key, cmp.Or(err, s.err))
	}
	return nil
}

func (f *fold) loadPart(prefix, rest string, s *scanner, gone bool) error {
	switch prefix {
	case roundPiece:
		round, err := strconv.ParseInt(rest, 10, 64)
		if err != nil {
			return err
		}
		delete(f.rounds, round)
		for len(s.b) > 0 {
			rec := new(pb.Record)
			s.message(rec)
			f.rounds[round] = append(f.rounds[round], rec)
		}
	case crossingPiece:
		return f.loadCrossing(rest, s, gone)
	case stayPiece:
		return f.loadStay(rest, s, gone)
	case holdPiece:
		loadMessage(f.held, rest, s, gone, new(pb.RunFacts))
		f.settleHolds(rest)
	case noticePiece:
		loadMessage(f.notices, rest, s, gone, new(pb.Event))
	case newsPiece:
		if delete(f.news, rest); !gone {
			f.news[rest] = s.number()
		}
	case hoursPiece, coversPiece:
		return f.loadSeries(prefix, rest, s, gone)
	case alertPiece:
		if delete(f.alerts, rest); gone {
			break
		}
		a := &alert{seen: s.number(), missing: s.number()}
		if len(s.b) > 0 {
			a.told = new(pb.Alert)
			s.message(a.told)
		}
		f.alerts[rest] = a
	case unsurePiece:
		loadMessage(f.unsure, rest, s, gone, new(pb.Record))
	default:
		return errors.New("nobody knows what it is: it was written by another version of this program")
	}
	return nil
}

func loadMessage[M proto.Message](into map[string]M, key string, s *scanner, gone bool, m M) {
	if delete(into, key); gone {
		return
	}
	if err := proto.Unmarshal(s.b, m); err != nil {
		s.err = err
		return
	}
	into[key] = m
}
