package clickhouse

import (
	"errors"
	"fmt"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/cespare/xxhash/v2"
)

// Shards are connections to the shards of an installation, of which a whole row lies in one. Most installations have one shard.
type Shards []driver.Conn

// OpenShards makes the connections. Nothing is sent yet.
func OpenShards(c Config) (Shards, error) {
	var out Shards
	for i, addr := range strings.Split(c.Addr, ";") {
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

// Close closes all connections.
func (s Shards) Close() error {
	var errs []error
	for _, conn := range s {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

// Shard is the shard, from 0, of the rows whose column ShardKey has the value key. ClickHouse computes the same as
// xxHash64(column) % shards, which is what a Distributed table does with shards of equal weight.
func Shard(key string, shards int) int {
	if shards == 1 {
		return 0
	}
	return int(xxhash.Sum64String(key) % uint64(shards))
}
