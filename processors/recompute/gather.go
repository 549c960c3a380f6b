// Package recompute gathers the pieces of recomputes in the state of a stage: all that is known of one subject comes in numbered
// pieces, and is folded when the last has come. The order of the pieces does not matter, repeated ones do nothing, and of several
// recomputes of a subject the one with the greatest id wins.
package recompute

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

const (
	// HoldMS is how long after it was read a recompute may still be folded. Whatever a stage forgets it keeps for longer than that
	// after the last event: what was accepted since the reading is held by the task, unless it was forgotten all the same.
	HoldMS = int64(72 * time.Hour / time.Millisecond)
	// MaxPieces bounds one recompute.
	MaxPieces = 1024
	// maxBytes bounds what unfinished recomputes hold in one task; beyond that the one begun first is given up.
	maxBytes = 64 << 20
)

// Gathered are the recomputes of which pieces are still to come. It is part of a fold's state.
type Gathered struct {
	subjects map[string]*gathering
	bytes    int
	touched  map[string]bool // changed since the last Changed
}

type gathering struct {
	id     uint64
	read   int64
	kind   pb.UnitKind
	pieces map[uint32][]byte
	bytes  int
}

// New holds nothing.
func New() *Gathered { return &Gathered{subjects: map[string]*gathering{}, touched: map[string]bool{}} }

const (
	superseded = "another recompute of it was begun"
	tooMany    = "too many recomputes were begun and not finished"
	tooOld     = "72 hours of stage time have passed since the tables were read"
)

// Take takes a piece at a stage time and returns the whole if it was the last that was missing: events and rows in the order of the
// pieces. What is given up, it answers.
func (g *Gathered) Take(p *pb.Recompute, now int64, answer func(*pb.Record)) *pb.Recompute {
	s := g.subjects[p.Subject]
	switch {
	case now >= p.ReadAt+HoldMS:
		answer(Answer(p, tooOld))
		return nil
	case s != nil && p.Id < s.id:
		answer(Answer(p, superseded))
		return nil
	case s != nil && p.Id > s.id:
		answer(Answer(g.stub(p.Subject, p.Stage), superseded))
		g.drop(p.Subject)
		s = nil
	}
	if p.Pieces == 1 {
		return p
	}
	if s == nil {
		s = &gathering{id: p.Id, kind: p.UnitKind, pieces: map[uint32][]byte{}}
		g.subjects[p.Subject] = s
	}
	if s.pieces[p.Piece] != nil {
		return nil
	}
	value, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("recompute: piece %d of %s came in and cannot be written again: %v", p.Piece, p.Subject, err))
	}
	s.read = p.ReadAt
	g.hold(s, p.Piece, value)
	g.touched[p.Subject] = true
	if len(s.pieces) < int(p.Pieces) {
		g.bound(p, answer)
		return nil
	}
	g.drop(p.Subject)
	return s.whole()
}

// stub is a recompute of which no more than its name is known.
func (g *Gathered) stub(subject string, stage pb.Stage) *pb.Recompute {
	return &pb.Recompute{Id: g.subjects[subject].id, Stage: stage, Subject: subject, UnitKind: g.subjects[subject].kind}
}

func (g *Gathered) hold(s *gathering, piece uint32, value []byte) {
	s.pieces[piece] = value
	s.bytes += len(value)
	g.bytes += len(value)
}

func (g *Gathered) drop(subject string) {
	if s := g.subjects[subject]; s != nil {
		g.bytes -= s.bytes
		delete(g.subjects, subject)
		g.touched[subject] = true
	}
}

// bound gives up what was begun first while there is too much; never what is being gathered.
func (g *Gathered) bound(gathered *pb.Recompute, answer func(*pb.Record)) {
	for g.bytes > maxBytes && len(g.subjects) > 1 {
		first := ""
		for name, s := range g.subjects {
			if name == gathered.Subject {
				continue
			}
			if first == "" || cmp.Or(cmp.Compare(s.id, g.subjects[first].id), cmp.Compare(name, first)) < 0 {
				first = name
			}
		}
		answer(Answer(g.stub(first, gathered.Stage), tooMany))
		g.drop(first)
	}
}

// Expire gives up what was read too long ago.
func (g *Gathered) Expire(now int64) {
	for subject, s := range g.subjects { // dropping emits nothing: the order does not show
		if s.read+HoldMS <= now {
			g.drop(subject)
		}
	}
}

func (s *gathering) whole() *pb.Recompute {
	var all *pb.Recompute
	for _, i := range slices.Sorted(maps.Keys(s.pieces)) {
		p := new(pb.Recompute)
		if err := proto.Unmarshal(s.pieces[i], p); err != nil {
			panic(fmt.Sprintf("recompute: a piece that was written cannot be read: %v", err))
		}
		if all == nil {
			all = p
			continue
		}
		all.Events, all.Told = append(all.Events, p.Events...), append(all.Told, p.Told...)
	}
	return all
}

// Answer is what a task says of a recompute.
func Answer(rc *pb.Recompute, refused string) *pb.Record {
	a := &pb.Recomputed{Id: rc.Id, Stage: rc.Stage, Subject: rc.Subject, UnitKind: rc.UnitKind, Refused: refused, Events: uint32(len(rc.Events))}
	for _, e := range rc.Events {
		if e.Late && refused == "" {
			a.Late++
		}
	}
	return &pb.Record{Body: &pb.Record_Recomputed{Recomputed: a}}
}
