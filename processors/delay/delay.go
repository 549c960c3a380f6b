// Package delay sets border crossings against what was usual before them, sums them up by the hour, and raises alerts while something
// can still be done.
//
//	crossings, visits, holds, restrictions, plans ─► rounds ─► stays in series ─┬─► crossing-delays (usual time of 28 days)
//	                                                                            ├─► delay-stats (by the hour)
//	                                                                            └─► detectors, on a grid of time ─► alerts
//
// A series are the stays that compare: one side of a border (or both), one direction, one kind of unit; or one place. What is told of
// them is a function of the facts. Alerts depend on what was known when. So records are held until the round they belong to is closed
// by every upstream task, and folded in the order of (round, stage, task, seq); and detectors look on a fixed grid of stage time, at
// what was known by then. So alerts do not depend on how tasks got ahead of one another or how fast history is replayed.
package delay

import (
	"cmp"
	"maps"
	"slices"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Stage is the delay stage over a catalogue, with the settings of an installation.
func Stage(cat *network.Catalog) stream.Stage { return StageWith(cat, Defaults()) }

// StageWith is the stage with other settings, for trying them out.
func StageWith(cat *network.Catalog, set Settings) stream.Stage {
	return stream.Stage{
		Name: pb.Stage_DELAY, Input: schemas.AreaEvents, Upstreams: []pb.Stage{pb.Stage_INTAKE, pb.Stage_BORDER},
		Outputs: []string{schemas.CrossingDelays, schemas.DelayStats, schemas.Alerts}, Logic: "delay/3",
		New: func() stream.Fold { return newFold(cat, set) },
	}
}

type fold struct {
	cat *network.Catalog
	set Settings

	rounds    map[int64][]*pb.Record // records of rounds that are not closed yet, by the mark before them
	now       int64                  // the last point of the grid that was looked at; 0: none
	dropped   int64                  // stays that ended before leave the state
	left      int64                  // the last end of those that have left it
	crossings map[string]*crossing
	stays     map[string]*stay
	held      map[string]*pb.RunFacts // vehicles held upstream, by id
	notices   map[string]*pb.Event    // restrictions, plans and what was taken back, by source and id
	noted     *noted                  // what they say; nil: to be found again
	news      map[string]int64        // by area: when something was last heard of a vehicle there
	alerts    map[string]*alert
	unsure    map[string]*pb.Record // rows that an older epoch told, by piece: told anew or deleted in the next round

	consists map[string]*consist // found from crossings
	series   map[seriesKey]*series
	order    []*series
	untold   []*row

	touched map[string]bool // pieces that changed since the last checkpoint
}

func newFold(cat *network.Catalog, set Settings) *fold {
	f := &fold{cat: cat, set: set}
	f.clear()
	return f
}

func (f *fold) clear() {
	*f = fold{
		cat: f.cat, set: f.set, rounds: map[int64][]*pb.Record{}, crossings: map[string]*crossing{}, stays: map[string]*stay{},
		held: map[string]*pb.RunFacts{}, notices: map[string]*pb.Event{}, news: map[string]int64{}, alerts: map[string]*alert{},
		unsure: map[string]*pb.Record{}, consists: map[string]*consist{}, series: map[seriesKey]*series{}, touched: map[string]bool{},
	}
}

// Fold holds a record until its round is closed.
func (f *fold) Fold(in stream.In, _ *stream.Out) {
	switch in.Rec.Body.(type) {
	case *pb.Record_Crossing, *pb.Record_Visit, *pb.Record_RunFacts, *pb.Record_Event:
		f.rounds[in.Round] = append(f.rounds[in.Round], in.Rec)
		f.touch(roundKey(in.Round))
	}
}

// Advance folds the rounds that are closed, looks at each point of the grid, and tells what changed.
func (f *fold) Advance(now int64, out *stream.Out) {
	step := f.set.StepMS
	if f.now == 0 || len(f.crossings)+len(f.stays)+len(f.held)+len(f.notices)+len(f.alerts)+len(f.rounds) == 0 { // nothing to look at
		f.now = max(f.now, now-now%step)
		f.forget(f.now)
	}
	for at := f.now + step; at <= now; at += step {
		f.close(at)
		f.look(at, out)
	}
	f.close(now)
	for _, r := range f.order {
		f.refresh(r)
	}
	f.tellUnsure(out)
	f.tellDelays(out)
	for _, r := range f.order {
		f.tellHours(r, f.now, out)
	}
	f.touch(clockPiece)
}

// close folds the records of all rounds before now, in an order that does not depend on how they came.
func (f *fold) close(now int64) {
	for _, round := range slices.Sorted(maps.Keys(f.rounds)) {
		if round >= now {
			return
		}
		recs := f.rounds[round]
		slices.SortStableFunc(recs, func(a, b *pb.Record) int {
			return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Task, b.Task), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Seq, b.Seq))
		})
		for _, rec := range recs {
			f.take(rec, round)
		}
		delete(f.rounds, round)
		f.touch(roundKey(round))
	}
}

// take folds one record, which was told in the round after the mark.
func (f *fold) take(rec *pb.Record, round int64) {
	switch b := rec.Body.(type) {
	case *pb.Record_Crossing:
		f.crossing(b.Crossing, rec.Deleted, round)
	case *pb.Record_Visit:
		f.visit(b.Visit, rec.Deleted)
	case *pb.Record_RunFacts:
		f.holds(b.RunFacts, rec.Deleted)
	case *pb.Record_Event:
		f.notice(b.Event)
	}
}

// crossing takes a crossing as border tells it.
func (f *fold) crossing(c *pb.Crossing, deleted bool, round int64) {
	if c.Area == "" { // of one that was deleted only the key came
		if b, ok := f.cat.Border(c.Border); ok {
			c.Area = b.Area
		}
	}
	if !deleted {
		x := f.crossingOf(c)
		if vehicle(x.kind) && x.latest() > f.latest(x.key) {
			f.news[x.area] = max(f.news[x.area], round)
			f.touch(newsPiece + x.area)
		}
		f.fact(x)
		return
	}
	key := crossingKey(c)
	x, ok := f.crossings[key]
	if ok {
		f.exchange(x, nil)
		delete(f.crossings, key)
		f.touch(crossingPiece + key)
	} else {
		x = f.crossingOf(c) // it has left the state: what was told of it is not known any more
	}
	for i, role := range roles {
		if !ok || x.rows[i].told != 0 {
			f.doubt(&pb.Record{Body: &pb.Record_CrossingDelay{CrossingDelay: delayKey(x, role)}})
		}
	}
}

// latest is the last time that is known of a crossing.
func (f *fold) latest(key string) int64 {
	if x := f.crossings[key]; x != nil {
		return x.latest()
	}
	return 0
}

func (x *crossing) latest() int64 {
	var last int64
	for i := range x.rows {
		last = max(last, x.rows[i].at.began)
		if x.rows[i].at.finished() {
			last = max(last, x.rows[i].at.ended)
		}
	}
	return last
}

func (f *fold) seriesOf(key seriesKey, area string) *series {
	r := f.series[key]
	if r == nil {
		r = newSeries(key, area)
		r.floor = f.dropped
		f.series[key] = r
		i, _ := slices.BinarySearchFunc(f.order, r, func(a, b *series) int { return a.key.compare(b.key) })
		f.order = slices.Insert(f.order, i, r)
	}
	return r
}

// look evaluates the detectors at a point of the grid. Once an hour is over, it is to be told, and what is too old leaves the state.
func (f *fold) look(at int64, out *stream.Out) {
	if hour := hourOf(at); hour > hourOf(f.now) {
		for _, r := range f.order {
			if r.key.border != "" {
				r.hours[hour-hourMS] = true
			}
		}
		f.forget(at)
	}
	f.now = at
	for _, r := range f.order {
		f.refresh(r)
	}
	f.detect(at, out)
}

func (f *fold) touch(piece string) { f.touched[piece] = true }
