package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// Batch is one answer of the broker: whole record batches from the wanted offset on.
type Batch struct {
	Records []Record
	// Next is the offset to read next. It moves also when there are no records, over control batches and compacted tails.
	Next int64
	// HighWatermark is the end of what is replicated, LogStart the first offset that is kept.
	HighWatermark, LogStart int64
	// LastBatchOffset and LastBatchCRC are the base offset and checksum of the last record batch in this answer (-1 if it had
	// none). Client.BatchCRC reads the checksum back, to tell whether a log is still the one that was read.
	LastBatchOffset int64
	LastBatchCRC    uint32
}

// Reader reads one partition in order. One goroutine uses it.
type Reader struct {
	// MaxWait is how long Next waits for records, 250 ms unless set. It may be set before each Next.
	MaxWait time.Duration
	// MaxBytes is about how much one Next brings, 4 MiB unless set; a larger record batch comes alone and whole.
	MaxBytes int

	c         *Client
	topic     string
	partition int
	offset    int64
	ans       *answer // holds what the last Batch points into
}

// Reader makes a reader of one partition that begins at offset. It does no I/O.
func (c *Client) Reader(topic string, partition int, offset int64) *Reader {
	return &Reader{MaxWait: 250 * time.Millisecond, MaxBytes: 4 << 20, c: c, topic: topic, partition: partition, offset: offset}
}

// Offset is the offset that Next reads from.
func (r *Reader) Offset() int64 { return r.offset }

// String names what it does, for errors.
func (r *Reader) String() string {
	return fmt.Sprintf("fetch %s/%d at %d", r.topic, r.partition, r.offset)
}

// Next returns what lies at Offset, waiting up to MaxWait for something; then it returns an empty Batch. It retries what may pass
// until ctx is done. Errors: *RangeError if the offset is not in the log, *CorruptError if a batch is unsound (all before it has
// been returned by then), *BrokerError with advice for the rest.
func (r *Reader) Next(ctx context.Context) (Batch, error) {
	r.release()
	t := r.c.try(r)
	for {
		b, err := r.fetch(ctx)
		if err == nil {
			t.done()
			r.offset = b.Next
			return b, nil
		}
		if errors.Is(err, kafka.OffsetOutOfRange) {
			if err = r.c.rangeError(ctx, r.topic, r.partition, r.offset); err == nil {
				err = kafka.OffsetNotAvailable // the offset is there after all: a new leader is catching up
			}
		}
		if err := t.again(ctx, err); err != nil {
			return Batch{}, err
		}
	}
}

// NextKept is Next for who wants what there is, and not all there was: where records have been deleted in the meantime it goes on with
// the first that is kept.
func (r *Reader) NextKept(ctx context.Context) (Batch, error) {
	for {
		b, err := r.Next(ctx)
		gone := new(RangeError)
		if !errors.As(err, &gone) || gone.Start <= r.offset {
			return b, err
		}
		r.offset = gone.Start
	}
}

// release gives the last answer's buffers to whichever reader has one coming, so that waiting readers hold none.
func (r *Reader) release() {
	if r.ans != nil {
		r.c.answers.Put(r.ans)
		r.ans = nil
	}
}

func (r *Reader) fetch(ctx context.Context) (Batch, error) {
	began := time.Now()
	f := &fetch{
		topic: r.topic, partition: r.partition, offset: r.offset,
		wait: r.MaxWait, maxBytes: r.MaxBytes, isolation: readCommitted,
	}
	if err := r.c.fetch(ctx, f); err != nil {
		return Batch{}, err
	}
	ans := f.ans
	r.ans = ans
	if ans.next == r.offset && len(ans.records) == 0 {
		// A broker that answers at once with nothing must not make this a busy loop.
		if err := pause(ctx, r.MaxWait-time.Since(began)); err != nil {
			return Batch{}, err
		}
	}
	return Batch{
		Records: ans.records, Next: ans.next, HighWatermark: f.highMark, LogStart: f.logStart,
		LastBatchOffset: ans.lastBase, LastBatchCRC: ans.lastSum,
	}, nil
}

// rangeError describes an offset that the broker says is out of range. It is nil if the offset is in the log by now.
func (c *Client) rangeError(ctx context.Context, topic string, partition int, offset int64) error {
	start, end, err := c.Offsets(ctx, topic, partition)
	if err != nil {
		return err
	}
	if offset >= start && offset <= end {
		return nil
	}
	return &RangeError{Topic: topic, Partition: partition, Offset: offset, Start: start, End: end}
}
