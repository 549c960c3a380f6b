package kafkalog

import (
	"context"
	"fmt"
	"time"
)

// Appender appends to one partition in order: one request in flight, the same bytes until they are acknowledged. One goroutine
// uses it.
type Appender struct {
	// MaxBatchBytes is the most a record batch takes, 900 KiB unless set; a larger record goes alone. Brokers refuse more than
	// the topic's max.message.bytes, about 1 MiB unless raised.
	MaxBatchBytes int
	// Compression of the batches, None unless set. Set before the first Append.
	Compression Compression

	c         *Client
	topic     string
	partition int
	open      []byte // batch being filled: room for its head, then records
	count     int    // of records in open
	timeMS    int64  // of the records in open
	sealed    [][]byte
	bytes     int   // in sealed
	first     int64 // offset of the first record acknowledged since the last complete Flush, -1: none
	held      bool  // a given-up request may still read sealed[0]
}

// Appender makes an appender to one partition. It does no I/O.
func (c *Client) Appender(topic string, partition int) *Appender {
	return &Appender{MaxBatchBytes: 900 << 10, c: c, topic: topic, partition: partition, first: -1}
}

// Append buffers a record. It copies what it is given; a nil key or value is null. The record's time is the wall clock's when its
// batch was begun.
func (a *Appender) Append(key, value []byte, headers ...Header) {
	size := recordSize(a.count, key, value, headers)
	if a.count > 0 && len(a.open)+5+size > a.MaxBatchBytes {
		a.seal()
		size = recordSize(0, key, value, headers)
	}
	if a.count == 0 {
		a.open = appendHeadRoom(a.c.buffer())
		a.timeMS = time.Now().UnixMilli()
	}
	a.open = appendRecord(a.open, size, a.count, key, value, headers)
	a.count++
}

// seal ends the open batch.
func (a *Appender) seal() {
	if a.count == 0 {
		return
	}
	b := a.open
	if a.Compression != None {
		small, err := a.Compression.deflate(append(a.c.buffer(), b[:headSize]...), b[headSize:])
		if err != nil { // writing to memory: only a codec that does not exist fails
			panic(fmt.Sprintf("kafkalog: compress for %s/%d: %v", a.topic, a.partition, err))
		}
		a.c.recycle(b)
		b = small
	}
	fillHead(b, a.count, a.timeMS, a.Compression)
	a.sealed, a.bytes = append(a.sealed, b), a.bytes+len(b)
	a.open, a.count = nil, 0
}

// Buffered is how many bytes wait to be acknowledged.
func (a *Appender) Buffered() int { return a.bytes + len(a.open) }

// Flush sends everything that is buffered and returns when it is acknowledged, with the offset of the first record of it (-1 if
// there was nothing). It retries what may pass until ctx is done. After an error what was not acknowledged stays, and the next
// Flush sends the same bytes first: they may be in the log by then, see the package comment.
func (a *Appender) Flush(ctx context.Context) (firstOffset int64, err error) {
	if err := a.c.flush(ctx, []*Appender{a}); err != nil {
		return -1, err
	}
	firstOffset, a.first = a.first, -1
	return firstOffset, nil
}

// Discard forgets what is buffered. A Flush that failed for good (a record larger than the topic takes) would fail again for ever;
// what was sent may be in the log all the same.
func (a *Appender) Discard() {
	a.open, a.count, a.sealed, a.bytes, a.first, a.held = nil, 0, nil, 0, -1, false
}

// acknowledged drops the first sealed batch, which lies at offset base.
func (a *Appender) acknowledged(base int64) {
	if a.first < 0 {
		a.first = base
	}
	b := a.sealed[0]
	a.sealed[0] = nil
	a.sealed, a.bytes = a.sealed[1:], a.bytes-len(b)
	if !a.held {
		a.c.recycle(b)
	}
	if a.held = false; len(a.sealed) == 0 {
		a.sealed = nil
	}
}

// buffer returns an empty buffer for a batch.
func (c *Client) buffer() []byte {
	if b, _ := c.batches.Get().(*[]byte); b != nil {
		return (*b)[:0]
	}
	return make([]byte, 0, 4<<10)
}

// recycle gives a batch's buffer to the next batch.
func (c *Client) recycle(b []byte) {
	if cap(b) <= keptBytes {
		c.batches.Put(&b)
	}
}
