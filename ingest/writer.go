// Package ingest brings events into the intake topic: from files (JSON lines, CSV), over HTTP, and time itself from the clock or
// out of the data.
//
//	files ─► reader ─► lane ─┐
//	files ─► reader ─► lane ─┴► merge by time ─► ticks ─┐
//	HTTP ────────────────────────────────────────────────┼─► Writer ─► Kafka [intake]
//	wall clock ──────────────────────────────────────────┘
//
// What cannot be read is not dropped here: its bytes go to the intake topic too, and the intake stage puts them into rejects with
// the reason. Sending something twice is harmless: source and id identify an event, and an event counts once.
package ingest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// flushBytes is how much a Writer gathers before it sends by itself.
const flushBytes = 4 << 20

// TickSource is the source of ticks.
const TickSource = "corridorwatch/clock"

// Writer appends to the intake topic of one installation. One goroutine uses it.
type Writer struct {
	log        *kafkalog.Client
	topic      string
	partitions int
	out        *kafkalog.Outbox
	buf        []byte
	buffered   int64 // records since the last flush, without ticks
	acked      int64
}

// NewWriter makes a writer. It does no I/O.
func NewWriter(log *kafkalog.Client, prefix string, partitions int) *Writer {
	return &Writer{log: log, topic: schemas.InKafka(prefix, schemas.Intake), partitions: partitions, out: log.Outbox()}
}

// Event buffers an event as protobuf, in the partition of its subject, so that the events of one subject stay in order.
func (w *Writer) Event(ev *pb.Event) {
	var err error
	if w.buf, err = (proto.MarshalOptions{}).MarshalAppend(w.buf[:0], ev); err != nil {
		panic(fmt.Sprintf("ingest: an event that was not checked to be UTF-8: %v", err))
	}
	w.out.Append(w.topic, schemas.Partition(ev.Subject, w.partitions), []byte(ev.Subject), w.buf)
	w.buffered++
}

// Reject buffers bytes that could not be read or believed, with what is wrong with them. Intake puts them into rejects. An empty
// reason leaves it to intake to find out.
func (w *Writer) Reject(value []byte, contentType string, f *schemas.Fault) {
	if len(value) > maxElement {
		value = value[:maxElement]
	}
	headers := []kafkalog.Header{{Key: schemas.HeaderContentType, Value: []byte(contentType)}}
	if f != nil {
		headers = append(headers,
			kafkalog.Header{Key: schemas.HeaderReject, Value: []byte(f.Reason)},
			kafkalog.Header{Key: schemas.HeaderPath, Value: []byte(f.Path)},
			kafkalog.Header{Key: schemas.HeaderDetail, Value: []byte(f.Detail)})
	}
	w.out.Append(w.topic, schemas.Partition(string(value[:min(len(value), 256)]), w.partitions), nil, value, headers...)
	w.buffered++
}

// maxElement is the most of a bad element that is sent on; Kafka takes messages of about 1 MiB.
const maxElement = 900_000

// Tick buffers a tick (ms) into every partition, behind everything buffered before.
func (w *Writer) Tick(t int64) {
	ev := &pb.Event{Source: TickSource, Id: strconv.FormatInt(t, 10), Verb: pb.Verb_TICK, Time: t}
	var err error
	if w.buf, err = (proto.MarshalOptions{}).MarshalAppend(w.buf[:0], ev); err != nil {
		panic(fmt.Sprintf("ingest: encode a tick: %v", err))
	}
	for p := range w.partitions {
		w.out.Append(w.topic, p, nil, w.buf)
	}
}

// Flush sends everything that is buffered and returns when Kafka has acknowledged it. It retries what may pass until ctx ends.
func (w *Writer) Flush(ctx context.Context) error {
	if w.out.Buffered() == 0 {
		return nil
	}
	if err := w.out.Flush(ctx); err != nil {
		return fmt.Errorf("send to %s: %w", w.topic, err)
	}
	w.acked += w.buffered
	w.buffered = 0
	return nil
}

// FlushIfFull flushes if much is buffered.
func (w *Writer) FlushIfFull(ctx context.Context) error {
	if w.out.Buffered() < flushBytes {
		return nil
	}
	return w.Flush(ctx)
}

// Acknowledged is how many events and bad elements Kafka has acknowledged; ticks do not count.
func (w *Writer) Acknowledged() int64 { return w.acked }

// Ends returns the end of every intake partition.
func (w *Writer) Ends(ctx context.Context) ([]int64, error) {
	ends := make([]int64, w.partitions)
	for p := range ends {
		var err error
		if _, ends[p], err = w.log.Offsets(ctx, w.topic, p); err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// minute is the rhythm of data time.
const minute = int64(time.Minute / time.Millisecond)
