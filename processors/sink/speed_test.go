package sink_test

import (
	"fmt"
	"testing"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// BenchmarkSink carries positions from an in-process broker into the engine: broker, sink and engine share the machine.
func BenchmarkSink(b *testing.B) {
	const rows = 400_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for i := range rows {
			run := fmt.Sprintf("KTZ:7084-%03d-1306:2026-03-01", i%500)
			at := begin + int64(i/500)*60_000
			w.task(pb.Stage_INTAKE, i%partitions).write(schemas.TrainEvents, i%partitions,
				fix(run, fmt.Sprintf("%s/%d", run, i), at, 44.2, 80.1+float64(i)/1e7, at, uint64(i)<<40))
			if i%50_000 == 0 {
				w.flush()
			}
		}
		w.mark(begin)
		cfg := w.config()
		cfg.FlushEvery = time.Second
		b.StartTimer()
		r := start(b, cfg)
		w.passed(r, begin)
		b.StopTimer()
		r.end()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}
