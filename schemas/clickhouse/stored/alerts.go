package stored

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/pb"
)

// Alerts calls take for the latest version of each alert where a condition over the columns of the table holds.
func Alerts(ctx context.Context, shards []driver.Conn, database, where string, args []any, take func(*pb.Alert) error) error {
	return alerts().each(ctx, shards, database+".alerts", "WHERE "+where+" ORDER BY updated, fingerprint", args, take)
}

// AlertsHistory calls take for every version of every alert where a condition over the columns holds, in the order in which they were
// told. What an upgrade told anew comes more than once, with the same fingerprint and the same time.
func AlertsHistory(ctx context.Context, shards []driver.Conn, database, where string, args []any, take func(*pb.Alert) error) error {
	return alerts().each(ctx, shards, database+".alerts_history", "WHERE NOT deleted AND ("+where+") ORDER BY updated, fingerprint, version", args, take)
}

func alerts() *reader[pb.Alert] {
	r := new(reader[pb.Alert])
	text(r, "fingerprint", func(a *pb.Alert) *string { return &a.Fingerprint })
	text(r, "kind", func(a *pb.Alert) *string { return &a.Kind })
	text(r, "severity", func(a *pb.Alert) *string { return &a.Severity })
	text(r, "area", func(a *pb.Alert) *string { return &a.Area })
	text(r, "border", func(a *pb.Alert) *string { return &a.Border })
	text(r, "role", func(a *pb.Alert) *string { return &a.Role })
	text(r, "direction", func(a *pb.Alert) *string { return &a.Direction })
	text(r, "place", func(a *pb.Alert) *string { return &a.Place })
	text(r, "unit", func(a *pb.Alert) *string { return &a.Unit })
	enum(r, "unit_kind", func(a *pb.Alert) *pb.UnitKind { return &a.UnitKind })
	texts(r, "corridors", func(a *pb.Alert, v []string) { a.Corridors = v })
	when(r, "since", func(a *pb.Alert) *int64 { return &a.Since })
	when(r, "updated", func(a *pb.Alert) *int64 { return &a.Updated })
	when(r, "resolved", func(a *pb.Alert) *int64 { return &a.Resolved })
	flag(r, "firing", func(a *pb.Alert) *bool { return &a.Firing })
	count(r, "revision", func(a *pb.Alert) *uint32 { return &a.Revision })
	text(r, "summary", func(a *pb.Alert) *string { return &a.Summary })
	column(r, "`value`", func(a *pb.Alert, v float64) { a.Value = v })
	column(r, "baseline", func(a *pb.Alert, v float64) { a.Baseline = v })
	text(r, "baseline_basis", func(a *pb.Alert) *string { return &a.BaselineBasis })
	text(r, "evidence", func(a *pb.Alert) *string { return &a.Evidence })
	text(r, "restriction", func(a *pb.Alert) *string { return &a.Restriction })
	text(r, "cause", func(a *pb.Alert) *string { return &a.Cause })
	return r
}
