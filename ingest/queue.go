package ingest

import (
	"context"
	"errors"
	"fmt"

	"corridorwatch/schemas/pb"
)

// Queue shares one Writer among many senders: what they hand in while a flush is under way goes out together with the next. Run
// owns the writer; Send may be called by any goroutine.
type Queue struct {
	w  *Writer
	in chan *parcel
}

// NewQueue makes a queue over a writer that nobody else uses.
func NewQueue(w *Writer) *Queue { return &Queue{w: w, in: make(chan *parcel)} }

// parcel is what one sender hands in.
type parcel struct {
	events []*pb.Event
	bad    []item
	done   chan error // takes one error without waiting
}

// errQueueStopped tells senders that Run has ended.
var errQueueStopped = errors.New("the server is stopping")

// Run sends what is handed in until ctx ends.
func (q *Queue) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-q.in:
			if err := q.sendWith(ctx, p); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
	}
}

// sendWith sends p, and whatever else is being handed in at this moment.
func (q *Queue) sendWith(ctx context.Context, p *parcel) error {
	parcels := []*parcel{p}
	q.pack(p)
	for more := true; more && q.w.out.Buffered() < flushBytes; {
		select {
		case p := <-q.in:
			parcels = append(parcels, p)
			q.pack(p)
		default:
			more = false
		}
	}
	err := q.w.Flush(ctx)
	for _, p := range parcels {
		p.done <- err
	}
	return err
}

func (q *Queue) pack(p *parcel) {
	for _, ev := range p.events {
		q.w.Event(ev)
	}
	for _, it := range p.bad {
		q.w.Reject(it.raw, it.ct, it.told())
	}
}

// send hands events and bad elements in and returns when Kafka has acknowledged them, or when ctx ends. After an error they may be
// in Kafka or not: sending them again is right.
func (q *Queue) send(ctx context.Context, events []*pb.Event, bad []item) error {
	p := &parcel{events: events, bad: bad, done: make(chan error, 1)}
	select {
	case q.in <- p:
	case <-ctx.Done():
		return errors.Join(errQueueStopped, ctx.Err())
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("wait for kafka's acknowledgement: %w", ctx.Err())
	}
}
