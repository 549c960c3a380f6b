package stream

import (
	"errors"
	"fmt"
	"hash/crc32"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// assembly joins the segments of one writer, which come in order. They may come again, by a request that was slow to die. The last
// checkpoint of a writer may be incomplete, since it was killed; then no other of it follows.
type assembly struct {
	cut   bool        // its beginning may lie before the log's
	of    *pb.Segment // the first of the one being joined; nil: none
	first int64       // its offset
	next  uint32
	data  []byte
	done  uint64 // number of the last one that was joined; 0: none
	took  int64  // number of its last checkpoint when it last took the task up; -1: it has not
}

// mostRoom is for how much of a checkpoint room is made before it has come.
const mostRoom = 256 << 20

// opened says that the writer took the task up, after its checkpoint of that number. It tells whether it is news and no repetition.
func (a *assembly) opened(number uint64) (news bool, err error) {
	if int64(number) <= a.took {
		return false, nil
	}
	a.took = int64(number)
	if a.cut && a.of == nil && a.done == 0 {
		a.done = number
	}
	a.cut = false
	if number > a.done {
		due := a.done + 1
		a.skip(number)
		return true, fmt.Errorf("checkpoint %d is missing", due)
	}
	return true, nil
}

// add returns the checkpoint with its last segment. An error says that segments are missing or damaged.
func (a *assembly) add(s *pb.Segment, offset int64) (*pb.Checkpoint, error) {
	switch {
	case s.Number <= a.done || a.of != nil && s.Number == a.of.Number && s.Part < a.next:
		return nil, nil // a repetition
	case a.of == nil || s.Number != a.of.Number:
		if err := a.begin(s, offset); err != nil || a.of == nil {
			return nil, err
		}
	case s.Part != a.next:
		err := fmt.Errorf("part %d of checkpoint %d follows part %d", s.Part, s.Number, a.next-1)
		a.skip(s.Number)
		return nil, err
	}
	if a.next++; a.data == nil {
		a.data = make([]byte, 0, min(uint64(s.Parts)*uint64(len(s.Data)), mostRoom))
	}
	if a.data = append(a.data, s.Data...); a.next != s.Parts {
		return nil, nil
	}
	data := a.data
	a.skip(s.Number)
	if crc32.Checksum(data, castagnoli) != s.Crc {
		return nil, errors.New("the checkpoint is damaged (CRC)")
	}
	whole := new(pb.Checkpoint)
	if err := proto.Unmarshal(data, whole); err != nil {
		return nil, fmt.Errorf("the checkpoint is damaged: %w", err)
	}
	return whole, nil
}

// begin starts to join the checkpoint whose first segment is s.
func (a *assembly) begin(s *pb.Segment, offset int64) error {
	incomplete, due := a.of, a.done+1
	if incomplete != nil {
		due = incomplete.Number
	}
	a.of, a.first, a.next, a.data = s, offset, 0, nil
	switch {
	case a.done == 0 && incomplete == nil && a.cut:
		if s.Part > 0 {
			a.skip(s.Number)
		}
		return nil
	case s.Number != due || s.Part > 0:
		a.skip(s.Number)
		return fmt.Errorf("part %d of checkpoint %d follows, where checkpoint %d was due", s.Part, s.Number, due)
	}
	return nil
}

// skip is done with a checkpoint, joined or not.
func (a *assembly) skip(number uint64) { a.of, a.data, a.done = nil, nil, number }
