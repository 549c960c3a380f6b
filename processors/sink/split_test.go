package sink

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

func TestInsertsAreSplit(t *testing.T) {
	sheets := func(rows ...int) (group []*sheet) {
		for _, n := range rows {
			group = append(group, &sheet{rows: n})
		}
		return group
	}
	for _, c := range []struct {
		rows []int
		want int
	}{
		{[]int{1}, 1},
		{[]int{insertRowsMost + 1}, 1}, // cannot be split, and is never so large
		{[]int{insertRowsMost - 1, 1, 1}, 2},
		{[]int{insertRowsMost / 2, insertRowsMost / 2}, 2},
		{[]int{insertRowsMost / 2, insertRowsMost/2 + 1}, 1},
	} {
		if got := mostSheets(sheets(c.rows...)); got != c.want {
			t.Errorf("of sheets of %v rows %d go into an insert, want %d", c.rows, got, c.want)
		}
	}
}

// What one fetch brings becomes several portions when it is many rows; none is lost between them.
func TestPortionsAreBounded(t *testing.T) {
	const n = 2*portionRows + 1
	batch := kafkalog.Batch{Next: n + 5, HighWatermark: n + 5} // control batches at the end
	for i := range n {
		v, err := proto.Marshal(&pb.Record{Stage: pb.Stage_INTAKE, Epoch: 1, Seq: uint64(i + 1), Body: &pb.Record_Event{Event: &pb.Event{
			Data: &pb.Event_Position{Position: &pb.Position{}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		batch.Records = append(batch.Records, kafkalog.Record{Offset: int64(i), Value: v})
	}
	topic := schemas.Topic{Name: schemas.TrainEvents, Writers: []pb.Stage{pb.Stage_INTAKE}}
	p := &partition{worker: &worker{free: new(sheets), shards: make(clickhouse.Shards, 1)}, topic: topic, senders: newSenders(topic, 0, 1)}
	for _, want := range []struct {
		rows int
		next int64
	}{{portionRows, portionRows}, {portionRows, 2 * portionRows}, {1, n + 5}} {
		got, err := p.decode(&batch)
		if err != nil || got.rows != want.rows || got.end.next != want.next || got.end.senders[0].seq != uint64(min(want.next, n)) {
			t.Errorf("portion of %d rows up to %d, number %d, %v; want %+v", got.rows, got.end.next, got.end.senders[0].seq, err, want)
		}
	}
}
