package network

import (
	"container/heap"
	"time"
)

// Route is the shortest way over open sections.
type Route struct {
	Km       float64
	Places   []string
	Sections []*Section
}

type routeKey struct {
	from, to string
	day      int64 // sections open and close by the day
}

// Route finds the shortest way between two places over sections that are open at t. It is remembered, and safe for concurrent use.
func (c *Catalog) Route(from, to string, at time.Time) (Route, bool) {
	key := routeKey{from, to, at.Unix() / 86400}
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.routes[key]
	if !ok {
		if len(c.routes) > 100_000 {
			clear(c.routes)
		}
		r = c.shortest(from, to, at)
		c.routes[key] = r
	}
	return r, len(r.Places) > 0
}

type stop struct {
	place string
	km    float64
	via   *Section
	prev  *stop
}

type queue []*stop

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].km != q[j].km {
		return q[i].km < q[j].km
	}
	return q[i].place < q[j].place
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*stop)) }
func (q *queue) Pop() any {
	old := *q
	s := old[len(old)-1]
	*q = old[:len(old)-1]
	return s
}

// shortest is Dijkstra's algorithm.
func (c *Catalog) shortest(from, to string, at time.Time) Route {
	seen := map[string]bool{}
	q := queue{{place: from}}
	for q.Len() > 0 {
		s := heap.Pop(&q).(*stop)
		if seen[s.place] {
			continue
		}
		seen[s.place] = true
		if s.place == to {
			return s.route()
		}
		for _, e := range c.neighbors[s.place] {
			next := e.To
			if next == s.place {
				next = e.From
			}
			if e.Status == "open" && e.Valid.At(at) && !seen[next] {
				heap.Push(&q, &stop{place: next, km: s.km + e.Km, via: e, prev: s})
			}
		}
	}
	return Route{}
}

func (s *stop) route() Route {
	r := Route{Km: s.km}
	for ; s != nil; s = s.prev {
		r.Places = append([]string{s.place}, r.Places...)
		if s.via != nil {
			r.Sections = append([]*Section{s.via}, r.Sections...)
		}
	}
	return r
}
