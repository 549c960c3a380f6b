package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest"
	"corridorwatch/processors/border"
	"corridorwatch/processors/recompute"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// recomputer sends what is stored of runs and units to the tasks that own them.
//
// Wagons and containers go first: those that were asked for, and those that the runs carried and border has forgotten by now, or may
// have forgotten the journey of, with the rides that all runs have told of them. When they are known again the runs follow, and their
// rides find whole units.
type recomputer struct {
	shards     clickhouse.Shards
	database   string
	cat        *network.Catalog
	partitions int
	dataTime   bool
	writer     *ingest.Writer
}

// tries bounds how often a recompute is begun anew because the installation went on in the meantime.
const tries = 5

// recompute does it for some subjects and returns when the tables show the result.
func (r *recomputer) recompute(ctx context.Context, some []subject, doing func(string)) (changes, error) {
	var err error
	for range tries {
		var c changes
		c, err = r.attempt(ctx, some, doing)
		if !errors.As(err, new(refused)) {
			return c, err
		}
		doing("once more: " + err.Error())
	}
	return changes{}, fmt.Errorf("%w: tried %d times, time passes too fast here; wait until the installation has caught up", err, tries)
}

// refused says that a task did not take a recompute.
type refused struct{ subject, why string }

func (e refused) Error() string { return e.subject + ": " + e.why }

func (r *recomputer) attempt(ctx context.Context, some []subject, doing func(string)) (changes, error) {
	doing("reading")
	now, err := r.storedUntil(ctx)
	if err != nil {
		return changes{}, err
	}
	var runs, units []subject
	for _, s := range some {
		if s.vehicle() {
			runs = append(runs, s)
		} else {
			units = append(units, s)
		}
	}
	events, err := r.events(ctx, "train_events", ids(runs))
	if err != nil {
		return changes{}, err
	}
	cargo := map[string][]*pb.Ride{}                      // by run: with what came too late, and as it was told
	aboard, whole := map[string]bool{}, map[string]bool{} // whole: border is sent all of them
	for _, s := range units {
		whole[s.id] = true
	}
	for _, run := range runs {
		was := r.rides(events[run.id], false, now)
		for _, ride := range append(r.rides(events[run.id], true, now), was...) {
			aboard[ride.Unit] = true
			if !whole[ride.Unit] && border.MayHaveForgotten(ride, now) {
				whole[ride.Unit] = true
				units = append(units, subject{ride.Unit, ride.UnitKind})
			}
		}
		cargo[run.id] = was
	}
	touched := append(ids(some), slices.Sorted(maps.Keys(aboard))...)
	before, err := r.rows(ctx, touched, stored.Tables[:]...)
	if err != nil {
		return changes{}, err
	}
	old, err := r.forgotten(ctx, slices.Sorted(maps.Keys(aboard)), now)
	if err != nil {
		return changes{}, err
	}
	for _, s := range old {
		if !whole[s.id] {
			units = append(units, s)
		}
	}
	id := uint64(time.Now().UnixNano())
	if err := r.toBorder(ctx, id, now, runs, units, doing); err != nil {
		return changes{}, err
	}
	if err := r.toDwell(ctx, id, now, runs, events, cargo, before, doing); err != nil {
		return changes{}, err
	}
	after, err := r.rows(ctx, touched, stored.Tables[:]...)
	if err != nil {
		return changes{}, err
	}
	c := compare(before, after)
	c.late, err = r.folded(ctx, id)
	return c, err
}

func ids(some []subject) []string {
	out := make([]string, len(some))
	for i, s := range some {
		out[i] = s.id
	}
	return out
}

// toBorder sends units with all that is stored of them, and of the runs the rows that border has told.
func (r *recomputer) toBorder(ctx context.Context, id uint64, now int64, runs, units []subject, doing func(string)) error {
	own, err := r.events(ctx, "unit_events", ids(units))
	if err != nil {
		return err
	}
	told, err := r.rows(ctx, ids(units), "visits", "legs", "crossings")
	if err != nil {
		return err
	}
	toldOfRuns, err := r.rows(ctx, ids(runs), "legs", "crossings")
	if err != nil {
		return err
	}
	rides, err := r.carried(ctx, ids(units), now, doing)
	if err != nil {
		return err
	}
	maps.Copy(told, toldOfRuns)
	all := append(slices.Clone(units), runs...)
	for _, s := range all {
		p := &pb.Recompute{Id: id, Stage: pb.Stage_BORDER, Subject: s.id, UnitKind: s.kind, ReadAt: now, Events: own[s.id]}
		for _, row := range told[s.id] {
			p.Told = append(p.Told, &row.Key)
		}
		for _, ride := range rides[s.id] {
			p.Told = append(p.Told, &pb.Record{Body: &pb.Record_Ride{Ride: ride}})
		}
		if err := r.send(ctx, p); err != nil {
			return err
		}
	}
	doing("wagons and containers")
	return r.wait(ctx, id, pb.Stage_BORDER, all)
}

// carried are the rides that were told of some units, by all runs that carried them.
func (r *recomputer) carried(ctx context.Context, units []string, now int64, doing func(string)) (map[string][]*pb.Ride, error) {
	all := map[string][]*pb.Ride{}
	if len(units) == 0 {
		return all, nil
	}
	runs, err := r.carriers(ctx, units)
	if err != nil {
		return nil, err
	}
	for i, run := range runs {
		doing(fmt.Sprintf("run %d of %d that carried them", i+1, len(runs)))
		events, err := r.events(ctx, "train_events", []string{run})
		if err != nil {
			return nil, err
		}
		for _, ride := range r.rides(events[run], false, now) {
			if slices.Contains(units, ride.Unit) {
				all[ride.Unit] = append(all[ride.Unit], ride)
			}
		}
	}
	return all, nil
}

// toDwell sends runs with all that is stored of them.
func (r *recomputer) toDwell(ctx context.Context, id uint64, now int64, runs []subject, events map[string][]*pb.Event, rides map[string][]*pb.Ride,
	told map[string][]*stored.Row, doing func(string)) error {
	if len(runs) == 0 {
		return nil
	}
	for _, s := range runs {
		p := &pb.Recompute{Id: id, Stage: pb.Stage_DWELL, Subject: s.id, UnitKind: s.kind, ReadAt: now, Events: events[s.id]}
		for _, row := range told[s.id] {
			if row.Table == "visits" || row.Table == "train_status" {
				p.Told = append(p.Told, &row.Key)
			}
		}
		for _, ride := range rides[s.id] {
			visit := &pb.Visit{Place: ride.Visit.Place, N: ride.Visit.N}
			p.Told = append(p.Told, &pb.Record{Body: &pb.Record_Ride{Ride: &pb.Ride{Unit: ride.Unit, UnitKind: ride.UnitKind, Run: s.id, RunKind: s.kind, Visit: visit}}})
		}
		if err := r.send(ctx, p); err != nil {
			return err
		}
	}
	doing("runs")
	return r.wait(ctx, id, pb.Stage_DWELL, runs)
}

// pieceBytes is about how much goes into one piece: below the megabyte a broker takes by default.
const pieceBytes = 400 << 10

// send cuts a recompute into pieces and buffers them.
func (r *recomputer) send(ctx context.Context, whole *pb.Recompute) error {
	head := proto.CloneOf(&pb.Recompute{Id: whole.Id, Stage: whole.Stage, Subject: whole.Subject, UnitKind: whole.UnitKind, ReadAt: whole.ReadAt})
	pieces, size := []*pb.Recompute{proto.CloneOf(head)}, 0
	fit := func(n int) *pb.Recompute {
		if size += n + 8; size > pieceBytes && size > n+8 {
			pieces, size = append(pieces, proto.CloneOf(head)), n+8
		}
		return pieces[len(pieces)-1]
	}
	for _, e := range whole.Events {
		p := fit(proto.Size(e))
		p.Events = append(p.Events, e)
	}
	for _, t := range whole.Told {
		p := fit(proto.Size(t))
		p.Told = append(p.Told, t)
	}
	if len(pieces) > recompute.MaxPieces {
		return fmt.Errorf("%s: %d events are too many to fold at once", whole.Subject, len(whole.Events))
	}
	for i, p := range pieces {
		p.Piece, p.Pieces = uint32(i), uint32(len(pieces))
		r.writer.Recompute(p)
		if err := r.writer.FlushIfFull(ctx); err != nil {
			return err
		}
	}
	return nil
}
