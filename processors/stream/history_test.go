package stream

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// tally is a state that is a function of how many records were folded: record i writes i into slot i%7, or empties it.
type tally struct {
	slots   map[string]byte
	changed map[string]bool
}

func newTally() *tally { return &tally{slots: map[string]byte{}, changed: map[string]bool{}} }

func slot(i int) string { return string(rune('a' + i%7)) }

func (f *tally) fold(i int) {
	f.changed[slot(i)] = true
	if i%5 == 0 {
		delete(f.slots, slot(i))
	} else {
		f.slots[slot(i)] = byte(i)
	}
}

func (f *tally) Fold(In, *Out)       {}
func (f *tally) Advance(int64, *Out) {}

func (f *tally) Snapshot() ([]byte, error) {
	var b []byte
	for i := range 7 {
		if v, ok := f.slots[slot(i)]; ok {
			b = append(b, slot(i)[0], v)
		}
	}
	clear(f.changed)
	return b, nil
}

func (f *tally) Restore(b []byte) error {
	clear(f.slots)
	for ; len(b) > 1; b = b[2:] {
		f.slots[string(b[:1])] = b[1]
	}
	clear(f.changed)
	return nil
}

func (f *tally) Changed() (pieces []Piece, err error) {
	for i := range 7 {
		if f.changed[slot(i)] {
			p := Piece{Key: slot(i)}
			if v, ok := f.slots[slot(i)]; ok {
				p.Value = []byte{v}
			}
			pieces = append(pieces, p)
		}
	}
	clear(f.changed)
	return pieces, nil
}

func (f *tally) Apply(pieces []Piece) error {
	for _, p := range pieces {
		if len(p.Value) == 0 {
			delete(f.slots, p.Key)
		} else {
			f.slots[p.Key] = p.Value[0]
		}
	}
	clear(f.changed)
	return nil
}

// author is a process that writes checkpoints of one task: what it has put into the log and what it has not yet.
type author struct {
	id      uint64
	epoch   uint32
	variant string
	fold    *tally
	offset  int
	number  uint64 // of its last checkpoint
	pending []*pb.Control
}

// scribe plays processes that write one checkpoint partition, in an order that bytes choose.
type scribe struct {
	t       *testing.T
	authors []*author
	log     []*pb.Control
	from    int // what lies before was deleted
	writers uint64
	wrote   map[saveID]bool
	damaged bool // the log does not hold everything that was written, as it was
}

// FuzzHistory: whatever processes write into a checkpoint partition at once, however often their requests are repeated, wherever
// they are killed and whatever is damaged: the state read back is one that was written, and belongs to its input offset; and the
// furthest whole one that lies there undamaged is not overlooked. What is neither missing nor damaged is not called so.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 9, 1, 1, 4, 4, 4, 0, 8, 2, 4, 4, 5, 0, 3, 1, 4, 4, 4})
	f.Add([]byte("\x00\x05\x01\x05\x00\x07\x03\x04\x04\x04\x14\x04\x04\x06\x01\x06\x02\x09\x04\x04"))
	f.Add([]byte{0, 30, 1, 4, 4, 4, 4, 0, 1, 2, 4, 4, 0, 1, 2, 4, 4, 10, 0, 5, 1, 4, 12, 3, 4, 4, 6, 4, 8, 2})
	f.Fuzz(func(t *testing.T, steps []byte) {
		s := &scribe{t: t, wrote: map[saveID]bool{}}
		s.start()
		for i := 0; i+1 < len(steps) && len(s.log) < 200; i += 2 {
			s.step(steps[i], int(steps[i+1]))
		}
		s.check()
	})
}

func (s *scribe) step(what byte, n int) {
	a := s.authors[n%len(s.authors)]
	switch what % 10 {
	case 0, 1:
		for range 1 + n/16 {
			a.fold.fold(a.offset)
			a.offset++
		}
	case 2:
		s.checkpoint(a, false, false)
	case 3:
		s.checkpoint(a, a.number > 0, false)
	case 4:
		s.checkpoint(a, false, true)
	case 5, 6: // some of what it has written arrives
		for range min(1+n/32, len(a.pending)) {
			s.log, a.pending = append(s.log, a.pending[0]), a.pending[1:]
		}
	case 7: // a process takes the task up; the others may not know yet
		if len(s.authors) < 4 {
			s.start()
		}
	case 8: // a repetition of what lies in the log, or a killed process
		if n%2 == 0 && len(s.log) > s.from {
			s.log = append(s.log, s.log[s.from+n/2%(len(s.log)-s.from)])
		} else if len(s.authors) > 1 {
			s.authors = append(s.authors[:n%len(s.authors)], s.authors[n%len(s.authors)+1:]...)
		}
	case 9:
		s.damage(n)
	}
}

// start lets a process take the task up from what lies in the log, as task.restore does.
func (s *scribe) start() {
	s.writers++
	a := &author{id: s.writers, epoch: 1, variant: "v1", fold: newTally()}
	if h := s.check(); h.epoch > 0 {
		a.epoch, a.variant = h.epoch, h.variant
		if s.writers%3 == 0 { // with another logic
			a.epoch, a.variant = h.epoch+1, fmt.Sprint("v", s.writers)
		}
		if h.best != nil {
			if err := restoreChain(a.fold, h.best); err != nil {
				s.t.Fatal(err)
			}
			a.offset = int(h.best.InputOffset)
		}
	}
	a.control(&pb.Control{Body: &pb.Control_Opened{Opened: &pb.Opened{Number: a.number}}})
	s.authors = append(s.authors, a)
}

func (a *author) control(c *pb.Control) {
	c.Epoch, c.Variant, c.Writer = a.epoch, a.variant, a.id
	a.pending = append(a.pending, c)
}

// checkpoint writes a checkpoint, as task.checkpoint does, in segments of a few bytes.
func (s *scribe) checkpoint(a *author, partial, clean bool) {
	a.number++
	c := &pb.Checkpoint{InputOffset: int64(a.offset), Partial: partial, Clean: clean}
	if partial {
		changed, _ := a.fold.Changed()
		for _, p := range changed {
			c.Pieces = append(c.Pieces, &pb.Piece{Key: []byte(p.Key), Value: p.Value})
		}
	} else {
		c.State, _ = a.fold.Snapshot()
	}
	data, err := proto.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, segment := range split(data, c.InputOffset, a.number, 7) {
		a.control(&pb.Control{Body: &pb.Control_Segment{Segment: segment}})
	}
	s.wrote[saveID{a.id, a.number}] = true
}

// damage changes a byte of a record in the log, takes one out, or cuts the beginning off.
func (s *scribe) damage(n int) {
	if len(s.log) == s.from {
		return
	}
	s.damaged = true
	at := s.from + n/3%(len(s.log)-s.from)
	switch n % 3 {
	case 0:
		s.log[at] = proto.CloneOf(s.log[at])
		if g := s.log[at].GetSegment(); g != nil && len(g.Data) > 0 {
			g.Data[n%len(g.Data)] ^= 1 << (n % 8)
		}
	case 1:
		s.log = append(s.log[:at], s.log[at+1:]...)
	case 2:
		s.from = at
	}
}

// check reads the log as a process would that takes the task up now.
func (s *scribe) check() *history {
	h := newHistory(int64(s.from), int64(len(s.log)))
	for i, c := range s.log[s.from:] {
		h.add(c, int64(s.from+i))
	}
	if !s.damaged {
		if err := h.sound(); err != nil {
			s.t.Fatalf("nothing is missing or damaged, but: %v", err)
		}
		if far := s.furthest(); far != nil && (h.best == nil || before(h.best, far)) {
			s.t.Fatalf("overlooked %+v, took %+v", far, h.best)
		}
	}
	if h.best == nil {
		return h
	}
	if !s.wrote[h.best.id] {
		s.t.Fatalf("nobody wrote checkpoint %v", h.best.id)
	}
	f, want := newTally(), newTally()
	if err := restoreChain(f, h.best); err != nil {
		s.t.Fatal(err)
	}
	for i := range int(h.best.InputOffset) {
		want.fold(i)
	}
	got, _ := f.Snapshot()
	state, _ := want.Snapshot()
	if string(got) != string(state) {
		s.t.Fatalf("state of input offset %d is %q, want %q", h.best.InputOffset, got, state)
	}
	s.checkClean(h)
	return h
}

func before(a, b *saved) bool {
	return a.epoch < b.epoch || a.epoch == b.epoch && a.InputOffset < b.InputOffset
}

// furthest finds by itself the furthest whole checkpoint all of whose segments lie in the log, by a process that owns its epoch.
func (s *scribe) furthest() (best *saved) {
	type part struct {
		writer uint64
		offset int64
		crc    uint32
		n      uint32
	}
	there := map[part][]byte{}
	owner := map[uint32]string{}
	for _, c := range s.log[s.from:] {
		if _, ok := owner[c.Epoch]; !ok {
			owner[c.Epoch] = c.Variant
		}
		g := c.GetSegment()
		if g == nil || owner[c.Epoch] != c.Variant {
			continue
		}
		key := part{c.Writer, g.InputOffset, g.Crc, g.Part}
		if g.Part > 0 && there[part{c.Writer, g.InputOffset, g.Crc, g.Part - 1}] == nil {
			continue
		}
		key0 := key
		key0.n--
		there[key] = append(append([]byte{}, there[key0]...), g.Data...)
		if g.Part+1 < g.Parts {
			continue
		}
		whole := new(pb.Checkpoint)
		if err := proto.Unmarshal(there[key], whole); err != nil {
			s.t.Fatal(err)
		}
		if one := (&saved{Checkpoint: whole, epoch: c.Epoch}); !whole.Partial && (best == nil || before(best, one)) {
			best = one
		}
	}
	return best
}

// checkClean: clean means that nobody took the task up after that checkpoint was first there.
func (s *scribe) checkClean(h *history) {
	if !h.clean {
		return
	}
	data, err := proto.Marshal(h.best.Checkpoint)
	if err != nil {
		s.t.Fatal(err)
	}
	parts, opened := split(data, h.best.InputOffset, h.best.id.number, 7), uint64(0)
	next := 0 // of its segments to come
	owner, seen := map[uint32]string{}, map[uint64]bool{}
	for _, c := range s.log[s.from:] {
		if _, ok := owner[c.Epoch]; !ok {
			owner[c.Epoch] = c.Variant
		}
		if owner[c.Epoch] != c.Variant {
			continue // it lost the race for the epoch, and sees that before it does anything
		}
		if g := c.GetSegment(); g != nil && c.Writer == h.best.id.writer && next < len(parts) && proto.Equal(g, parts[next]) {
			next++
		}
		if c.GetOpened() == nil || seen[c.Writer] || c.Epoch == h.epoch && c.Variant != h.variant {
			continue // each opens it once: another one is a repetition; and one that lost the race for the epoch writes nothing else
		}
		seen[c.Writer] = true
		if opened = c.Writer; next == len(parts) {
			s.t.Fatalf("checkpoint %v counts as clean, but %d took the task up after it", h.best.id, opened)
		}
	}
	if opened != 0 && opened != h.best.id.writer {
		s.t.Fatalf("checkpoint %v counts as clean, but it was %d that took the task up last", h.best.id, opened)
	}
}
