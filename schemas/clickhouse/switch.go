package clickhouse

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	if err := c.createViews(ctx, conn, to, false); err != nil {
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

// refreshReaders sees to the views of other databases that read this one; anew: a migration has changed what they select from.
func (c Config) refreshReaders(ctx context.Context, conn driver.Conn, anew bool) error {
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
		if err := reader.createViews(ctx, conn, c.Database, anew); err != nil {
			return err
		}
	}
	return nil
}

// viewsMade is a view that holds the sum of the others' SQL, so that it is known whether they are of this program. It is made last and
// dropped first.
const viewsMade = "views_made"

// createViews makes every view over the tables of a database, those first that others read: their names begin with digits. Where all
// are there already, just so, it leaves them alone, unless they are wanted anew.
func (c Config) createViews(ctx context.Context, conn driver.Conn, over string, anew bool) error {
	source := c
	source.Database = over
	files, err := source.render(views, "views")
	if err != nil {
		return fmt.Errorf("prepare views: %w", err)
	}
	paths, err := fs.Glob(files, "*.sql")
	if err != nil {
		return err
	}
	const head = "CREATE OR REPLACE VIEW "
	var names []string
	bodies := map[string]string{} // of each view, what follows its name
	sum := sha256.New()
	for _, file := range paths {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(file[strings.Index(file, "_")+1:], ".sql")
		body, ok := strings.CutPrefix(strings.Trim(string(text), "; \n"), head+over+"."+name)
		if !ok {
			return fmt.Errorf("view %s does not begin with %s, its database and its name", file, head)
		}
		names, bodies[name] = append(names, name), body
		fmt.Fprintf(sum, "%s%s\x00", name, body)
	}
	made := fmt.Sprintf("SELECT '%x' AS sum", sum.Sum(nil))
	there, err := column(ctx, conn, "SELECT name FROM system.tables WHERE database = ?", c.Database)
	if err != nil {
		return fmt.Errorf("look for the views of %s: %w", c.Database, err)
	}
	had, err := column(ctx, conn, "SELECT as_select FROM system.tables WHERE database = ? AND name = ?", c.Database, viewsMade)
	if err != nil {
		return fmt.Errorf("look which views %s has: %w", c.Database, err)
	}
	missing := slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(there, name) })
	if slices.Equal(had, []string{made}) && !missing && !anew {
		return nil
	}
	if err := conn.Exec(ctx, "DROP VIEW IF EXISTS "+c.Database+"."+viewsMade+" SYNC"); err != nil {
		return fmt.Errorf("drop view %s: %w", viewsMade, err)
	}
	var swaps, spare []string
	for _, name := range names {
		made := name
		if slices.Contains(there, name) {
			made = "next_" + name
			swaps, spare = append(swaps, fmt.Sprintf("%s.%s AND %[1]s.%[3]s", c.Database, name, made)), append(spare, made)
		}
		if err := conn.Exec(ctx, head+c.Database+"."+made+bodies[name]); err != nil {
			return fmt.Errorf("create view %s: %w", name, err)
		}
	}
	if len(swaps) > 0 {
		if err := conn.Exec(ctx, "EXCHANGE TABLES "+strings.Join(swaps, ", ")); err != nil {
			return fmt.Errorf("exchange the views: %w", err)
		}
		var errs []error
		for _, name := range spare {
			errs = append(errs, conn.Exec(ctx, "DROP VIEW IF EXISTS "+c.Database+"."+name+" SYNC"))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("drop the views of before: %w", err)
		}
	}
	if err := conn.Exec(ctx, head+c.Database+"."+viewsMade+" AS "+made); err != nil {
		return fmt.Errorf("create view %s: %w", viewsMade, err)
	}
	return nil
}
