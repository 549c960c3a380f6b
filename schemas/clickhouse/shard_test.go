package clickhouse_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
)

// The program and a Distributed table agree on where a row lies.
func TestShardIsThatOfClickHouse(t *testing.T) {
	d := migrated(t)
	for _, key := range []string{"", "a", "KTZ:7084-087-1306:2026-03-01", "MSKU1234565", "поезд", strings.Repeat("long ", 100)} {
		for _, n := range []int{1, 2, 3, 7} {
			d.want(fmt.Sprintf("SELECT toUInt32(xxHash64('%s') %% %d)", key, n), fmt.Sprint(clickhouse.Shard(key, n)))
		}
	}
}

// Every table whose rows have versions has a shard key, which is a part of its key and no time.
func TestShardKeysAreOfTheKey(t *testing.T) {
	d := migrated(t)
	rows, err := d.conn.Query(t.Context(), "SELECT table, groupArrayIf(name, is_in_sorting_key AND type LIKE '%String%') FROM system.columns WHERE database = ? "+
		"AND table IN (SELECT name FROM system.tables WHERE database = ? AND engine = 'ReplacingMergeTree') GROUP BY table", d.config.Database, d.config.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var table string
		var keys []string
		if err := rows.Scan(&table, &keys); err != nil {
			t.Fatal(err)
		}
		n++
		if key := clickhouse.ShardKey(table); key == "" || !strings.Contains(" "+strings.Join(keys, " ")+" ", " "+key+" ") {
			t.Errorf("%s: shard key %q is not one of %v", table, key, keys)
		}
	}
	if n < 15 {
		t.Errorf("%d tables", n)
	}
}

// ofItsOwn starts an engine that knows a cluster c, of one shard, which is itself.
func ofItsOwn(t *testing.T) *engine.Engine {
	t.Helper()
	enginetest.Start(t) // skips without the engine
	lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const settings = `<clickhouse><tcp_port>9000</tcp_port><remote_servers><c><shard><replica><host>localhost</host><port>9000</port>` +
		`</replica></shard></c></remote_servers></clickhouse>`
	if err := os.WriteFile(filepath.Join(dir, "config.xml"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), enginetest.Config(lib, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestLongStoryThroughACluster reads the views through Distributed tables.
func TestLongStoryThroughACluster(t *testing.T) {
	longtest.Only(t)
	c := clickhouse.Config{Addr: ofItsOwn(t).Addr(), Database: "story", Cluster: "c"}
	if err := clickhouse.Migrate(within(t, 3*time.Minute), c, catalogue(t)); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(within(t, time.Minute), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d := &database{t, c, conn}
	d.want("SELECT count() FROM system.tables WHERE database = 'story' AND engine = 'Distributed'", "21")
	tellStory(d, "story")
	if _, err := clickhouse.Dump(within(t, time.Minute), conn, c.Database, clickhouse.AllViews); err != nil { // of every view
		t.Error(err)
	}
}

// TestLongReplicatedTables: the statements for replicated tables are ones that ClickHouse understands. Creating them takes Keeper, which
// the embedded engine has not.
func TestLongReplicatedTables(t *testing.T) {
	longtest.Only(t)
	d := migrated(t)
	statements, err := clickhouse.Statements(clickhouse.Config{Addr: "a1:8123,a2:8123;b1:8123,b2:8123", Database: "d", Cluster: "c"})
	if err != nil {
		t.Fatal(err)
	}
	replicated := map[string]int{}
	for server, all := range statements {
		for _, s := range all {
			if err := d.conn.Exec(within(t, time.Minute), "EXPLAIN AST "+s); err != nil {
				t.Errorf("%s: %v\n%s", server, err, s)
			}
			if strings.Contains(s, "ReplacingMergeTree(") {
				replicated[server]++
				shard := map[byte]string{'a': "shard1", 'b': "shard2"}[server[0]]
				if want := fmt.Sprintf("ReplicatedReplacingMergeTree('/clickhouse/corridorwatch/{database}/%s/{table}', '%s', ", shard, server); !strings.Contains(s, want) {
					t.Errorf("%s: want %s in\n%s", server, want, s)
				}
			}
		}
	}
	if len(replicated) != 4 || replicated["a1:8123"] != 21 {
		t.Errorf("replicated tables by server: %v, want 21 on each of four", replicated)
	}
}

func TestShardsNeedACluster(t *testing.T) {
	c := clickhouse.Config{Addr: "localhost:1;localhost:2", Database: "d"}
	if err := clickhouse.Migrate(context.Background(), c, catalogue(t)); err == nil || !strings.Contains(err.Error(), "CORRIDORWATCH_CLICKHOUSE_CLUSTER") {
		t.Errorf("error %v, want the setting", err)
	}
}
