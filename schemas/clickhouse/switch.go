package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Switch lets the v_ views of a database read the tables of another one, or its own again, and remembers that for later migrations.
// Every view is prepared beside its predecessor first; then all change places in one statement. A query sees each view as it was or as
// it is, and none is missing at any moment.
func Switch(ctx context.Context, c Config, to string) error {
	if !databaseName.MatchString(to) {
		return fmt.Errorf("database name %q: use small letters, digits and _ only", to)
	}
	servers, err := c.servers()
	if err != nil {
		return err
	}
	for _, one := range servers {
		if err := one.switchViews(ctx, to); err != nil {
			return fmt.Errorf("clickhouse at %s: %w (run it again: the others are done by then)", one.Addr, err)
		}
	}
	return nil
}

func (c Config) switchViews(ctx context.Context, to string) error {
	conn, err := Open(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	tables, err := column(ctx, conn, "SELECT name FROM system.tables WHERE database = ? AND name = 'views_from'", to)
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("there is no database %s of this version: replay into it, or run 'corridorwatch migrate' with its prefix", to)
	}
	target := c
	target.Database = to
	have, want, err := Version(ctx, target)
	if err != nil {
		return err
	}
	if have != want {
		return fmt.Errorf("database %s is at version %d, this program at %d: run 'corridorwatch migrate' with its prefix first", to, have, want)
	}
	if err := c.createViews(ctx, conn, to); err != nil {
		return err
	}
	if err := conn.Exec(ctx, "INSERT INTO "+c.Database+".views_from (source) SETTINGS async_insert = 0 VALUES (?)", to); err != nil {
		return fmt.Errorf("remember that the views read %s: %w", to, err)
	}
	return nil
}

// ViewsFrom tells which database the views of a database read: its own unless they were switched.
func ViewsFrom(ctx context.Context, conn driver.Conn, database string) (string, error) {
	var from string
	err := conn.QueryRow(ctx, "SELECT argMax(source, at) FROM "+database+".views_from").Scan(&from)
	if err != nil {
		return "", fmt.Errorf("look which tables the views of %s read: %w", database, err)
	}
	if from == "" {
		from = database
	}
	return from, nil
}

// refreshReaders makes the views of other databases anew that read this one: a migration may have changed what they select from.
func (c Config) refreshReaders(ctx context.Context, conn driver.Conn) error {
	others, err := column(ctx, conn, "SELECT database FROM system.tables WHERE name = 'views_from' AND database != ?", c.Database)
	if err != nil {
		return fmt.Errorf("look for views that read %s: %w", c.Database, err)
	}
	for _, other := range others {
		from, err := ViewsFrom(ctx, conn, other)
		if err != nil {
			return err
		}
		if from != c.Database {
			continue
		}
		reader := c
		reader.Database = other
		if err := reader.createViews(ctx, conn, c.Database); err != nil {
			return err
		}
	}
	return nil
}

// createViews makes every view anew over the tables of a database, those first that others read: their names begin with digits.
func (c Config) createViews(ctx context.Context, conn driver.Conn, over string) error {
	source := c
	source.Database = over
	files, err := source.render(views, "views")
	if err != nil {
		return fmt.Errorf("prepare views: %w", err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	var swaps, spare []string
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(file[strings.Index(file, "_")+1:], ".sql")
		exists, err := column(ctx, conn, "SELECT name FROM system.tables WHERE database = ? AND name = ?", c.Database, name)
		if err != nil {
			return fmt.Errorf("look for view %s: %w", name, err)
		}
		made := name
		if len(exists) > 0 {
			made = "next_" + name
			swaps, spare = append(swaps, fmt.Sprintf("%s.%s AND %[1]s.%[3]s", c.Database, name, made)), append(spare, made)
		}
		head := "CREATE OR REPLACE VIEW "
		sql, ok := strings.CutPrefix(strings.Trim(string(text), "; \n"), head+over+"."+name)
		if !ok {
			return fmt.Errorf("view %s does not begin with %s, its database and its name", file, head)
		}
		if err := conn.Exec(ctx, head+c.Database+"."+made+sql); err != nil {
			return fmt.Errorf("create view %s: %w", name, err)
		}
	}
	if len(swaps) == 0 {
		return nil
	}
	if err := conn.Exec(ctx, "EXCHANGE TABLES "+strings.Join(swaps, ", ")); err != nil {
		return fmt.Errorf("exchange the views: %w", err)
	}
	var errs []error
	for _, name := range spare {
		errs = append(errs, conn.Exec(ctx, "DROP VIEW IF EXISTS "+c.Database+"."+name+" SYNC"))
	}
	return errors.Join(errs...)
}
