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
	from, err := ViewsFrom(ctx, conn, c.Database)
	if err != nil {
		return err
	}
	if err := c.createViews(ctx, conn, from, false); err != nil { // so that the exchange is of views of one form
		return err
	}
	if err := c.exchangeViews(ctx, conn, to); err != nil {
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

const createView = "CREATE OR REPLACE VIEW "

// viewSet is the SQL of all views over the tables of a database.
type viewSet struct {
	names  []string          // those first that others read: the names of their files begin with digits
	bodies map[string]string // of each view, what follows its name
	made   string            // what the view viewsMade selects
}

func (c Config) viewsOver(database string) (set viewSet, err error) {
	c.Database = database
	files, err := c.render(views, "views")
	if err != nil {
		return set, fmt.Errorf("prepare views: %w", err)
	}
	paths, err := fs.Glob(files, "*.sql")
	if err != nil {
		return set, err
	}
	set.bodies = map[string]string{}
	sum := sha256.New()
	for _, file := range paths {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return set, err
		}
		name := strings.TrimSuffix(file[strings.Index(file, "_")+1:], ".sql")
		body, ok := strings.CutPrefix(strings.Trim(string(text), "; \n"), createView+database+"."+name)
		if !ok {
			return set, fmt.Errorf("view %s does not begin with %s, its database and its name", file, createView)
		}
		set.names, set.bodies[name] = append(set.names, name), body
		fmt.Fprintf(sum, "%s%s\x00", name, body)
	}
	set.made = fmt.Sprintf("SELECT '%x' AS sum", sum.Sum(nil))
	return set, nil
}

// createViews makes every view over the tables of a database, one after the other in its place, since it may read what only the new
// form of an earlier one has. Where all are there already, just so, it leaves them alone, unless they are wanted anew.
func (c Config) createViews(ctx context.Context, conn driver.Conn, over string, anew bool) error {
	set, err := c.viewsOver(over)
	if err != nil {
		return err
	}
	there, err := column(ctx, conn, "SELECT name FROM system.tables WHERE database = ?", c.Database)
	if err != nil {
		return fmt.Errorf("look for the views of %s: %w", c.Database, err)
	}
	had, err := column(ctx, conn, "SELECT as_select FROM system.tables WHERE database = ? AND name = ?", c.Database, viewsMade)
	if err != nil {
		return fmt.Errorf("look which views %s has: %w", c.Database, err)
	}
	missing := slices.ContainsFunc(set.names, func(name string) bool { return !slices.Contains(there, name) })
	if slices.Equal(had, []string{set.made}) && !missing && !anew {
		return nil
	}
	return c.replaceViews(ctx, conn, set.made, func() error {
		for _, name := range set.names {
			if err := conn.Exec(ctx, createView+c.Database+"."+name+set.bodies[name]); err != nil {
				return fmt.Errorf("create view %s: %w", name, err)
			}
		}
		return nil
	})
}

// exchangeViews lets all views read the tables of another database, in one moment.
func (c Config) exchangeViews(ctx context.Context, conn driver.Conn, over string) error {
	set, err := c.viewsOver(over)
	if err != nil {
		return err
	}
	return c.replaceViews(ctx, conn, set.made, func() error {
		var swaps []string
		for _, name := range set.names {
			if err := conn.Exec(ctx, createView+c.Database+".next_"+name+set.bodies[name]); err != nil {
				return fmt.Errorf("create view next_%s: %w", name, err)
			}
			swaps = append(swaps, fmt.Sprintf("%s.%s AND %[1]s.next_%[2]s", c.Database, name))
		}
		if err := conn.Exec(ctx, "EXCHANGE TABLES "+strings.Join(swaps, ", ")); err != nil {
			return fmt.Errorf("exchange the views: %w", err)
		}
		var errs []error
		for _, name := range set.names {
			errs = append(errs, conn.Exec(ctx, "DROP VIEW IF EXISTS "+c.Database+".next_"+name+" SYNC"))
		}
		return errors.Join(errs...)
	})
}

// replaceViews notes that the views are those that made says, once replace has made them so.
func (c Config) replaceViews(ctx context.Context, conn driver.Conn, made string, replace func() error) error {
	if err := conn.Exec(ctx, "DROP VIEW IF EXISTS "+c.Database+"."+viewsMade+" SYNC"); err != nil {
		return fmt.Errorf("drop view %s: %w", viewsMade, err)
	}
	if err := replace(); err != nil {
		return err
	}
	if err := conn.Exec(ctx, createView+c.Database+"."+viewsMade+" AS "+made); err != nil {
		return fmt.Errorf("create view %s: %w", viewsMade, err)
	}
	return nil
}
