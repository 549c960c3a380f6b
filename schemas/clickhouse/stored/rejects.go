package stored

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/pb"
)

// Rejects calls take for the rejects that fulfil a condition.
func Rejects(ctx context.Context, shards []driver.Conn, database, where string, args []any, take func(*pb.Reject) error) error {
	r := new(reader[pb.Reject])
	text(r, "id", func(x *pb.Reject) *string { return &x.Id })
	text(r, "source", func(x *pb.Reject) *string { return &x.Source })
	text(r, "reason", func(x *pb.Reject) *string { return &x.Reason })
	text(r, "detail", func(x *pb.Reject) *string { return &x.Detail })
	text(r, "path", func(x *pb.Reject) *string { return &x.Path })
	column(r, "value", func(x *pb.Reject, v string) { x.Value = []byte(v) })
	text(r, "content_type", func(x *pb.Reject) *string { return &x.ContentType })
	when(r, "at", func(x *pb.Reject) *int64 { return &x.At })
	count(r, "attempts", func(x *pb.Reject) *uint32 { return &x.Attempts })
	when(r, "accepted_at", func(x *pb.Reject) *int64 { return &x.AcceptedAt })
	return r.each(ctx, shards, database+".rejects", "WHERE "+where, args, take)
}
