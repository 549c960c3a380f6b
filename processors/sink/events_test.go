package sink_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write testdata/events.want anew")

// testdata/events.jsonl has an event of every kind with every field, a line each: {"topic": ..., "record": ...}. What the views
// say of them is in events.want.
func TestEventsInViews(t *testing.T) {
	t.Parallel()
	w, sent := newWorld(t), map[string]*pb.Event{}
	text, err := os.ReadFile("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var in struct {
			Topic  string
			Record json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rec := new(pb.Record)
		if err := protojson.Unmarshal(in.Record, rec); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if e := rec.GetEvent(); e != nil {
			e.Hash = schemas.Hash(e)
			sent[in.Topic+" "+e.Subject+" "+e.Source+" "+e.Id] = proto.CloneOf(e)
		}
		w.task(pb.Stage_INTAKE, 0).write(in.Topic, 0, rec)
	}
	w.mark(begin)
	w.sinkTo(begin)
	views := w.views()
	comeBack(t, w, sent)
	var got strings.Builder
	for _, view := range slices.Sorted(maps.Keys(views)) {
		if strings.HasPrefix(view, "v_catalogue_") { // that is no event
			continue
		}
		for _, row := range views[view] {
			got.WriteString(view + " " + row + "\n")
		}
	}
	if *update {
		if err := os.WriteFile("testdata/events.want", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/events.want")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

// comeBack reads the tables back: every event is as it was sent, so that recompute and replay go by the same.
func comeBack(t *testing.T, w *world, sent map[string]*pb.Event) {
	t.Helper()
	read := 0
	for topic, table := range map[string]string{schemas.TrainEvents: "train_events", schemas.UnitEvents: "unit_events",
		schemas.Shipments: "shipments", schemas.Restrictions: "restrictions", schemas.Plans: "plans"} {
		err := stored.Events(within(t, time.Minute), []driver.Conn{w.conn}, w.database, table, "true", "", nil, func(e *pb.Event) error {
			read++
			if want := sent[topic+" "+e.Subject+" "+e.Source+" "+e.Id]; !proto.Equal(e, want) {
				t.Errorf("%s: got\n%v\nwant\n%v", table, e, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if read != len(sent) || read == 0 {
		t.Errorf("%d events read, %d sent", read, len(sent))
	}
}
