package ingest

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Recompute buffers a piece of a recompute, in the partition of its subject.
func (w *Writer) Recompute(p *pb.Recompute) {
	w.passed(schemas.Partition(p.Subject, w.partitions), p, schemas.RecomputeType)
}

// acceptedBytes is about how much goes into one record of accepted events.
const acceptedBytes = 200 << 10

// Accepted gathers what another installation accepted, to be sent in few records. A tick must not overtake it: flush before.
type Accepted struct {
	w     *Writer
	parts []pb.Accepted
	sizes []int
}

// NewAccepted begins with nothing gathered.
func NewAccepted(w *Writer) *Accepted {
	return &Accepted{w: w, parts: make([]pb.Accepted, w.partitions), sizes: make([]int, w.partitions)}
}

// Event takes an event with the stamps it has.
func (a *Accepted) Event(ev *pb.Event) {
	p := schemas.Partition(ev.Subject, a.w.partitions)
	a.parts[p].Events = append(a.parts[p].Events, ev)
	a.grow(p, proto.Size(ev))
}

// Reject takes a reject as it is.
func (a *Accepted) Reject(r *pb.Reject) {
	p := schemas.Partition(r.Id, a.w.partitions)
	a.parts[p].Rejects = append(a.parts[p].Rejects, r)
	a.grow(p, proto.Size(r))
}

func (a *Accepted) grow(p, n int) {
	if a.sizes[p] += n; a.sizes[p] >= acceptedBytes {
		a.put(p)
	}
}

func (a *Accepted) put(p int) {
	if a.sizes[p] > 0 {
		a.w.passed(p, &a.parts[p], schemas.AcceptedType)
		a.parts[p].Reset()
		a.sizes[p] = 0
	}
}

// Flush buffers the rest in the writer.
func (a *Accepted) Flush() {
	for p := range a.parts {
		a.put(p)
	}
}

func (w *Writer) passed(partition int, m proto.Message, contentType string) {
	var err error
	if w.buf, err = (proto.MarshalOptions{}).MarshalAppend(w.buf[:0], m); err != nil {
		panic(fmt.Sprintf("ingest: what was read from tables cannot be written: %v", err))
	}
	w.out.Append(w.topic, partition, nil, w.buf, kafkalog.Header{Key: schemas.HeaderContentType, Value: []byte(contentType)})
	w.buffered++
}

// raw buffers a record as it lies in another intake topic.
func (w *Writer) raw(rec *kafkalog.Record) {
	key := rec.Key
	if key == nil {
		key = rec.Value[:min(len(rec.Value), 256)]
	}
	w.out.Append(w.topic, schemas.Partition(string(key), w.partitions), rec.Key, rec.Value, rec.Headers...)
	w.buffered++
}
