package ingest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// NextTick waits until a tick lies at or behind the given offset of every intake partition (Result.Offsets), and returns the
// latest of these first ticks. When every task's mark has reached it, everything before the offsets has been folded.
func NextTick(ctx context.Context, log *kafkalog.Client, prefix string, offsets []int64) (time.Time, error) {
	topic := schemas.InKafka(prefix, schemas.Intake)
	var latest int64
	for p, offset := range offsets {
		t, err := firstTick(ctx, log.Reader(topic, p, offset))
		if err != nil {
			return time.Time{}, fmt.Errorf("wait for a tick in %s/%d: %w", topic, p, err)
		}
		latest = max(latest, t)
	}
	return time.UnixMilli(latest).UTC(), nil
}

func firstTick(ctx context.Context, r *kafkalog.Reader) (int64, error) {
	for {
		batch, err := r.NextKept(ctx)
		if err != nil {
			return 0, err
		}
		for i := range batch.Records {
			if t, ok := tickTime(batch.Records[i].Value); ok {
				return t, nil
			}
		}
	}
}

// tickTime returns the time of a record if it is a tick.
func tickTime(value []byte) (int64, bool) {
	if len(value) > 0 && value[0] == '{' {
		if !bytes.Contains(value, []byte("clock.tick")) {
			return 0, false
		}
		ev, f := schemas.DecodeJSON(value)
		return ev.GetTime(), f == nil && ev.Verb == pb.Verb_TICK
	}
	if len(value) > 256 { // no tick is that long
		return 0, false
	}
	var ev pb.Event
	if proto.Unmarshal(value, &ev) != nil || ev.Verb != pb.Verb_TICK {
		return 0, false
	}
	return ev.Time, schemas.Check(&ev) == nil
}

// LastTick returns the latest tick (ms) that lies in the intake topic, 0 if there is none. It reads each partition from its end on
// backwards until it meets one.
func LastTick(ctx context.Context, w *Writer) (int64, error) {
	ticks, err := lastTicks(ctx, w)
	return slices.Max(ticks), err
}

// SentUntil returns the last tick (ms) that every intake partition holds, 0 if one holds none. A producer that was stopped while
// it sent goes on from here: partitions may be ahead of one another then, and what those ahead get again counts once.
func SentUntil(ctx context.Context, w *Writer) (int64, error) {
	ticks, err := lastTicks(ctx, w)
	return slices.Min(ticks), err
}

// lastTicks returns the last tick of every partition.
func lastTicks(ctx context.Context, w *Writer) ([]int64, error) {
	latest := make([]int64, w.partitions)
	for p := range w.partitions {
		start, end, err := w.log.Offsets(ctx, w.topic, p)
		if err != nil {
			return latest, err
		}
		for n := int64(1000); end > start; n *= 4 {
			from := max(start, end-n)
			t, err := lastTick(ctx, w.log.Reader(w.topic, p, from), end)
			if err != nil {
				return latest, fmt.Errorf("look for the last tick in %s/%d: %w", w.topic, p, err)
			}
			latest[p] = max(latest[p], t)
			if t > 0 || from == start {
				break
			}
		}
	}
	return latest, nil
}

// lastTick returns the latest tick between the reader's offset and end.
func lastTick(ctx context.Context, r *kafkalog.Reader, end int64) (latest int64, err error) {
	for r.Offset() < end {
		batch, err := r.NextKept(ctx)
		if err != nil {
			return 0, err
		}
		for i := range batch.Records {
			if t, ok := tickTime(batch.Records[i].Value); ok {
				latest = max(latest, t)
			}
		}
	}
	return latest, nil
}
