package ingest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxSorted bounds what is held of an input that is sorted.
const maxSorted = 2_000_000

// sorted gives out an input's events in order of time, what cannot be read first. It reads everything before.
type sorted struct {
	from  reader
	items []item
	read  bool
}

func (s *sorted) next() (item, error) {
	if !s.read {
		if err := s.readAll(); err != nil {
			return item{}, err
		}
	}
	if len(s.items) == 0 {
		return item{}, io.EOF
	}
	it := s.items[0]
	s.items = s.items[1:]
	return it, nil
}

func (s *sorted) readAll() error {
	for {
		it, err := s.from.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(s.items) == maxSorted {
			return fmt.Errorf("more than %d events: a file that is sorted by time is held whole; split it by time, earlier rows in earlier files", maxSorted)
		}
		it.raw = bytes.Clone(it.raw)
		s.items = append(s.items, it)
	}
	slices.SortStableFunc(s.items, func(a, b item) int { return cmp.Compare(a.ev.GetTime(), b.ev.GetTime()) })
	s.read = true
	return nil
}
