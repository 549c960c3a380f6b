package schemas

import "fmt"

// SplitBatch splits a JSON list of events (application/cloudevents-batch+json) into its elements, which point into b. If the text
// breaks off or is not JSON somewhere, the elements before that place are returned, and what follows them as rest with its fault:
// after a broken element nobody can tell where the next one begins.
func SplitBatch(b []byte) (elements [][]byte, rest []byte, f *Fault) {
	s := scanner{b: b}
	if f := s.open('[', "a list of events"); f != nil {
		return nil, b, f
	}
	for {
		more, f := s.more(len(elements) == 0, ']')
		if f == nil && !more {
			mark := s.i
			if f := s.end(); f != nil {
				return elements, b[mark:], f
			}
			return elements, nil, nil
		}
		s.space()
		from := s.i
		if f == nil {
			f = s.skip()
		}
		if f != nil {
			f.Detail = fmt.Sprintf("element %d of the list: %s", len(elements), f.Detail)
			return elements, b[from:], f
		}
		elements = append(elements, b[from:s.i])
	}
}
