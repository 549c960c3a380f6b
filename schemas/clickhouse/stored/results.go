package stored

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/pb"
)

// Row is one row of results: the record that would delete it (its key alone), and a sum of what it says.
type Row struct {
	Table string
	Unit  string
	Key   pb.Record
	Sum   uint64
}

// Tables of results by unit.
var Tables = [...]string{"visits", "legs", "crossings", "train_status"}

// Rows calls take for the rows of a table of results of some units, ordered by key.
func Rows(ctx context.Context, shards []driver.Conn, database, table string, units []string, take func(*Row)) error {
	r := new(reader[Row])
	id := "unit"
	switch table {
	case "visits":
		column(r, "unit", func(row *Row, v string) { row.Unit, row.Key.Body = v, &pb.Record_Visit{Visit: &pb.Visit{Unit: v}} })
		of := func(row *Row) *pb.Visit { return row.Key.GetVisit() }
		enum(r, "unit_kind", func(row *Row) *pb.UnitKind { return &of(row).UnitKind })
		text(r, "journey", func(row *Row) *string { return &of(row).Journey })
		text(r, "place", func(row *Row) *string { return &of(row).Place })
		count(r, "n", func(row *Row) *uint32 { return &of(row).N })
	case "legs":
		column(r, "unit", func(row *Row, v string) { row.Unit, row.Key.Body = v, &pb.Record_Leg{Leg: &pb.Leg{Unit: v}} })
		of := func(row *Row) *pb.Leg { return row.Key.GetLeg() }
		enum(r, "unit_kind", func(row *Row) *pb.UnitKind { return &of(row).UnitKind })
		text(r, "journey", func(row *Row) *string { return &of(row).Journey })
		text(r, "from_place", func(row *Row) *string { return &of(row).From })
		text(r, "to_place", func(row *Row) *string { return &of(row).To })
		count(r, "n", func(row *Row) *uint32 { return &of(row).N })
	case "crossings":
		column(r, "unit", func(row *Row, v string) {
			row.Unit, row.Key.Body = v, &pb.Record_Crossing{Crossing: &pb.Crossing{Unit: v}}
		})
		of := func(row *Row) *pb.Crossing { return row.Key.GetCrossing() }
		enum(r, "unit_kind", func(row *Row) *pb.UnitKind { return &of(row).UnitKind })
		text(r, "journey", func(row *Row) *string { return &of(row).Journey })
		text(r, "border", func(row *Row) *string { return &of(row).Border })
		count(r, "n", func(row *Row) *uint32 { return &of(row).N })
	default:
		id = "run"
		column(r, "run", func(row *Row, v string) {
			row.Unit, row.Key.Body = v, &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{Run: v}}
		})
		enum(r, "unit_kind", func(row *Row) *pb.UnitKind { return &row.Key.GetTrainStatus().UnitKind })
	}
	column(r, "cityHash64(* EXCEPT (known_at, version, deleted))", func(row *Row, v uint64) { row.Sum, row.Table = v, table })
	return r.each(ctx, shards, database+"."+table, "WHERE "+id+" IN ? ORDER BY ALL", []any{units}, func(row *Row) error {
		take(row)
		return nil
	})
}
