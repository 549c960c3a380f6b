package network

import (
	"container/heap"
	"slices"
	"time"
)

// Route is the shortest way between two places. It is shared: do not change it.
type Route struct {
	Km       float64
	Places   []string   // from the first to the last
	Sections []*Section // one less
}

type routeKey struct {
	from, to string
	period   int // between two changes of the network all routes stay the same
}

// changesOf are the instants at which a section opens or closes.
func changesOf(sections []*Section) []time.Time {
	var out []time.Time
	add := func(v Validity) {
		for _, t := range []time.Time{v.From, v.To} {
			if !t.IsZero() {
				out = append(out, t)
			}
		}
	}
	for _, s := range sections {
		add(s.Valid)
		for _, c := range s.Closures {
			add(c.Validity)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// Route finds the shortest way between two places over sections that are open at t. Answers are remembered. Safe for concurrent use.
func (c *Catalog) Route(from, to string, at time.Time) (Route, bool) {
	period, _ := slices.BinarySearchFunc(c.changes, at, func(change, at time.Time) int {
		if change.After(at) {
			return 1
		}
		return -1
	})
	key := routeKey{from, to, period}
	c.mu.RLock()
	r, ok := c.routes[key]
	c.mu.RUnlock()
	if ok {
		return r, len(r.Places) > 0
	}
	if c.places[from] == nil || c.places[to] == nil {
		return Route{}, false // not remembered: there is no end to unknown names
	}
	r = c.shortest(from, to, at)
	c.mu.Lock()
	c.routes[key] = r
	c.mu.Unlock()
	return r, len(r.Places) > 0
}

// reached is a place that a search has come to.
type reached struct {
	place string
	km    float64
	via   *Section
	prev  *reached
}

// frontier is a heap of places reached, the nearest first.
type frontier []*reached

func (q frontier) Len() int { return len(q) }
func (q frontier) Less(i, j int) bool {
	if q[i].km != q[j].km {
		return q[i].km < q[j].km
	}
	return q[i].place < q[j].place
}
func (q frontier) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *frontier) Push(x any)   { *q = append(*q, x.(*reached)) }
func (q *frontier) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// shortest is Dijkstra's algorithm.
func (c *Catalog) shortest(from, to string, at time.Time) Route {
	seen := map[string]bool{}
	q := frontier{{place: from}}
	for q.Len() > 0 {
		r := heap.Pop(&q).(*reached)
		if seen[r.place] {
			continue
		}
		seen[r.place] = true
		if r.place == to {
			return r.route()
		}
		for _, s := range c.neighbors[r.place] {
			if next := s.other(r.place); !seen[next] && s.OpenAt(at) {
				heap.Push(&q, &reached{place: next, km: r.km + s.Km, via: s, prev: r})
			}
		}
	}
	return Route{}
}

// route follows the way back to its beginning.
func (r *reached) route() Route {
	out := Route{Km: r.km}
	for ; r != nil; r = r.prev {
		out.Places = append(out.Places, r.place)
		if r.via != nil {
			out.Sections = append(out.Sections, r.via)
		}
	}
	slices.Reverse(out.Places)
	slices.Reverse(out.Sections)
	return out
}
