package sink

import "sync"

// sheets keeps emptied sheets of each kind, so that their columns need not grow again.
type sheets [kinds]sync.Pool

func (f *sheets) get(k kind) *sheet {
	if s, _ := f[k].Get().(*sheet); s != nil {
		return s
	}
	return newSheet(k)
}

func (f *sheets) put(group []*sheet) {
	for _, s := range group {
		s.reset()
		f[s.kind].Put(s)
	}
}
