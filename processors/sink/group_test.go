package sink_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/longtest"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

// TestSinksShareTheWork lets sinks come and go: the tables are those of one sink that was never disturbed.
func TestSinksShareTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 1)
	sinks := []*running{startAs(t, sink.RunGroup, w.config())}
	w.passed(sinks[0], begin)
	for round := 1; round < 7; round++ {
		w.history(round, round+1)
		if round < 4 { // two, three, four of them
			sinks = append(sinks, startAs(t, sink.RunGroup, w.config()))
		} else { // three, two, one; what it has read and not stored is the others'
			sinks[0].end()
			sinks = sinks[1:]
		}
		w.passed(sinks[0], begin+int64(round)*hour)
	}
	sinks[0].end()
	got := w.dump()
	w.anew()
	equal(t, "shared", got, w.sinkTo(begin+6*hour))
}

// TestLongZombies: a sink is silent for longer than a session, and others take over; it wakes and inserts what it had, and writes its
// offsets, which are older than those of its successor.
func TestLongZombies(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	for _, asleep := range []string{"before-insert", "after-insert"} {
		t.Run(asleep, func(t *testing.T) {
			w := newWorld(t)
			ctx := within(t, 3*time.Minute)
			w.history(0, 2)
			w.sinkTo(begin + hour)
			w.history(2, 6)
			zombie := w.startChild(ctx, childConfig{Group: true, Sleep: asleep})
			zombie.says(t, asleep)
			fell := time.Now()
			successor := startAs(t, sink.RunGroup, w.config())
			w.passed(successor, begin+5*hour)
			t.Logf("taken over after %s with sessions of %s", time.Since(fell).Round(10*time.Millisecond), sessionTimeout)
			w.history(6, 8)
			w.passed(successor, begin+7*hour)
			before := w.offsets(ctx)
			zombie.cmd.Process.Signal(syscall.SIGCONT)
			zombie.says(t, "woken")
			w.history(8, 10)
			w.passed(successor, begin+9*hour)
			for at, next := range w.offsets(ctx) {
				if next < before[at] {
					t.Errorf("%s: offset went back from %d to %d", at, before[at], next)
				}
			}
			zombie.kill()
			w.history(10, 11)
			w.passed(successor, begin+10*hour)
			successor.end()
			got := w.dump()
			w.anew()
			equal(t, "after a zombie", got, w.sinkTo(begin+10*hour))
		})
	}
}

func (w *world) offsets(ctx context.Context) map[string]uint64 {
	w.t.Helper()
	rows, err := w.conn.Query(ctx, "SELECT concat(topic, '/', toString(partition)), next_offset FROM "+w.database+".sink_offsets FINAL")
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]uint64{}
	for rows.Next() {
		var at string
		var next uint64
		if err := rows.Scan(&at, &next); err != nil {
			w.t.Fatal(err)
		}
		out[at] = next
	}
	return out
}

// TestOvertaken: between its look at the offsets and its first fetch, another sink stores more, and the log is cut below that. Nothing
// is lost, and the slower one must not say so.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 2)
	w.sinkTo(begin + hour)
	pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.addr})
	var once sync.Once
	overtaken := make(chan struct{})
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(asked))
		answer := httptest.NewRecorder()
		pass.ServeHTTP(answer, r)
		if bytes.Contains(asked, []byte("FROM "+w.database+".sink_offsets")) {
			once.Do(func() {
				w.history(2, 4)
				w.sinkTo(begin + 3*hour)
				w.cut(t.Context())
				close(overtaken)
			})
		}
		for name, values := range answer.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(answer.Code)
		rw.Write(answer.Body.Bytes())
	}))
	defer proxy.Close()
	conn, err := clickhouse.Open(within(t, 3*time.Minute), clickhouse.Config{Addr: proxy.Listener.Addr().String(), Database: w.database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cfg := w.config()
	cfg.Conn = conn
	slow := startAs(t, sink.RunGroup, cfg)
	select { // what follows is written only then: the cut would take it too
	case <-overtaken:
	case <-within(t, 2*time.Minute).Done():
		t.Fatal("the offsets were not asked for through the proxy")
	}
	w.history(4, 5)
	w.passed(slow, begin+4*hour)
	slow.end()
}

// cut deletes from the log what is stored, but for the last record.
func (w *world) cut(ctx context.Context) {
	for _, topic := range schemas.Topics {
		if !sink.Sunk(topic) {
			continue
		}
		for p := range topic.Partitions(partitions) {
			_, end, err := w.log.Offsets(ctx, schemas.InKafka(prefix, topic.Name), p)
			if err == nil && end > 1 {
				err = w.log.DeleteRecords(ctx, schemas.InKafka(prefix, topic.Name), p, end-1)
			}
			if err != nil {
				w.t.Error(err)
			}
		}
	}
}

// TestGapStopsOnePartition: in a group the other partitions go on.
func TestGapStopsOnePartition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.task(pb.Stage_DWELL, 1)
	d.write(schemas.Visits, 1, visit("R", "a", begin, 0))
	d.writeAs(schemas.Visits, 1, 1, 3, visit("R", "b", begin, 0))
	w.flush()
	type halt struct {
		topic     string
		partition int
		err       error
	}
	halts := make(chan halt, 4)
	cfg := w.config()
	cfg.Stopped = func(topic string, partition int, err error) { halts <- halt{topic, partition, err} }
	r := startAs(t, sink.RunGroup, cfg)
	h := <-halts
	if h.topic != schemas.Visits || h.partition != 1 || h.err == nil || !strings.Contains(h.err.Error(), "sequence gap") {
		t.Fatalf("halted %+v, want visits/1 for its gap", h)
	}
	w.task(pb.Stage_DWELL, 0).write(schemas.Visits, 0, visit("S", "a", begin, 0))
	w.flush()
	ctx := within(t, time.Minute)
	for len(w.dump()["visits"]) < 2 {
		if ctx.Err() != nil {
			t.Fatal("visits/0 does not go on")
		}
	}
	r.end()
	if h := <-halts; h.err != nil || h.topic != schemas.Visits || h.partition != 1 {
		t.Errorf("at the end %+v, want visits/1 released", h)
	}
}

// TestGroupRefused: what time does not mend ends the sink with the reason.
func TestGroupRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := w.config()
	cfg.SessionTimeout = time.Millisecond
	cfg.Log = kafkalog.New(kafkalog.Config{Brokers: w.brokers, ClientID: "test"})
	defer cfg.Log.Close()
	if err := sink.RunGroup(within(t, 3*time.Minute), cfg); err == nil || !strings.Contains(err.Error(), "t.sink") {
		t.Errorf("error %v, want the group by name", err)
	}
}
