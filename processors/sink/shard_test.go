package sink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
)

// server is an engine of a test's own, which can be killed and started again where it was.
type server struct {
	t      *testing.T
	dir    string
	addr   string
	engine *engine.Engine
}

// newServer starts an engine that knows a cluster c. What the cluster's servers are does not matter: nothing reads through it.
func newServer(t *testing.T) *server {
	t.Helper()
	enginetest.Start(t) // skips without the engine
	s := &server{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	const settings = `<clickhouse><remote_servers><c><shard><replica><host>localhost</host><port>9000</port></replica></shard></c></remote_servers></clickhouse>`
	if err := os.WriteFile(filepath.Join(s.dir, "config.xml"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.addr = s.engine.Addr()
	t.Cleanup(func() { s.engine.Close() }) // the one that runs then
	return s
}

func (s *server) start() {
	s.t.Helper()
	lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := enginetest.Config(lib, s.dir)
	cfg.Listen = s.addr
	if s.engine, err = engine.Start(s.t.Context(), cfg); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the engine as kill -9 does.
func (s *server) kill() {
	s.t.Helper()
	if err := s.engine.Kill(); err != nil {
		s.t.Fatal(err)
	}
	<-s.engine.Done()
}

// useShards turns to an installation in several servers.
func (w *world) useShards(database string, servers ...*server) clickhouse.Shards {
	w.t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		w.t.Fatal(err)
	}
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.addr)
	}
	c := clickhouse.Config{Addr: strings.Join(addrs, ";"), Database: database}
	if len(servers) > 1 {
		c.Cluster = "c"
	}
	if err := clickhouse.Migrate(within(w.t, 3*time.Minute), c, cat); err != nil {
		w.t.Fatal(err)
	}
	shards, err := clickhouse.OpenShards(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { shards.Close() })
	w.database, w.conn, w.shards = database, shards[0], shards
	return shards
}

// rows are the rows of the tables of one server, and the values of each table's shard key.
func (w *world) rows(conn driver.Conn) (rows map[string][]string, keys map[string][]string) {
	w.t.Helper()
	rows, keys = map[string][]string{}, map[string][]string{}
	for _, table := range []string{"train_events", "train_status", "visits", "visits_history", "legs", "legs_history", "ticks"} {
		key := clickhouse.ShardKey(table)
		got, err := conn.Query(within(w.t, time.Minute), fmt.Sprintf("SELECT toString(%s), formatRowNoNewline('JSONEachRow', *) FROM %s.%s FINAL", key, w.database, table))
		if err != nil {
			w.t.Fatal(err)
		}
		for got.Next() {
			var k, row string
			if err := got.Scan(&k, &row); err != nil {
				w.t.Fatal(err)
			}
			rows[table] = append(rows[table], row)
			keys[table] = append(keys[table], k)
		}
		if err := got.Err(); err != nil {
			w.t.Fatal(err)
		}
	}
	return rows, keys
}

// TestLongShards spreads the rows over three servers, of which one is killed and comes back, and the sink is stopped and started: together
// they hold what one server would hold, each key in one of them.
func TestLongShards(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	w := newWorld(t)
	w.history(0, 4)
	w.sinkTo(begin + 3*hour)
	servers := []*server{newServer(t), newServer(t), newServer(t)}
	one, oneDB, oneShards := w.conn, w.database, w.shards
	shards := w.useShards("sharded", servers...)
	cfg, l := w.loud()
	cfg.Conn, cfg.Shards = nil, shards
	r := start(t, cfg)
	w.passed(r, begin+3*hour)
	servers[1].kill()
	w.history(4, 8)
	t.Log(l.says(t, r, "trying again, nothing is lost", "of shard 2", "code=network"))
	gone := time.Now()
	servers[1].start()
	w.passed(r, begin+7*hour)
	t.Logf("passed %s after the shard was back", time.Since(gone).Round(10*time.Millisecond))
	r.end()
	all := map[string][]string{}
	at := map[string]int{} // table/key -> shard
	for i, conn := range shards {
		rows, keys := w.rows(conn)
		for table := range rows {
			all[table] = append(all[table], rows[table]...)
			for _, k := range keys[table] {
				if other, known := at[table+"/"+k]; known && other != i {
					t.Errorf("%s %s lies in shards %d and %d", table, k, other+1, i+1)
				}
				at[table+"/"+k] = i
			}
		}
	}
	w.conn, w.database, w.shards = one, oneDB, oneShards
	w.sinkTo(begin + 7*hour)
	for table := range all {
		slices.Sort(all[table])
	}
	equal(t, "union of the shards", all, w.dump())
	used := map[int]bool{}
	for _, shard := range at {
		used[shard] = true
	}
	if len(used) != 3 {
		t.Errorf("shards used: %v", used)
	}
	// In another order, rows would go to shards that do not hold their older versions.
	cfg.Database, cfg.Shards = "sharded", []driver.Conn{shards[1], shards[0], shards[2]}
	if err := <-start(t, cfg).done; err == nil || !strings.Contains(err.Error(), "holds shard 2 of 3 and is named as shard 1 of 3") {
		t.Errorf("shards in another order: %v", err)
	}
}

// TestReplicaDown: the next of the replicas named is used. (These two do not replicate: what one has stored is all here.)
func TestReplicaDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 3)
	want := w.sinkTo(begin + 2*hour)
	down, up := newServer(t), newServer(t)
	w.useShards("replica", up)
	down.kill()
	shards, err := clickhouse.OpenShards(clickhouse.Config{Addr: down.addr + "," + up.addr, Database: "replica"})
	if err != nil {
		t.Fatal(err)
	}
	defer shards.Close()
	cfg := w.config()
	cfg.Conn, cfg.Shards = nil, shards
	r := start(t, cfg)
	w.passed(r, begin+2*hour)
	r.end()
	equal(t, "by the other replica", w.dump(), want)
}

// TestLongEngineKilled kills ClickHouse while rows are under way to it, again and again, and lets it be away for a while.
func TestLongEngineKilled(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	w := newWorld(t)
	w.history(0, 1)
	whole := w.database
	s := newServer(t)
	shards := w.useShards("killed", s)
	cfg, l := w.loud()
	cfg.Conn, cfg.Shards = nil, shards
	inserts := make(chan struct{}, 1000)
	cfg.Failpoint = func(name string) {
		if name == "before-insert" {
			select {
			case inserts <- struct{}{}:
			default:
			}
		}
	}
	r := start(t, cfg)
	w.passed(r, begin)
	for round := 1; round < 5; round++ {
		for len(inserts) > 0 {
			<-inserts
		}
		w.history(round, round+1)
		<-inserts // rows are on their way now
		s.kill()
		if round == 3 { // away for longer: the waits between attempts grow
			l.says(t, r, "wait=1.6s")
		}
		back := time.Now()
		s.start()
		started := time.Since(back)
		w.passed(r, begin+int64(round)*hour)
		t.Logf("round %d: ClickHouse back after %s, everything stored %s later", round, started.Round(10*time.Millisecond), (time.Since(back) - started).Round(10*time.Millisecond))
	}
	r.end()
	t.Log(l.says(t, r, "trying again, nothing is lost"))
	got := w.dump()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := clickhouse.Open(ctx, clickhouse.Config{Addr: w.addr, Database: whole})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w.database, w.conn, w.shards = whole, conn, clickhouse.Shards{conn}
	equal(t, "after kills", got, w.sinkTo(begin+4*hour))
}
