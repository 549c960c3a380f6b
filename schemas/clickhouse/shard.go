package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/cespare/xxhash/v2"
)

// shardKeys names for each table the column whose value chooses the shard: a part of the key, so that all versions of a row lie in one
// shard, and nothing that can be revised.
var shardKeys = map[string]string{
	"train_events": "subject", "unit_events": "subject", "shipments": "subject", "restrictions": "subject", "restrictions_history": "subject", "plans": "subject",
	"rejects": "id", "train_status": "run", "visits": "unit", "visits_history": "unit", "legs": "unit", "legs_history": "unit",
	"crossings": "unit", "crossings_history": "unit", "crossing_delays": "unit", "delay_stats": "area", "alerts": "fingerprint", "alerts_history": "fingerprint",
	"recomputed": "subject", "sink_offsets": "topic", "ticks": "topic",
}

// ShardKey is the column whose value chooses the shard of a row of table.
func ShardKey(table string) string { return shardKeys[table] }

// Shard is the shard, from 0, of the rows whose column ShardKey has the value key. ClickHouse computes the same as
// xxHash64(column) % shards, which is what a Distributed table does with shards of equal weight.
func Shard(key string, shards int) int {
	if shards == 1 {
		return 0
	}
	return int(xxhash.Sum64String(key) % uint64(shards))
}

// Shards are connections to the shards of an installation. Most have one.
type Shards []driver.Conn

// OpenShards makes the connections. Nothing is sent yet.
func OpenShards(c Config) (Shards, error) {
	var out Shards
	for i, addr := range c.shards() {
		one := c
		one.Addr = addr
		conn, err := ch.Open(one.Options(c.Database))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open shard %d of clickhouse at %s: %w", i+1, addr, err), out.Close())
		}
		out = append(out, conn)
	}
	return out, nil
}

// placed is what a shard knows of itself.
type placed struct{ number, of uint32 }

// Check makes sure that each shard is the one it was when its tables were made: in another order, or with another number of shards,
// rows would go to shards that do not hold their older versions.
func (s Shards) Check(ctx context.Context, database string) error {
	if len(s) == 1 {
		return nil
	}
	for i, conn := range s {
		if err := checkShard(ctx, conn, database, placed{uint32(i + 1), uint32(len(s))}); err != nil {
			return err
		}
	}
	return nil
}

// MisplacedError says that a server is named as another shard than it is.
type MisplacedError struct{ is, named placed }

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("a server holds shard %d of %d and is named as shard %d of %d: order and number of the shards in CORRIDORWATCH_CLICKHOUSE "+
		"must stay what they were when the tables were made; for others replay into a new prefix", e.is.number, e.is.of, e.named.number, e.named.of)
}

func checkShard(ctx context.Context, conn driver.Conn, database string, named placed) error {
	var is placed
	if err := conn.QueryRow(ctx, "SELECT number, shards FROM "+database+".shard").Scan(&is.number, &is.of); err != nil {
		return fmt.Errorf("which shard a server is: %w", err)
	}
	if is != named {
		return &MisplacedError{is, named}
	}
	return nil
}

// placeShard lets a server remember which shard it is.
func (c Config) placeShard(ctx context.Context, conn driver.Conn) error {
	for _, query := range []string{
		"CREATE TABLE IF NOT EXISTS %[1]s.shard (number UInt32, shards UInt32) ENGINE = MergeTree ORDER BY number",
		"INSERT INTO %[1]s.shard SELECT %[2]d, %[3]d WHERE (SELECT count() FROM %[1]s.shard) = 0",
	} {
		if err := conn.Exec(ctx, fmt.Sprintf(query, c.Database, c.shard.number, c.shard.of)); err != nil {
			return fmt.Errorf("note which shard this is: %w", err)
		}
	}
	return checkShard(ctx, conn, c.Database, c.shard)
}

// Close closes all connections.
func (s Shards) Close() error {
	var errs []error
	for _, conn := range s {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// DropDatabase drops a database in every shard, if it is there.
func (s Shards) DropDatabase(ctx context.Context, database string) error {
	var errs []error
	for _, conn := range s {
		errs = append(errs, conn.Exec(ctx, "DROP DATABASE IF EXISTS "+database+" SYNC"))
	}
	return errors.Join(errs...)
}

// OneReplica names of each shard the first replica that answers.
func (c Config) OneReplica(ctx context.Context) (Config, error) {
	var chosen []string
	for i, shard := range c.shards() {
		var errs []error
		for _, addr := range strings.Split(shard, ",") {
			one := c
			one.Addr = addr
			conn, err := Open(ctx, one)
			if err == nil {
				conn.Close()
				chosen = append(chosen, addr)
				break
			}
			errs = append(errs, err)
		}
		if len(chosen) <= i {
			return c, errors.Join(errs...)
		}
	}
	c.Addr = strings.Join(chosen, ";")
	return c, nil
}

func (c Config) shards() []string { return strings.Split(c.Addr, ";") }

// servers are the configurations of all servers, each alone.
func (c Config) servers() (all []Config, err error) {
	shards := c.shards()
	if len(shards) > 1 && c.Cluster == "" {
		return nil, errors.New("several shards and no cluster: name it, as the servers' remote_servers does, by CORRIDORWATCH_CLICKHOUSE_CLUSTER")
	}
	for i, shard := range shards {
		replicas := strings.Split(shard, ",")
		for _, addr := range replicas {
			one := c
			one.Addr, one.shard = addr, placed{uint32(i + 1), uint32(len(shards))}
			if len(replicas) > 1 {
				one.replica = addr
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// allShards ends the name of the table through which a table is read in all shards.
const allShards = "_all"

// createDistributed makes the tables through which views read all shards. They hold no data, and are made anew by every migration, so
// that they have the columns of their table.
func (c Config) createDistributed(ctx context.Context, conn driver.Conn) error {
	for _, table := range slices.Sorted(maps.Keys(shardKeys)) {
		if err := conn.Exec(ctx, c.distributed(table)); err != nil {
			return fmt.Errorf("create table %s%s over cluster %s: %w", table, allShards, c.Cluster, err)
		}
	}
	return nil
}

func (c Config) distributed(table string) string {
	return fmt.Sprintf("CREATE OR REPLACE TABLE %[1]s.%[2]s%[3]s AS %[1]s.%[2]s ENGINE = Distributed('%[4]s', '%[1]s', '%[2]s', xxHash64(%[5]s))",
		c.Database, table, allShards, escape(c.Cluster), shardKeys[table])
}
