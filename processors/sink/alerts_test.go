package sink_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/pb"
)

// TestAlertsComeBack: whoever begins to deliver reads the last version of each alert out of the table as it was told, and from which
// offset on the log tells more.
func TestAlertsComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alert := func(unit string, revision uint32, firing bool) *pb.Alert {
		a := &pb.Alert{
			Fingerprint: "overdue|khorgos|khorgos|outbound|CN-KZ||" + unit, Kind: "overdue", Severity: "page", Area: "khorgos", Border: "khorgos", Role: "outbound",
			Direction: "CN-KZ", Place: "kz-altynkol", Unit: unit, UnitKind: pb.UnitKind_TRAIN, Corridors: []string{"khorgos-aktau", "northern"}, Since: begin,
			Updated: begin + int64(revision)*hour, Firing: firing, Revision: revision, Summary: "it waits", Value: 31.5, Baseline: 22, BaselineBasis: "usual",
			Evidence: "since 09:00", Restriction: "limited", Cause: "closure|khorgos",
		}
		if !firing {
			a.Resolved = a.Updated
		}
		return a
	}
	told := []*pb.Alert{alert("A", 1, true), alert("B", 1, true), alert("A", 2, true), alert("B", 2, false), alert("C", 1, true)}
	for _, a := range told {
		w.task(pb.Stage_DELAY, 1).write(schemas.Alerts, 1, &pb.Record{Body: &pb.Record_Alert{Alert: proto.CloneOf(a)}})
	}
	w.mark(begin)
	w.sinkTo(begin)
	for where, want := range map[string][]*pb.Alert{"firing": {told[4], told[2]}, "NOT firing": {told[3]}} {
		var got []*pb.Alert
		err := stored.Alerts(within(t, time.Minute), []driver.Conn{w.conn}, w.database, where, nil, func(a *pb.Alert) error {
			got = append(got, a)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, func(a, b *pb.Alert) bool { return proto.Equal(a, b) }) {
			t.Errorf("%s: read %v, want %v", where, got, want)
		}
	}
	var history []*pb.Alert
	err := stored.AlertsHistory(within(t, time.Minute), []driver.Conn{w.conn}, w.database, "unit = ?", []any{"A"}, func(a *pb.Alert) error {
		history = append(history, a)
		return nil
	})
	if want := []*pb.Alert{told[0], told[2]}; err != nil || !slices.EqualFunc(history, want, func(a, b *pb.Alert) bool { return proto.Equal(a, b) }) {
		t.Errorf("history %v (%v), want %v", history, err, want)
	}
	offsets, err := sink.Offsets(within(t, time.Minute), []driver.Conn{w.conn}, w.database, schemas.Alerts)
	if err != nil || len(offsets) != partitions || offsets[1] != int64(len(told))+1 {
		t.Errorf("offsets %v (%v), want %d of partition 1", offsets, err, len(told)+1)
	}
}
