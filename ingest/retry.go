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
