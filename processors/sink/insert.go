package sink

import (
	"context"
	"fmt"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	// insertTimeout bounds one attempt, so that a connection that went silent is given up.
	insertTimeout = 2 * time.Minute
	// quorumTimeout bounds how long ClickHouse waits for the other replicas.
	quorumTimeout = time.Minute
)

// insert makes one insert of the rows of several sheets of one kind.
func (w *worker) insert(ctx context.Context, shard int, table string, group []*sheet) error {
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
	return w.insertRows(ctx, shard, table, columns, ch.Settings{"optimize_on_insert": merge}, func(b driver.Batch) error {
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

// insertRows makes one insert of what fill appends. Naming the columns' types spares a question to the server.
func (w *worker) insertRows(ctx context.Context, shard int, table string, columns []ch.ColumnNameAndType, set ch.Settings, fill func(driver.Batch) error) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	ctx = ch.Context(ctx, ch.WithColumnNamesAndTypes(columns), ch.WithSettings(w.settings(set)))
	batch, err := w.shards[shard].PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s.%s (%s)", w.cfg.Database, table, strings.Join(names, ", ")))
	if err != nil {
		return err
	}
	defer batch.Close()
	if err := fill(batch); err != nil {
		return &mismatch{err}
	}
	return batch.Send()
}

// settings of every insert. ClickHouse must not gather inserts on its side: what it has acknowledged must be stored. Nor may it drop
// what it has seen before: rows that somebody deleted by hand must come back when they are inserted again.
func (w *worker) settings(set ch.Settings) ch.Settings {
	if set == nil {
		set = ch.Settings{}
	}
	set["async_insert"], set["insert_deduplicate"] = 0, 0
	if w.cfg.Quorum != "" {
		set["insert_quorum"], set["insert_quorum_timeout"] = w.cfg.Quorum, quorumTimeout.Milliseconds()
	}
	return set
}

// mismatch is a column that cannot be sent: no other attempt will do better.
type mismatch struct{ error }

func (m *mismatch) Unwrap() error { return m.error }
