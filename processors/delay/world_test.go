package delay

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// day0 is when the worlds of the tests begin: days and hours of scenarios count from it.
var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func testCatalog(t testing.TB) *network.Catalog {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// traffic is what crosses a border in one direction.
type traffic struct {
	border, direction string
	every             int64 // ms between two trains
	outbound, inbound int64 // medians, ms
	spread            float64
	from, to          int64
	boxes             int // containers on board
}

// incident is what befalls it.
type incident struct {
	kind              string // stop, limit, slow, overdue, silent (one train), feed, burst, late
	border, direction string
	role              string
	from, until       int64
	factor            float64
	declared          string // reason of a restriction; empty: none is declared
	agreed            float64
	median            int64 // of which factor is a multiple; 0: of what the train would have stayed
}

// told is one record at the time it is told.
type told struct {
	at  int64
	rec *pb.Record
}

// world makes records of traffic and incidents.
type world struct {
	cat   *network.Catalog
	rng   *rand.Rand
	seed  uint64
	recs  []told
	feeds []incident

	collapse int64             // when one began; 0: none did
	befallen map[string]string // the train of an incident, by border, direction and time
}

func newWorld(cat *network.Catalog, seed uint64) *world {
	return &world{cat: cat, seed: seed, befallen: map[string]string{}, rng: rand.New(rand.NewPCG(seed, 7))}
}

func (w *world) add(at int64, rec *pb.Record) { w.recs = append(w.recs, told{at, rec}) }

// train is one crossing in the making.
type train struct {
	id                       string
	came, left, entered, out int64
	outS, inS                int64
	silentFrom               int64
	heldFrom                 int64 // upstream, until it came; 0: it was not
}

func (w *world) run(tr traffic, incidents []incident) {
	var mine []incident
	for _, in := range incidents {
		if in.border == tr.border && in.direction == tr.direction {
			mine = append(mine, in)
		}
	}
	var all []*train
	n := 0
	for at := tr.from; at < tr.to; n++ {
		gap := float64(tr.every) * (0.7 + 0.6*w.rng.Float64())
		for _, in := range mine {
			if in.kind == "burst" && at >= in.from && at < in.until {
				gap /= in.factor
			}
		}
		at += int64(gap)
		all = append(all, &train{
			id: fmt.Sprintf("KTZ:%s%03d:%s", strings.ReplaceAll(tr.direction, "-", ""), n, time.UnixMilli(at).UTC().Format("2006-01-02")), came: at,
			outS: w.draw(tr.outbound, tr.spread), inS: w.draw(tr.inbound, tr.spread),
		})
	}
	for _, in := range mine {
		w.befall(in, all)
	}
	for _, t := range all {
		t.heldFrom = t.came
	}
	gate(all, mine, upstream, tr.every, func(t *train) *int64 { return &t.came })
	for _, t := range all {
		if t.left = t.came + t.outS; t.heldFrom == t.came {
			t.heldFrom = 0
		}
	}
	gate(all, mine, network.Outbound, tr.every, func(t *train) *int64 { return &t.left })
	for _, t := range all {
		t.entered = t.left + 30*minuteMS
		t.out = t.entered + t.inS
	}
	gate(all, mine, network.Inbound, tr.every, func(t *train) *int64 { return &t.out })
	for _, t := range all {
		w.tell(tr, t)
	}
	for _, in := range mine {
		if in.declared != "" {
			w.declare(in)
		}
		if in.kind == "feed" {
			w.feeds = append(w.feeds, in)
		}
	}
}

// upstream is a role of incidents: trains are held before they may go on to the border.
const upstream = "upstream"

// gate lets trains go on in the order in which they are ready: none while the side is stopped, factor a day where it is limited, and
// after that one by one until it is clear.
func gate(all []*train, incidents []incident, role string, every int64, at func(t *train) *int64) {
	ready := slices.SortedStableFunc(slices.Values(all), func(a, b *train) int { return cmp.Compare(*at(a), *at(b)) })
	last, clear := int64(0), true
	for _, t := range ready {
		gap := every / 3
		when := *at(t)
		if clear = clear || when > last+gap; !clear {
			when = last + gap
		}
		for _, in := range incidents {
			if in.role != role || when < in.from || when >= in.until {
				continue
			}
			switch in.kind {
			case "stop":
				when, clear = in.until, false
			case "limit":
				clear = false
				when = max(*at(t), last+int64(float64(dayMS)/in.factor))
			}
		}
		*at(t), last = when, max(last, when)
	}
}

func (w *world) draw(median int64, spread float64) int64 {
	return int64(float64(median) * math.Exp(spread*w.rng.NormFloat64()))
}

// befall changes single trains.
func (w *world) befall(in incident, all []*train) {
	for _, t := range all {
		at := t.came
		if in.role == network.Inbound {
			at = t.came + t.outS + 30*minuteMS
		}
		if at < in.from || in.until != 0 && at >= in.until {
			continue
		}
		switch in.kind {
		case "slow", "overdue":
			stay := &t.outS
			if in.role == network.Inbound {
				stay = &t.inS
			}
			*stay = int64(float64(cmp.Or(in.median, *stay)) * in.factor)
		case "silent":
			t.silentFrom = at + hourMS
			t.outS += 12 * hourMS
		}
		if in.kind == "overdue" || in.kind == "silent" {
			w.befallen[in.border+in.direction+fmt.Sprint(in.from)] = t.id
			return // the first one
		}
	}
}

func (w *world) declare(in incident) {
	r := &pb.Restriction{Effect: "closed", Direction: in.direction, From: in.from, Reason: in.declared, Reference: "telegram 17"}
	ev := &pb.Event{Source: "ktz", Id: "r1", Verb: pb.Verb_RESTRICTION, Subject: in.border, Time: in.from, RecordedAt: in.from, Data: &pb.Event_Restriction{Restriction: r}}
	w.add(in.from, &pb.Record{Stage: pb.Stage_INTAKE, Body: &pb.Record_Event{Event: ev}})
	lifted := proto.CloneOf(ev)
	lifted.GetRestriction().Until, lifted.RecordedAt, lifted.Time = in.until, in.until, in.until
	w.add(in.until, &pb.Record{Stage: pb.Stage_INTAKE, Body: &pb.Record_Event{Event: lifted}})
}

// plan agrees on a number of trains for each railway day.
func (w *world) plan(border, direction string, from, to int64, trains float64) {
	for day := from - from%dayMS; day < to; day += dayMS {
		date := time.UnixMilli(day).UTC().Format(time.DateOnly)
		w.add(day-dayMS/2, &pb.Record{Stage: pb.Stage_INTAKE, Body: &pb.Record_Event{Event: &pb.Event{Source: "ktz", Id: "plan/" + border + direction + date,
			Verb: pb.Verb_BORDER_PLAN, Subject: border, Time: day - dayMS/2, Data: &pb.Event_BorderPlan{BorderPlan: &pb.BorderPlan{Direction: direction, Date: date, Trains: trains}}}}})
	}
}

// tell makes the records of a train, and of the containers on board, as border tells them step by step.
func (w *world) tell(tr traffic, t *train) {
	b, _ := w.cat.Border(tr.border)
	w.hold(tr, t)
	units := []string{t.id}
	for i := range tr.boxes {
		units = append(units, fmt.Sprintf("BOX%s%02d", t.id, i))
	}
	for i, unit := range units {
		kind, journey, consist := pb.UnitKind_TRAIN, unit, ""
		if i > 0 {
			kind, journey, consist = pb.UnitKind_CONTAINER, unit+"/1", tr.border+"|"+t.id+"|1"
		}
		tell := func(at int64, mend func(c *pb.Crossing)) {
			c := crossingAt(b, tr.direction, at, t)
			c.Unit, c.UnitKind, c.Journey, c.Consist = unit, kind, journey, consist
			if mend != nil {
				mend(c)
			}
			w.add(at+2*minuteMS, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Crossing{Crossing: c}})
		}
		for _, at := range []int64{t.came, t.left, t.entered, t.out} {
			tell(at, nil)
		}
		if t.silentFrom != 0 && t.silentFrom < t.left {
			tell(t.silentFrom, func(c *pb.Crossing) { c.Outbound.State = pb.State_SILENT })
		}
	}
}

// hold tells that a train is held upstream, and later that it goes on.
func (w *world) hold(tr traffic, t *train) {
	if t.heldFrom == 0 {
		return
	}
	for at, to := range map[int64]int64{t.heldFrom: 0, t.came: t.came} {
		w.add(at+minuteMS, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_RunFacts{RunFacts: &pb.RunFacts{Unit: t.id, UnitKind: pb.UnitKind_TRAIN, Run: tr.border,
			Holds: []*pb.Hold{{Border: tr.border, Direction: tr.direction, From: t.heldFrom, To: to}}}}})
	}
}

// crossingAt is what is known of a crossing at a time.
func crossingAt(b *network.Border, direction string, at int64, t *train) *pb.Crossing {
	from, to, _ := strings.Cut(direction, "-")
	out, in := b.A, b.B
	if b.A.Country != from {
		out, in = b.B, b.A
	}
	c := &pb.Crossing{Border: b.ID, N: 1, FromCountry: from, ToCountry: to, Area: b.Area, State: pb.State_OPEN, Candidate: at < t.entered}
	c.Outbound = side(b, from, network.Outbound, out, at, t.came, t.left)
	c.Inbound = side(b, from, network.Inbound, in, at, t.entered, t.out)
	if at >= t.out {
		c.State, c.TotalS = pb.State_CLOSED, (t.out-t.came)/1000
	}
	return c
}

func side(b *network.Border, from, role string, s network.Side, at, began, ended int64) *pb.Side {
	out := &pb.Side{Role: role, Country: s.Country}
	if norm, ok := b.Norm(from, role); ok {
		out.HasNorm, out.NormS = true, int64(norm/time.Second)
	}
	if at < began {
		return out
	}
	out.Places, out.State = s.Places[:1], pb.State_OPEN
	out.Arrived = &pb.Moment{At: began, Basis: pb.Basis_REPORT}
	if at >= ended {
		out.Departed, out.State, out.Seconds = &pb.Moment{At: ended, Basis: pb.Basis_REPORT}, pb.State_CLOSED, (ended-began)/1000
	}
	return out
}

// tables are what a consumer of the topics holds, and the history of alerts.
type tables struct {
	rows    map[string]*pb.Record
	history []*pb.Alert
}

func (tb *tables) out() *stream.Out {
	tb.rows = map[string]*pb.Record{}
	return stream.NewOut(func(topic, _ string, rec *pb.Record) {
		key := topic + "|" + rowPiece(rec)
		if rec.Deleted {
			delete(tb.rows, key)
		} else {
			tb.rows[key] = rec
		}
		if a := rec.GetAlert(); a != nil && !rec.Deleted {
			tb.history = append(tb.history, a)
		}
	}, nil)
}

// play folds the records of a world, with a tick every step, up to a time. Each unit belongs to one of four tasks of border.
func (w *world) play(f stream.Fold, tb *tables, step, until int64) {
	for i := range w.recs {
		r := &w.recs[i]
		for _, in := range w.feeds {
			if c := r.rec.GetCrossing(); c.GetBorder() == in.border && r.at >= in.from && r.at < in.until {
				r.at = in.until
			}
		}
		if c := r.rec.GetCrossing(); c != nil {
			r.rec.Task = uint32(schemas.Partition(c.Unit, 4))
		}
	}
	slices.SortStableFunc(w.recs, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	out, last, seq := tb.out(), int64(0), uint64(0)
	for _, r := range w.recs {
		if r.at >= until {
			break
		}
		for now := max(last+step, r.at-r.at%step); now <= r.at; now += step {
			f.Advance(now, out)
			last = now
		}
		seq++
		r.rec.Seq, r.rec.Epoch = seq, 1
		f.Fold(stream.In{Now: last, Round: last, Rec: r.rec}, out)
	}
	for now := last + step; now <= until; now += step {
		f.Advance(now, out)
	}
}
