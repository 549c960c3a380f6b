// Package clickhouse holds the tables and views of an installation in ClickHouse.
//
// Tables are private: keyed rows that are only ever inserted, in which the greatest version of a key counts and a deleted row is
// a version like any other. So inserting again is harmless, at any time after. Views whose name begins with v_ are the analysts'
// contract: the latest version of each row, every column commented, names resolved by the dictionaries places, borders and
// corridors, durations in seconds, times in UTC with milliseconds, NULL where something is not known.
//
//	migrations/  tables and dictionaries, in goose's format: each runs once
//	views/       one file a view, made anew where they differ, since they hold no data; they may read another database (switch.go)
//
// The SQL files are templates: {{.Database}}; {{engine "version, deleted"}} for the engine, which may be replicated; {{from "visits"}}
// for what views read, which may lie in several shards (so they say GLOBAL IN, which means nothing otherwise). Migrations run on every
// server, also where a replica has the change already, so they say IF NOT EXISTS.
package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"

	"corridorwatch/schemas/network"
)

// Config says how to reach ClickHouse and which database is the installation's.
type Config struct {
	// Addr is host:port. Replicas of a server are separated by commas: one that is down is skipped for another. Shards are separated
	// by semicolons, in the order of the cluster's definition: a1,a2;b1,b2
	Addr     string
	Native   bool        // ClickHouse's own protocol (port 9000); false: HTTP (port 8123)
	TLS      *tls.Config // nil: no TLS
	User     string      // empty: default
	Password string
	Database string // small letters, digits and _
	// Cluster is the name, in the servers' remote_servers, of the cluster whose shards Addr lists; views read all of them through it.
	// It must be given where there are several shards.
	Cluster string
	// TablesAlone leaves out views and catalogue where a database is migrated that no person asks.
	TablesAlone bool

	// Of one server, while it is migrated.
	shard   placed // from 1
	replica string // its name among the replicas; empty: it has none
}

var databaseName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Options are the driver's, connected to the given database by any of the servers.
func (c Config) Options(database string) *ch.Options {
	o := &ch.Options{
		Addr:        strings.FieldsFunc(c.Addr, func(r rune) bool { return r == ',' || r == ';' }),
		Protocol:    ch.HTTP,
		TLS:         c.TLS,
		Auth:        ch.Auth{Database: database, Username: c.User, Password: c.Password},
		DialTimeout: 10 * time.Second,
	}
	if c.Native {
		o.Protocol = ch.Native
	}
	return o
}

// Open connects to the installation's database and asks whether the server is there.
func Open(ctx context.Context, c Config) (driver.Conn, error) {
	conn, err := ch.Open(c.Options(c.Database))
	if err != nil {
		return nil, fmt.Errorf("open clickhouse at %s: %w", c.Addr, err)
	}
	if err := conn.Ping(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("reach clickhouse at %s: %w", c.Addr, err), conn.Close())
	}
	return conn, nil
}

// Migrate brings every server to this program's tables and views, and the catalogue tables to cat. It may be run at any time and any
// number of times; what is there already is left alone. Each server is asked by itself, and not through the cluster, so that it is
// known which has not been reached: the others are done then, and it is by running it again.
func Migrate(ctx context.Context, c Config, cat *network.Catalog) error {
	servers, err := c.servers()
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range servers {
		if err := one.migrate(ctx, cat); err != nil {
			errs = append(errs, fmt.Errorf("clickhouse at %s: %w", one.Addr, err))
		}
	}
	return errors.Join(errs...)
}

func (c Config) migrate(ctx context.Context, cat *network.Catalog) error {
	if err := c.createDatabase(ctx); err != nil {
		return err
	}
	provider, close, err := c.provider()
	if err != nil {
		return err
	}
	defer close()
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate database %s: %w", c.Database, err)
	}
	conn, err := Open(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.shard.of > 1 {
		if err := c.placeShard(ctx, conn); err != nil {
			return err
		}
	}
	if c.Cluster != "" {
		if err := c.createDistributed(ctx, conn); err != nil {
			return err
		}
	}
	if c.TablesAlone {
		return nil
	}
	from, err := ViewsFrom(ctx, conn, c.Database)
	if err != nil {
		return err
	}
	if err := c.createViews(ctx, conn, from, len(done) > 0); err != nil {
		return err
	}
	if err := c.refreshReaders(ctx, conn, len(done) > 0); err != nil {
		return err
	}
	return c.loadCatalogue(ctx, conn, cat)
}

// Version returns the number of the last migration the database has seen (0: none) and that of this program.
func Version(ctx context.Context, c Config) (have, want int64, err error) {
	provider, close, err := c.provider()
	if err != nil {
		return 0, 0, err
	}
	defer close()
	if have, want, err = provider.GetVersions(ctx); err != nil {
		return 0, 0, fmt.Errorf("version of database %s: %w", c.Database, err)
	}
	return have, want, nil
}

func (c Config) createDatabase(ctx context.Context) error {
	if !databaseName.MatchString(c.Database) {
		return fmt.Errorf("database name %q: use small letters, digits and _ only", c.Database)
	}
	conn, err := ch.Open(c.Options("default"))
	if err != nil {
		return fmt.Errorf("open clickhouse at %s: %w", c.Addr, err)
	}
	defer conn.Close()
	if err := conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+c.Database); err != nil {
		return fmt.Errorf("create database %s: %w", c.Database, err)
	}
	return nil
}

// provider runs the migrations; close it when done.
func (c Config) provider() (_ *goose.Provider, close func() error, err error) {
	files, err := c.render(migrations, "migrations")
	if err != nil {
		return nil, nil, fmt.Errorf("prepare migrations: %w", err)
	}
	db := ch.OpenDB(c.Options(c.Database))
	p, err := goose.NewProvider(goose.DialectClickHouse, db, files)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("prepare migrations: %w", err), db.Close())
	}
	return p, db.Close, nil
}
