package sink_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

const hour = int64(time.Hour / time.Millisecond)

// begin is 2026-03-01 00:00 UTC.
const begin = int64(1772323200000)

func visit(run, place string, arrived, departed int64) *pb.Record {
	v := &pb.Visit{
		Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, Place: place, N: 1, Stopped: true, State: pb.State_OPEN,
		Entered: &pb.Moment{At: arrived - 60_000, Basis: pb.Basis_INTERPOLATED, Earliest: arrived - 90_000, Latest: arrived - 30_000},
		Arrived: &pb.Moment{At: arrived, Basis: pb.Basis_REPORT}, VehicleKind: "train", Direction: "middle:up",
	}
	if departed > 0 {
		v.Departed = &pb.Moment{At: departed, Basis: pb.Basis_REPORT}
		v.State = pb.State_CLOSED
	}
	return &pb.Record{Body: &pb.Record_Visit{Visit: v}}
}

func fix(run, id string, at int64, lat, lon float64, recorded int64, hash uint64) *pb.Record {
	speed := float32(42.5)
	return &pb.Record{Body: &pb.Record_Event{Event: &pb.Event{
		Source: "tracker", Id: id, Verb: pb.Verb_POSITION, UnitKind: pb.UnitKind_TRAIN, Subject: run, Time: at, OffsetMin: 300,
		RecordedAt: recorded, IngestedAt: recorded + 5, AcceptedAt: recorded, Hash: hash,
		Data: &pb.Event_Position{Position: &pb.Position{LatE7: int32(lat * 1e7), LonE7: int32(lon * 1e7), SpeedKmh: &speed}},
	}}}
}

// history writes rounds [from, to) of a small world: trains that come, stand, leave, and visits that turn out never to have been.
func (w *world) history(from, to int) {
	for round := from; round < to; round++ {
		now := begin + int64(round)*hour
		for p := range partitions {
			intake, dwell, border := w.task(pb.Stage_INTAKE, p), w.task(pb.Stage_DWELL, p), w.task(pb.Stage_BORDER, p)
			for i := range 20 {
				run := fmt.Sprintf("R%d-%d", p, i%7)
				intake.write(schemas.TrainEvents, i%partitions, fix(run, fmt.Sprint(round, "-", i), now, 44.2, 80.1+float64(i)/100, now, uint64(i)))
				// An earlier fix is corrected.
				intake.write(schemas.TrainEvents, i%partitions, fix(run, fmt.Sprint(round/2, "-", i), now, 44.3, 80.1, now, uint64(i)))
			}
			for i := range 7 {
				run := fmt.Sprintf("R%d-%d", p, i)
				place := fmt.Sprintf("place%d", round/3)
				switch round % 3 {
				case 0:
					dwell.write(schemas.Visits, p, visit(run, place, now, 0))
				case 1:
					dwell.write(schemas.Visits, p, visit(run, place, now-hour, now))
				case 2:
					gone := visit(run, place, now-hour, 0)
					gone.Deleted = i == 3
					dwell.write(schemas.Visits, p, gone)
				}
				dwell.write(schemas.TrainStatus, p, &pb.Record{Body: &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{
					Run: run, UnitKind: pb.UnitKind_TRAIN, State: pb.State_OPEN, SeenAt: now, Place: place, Since: now - hour,
				}}})
				border.write(schemas.Legs, p, &pb.Record{Body: &pb.Record_Leg{Leg: &pb.Leg{
					Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, From: "a", To: place, N: 1, Km: 100.1,
					StartedAt: now - hour, ArrivedAt: now, ElapsedS: 3600, MovingS: 1800 + int64(round), StandingS: 1800,
					Section: "a-b", Corridor: "middle", CorridorBasis: "observed",
				}}})
			}
		}
		w.mark(now)
	}
}

func TestViewsHoldTheLatestVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 6)
	w.sinkTo(begin + 5*hour)
	d := w.views()
	// Two partitions of seven runs, at two places each; every third run's visits were taken back.
	if got, want := len(d["v_visits"]), 2*7*2-2*2; got != want {
		t.Errorf("%d visits, want %d", got, want)
	}
	if got, want := len(d["v_positions"]), 2*20*6; got != want {
		t.Errorf("%d positions, want %d", got, want)
	}
	var corrected uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM "+w.database+".v_positions WHERE lat = 44.3").Scan(&corrected); err != nil {
		t.Fatal(err)
	}
	if want := uint64(2 * 20 * 3); corrected != want {
		t.Errorf("%d corrected positions, want %d", corrected, want)
	}
	var versions uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM "+w.database+".visits_history FINAL").Scan(&versions); err != nil {
		t.Fatal(err)
	}
	if want := uint64(2 * 7 * 6); versions != want {
		t.Errorf("%d versions of visits, want %d: history keeps each", versions, want)
	}
	var now time.Time
	if err := w.conn.QueryRow(t.Context(), "SELECT now FROM "+w.database+".v_now").Scan(&now); err != nil {
		t.Fatal(err)
	}
	if now.UnixMilli() != begin+5*hour {
		t.Errorf("stage time %s, want five hours after the beginning", now)
	}
}

func TestStoppedAndStartedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 12)
	want := w.sinkTo(begin + 11*hour)
	other := newWorld(t)
	for round := range 12 {
		other.history(round, round+1)
		r := start(t, other.config())
		if round%3 > 0 {
			other.passed(r, begin+int64(round)*hour)
		}
		r.end() // sometimes before it has done anything
	}
	equal(t, "stopped after each round", other.sinkTo(begin+11*hour), want)
}

// A process killed after the rows and before the offsets inserts the rows again. Here everything is inserted again, onto rows
// that are newer.
func TestInsertedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 5)
	w.sinkTo(begin + 4*hour)
	ctx := within(t, 3*time.Minute)
	exec := func(query string) {
		t.Helper()
		if err := w.conn.Exec(ctx, strings.ReplaceAll(query, "DB", w.database)); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE OR REPLACE TABLE DB.kept ENGINE = MergeTree ORDER BY topic AS SELECT * FROM DB.sink_offsets FINAL")
	w.history(5, 9)
	want := w.sinkTo(begin + 8*hour)
	for _, again := range []string{"INSERT INTO DB.sink_offsets SELECT * FROM DB.kept", ""} {
		exec("TRUNCATE TABLE DB.sink_offsets")
		if again != "" {
			exec(again)
		}
		r := start(t, w.config())
		w.caughtUp(r)
		r.end()
		equal(t, "inserted again", w.dump(), want)
	}
}

// caughtUp waits until everything in the log is stored.
func (w *world) caughtUp(r *running) {
	w.t.Helper()
	ctx := within(w.t, 2*time.Minute)
	for !w.stored(ctx) {
		select {
		case err := <-r.done:
			w.t.Fatalf("sink ended: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stored tells whether the stored offsets are at the ends of the log.
func (w *world) stored(ctx context.Context) bool {
	w.t.Helper()
	var stored, ends int64
	for _, topic := range schemas.Topics {
		if !sink.Sunk(topic) {
			continue
		}
		for p := range topic.Partitions(partitions) {
			_, end, err := w.log.Offsets(ctx, schemas.InKafka(prefix, topic.Name), p)
			if err != nil {
				w.t.Fatal(err)
			}
			ends += end
		}
	}
	if err := w.conn.QueryRow(ctx, "SELECT toInt64(sum(next_offset)) FROM "+w.database+".sink_offsets FINAL").Scan(&stored); err != nil {
		w.t.Fatal(err)
	}
	return stored == ends
}

func TestRepetitionsAndOldEpochsAreDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.task(pb.Stage_DWELL, 0)
	d.write(schemas.Visits, 0, visit("R", "a", begin, 0))
	d.write(schemas.Visits, 0, visit("R", "a", begin, begin+hour))
	d.writeAs(schemas.Visits, 0, 1, 1, visit("R", "never", begin, 0)) // number 1 was taken
	d.writeAs(schemas.Visits, 0, 2, 1, visit("R", "a", begin, begin+2*hour))
	d.writeAs(schemas.Visits, 0, 1, 3, visit("R", "never", begin, 0)) // a superseded epoch
	d.epoch, d.dest(schemas.Visits, 0).seq = 2, 1
	w.mark(begin)
	w.sinkTo(begin)
	got := w.views()["v_visits"]
	if len(got) != 1 || !strings.Contains(got[0], `"dwell_s":7200`) && !strings.Contains(got[0], `"dwell_s":"7200"`) {
		t.Errorf("visits %q, want one of two hours", got)
	}
}

func TestGapStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.task(pb.Stage_DWELL, 1)
	d.write(schemas.Visits, 1, visit("R", "a", begin, 0))
	d.writeAs(schemas.Visits, 1, 1, 3, visit("R", "b", begin, 0))
	w.flush()
	r := start(t, w.config())
	err := <-r.done
	if err == nil || !strings.Contains(err.Error(), "t.visits/1 offset 1: sequence gap: task dwell/1 epoch 1 sent 3 where 2 was due") {
		t.Fatalf("error %v, want the gap by name", err)
	}
	if got := w.dump()["visits"]; len(got) != 1 {
		t.Errorf("visits %q, want the one before the gap", got)
	}
	// A second start stops at the same place, and not before.
	if again := <-start(t, w.config()).done; again == nil || again.Error() != err.Error() {
		t.Errorf("second start: %v, want %v", again, err)
	}
}

func TestLogBeginsBeyondTheOffsets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 1)
	w.sinkTo(begin)
	w.history(1, 2)
	_, end, err := w.log.Offsets(t.Context(), "t.visits", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.log.DeleteRecords(t.Context(), "t.visits", 0, end-1); err != nil {
		t.Fatal(err)
	}
	err = <-start(t, w.config()).done
	if want := fmt.Sprintf("records [9, %d) are lost to it", end-1); err == nil || !strings.Contains(err.Error(), "t.visits/0") || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestForeignLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 2)
	w.sinkTo(begin + hour)
	other := newWorld(t) // an empty log, and the database of the other
	other.database, other.conn, other.shards = w.database, w.conn, w.shards
	if err := <-start(t, other.config()).done; err == nil || !strings.Contains(err.Error(), "this is not the log it was filled from") {
		t.Errorf("error %v, want that the log is another one", err)
	}
}

// TestClickHouseAway cuts every connection in the middle of an insert for a while.
func TestClickHouseAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 6)
	want := w.sinkTo(begin + 5*hour)
	w.anew()
	target := &url.URL{Scheme: "http", Host: w.addr}
	pass := httputil.NewSingleHostReverseProxy(target)
	var requests, inserts atomic.Int64
	var away atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var n int64
		if away.Load() {
			n = requests.Add(1)
		}
		if q := r.URL.Query(); strings.HasPrefix(q.Get("query"), "INSERT") {
			inserts.Add(1)
			if q.Get("async_insert") != "0" {
				t.Errorf("an insert that ClickHouse may acknowledge before it is stored: %s", q)
			}
		}
		switch {
		case n%4 == 1 && n < 24: // does not arrive
			panic(http.ErrAbortHandler)
		case n%4 == 2 && n < 24: // arrives, and the answer is lost
			pass.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		pass.ServeHTTP(rw, r)
	}))
	proxy.Config.ErrorLog = nil
	defer proxy.Close()
	conn, err := clickhouse.Open(within(t, 3*time.Minute), clickhouse.Config{Addr: proxy.Listener.Addr().String(), Database: w.database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cfg := w.config()
	cfg.Conn = conn
	away.Store(true)
	r := start(t, cfg)
	w.passed(r, begin+5*hour)
	r.end()
	if inserts.Load() < 12 {
		t.Errorf("only %d inserts of %d requests went through the proxy", inserts.Load(), requests.Load())
	}
	equal(t, "after losses", w.dump(), want)
}

// Stopped while ClickHouse is away, the sink ends at once and stores nothing: neither rows nor, later, offsets without their rows.
func TestStoppedWhileAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 3)
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.addr})
	refused := make(chan struct{}, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Query().Get("query"), "INSERT") {
			select {
			case refused <- struct{}{}:
			default:
			}
			panic(http.ErrAbortHandler)
		}
		pass.ServeHTTP(rw, r)
	}))
	defer proxy.Close()
	conn, err := clickhouse.Open(within(t, 3*time.Minute), clickhouse.Config{Addr: proxy.Listener.Addr().String(), Database: w.database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cfg := w.config()
	cfg.Conn = conn
	r := start(t, cfg)
	<-refused
	began := time.Now()
	r.end()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s to stop", took)
	}
	var rows uint64
	if err := w.conn.QueryRow(t.Context(), "SELECT count() FROM "+w.database+".sink_offsets").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d offsets stored without rows, %v", rows, err)
	}
	got := w.sinkTo(begin + 2*hour)
	w.anew()
	equal(t, "after a stop while away", got, w.sinkTo(begin+2*hour))
}

func TestPassedWantsEveryTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mark(begin)
	w.sinkTo(begin)
	for _, c := range []struct {
		want int64
		done bool
	}{{begin - 1, true}, {begin, true}, {begin + 1, false}} {
		done, low, err := sink.Passed(t.Context(), w.shards, w.database, c.want, partitions)
		if err != nil || done != c.done || low != begin {
			t.Errorf("passed %d: %t, lowest %d, %v; want %t, %d", c.want, done, low, err, c.done, begin)
		}
	}
	// A larger installation has tasks that have not been heard of.
	if done, low, err := sink.Passed(t.Context(), w.shards, w.database, begin, partitions+1); done || low != 0 || err != nil {
		t.Errorf("with one partition more: %t, lowest %d, %v; want false, 0", done, low, err)
	}
}
