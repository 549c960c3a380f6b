package stories

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// The week at Dostyk and Altynkol, and the moment its ledger was closed at: Sunday 18:00 at Dostyk.
const week = "../../testdata/dostyk-week/"

var weekEnd = time.Date(2026, 5, 17, 13, 0, 0, 0, time.UTC).UnixMilli()

// story is a list of events as they arrive, each with the time it was written down at: the stage time at which it is taken.
type story []said

type said struct {
	value []byte
	at    int64
}

func read(t *testing.T, path string) (s story) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		value := append([]byte(nil), lines.Bytes()...)
		ev, fault := schemas.DecodeJSON(value)
		if fault != nil {
			t.Fatalf("%s: %v", lines.Text(), fault)
		}
		s = append(s, said{value, ev.RecordedAt})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// told is what a consumer of the topics holds at the end: the latest of every row.
type told struct {
	cat       *network.Catalog
	visits    map[string]*pb.Visit
	crossings map[string]*pb.Crossing
	facts     map[string]*pb.RunFacts
	status    map[string]*pb.TrainStatus
	rejects   []*pb.Reject
}

// chain is the stages one behind the other, and what came out of them.
type chain struct {
	folds  []stream.Fold
	out    *stream.Out
	told   *told
	now    int64
	offset int64
}

func newChain(cat *network.Catalog, wall bool) *chain {
	c := &chain{told: &told{cat: cat, visits: map[string]*pb.Visit{}, crossings: map[string]*pb.Crossing{}, facts: map[string]*pb.RunFacts{}, status: map[string]*pb.TrainStatus{}}}
	for _, st := range []stream.Stage{intake.Stage(cat, intake.Config{Wall: wall}), dwell.Stage(cat), border.Stage(cat)} {
		c.folds = append(c.folds, st.New())
	}
	c.out = stream.NewOut(c.emit, func(int64) {})
	return c
}

// emit passes a record on as the next stage and the tables get it.
func (c *chain) emit(topic, _ string, rec *pb.Record) {
	rec = proto.CloneOf(rec)
	rec.KnownAt = c.now
	switch topic {
	case schemas.TrainEvents:
		c.folds[1].Fold(stream.In{Now: c.now, Rec: rec}, c.out)
	case schemas.UnitEvents:
		if f := rec.GetRunFacts(); f != nil {
			keep(c.told.facts, f.Run, f, rec.Deleted)
		}
		c.folds[2].Fold(stream.In{Now: c.now, Rec: rec}, c.out)
	case schemas.TrainStatus:
		v := rec.GetTrainStatus()
		keep(c.told.status, v.Run, v, rec.Deleted)
	case schemas.Visits:
		v := rec.GetVisit()
		keep(c.told.visits, fmt.Sprintf("%s|%s|%s|%d", v.Unit, v.Journey, v.Place, v.N), v, rec.Deleted)
	case schemas.Crossings:
		x := rec.GetCrossing()
		keep(c.told.crossings, fmt.Sprintf("%s|%s|%s|%d", x.Unit, x.Journey, x.Border, x.N), x, rec.Deleted)
	case schemas.Rejects:
		c.told.rejects = append(c.told.rejects, rec.GetReject())
	}
}

func (c *chain) take(value []byte) {
	c.folds[0].Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: value, Offset: c.offset}}, c.out)
	c.offset++
}

// advance closes a round.
func (c *chain) advance(now int64) {
	c.now = max(c.now, now)
	for _, f := range c.folds {
		f.Advance(c.now, c.out)
	}
}

// fold takes a story as it happened: each event when it was written down, with a round of its own.
func (s story) fold(cat *network.Catalog, end int64) *told {
	c := newChain(cat, true)
	for _, ev := range s {
		c.now = max(c.now, ev.at)
		c.take(ev.value)
		c.advance(ev.at)
	}
	c.advance(end)
	return c.told
}

func keep[T any](rows map[string]T, key string, row T, deleted bool) {
	if deleted {
		delete(rows, key)
		return
	}
	rows[key] = row
}
