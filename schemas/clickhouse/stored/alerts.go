package stored

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/pb"
)

// Alert is the latest version of an alert.
type Alert struct {
	pb.Alert
	Version uint64 // schemas.Version of its record
}

// Alerts calls take for the alerts where a condition over the columns of the table holds.
func Alerts(ctx context.Context, shards []driver.Conn, database, where string, args []any, take func(*Alert) error) error {
	r := new(reader[Alert])
	text(r, "fingerprint", func(a *Alert) *string { return &a.Fingerprint })
	text(r, "kind", func(a *Alert) *string { return &a.Kind })
	text(r, "severity", func(a *Alert) *string { return &a.Severity })
	text(r, "area", func(a *Alert) *string { return &a.Area })
	text(r, "border", func(a *Alert) *string { return &a.Border })
	text(r, "role", func(a *Alert) *string { return &a.Role })
	text(r, "direction", func(a *Alert) *string { return &a.Direction })
	text(r, "place", func(a *Alert) *string { return &a.Place })
	text(r, "unit", func(a *Alert) *string { return &a.Unit })
	enum(r, "unit_kind", func(a *Alert) *pb.UnitKind { return &a.UnitKind })
	texts(r, "corridors", func(a *Alert, v []string) { a.Corridors = v })
	when(r, "since", func(a *Alert) *int64 { return &a.Since })
	when(r, "updated", func(a *Alert) *int64 { return &a.Updated })
	when(r, "resolved", func(a *Alert) *int64 { return &a.Resolved })
	flag(r, "firing", func(a *Alert) *bool { return &a.Firing })
	count(r, "revision", func(a *Alert) *uint32 { return &a.Revision })
	text(r, "summary", func(a *Alert) *string { return &a.Summary })
	column(r, "`value`", func(a *Alert, v float64) { a.Value = v })
	column(r, "baseline", func(a *Alert, v float64) { a.Baseline = v })
	text(r, "baseline_basis", func(a *Alert) *string { return &a.BaselineBasis })
	text(r, "evidence", func(a *Alert) *string { return &a.Evidence })
	text(r, "restriction", func(a *Alert) *string { return &a.Restriction })
	text(r, "cause", func(a *Alert) *string { return &a.Cause })
	column(r, "version", func(a *Alert, v uint64) { a.Version = v })
	return r.each(ctx, shards, database+".alerts", "WHERE "+where+" ORDER BY updated, fingerprint", args, take)
}
