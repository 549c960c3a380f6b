package kafkalog

import (
	"cmp"
	"context"
	"slices"
)

// Outbox buffers records for many partitions and sends them together. Each partition is written as by an Appender: in order, one
// batch in flight. One goroutine uses it.
type Outbox struct {
	// MaxBatchBytes and Compression are those of the appenders. Set before the first Append.
	MaxBatchBytes int
	Compression   Compression

	c       *Client
	byTopic map[string][]*Appender // by partition; nil: none yet
	topic   string                 // of the last record: most often also of the next
	last    []*Appender            // of topic
	sorted  []*Appender            // by topic and partition
}

// Outbox makes an empty outbox. It does no I/O.
func (c *Client) Outbox() *Outbox {
	return &Outbox{MaxBatchBytes: 900 << 10, c: c, byTopic: map[string][]*Appender{}}
}

// Append buffers a record for a partition. It copies what it is given.
func (o *Outbox) Append(topic string, partition int, key, value []byte, headers ...Header) {
	o.appender(topic, partition).Append(key, value, headers...)
}

func (o *Outbox) appender(topic string, partition int) *Appender {
	if topic != o.topic {
		o.topic, o.last = topic, o.byTopic[topic]
	}
	if partition >= len(o.last) || o.last[partition] == nil {
		o.add(topic, partition)
	}
	return o.last[partition]
}

// add makes the appender of a partition.
func (o *Outbox) add(topic string, partition int) {
	a := o.c.Appender(topic, partition)
	a.MaxBatchBytes, a.Compression = o.MaxBatchBytes, o.Compression
	if more := partition + 1 - len(o.last); more > 0 {
		o.last = append(o.last, make([]*Appender, more)...)
	}
	o.last[partition] = a
	o.byTopic[topic] = o.last
	i, _ := slices.BinarySearchFunc(o.sorted, a, func(b, a *Appender) int {
		return cmp.Or(cmp.Compare(b.topic, a.topic), cmp.Compare(b.partition, a.partition))
	})
	o.sorted = slices.Insert(o.sorted, i, a)
}

// Buffered is how many bytes wait to be acknowledged.
func (o *Outbox) Buffered() int {
	n := 0
	for _, a := range o.sorted {
		n += a.Buffered()
	}
	return n
}

// Discard forgets what is buffered, as Appender.Discard does.
func (o *Outbox) Discard() {
	for _, a := range o.sorted {
		a.Discard()
	}
}

// Flush sends everything that is buffered and returns when all partitions have acknowledged it. There is one request at a time to
// each broker, with the next batch of every partition it leads. It retries and fails as Appender.Flush does; partitions without
// an error have been sent then.
func (o *Outbox) Flush(ctx context.Context) error {
	if err := o.c.flush(ctx, o.sorted); err != nil {
		return err
	}
	for _, a := range o.sorted {
		a.first = -1
	}
	return nil
}
