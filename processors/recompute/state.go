package recompute

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// KeyMark begins the key of every piece of state that holds a gathering. No subject of an event holds it.
const KeyMark = "\x00"

// State returns all of it as pieces of a fold's state, ordered by key.
func (g *Gathered) State() []stream.Piece {
	clear(g.touched)
	return g.pieces(slices.Sorted(maps.Keys(g.subjects)))
}

// Changed returns what changed since State, Changed or Load was last called.
func (g *Gathered) Changed() []stream.Piece {
	subjects := slices.Sorted(maps.Keys(g.touched))
	clear(g.touched)
	return g.pieces(subjects)
}

func (g *Gathered) pieces(subjects []string) []stream.Piece {
	var out []stream.Piece
	for _, subject := range subjects {
		p := stream.Piece{Key: KeyMark + subject}
		if s := g.subjects[subject]; s != nil {
			p.Value = s.append(nil)
		}
		out = append(out, p)
	}
	return out
}

func (s *gathering) append(b []byte) []byte {
	b = append(binary.AppendVarint(binary.AppendUvarint(b, s.id), s.read), byte(s.kind))
	for _, i := range slices.Sorted(maps.Keys(s.pieces)) {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(i)), uint64(len(s.pieces[i])))
		b = append(b, s.pieces[i]...)
	}
	return b
}

var errShort = errors.New("the state of a recompute ends too early")

// Load takes a piece of state that State or Changed returned; ours tells whether it was one.
func (g *Gathered) Load(key string, value []byte) (ours bool, err error) {
	subject, ours := strings.CutPrefix(key, KeyMark)
	if !ours {
		return false, nil
	}
	g.drop(subject)
	defer delete(g.touched, subject)
	if len(value) == 0 {
		return true, nil
	}
	id, n := binary.Uvarint(value)
	read, m := binary.Varint(value[max(n, 0):])
	if n <= 0 || m <= 0 || n+m >= len(value) {
		return true, errShort
	}
	s := &gathering{id: id, read: read, kind: pb.UnitKind(value[n+m]), pieces: map[uint32][]byte{}}
	for b := value[n+m+1:]; len(b) > 0; {
		i, n := binary.Uvarint(b)
		size, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || size > uint64(len(b)-n-m) || i >= MaxPieces || s.pieces[uint32(i)] != nil {
			return true, fmt.Errorf("recompute of %s: %w", subject, errShort)
		}
		g.hold(s, uint32(i), slices.Clone(b[n+m:n+m+int(size)]))
		b = b[n+m+int(size):]
	}
	g.subjects[subject] = s
	return true, nil
}
