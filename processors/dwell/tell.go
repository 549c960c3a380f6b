package dwell

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// teller emits what differs from what was last told, and deletes what no longer holds.
type teller struct {
	r    *run
	out  *stream.Out
	kept map[string]uint64
}

// tell sends visits, rides, run facts and status.
func (r *run) tell(cat *network.Catalog, visits []*visit, out *stream.Out) {
	t := teller{r: r, out: out, kept: make(map[string]uint64, len(r.sent))}
	boards := r.onBoards()
	for _, v := range visits {
		suffix := visitKey(v.Visit)
		sum := t.upsert("v"+suffix, schemas.Visits, r.id, &pb.Record{Body: &pb.Record_Visit{Visit: v.Visit}}, v.Visit)
		t.ride(&pb.Ride{Unit: r.id, UnitKind: r.kind, Run: r.id, RunKind: r.kind, Visit: v.Visit}, suffix, sum)
		for i := range boards {
			if ride := boards[i].ride(r, v); ride != nil {
				t.ride(ride, suffix, sum)
			}
		}
	}
	facts := r.facts()
	t.upsert("f", schemas.UnitEvents, r.id, &pb.Record{Body: &pb.Record_RunFacts{RunFacts: facts}}, facts)
	t.kept["s"] = r.sent["s"]
	t.deleteRest()
	r.sent = t.kept
	r.remember(visits, boards)
	r.tellStatus(out)
}

// Keys under which a run remembers what it told: "v" of a visit, rideKey of a ride, both with the visit's key behind, "f" and "s".
func visitKey(v *pb.Visit) string { return "|" + v.GetPlace() + "|" + strconv.Itoa(int(v.GetN())) }
func rideKey(r *pb.Ride) string   { return "r|" + r.Unit + "|" + strconv.Itoa(int(r.UnitKind)) }

// Retell lets a row that an older epoch told be told anew in the next round, or deleted.
func (f *fold) Retell(rec *pb.Record) {
	id, kind, key := rowOf(rec)
	if key == "" {
		return
	}
	r := f.run(id, kind)
	r.sent[key] = unknown
	r.rewound = true // else only the status would be compared
	f.computeLater(r)
}

// rowOf says which run tells rec, and under which key it remembers that; no key if it is none of its rows.
func rowOf(rec *pb.Record) (run string, kind pb.UnitKind, key string) {
	switch b := rec.Body.(type) {
	case *pb.Record_Visit:
		return b.Visit.Unit, b.Visit.UnitKind, "v" + visitKey(b.Visit)
	case *pb.Record_Ride:
		return b.Ride.Run, b.Ride.RunKind, rideKey(b.Ride) + visitKey(b.Ride.Visit)
	case *pb.Record_RunFacts:
		return b.RunFacts.Run, b.RunFacts.UnitKind, "f"
	case *pb.Record_TrainStatus:
		return b.TrainStatus.Run, b.TrainStatus.UnitKind, "s"
	}
	return "", 0, ""
}

// unknown stands for what an older epoch told. That a sum is the same by chance is as likely as with any other.
const unknown = ^uint64(0)

// remember keeps what the status needs of visits and composition.
func (r *run) remember(visits []*visit, boards []onBoard) {
	r.last, r.wagons, r.containers = nil, 0, 0
	if n := len(visits); n > 0 {
		r.last = visits[n-1]
	}
	for _, o := range boards {
		switch {
		case o.to != 0:
		case o.kind == pb.UnitKind_WAGON:
			r.wagons++
		default:
			r.containers++
		}
	}
}

func (r *run) tellStatus(out *stream.Out) {
	status := r.status()
	t := teller{r: r, out: out, kept: map[string]uint64{}}
	t.upsert("s", schemas.TrainStatus, r.id, &pb.Record{Body: &pb.Record_TrainStatus{TrainStatus: status}}, status)
	r.sent["s"] = t.kept["s"]
}

// ride tells a ride. A train has as many for each visit as it has wagons and containers: the visit's sum, made once, stands for the
// visit in theirs.
func (t *teller) ride(ride *pb.Ride, suffix string, visitSum uint64) {
	var b [64]byte
	own := binary.AppendUvarint(b[:0], visitSum)
	own = binary.AppendVarint(own, ride.OnFrom)
	own = binary.AppendVarint(own, ride.OnTo)
	own = binary.AppendVarint(own, ride.NamedAt)
	own = binary.AppendVarint(own, ride.NamedLastAt)
	own = append(own, byte(boolInt(ride.LoadedHere)|boolInt(ride.UnloadedHere)<<1))
	own = append(own, ride.OnBy...)
	t.told(rideKey(ride)+suffix, schemas.UnitEvents, ride.Unit, xxhash.Sum64(own),
		func() *pb.Record { return &pb.Record{Body: &pb.Record_Ride{Ride: ride}} })
}

func (t *teller) upsert(key, topic, kafkaKey string, rec *pb.Record, m proto.Message) (sum uint64) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("dwell: a result that cannot be encoded: " + err.Error())
	}
	sum = xxhash.Sum64(b)
	t.told(key, topic, kafkaKey, sum, func() *pb.Record { return rec })
	return sum
}

// told emits a record if its contents are others than those last told under key.
func (t *teller) told(key, topic, kafkaKey string, sum uint64, rec func() *pb.Record) {
	if _, twice := t.kept[key]; twice {
		return // a unit that came on board twice during one visit
	}
	t.kept[key] = sum
	if old, ok := t.r.sent[key]; !ok || old != sum {
		t.out.Emit(topic, kafkaKey, rec())
	}
}

func (t *teller) deleteRest() {
	r := t.r
	var gone []string
	for key := range r.sent {
		if _, ok := t.kept[key]; !ok {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		switch key {
		case "f":
			t.out.Emit(schemas.UnitEvents, r.id, &pb.Record{Deleted: true, Body: &pb.Record_RunFacts{RunFacts: &pb.RunFacts{Unit: r.id, UnitKind: r.kind, Run: r.id}}})
			continue
		case "s":
			t.out.Emit(schemas.TrainStatus, r.id, &pb.Record{Deleted: true, Body: &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{Run: r.id, UnitKind: r.kind}}})
			continue
		}
		rest, last := cutLast(key)
		n, _ := strconv.Atoi(last)
		rest, place := cutLast(rest)
		v := &pb.Visit{Unit: r.id, UnitKind: r.kind, Journey: r.id, Place: place, N: uint32(n)}
		if rest == "v" {
			t.out.Emit(schemas.Visits, r.id, &pb.Record{Deleted: true, Body: &pb.Record_Visit{Visit: v}})
			continue
		}
		rest, last = cutLast(rest)
		kind, _ := strconv.Atoi(last)
		unit := strings.TrimPrefix(rest, "r|")
		t.out.Emit(schemas.UnitEvents, unit, &pb.Record{Deleted: true, Body: &pb.Record_Ride{Ride: &pb.Ride{
			Unit: unit, UnitKind: pb.UnitKind(kind), Run: r.id, RunKind: r.kind, Visit: v}}})
	}
}

// cutLast cuts the last part off a key: the unit, which may be the run itself, stands before the rest and may hold bars.
func cutLast(key string) (rest, last string) {
	at := strings.LastIndexByte(key, '|')
	return key[:max(at, 0)], key[at+1:]
}

func (r *run) facts() *pb.RunFacts {
	f := &pb.RunFacts{Unit: r.id, UnitKind: r.kind, Run: r.id, EndedAt: r.ended, State: r.state}
	if p := r.plan(); p != nil {
		f.Destination, f.ExitBorder, f.Plan = p.Destination, p.ExitBorder, p.Stops
	}
	for _, e := range r.reports {
		if e.Classifier != pb.Classifier_ACTUAL {
			continue
		}
		switch e.Verb {
		case pb.Verb_ENDED:
			f.ContinuedBy = e.GetEnded().GetContinuedBy()
		case pb.Verb_HELD:
			f.Held = append(f.Held, &pb.Span{Kind: "held", Cause: e.GetHeld().GetCause(), From: e.Time, Source: e.Source, BoundFor: e.GetHeld().GetBoundFor()})
		case pb.Verb_RESUMED:
			for i := len(f.Held) - 1; i >= 0; i-- {
				if f.Held[i].To == 0 && f.Held[i].Source == e.Source {
					f.Held[i].To = e.Time
					break
				}
			}
		}
	}
	return f
}

func (r *run) status() *pb.TrainStatus {
	s := &pb.TrainStatus{Overfull: r.overfull(), Wagons: r.wagons, Containers: r.containers, Run: r.id, UnitKind: r.kind, State: r.state, SeenAt: r.newest, Standing: r.now.Standing}
	if m := &r.now; m.HasLast {
		s.HasPosition, s.LatE7, s.LonE7 = true, int32(m.Last.lat*1e7), int32(m.Last.lon*1e7)
		if m.HasPrev && m.Last.t > m.Prev.t {
			s.SpeedKmh = network.DistanceM(m.Prev.lat, m.Prev.lon, m.Last.lat, m.Last.lon) / float64(m.Last.t-m.Prev.t) * 3600
		}
		if m.Last.speed >= 0 {
			s.SpeedKmh = float64(m.Last.speed)
		}
		if m.stale() {
			s.SameSince = m.SameSince
		}
	}
	if v := r.last; v != nil {
		s.LastPlace, s.Since = v.Place, v.end()
		if v.State != pb.State_CLOSED {
			s.Place, s.Since = v.Place, v.start()
		} else if v.open {
			s.Since = v.start()
		}
		s.Corridor, s.Direction, _ = strings.Cut(v.Direction, ":")
	}
	s.Destination = r.plan().GetDestination()
	for _, e := range r.reports {
		if e.Time <= r.newest {
			s.Source = e.Source
		}
	}
	return s
}
