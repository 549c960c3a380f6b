package ingest

import (
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Retry buffers another attempt at a reject. Intake tells the outcome under the reject's own id:
// accepted, or rejected once more with one attempt more.
func (w *Writer) Retry(r *pb.Reject) error {
	if r.Id == "" {
		return errors.New("a reject without an id cannot be tried again")
	}
	former := proto.CloneOf(r)
	former.Value = nil // lies in the record itself; intake puts it back
	b, err := proto.Marshal(former)
	if err != nil {
		return fmt.Errorf("encode reject %q: %w", r.Id, err)
	}
	headers := []kafkalog.Header{
		{Key: schemas.HeaderRetry, Value: []byte(r.Id)},
		{Key: schemas.HeaderAttempt, Value: strconv.AppendUint(nil, uint64(r.Attempts), 10)},
		{Key: schemas.HeaderFormer, Value: b},
	}
	if r.ContentType != "" {
		headers = append(headers, kafkalog.Header{Key: schemas.HeaderContentType, Value: []byte(r.ContentType)})
	}
	w.out.Append(w.topic, schemas.Partition(r.Id, w.partitions), nil, r.Value, headers...)
	w.buffered++
	return nil
}

// Recompute buffers a piece of a recompute.
func (w *Writer) Recompute(p *pb.Recompute) { w.passedBefore(p.Subject, p, schemas.RecomputeType) }

// Accepted buffers what another installation has accepted, in the partition of key.
func (w *Writer) Accepted(key string, a *pb.Accepted) { w.passedBefore(key, a, schemas.AcceptedType) }

func (w *Writer) passedBefore(key string, m proto.Message, contentType string) {
	var err error
	if w.buf, err = (proto.MarshalOptions{}).MarshalAppend(w.buf[:0], m); err != nil {
		panic(fmt.Sprintf("ingest: what was read from tables cannot be written: %v", err))
	}
	w.out.Append(w.topic, schemas.Partition(key, w.partitions), []byte(key), w.buf,
		kafkalog.Header{Key: schemas.HeaderContentType, Value: []byte(contentType)})
	w.buffered++
}
