package sink

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

// BenchmarkDecode turns records of positions, as they lie in the log, into columns.
func BenchmarkDecode(b *testing.B) {
	const n = 5000
	batch := kafkalog.Batch{Next: n}
	for i := range n {
		speed := float32(i % 90)
		v, err := proto.Marshal(&pb.Record{
			Stage: pb.Stage_INTAKE, Task: 1, Epoch: 1, Seq: uint64(i + 1), KnownAt: 1772323200000,
			Body: &pb.Record_Event{Event: &pb.Event{
				Source: "simulator", Id: fmt.Sprintf("KTZ:7084-087-1306:2026-03-01/%d", i), Verb: pb.Verb_POSITION, UnitKind: pb.UnitKind_TRAIN,
				Subject: "KTZ:7084-087-1306:2026-03-01", Time: 1772323200000 + int64(i), OffsetMin: 300, RecordedAt: 1772323200000,
				IngestedAt: 1772323200000, AcceptedAt: 1772323200000, Hash: uint64(i) << 32,
				Data: &pb.Event_Position{Position: &pb.Position{LatE7: 442000000, LonE7: 801000000, SpeedKmh: &speed}},
			}},
		})
		if err != nil {
			b.Fatal(err)
		}
		batch.Records = append(batch.Records, kafkalog.Record{Offset: int64(i), Value: v})
	}
	topic := schemas.Topic{Name: schemas.TrainEvents, Writers: []pb.Stage{pb.Stage_INTAKE}}
	w := &worker{free: new(sheets), shards: make(clickhouse.Shards, 1)}
	b.SetBytes(int64(n * len(batch.Records[0].Value)))
	b.ReportAllocs()
	for b.Loop() {
		p := &partition{worker: w, topic: topic, senders: newSenders(topic, 0, 4)}
		again := batch
		out, err := p.decode(&again)
		if err != nil || out.rows != n {
			b.Fatalf("%d rows, %v", out.rows, err)
		}
		w.free.put(out.shards[0][trainPositions : trainPositions+1])
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "rows/s")
}
