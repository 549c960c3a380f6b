package stream_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// What a task sends ahead of another waits for its round, also across a restart: when a round closes, only what was sent before its end
// is counted.
func TestRoundsWait(t *testing.T) {
	w := newWorld(t)
	stop := w.start("v1")
	w.produce(0, "a", "tick 60000", "a", "tick 120000", "a", "a", "tick 180000", "a")
	task := schemas.Partition("a", partitions)
	w.until("the records that are ahead are in a checkpoint", func() bool { return w.ahead(pb.Stage_DWELL, task) == 4 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	stop = w.start("v1")
	w.produce(1, "tick 60000", "tick 120000", "a", "tick 180000", "tick 240000")
	w.produce(0, "tick 240000")
	var got []string
	for _, rec := range w.read(schemas.TrainStatus, 240000) {
		switch {
		case int(rec.Task) != task:
		case rec.GetTrainStatus() != nil:
			got = append(got, fmt.Sprint("a ", rec.GetTrainStatus().SeenAt, " known at ", rec.KnownAt))
		default:
			got = append(got, fmt.Sprint("mark ", rec.GetMark()))
		}
	}
	want := []string{"a 1 known at 60000", "mark 60000", "a 2 known at 120000", "mark 120000", "a 5 known at 180000", "mark 180000",
		"a 6 known at 240000", "mark 240000"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.ahead(pb.Stage_DWELL, task); n != 0 {
		t.Errorf("%d records are still held as ahead", n)
	}
}

// ahead is how many records wait for their round in the last checkpoint of a task.
func (w *world) ahead(stage pb.Stage, task int) int {
	w.t.Helper()
	last := new(pb.Checkpoint)
	for _, c := range w.controls(stage, task) {
		if s := c.GetSegment(); s != nil {
			if err := proto.Unmarshal(s.Data, last); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return len(last.Ahead)
}
