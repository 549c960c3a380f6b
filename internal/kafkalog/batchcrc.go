package kafkalog

import (
	"context"
	"fmt"
)

// BatchCRC returns the checksum of the record batch that contains offset baseOffset. A checkpoint that keeps it can tell later
// whether the log it reads is the one it was taken from. The error is a *RangeError if the offset is not in the log.
func (c *Client) BatchCRC(ctx context.Context, topic string, partition int, baseOffset int64) (uint32, error) {
	what := step(fmt.Sprintf("read back the batch at %s/%d offset %d", topic, partition, baseOffset))
	t := c.try(what)
	for {
		sum, err := c.batchCRC(ctx, topic, partition, baseOffset)
		if err == nil {
			t.done()
			return sum, nil
		}
		if err := t.again(ctx, err); err != nil {
			return 0, err
		}
	}
}

func (c *Client) batchCRC(ctx context.Context, topic string, partition int, offset int64) (uint32, error) {
	start, end, err := c.Offsets(ctx, topic, partition)
	if err != nil {
		return 0, err
	}
	if offset < start || offset >= end {
		return 0, &RangeError{Topic: topic, Partition: partition, Offset: offset, Start: start, End: end}
	}
	// Of a batch larger than what is asked for the broker sends all, so one byte brings one batch.
	f := &fetch{topic: topic, partition: partition, offset: offset, maxBytes: 1, isolation: readUncommitted}
	if err := c.fetch(ctx, f); err != nil {
		return 0, err
	}
	defer c.answers.Put(f.ans)
	if f.ans.lastBase < 0 {
		return 0, errNoAnswer
	}
	return f.ans.firstSum, nil
}
