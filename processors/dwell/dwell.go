// Package dwell works out the visits of a run from its positions and reports: when it entered a place, came to a stand, departed
// and left, or that it passed; and sends each visit on as a ride to the run itself and to every wagon and container on board.
//
// Events go into a set; when a round closes, the runs that changed are computed again and only differences are emitted:
//
//	fixes, by time ──► machine (stays: fences, standstills, passes) ─┐
//	reports, plan, activities, hand-overs ───────────────────────────┼─► visits ─► rides of everything on board
//	composition ─────────────────────────────────────────────────────┘
//
// Of many fixes within seconds the first and the last are held (thin.go). The machine steps over them in order, and doubts what no
// train could have done (doubt.go). A fix that comes out of order sends it back to a copy of itself kept for each hour; what
// is older than the lateness can change no more and is folded into a frozen machine.
package dwell

import (
	"cmp"
	"container/heap"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Lateness is how old an accepted event may be; what is older is stored and not folded.
const Lateness = 72 * time.Hour

const (
	hourMS     = int64(time.Hour / time.Millisecond)
	latenessMS = int64(Lateness / time.Millisecond)
	lostMS     = 14 * 24 * hourMS // without evidence
)

// Stage is the dwell stage over a catalogue.
func Stage(cat *network.Catalog) stream.Stage {
	return stream.Stage{
		Name: pb.Stage_DWELL, Input: schemas.TrainEvents, Upstreams: []pb.Stage{pb.Stage_INTAKE},
		Outputs: []string{schemas.Visits, schemas.TrainStatus, schemas.UnitEvents, schemas.Recomputed}, Logic: "dwell/6",
		New: func() stream.Fold { return newFold(cat) },
	}
}

// fold is the state of one task.
type fold struct {
	cat    *network.Catalog
	geo    *geometry
	runs   map[string]*run
	asleep map[string][]byte // runs as a snapshot holds them, for which nothing has come since they were restored
	dirty  []*run
	timers timers

	recomputes *recompute.Gathered

	touched []*run          // changed since the last checkpoint
	gone    map[string]bool // forgotten since then
	size    int             // of the last Snapshot
	buf     []byte          // for Snapshot
}

func newFold(cat *network.Catalog) *fold {
	return &fold{cat: cat, geo: newGeometry(cat), runs: map[string]*run{}, asleep: map[string][]byte{}, gone: map[string]bool{}, recomputes: recompute.New()}
}

// Fold puts an event into its run's set. A late one may speak of a run that was forgotten, so it counts for nothing: it is stored
// with its mark, and v_train_status counts it there, until a recompute folds the run with everything that is stored of it.
func (f *fold) Fold(in stream.In, out *stream.Out) {
	if piece := in.Rec.GetRecompute(); piece != nil {
		answer := func(rec *pb.Record) { out.Emit(schemas.Recomputed, piece.Subject, rec) }
		if whole := f.recomputes.Take(piece, in.Now, answer); whole != nil {
			f.recompute(whole, in.Now, out)
		}
		return
	}
	ev := in.Rec.GetEvent()
	if ev == nil || ev.Subject == "" || ev.Late || ev.GetCost() != nil { // money is for the tables alone
		return
	}
	r := f.run(ev.Subject, ev.UnitKind)
	if r.add(ev) {
		f.computeLater(r)
	}
}

// run is the run of that id, which is about to change.
func (f *fold) run(id string, kind pb.UnitKind) *run {
	r := f.known(id)
	if r == nil {
		r = newRun(id, kind)
		f.runs[id] = r
	}
	f.touch(r)
	return r
}

func (f *fold) touch(r *run) {
	if !r.touched {
		r.touched = true
		f.touched = append(f.touched, r)
	}
}

func (f *fold) computeLater(r *run) {
	f.touch(r)
	if !r.dirty {
		r.dirty = true
		f.dirty = append(f.dirty, r)
	}
}

// Advance computes the runs that changed, and those whose time has come to fall silent, be lost or be forgotten.
func (f *fold) Advance(now int64, out *stream.Out) {
	f.recomputes.Expire(now)
	for len(f.timers) > 0 && f.timers[0].at <= now {
		t := heap.Pop(&f.timers).(timer)
		if r := f.known(t.run); r != nil && t.at == r.wakes {
			r.wakes = 0
			f.computeLater(r)
		}
	}
	slices.SortFunc(f.dirty, func(a, b *run) int { return cmp.Compare(a.id, b.id) })
	for _, r := range f.dirty {
		f.touch(r) // a checkpoint may have been written since it became dirty
		r.dirty = false
		r.compute(f, now, out)
		if r.empty() || r.over(now) {
			delete(f.runs, r.id)
			f.gone[r.id] = true
			continue
		}
		if due := r.due(now); due != math.MaxInt64 && (r.wakes == 0 || due < r.wakes) {
			r.wakes = due
			heap.Push(&f.timers, timer{due, r.id})
		}
	}
	f.dirty = f.dirty[:0]
}

// timer wakes a run. If its time was put off since, computing the run just arms the next; if it was brought forward, another was
// armed and the later one counts no more: a restored fold does not have it.
type timer struct {
	at  int64
	run string
}

type timers []timer

func (t timers) Len() int { return len(t) }
func (t timers) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(t[i].at, t[j].at), cmp.Compare(t[i].run, t[j].run)) < 0
}
func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)   { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	*t = old[:len(old)-1]
	return last
}

// eventKey stands for source and id.
func eventKey(source, id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(source))
	h.Write([]byte{0})
	h.Write([]byte(id))
	return h.Sum64()
}
