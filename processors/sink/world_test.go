package sink_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		child()
	}
	enginetest.Main(m)
}

const (
	prefix     = "t"
	partitions = 2
	// sessionTimeout is short, so that those that wait for it do not wait for long.
	sessionTimeout = time.Second
)

// world is a broker with the topics of an installation, and a database.
type world struct {
	t        testing.TB
	log      *kafkalog.Client
	brokers  []string
	addr     string // of ClickHouse
	database string
	conn     driver.Conn
	shards   []driver.Conn // conn alone, unless the test has several
	tasks    map[string]*task
}

func newWorld(t testing.TB) *world {
	t.Helper()
	addr := enginetest.Start(t)
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(sessionTimeout))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	w := &world{t: t, brokers: broker.ListenAddrs(), addr: addr, tasks: map[string]*task{}}
	w.log = kafkalog.New(kafkalog.Config{Brokers: broker.ListenAddrs(), ClientID: "test", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { w.log.Close() })
	var specs []kafkalog.TopicSpec
	for _, topic := range schemas.Topics {
		specs = append(specs, kafkalog.TopicSpec{
			Name: schemas.InKafka(prefix, topic.Name), Partitions: topic.Partitions(partitions), Replication: 1,
		})
	}
	if err := w.log.CreateTopics(within(t, time.Minute), specs); err != nil {
		t.Fatal(err)
	}
	w.anew()
	return w
}

// emptied are migrated databases that a test has left: to empty one costs a tenth of making it.
var emptied struct {
	mu    sync.Mutex // guards names
	names []string
}

// anew turns to an empty database.
func (w *world) anew() {
	w.t.Helper()
	name := fmt.Sprintf("sink_%d", time.Now().UnixNano())
	emptied.mu.Lock()
	n := len(emptied.names) - 1
	if n >= 0 {
		name, emptied.names = emptied.names[n], emptied.names[:n]
	}
	emptied.mu.Unlock()
	if n < 0 {
		w.migrate(name)
	}
	w.turnTo(name)
	conn := w.conn
	w.t.Cleanup(func() {
		if !w.t.Failed() && empty(conn, name) == nil {
			emptied.mu.Lock()
			defer emptied.mu.Unlock()
			emptied.names = append(emptied.names, name)
		}
	})
}

// empty truncates the tables that a sink fills.
func empty(conn driver.Conn, database string) error {
	ctx := context.Background()
	rows, err := conn.Query(ctx, "SELECT name FROM system.tables WHERE database = ? AND engine LIKE '%MergeTree' AND total_rows > 0 AND NOT startsWith(name, 'catalogue') "+
		"AND NOT startsWith(name, 'goose')", database)
	if err != nil {
		return err
	}
	var errs []error
	for rows.Next() {
		var name string
		errs = append(errs, rows.Scan(&name))
		errs = append(errs, conn.Exec(ctx, "TRUNCATE TABLE "+database+"."+name))
	}
	return errors.Join(append(errs, rows.Err(), rows.Close())...)
}

// within bounds a test in time.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// use makes a database that no other test will have, and turns to it.
func (w *world) use(database string) {
	w.t.Helper()
	w.migrate(database)
	w.turnTo(database)
	conn := w.conn
	w.t.Cleanup(func() { conn.Exec(context.Background(), "DROP DATABASE "+database) })
}

func (w *world) migrate(database string) {
	w.t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := clickhouse.Migrate(within(w.t, 3*time.Minute), clickhouse.Config{Addr: w.addr, Database: database}, cat); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) turnTo(database string) {
	w.t.Helper()
	conn, err := clickhouse.Open(within(w.t, 3*time.Minute), clickhouse.Config{Addr: w.addr, Database: database})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	w.database, w.conn, w.shards = database, conn, []driver.Conn{conn}
}

// task writes sequenced records as a task of a stage does.
type task struct {
	w     *world
	stage pb.Stage
	index uint32
	epoch uint32
	now   int64
	dests map[string]*dest
}

type dest struct {
	out *kafkalog.Appender
	seq uint64
}

func (w *world) task(stage pb.Stage, index int) *task {
	key := fmt.Sprint(stage, index)
	if w.tasks[key] == nil {
		w.tasks[key] = &task{w: w, stage: stage, index: uint32(index), epoch: 1, dests: map[string]*dest{}}
	}
	return w.tasks[key]
}

func (t *task) dest(topic string, partition int) *dest {
	key := fmt.Sprint(topic, partition)
	if t.dests[key] == nil {
		t.dests[key] = &dest{out: t.w.log.Appender(schemas.InKafka(prefix, topic), partition)}
	}
	return t.dests[key]
}

// write appends a record under the next number.
func (t *task) write(topic string, partition int, rec *pb.Record) {
	d := t.dest(topic, partition)
	d.seq++
	t.writeAs(topic, partition, t.epoch, d.seq, rec)
}

// writeAs appends a record under a number of its own.
func (t *task) writeAs(topic string, partition int, epoch uint32, seq uint64, rec *pb.Record) {
	rec.Stage, rec.Task, rec.Epoch, rec.Seq, rec.KnownAt = t.stage, t.index, epoch, seq, t.now
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
	if err != nil {
		t.w.t.Fatal(err)
	}
	t.dest(topic, partition).out.Append([]byte("key"), b)
}

// mark closes a round of every task everywhere.
func (w *world) mark(at int64) {
	w.t.Helper()
	for _, topic := range schemas.Topics {
		for _, stage := range topic.Writers {
			for i := range partitions {
				t := w.task(stage, i)
				t.now = at
				for p := range partitions {
					if !topic.Own || p == i {
						t.write(topic.Name, p, &pb.Record{Body: &pb.Record_Mark{Mark: at}})
					}
				}
			}
		}
	}
	w.flush()
}

func (w *world) flush() {
	w.t.Helper()
	for _, t := range w.tasks {
		for _, d := range t.dests {
			if _, err := d.out.Flush(within(w.t, time.Minute)); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// running is a sink at work.
type running struct {
	t    testing.TB
	stop context.CancelFunc
	done chan error
}

func (w *world) config() sink.Config {
	return sink.Config{
		Log: w.log, Conn: w.conn, Prefix: prefix, Database: w.database, Partitions: partitions,
		FlushEvery: 20 * time.Millisecond, SessionTimeout: sessionTimeout, Logger: slog.New(slog.DiscardHandler),
	}
}

func start(t testing.TB, cfg sink.Config) *running { return startAs(t, sink.Run, cfg) }

func startAs(t testing.TB, run func(context.Context, sink.Config) error, cfg sink.Config) *running {
	ctx, cancel := context.WithCancel(within(t, 5*time.Minute))
	r := &running{t: t, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- run(ctx, cfg) }()
	var once sync.Once
	t.Cleanup(func() { once.Do(cancel) })
	return r
}

// end stops the sink and wants no error.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.t.Fatal(err)
	}
}

// passed waits until the sink has passed a mark.
func (w *world) passed(r *running, mark int64) {
	w.t.Helper()
	ctx := within(w.t, 2*time.Minute)
	for {
		done, low, err := sink.Passed(ctx, w.shards, w.database, mark, partitions)
		if err != nil {
			w.t.Fatal(err)
		}
		if done {
			return
		}
		select {
		case err := <-r.done:
			w.t.Fatalf("sink ended at mark %d, waiting for %d: %v", low, mark, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// sinkTo runs a sink until it has passed a mark, and returns what is in the tables.
func (w *world) sinkTo(mark int64) map[string][]string {
	w.t.Helper()
	r := start(w.t, w.config())
	w.passed(r, mark)
	r.end()
	return w.dump()
}

// dump are the rows of the tables that history fills. Everything that views say comes from them.
func (w *world) dump() map[string][]string {
	w.t.Helper()
	rows, _ := w.rows(w.conn)
	for _, of := range rows {
		slices.Sort(of)
	}
	return rows
}

// views are what the stored views say.
func (w *world) views() map[string][]string {
	w.t.Helper()
	d, err := clickhouse.Dump(within(w.t, 3*time.Minute), w.conn, w.database, clickhouse.StoredViews)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// equal fails unless two dumps are the same.
func equal(t testing.TB, what string, got, want map[string][]string) {
	t.Helper()
	if diff := clickhouse.Diff(got, want, 5); diff != "" {
		t.Errorf("%s: tables differ (first: got, second: want)\n%s", what, diff)
	}
}
