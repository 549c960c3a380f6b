package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// insertTimeout bounds one attempt, so that a connection that went silent is given up.
const insertTimeout = 2 * time.Minute

// insert makes one insert of the rows of several sheets of one kind. ClickHouse must not gather inserts on its side: what it has
// acknowledged must be stored.
func insert(ctx context.Context, conn driver.Conn, table string, group []*sheet) error {
	columns := make([]ch.ColumnNameAndType, len(group[0].columns))
	for i, c := range group[0].columns {
		columns[i] = ch.ColumnNameAndType{Name: c.name, Type: c.typ}
	}
	// ClickHouse would merge versions of a row before it stores a part. Of results there are many; events come once, and sorting
	// them out twice costs half of the insert.
	merge := 1
	if group[0].kind.events() {
		merge = 0
	}
	ctx = ch.Context(ctx, ch.WithSettings(ch.Settings{"async_insert": 0, "optimize_on_insert": merge}))
	return insertRows(ctx, conn, table, columns, func(b driver.Batch) error {
		for i := range columns {
			into := b.Column(i)
			for _, s := range group {
				if err := s.columns[i].cells.appendTo(into); err != nil {
					return fmt.Errorf("column %s: %w", columns[i].Name, err)
				}
			}
		}
		return nil
	})
}

// insertRows makes one insert of what fill appends, with the settings of ctx. Naming the columns' types spares a question to the server.
func insertRows(ctx context.Context, conn driver.Conn, table string, columns []ch.ColumnNameAndType, fill func(driver.Batch) error) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	ctx = ch.Context(ctx, ch.WithColumnNamesAndTypes(columns))
	batch, err := conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s (%s)", table, strings.Join(names, ", ")))
	if err != nil {
		return err
	}
	defer batch.Close()
	if err := fill(batch); err != nil {
		return &mismatch{err}
	}
	return batch.Send()
}

// mismatch is a column that cannot be sent: no other attempt will do better.
type mismatch struct{ error }

func (m *mismatch) Unwrap() error { return m.error }

// hopeless are the answers of ClickHouse that time does not mend, with what to do.
func hopeless(err error) string {
	if errors.As(err, new(*mismatch)) {
		return "this is a fault in the program"
	}
	var e *ch.Exception
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Code {
	case 60, 81, 16, 8, 10, 47: // unknown table, database, column
		return "the tables are missing or of another version: run 'corridorwatch migrate'"
	case 497, 516, 192, 193, 194: // access denied, authentication
		return "give the user of the sink the right to insert"
	case 53, 27, 117, 50, 62: // type mismatch, unreadable input, unknown type, syntax
		return "this is a fault in the program, or the tables are of another version: run 'corridorwatch migrate'"
	}
	return ""
}

// patiently tries do again until it succeeds, ctx ends or time will not help.
func patiently(ctx context.Context, log *slog.Logger, m *metrics, what string, do func(context.Context) error) error {
	return stubbornly(ctx, ctx, log, m, what, do)
}

// stubbornly is patiently with a second context: each attempt may go on until hard ends, but none begins after a failure once ctx
// has ended.
func stubbornly(ctx, hard context.Context, log *slog.Logger, m *metrics, what string, do func(context.Context) error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := attempt(hard, do)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s: %w", what, err)
		if advice := hopeless(err); advice != "" {
			return fmt.Errorf("%w (%s)", err, advice)
		}
		if ctx.Err() != nil {
			return err
		}
		m.retried()
		log.Warn("sink: ClickHouse did not take it; trying again, nothing is lost", "wait", wait, "err", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func attempt(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	return do(ctx)
}
