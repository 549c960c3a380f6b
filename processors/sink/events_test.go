package sink_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write testdata/events.want anew")

// testdata/events.jsonl has an event of every kind with every field, a line each: {"topic": ..., "record": ...}. What the views
// say of them is in events.want.
func TestEventsInViews(t *testing.T) {
	w := newWorld(t)
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
		w.task(pb.Stage_INTAKE, 0).write(in.Topic, 0, rec)
	}
	w.mark(begin)
	dump := w.sinkTo(begin)
	var got strings.Builder
	for _, view := range slices.Sorted(maps.Keys(dump)) {
		for _, row := range dump[view] {
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
