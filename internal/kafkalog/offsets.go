package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
)

// Offsets returns what a partition holds: [start, end), where end is the high watermark.
func (c *Client) Offsets(ctx context.Context, topic string, partition int) (start, end int64, err error) {
	what := step(fmt.Sprintf("list offsets of %s/%d", topic, partition))
	err = c.toLeader(ctx, what, topic, partition, func(ctx context.Context, broker int32) error {
		start, end, err = c.offsets(ctx, broker, topic, partition)
		return err
	})
	return start, end, err
}

// offsets asks for the end first: a partition that ends at 0 begins there, too, and a new installation has many of these. Where something
// was deleted it asks for the end again: who deletes has written more before, and without that what is left may lack what it was kept for.
func (c *Client) offsets(ctx context.Context, broker int32, topic string, partition int) (start, end int64, err error) {
	if end, err = c.offsetAt(ctx, broker, topic, partition, kafka.LastOffset); err != nil || end == 0 {
		return 0, 0, err
	}
	if start, err = c.offsetAt(ctx, broker, topic, partition, kafka.FirstOffset); err != nil || start == 0 {
		return start, end, err
	}
	end, err = c.offsetAt(ctx, broker, topic, partition, kafka.LastOffset)
	return start, end, err
}

// End returns the end of a partition, as Offsets does, for who does not ask where it begins.
func (c *Client) End(ctx context.Context, topic string, partition int) (end int64, err error) {
	what := step(fmt.Sprintf("ask for the end of %s/%d", topic, partition))
	err = c.toLeader(ctx, what, topic, partition, func(ctx context.Context, broker int32) error {
		end, err = c.offsetAt(ctx, broker, topic, partition, kafka.LastOffset)
		return err
	})
	return end, err
}

func (c *Client) offsetAt(ctx context.Context, broker int32, topic string, partition int, at int64) (int64, error) {
	res, err := c.call(ctx, broker, &listoffsets.Request{
		ReplicaID:      -1,
		IsolationLevel: readUncommitted,
		Topics: []listoffsets.RequestTopic{{
			Topic:      topic,
			Partitions: []listoffsets.RequestPartition{{Partition: int32(partition), CurrentLeaderEpoch: -1, Timestamp: at}},
		}},
	})
	if err != nil {
		return 0, err
	}
	for _, t := range res.(*listoffsets.Response).Topics {
		for _, p := range t.Partitions {
			if t.Topic == topic && p.Partition == int32(partition) {
				return p.Offset, codeError(p.ErrorCode)
			}
		}
	}
	return 0, errNoAnswer
}

// toLeader calls do with the leader of a partition until it succeeds or fails for good.
func (c *Client) toLeader(ctx context.Context, what fmt.Stringer, topic string, partition int, do func(context.Context, int32) error) error {
	t := c.try(what)
	for {
		id, err := c.leader(ctx, topic, partition)
		if err == nil {
			if err = do(ctx, id); err != nil && remedyFor(err) >= refresh {
				c.leaders.forget(topic, partition, id)
			}
		}
		if err == nil {
			t.done()
			return nil
		}
		if err := t.again(ctx, err); err != nil {
			return err
		}
	}
}

// DeleteRecords lets the broker delete the records below offset before. It frees whole segments in its own time, but readers no
// longer get them. What is gone already is no error; an offset beyond the end is a *RangeError.
func (c *Client) DeleteRecords(ctx context.Context, topic string, partition int, before int64) error {
	if before < 0 { // to Kafka -1 means everything
		return fmt.Errorf("delete records of %s/%d below %d: offset is negative", topic, partition, before)
	}
	what := step(fmt.Sprintf("delete records of %s/%d below %d", topic, partition, before))
	return c.toLeader(ctx, what, topic, partition, func(ctx context.Context, broker int32) error {
		err := c.deleteRecords(ctx, broker, topic, partition, before)
		if !errors.Is(err, kafka.OffsetOutOfRange) {
			return err
		}
		// Kafka says so of what is beyond the end; the embedded broker also of what somebody deleted before.
		start, end, err := c.offsets(ctx, broker, topic, partition)
		switch {
		case err != nil || before <= start:
			return err
		case before > end:
			return &RangeError{Topic: topic, Partition: partition, Offset: before, Start: start, End: end}
		}
		return kafka.OffsetNotAvailable // by now it is there
	})
}

func (c *Client) deleteRecords(ctx context.Context, broker int32, topic string, partition int, before int64) error {
	ctx, cancel := context.WithTimeout(ctx, replicateTimeout+callTimeout)
	defer cancel()
	d := &deleteRecords{
		route: route(broker), clientID: c.clientID, id: c.requests.Add(1), topic: topic, partition: partition, before: before,
	}
	if err := c.send(ctx, d); err != nil {
		return err
	}
	return d.take()
}

// deleteRecords is a request that kafka-go does not have.
type deleteRecords struct {
	route
	clientID  string
	id        int32
	topic     string
	partition int
	before    int64
	answer    []byte
}

func (d *deleteRecords) ApiKey() protocol.ApiKey { return protocol.DeleteRecords }

// Required tells the transport to call RawExchange.
func (d *deleteRecords) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange writes the request to a connection and reads the answer.
func (d *deleteRecords) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	b := appendHead(nil, protocol.DeleteRecords, 1, d.id, d.clientID)
	b = order.AppendUint32(b, 1)
	b = appendString(b, d.topic)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, uint32(d.partition))
	b = order.AppendUint64(b, uint64(d.before))
	b = order.AppendUint32(b, uint32(replicateTimeout.Milliseconds()))
	order.PutUint32(b, uint32(len(b)-4))
	if _, err := rw.Write(b); err != nil {
		return nil, err
	}
	var err error
	d.answer, err = readAnswer(rw, d.id)
	return d, err
}

func (d *deleteRecords) take() error {
	c := cursor{b: d.answer}
	c.int32() // throttle time
	for range c.count(6) {
		topic := c.string()
		for range c.count(14) {
			partition := int(c.int32())
			c.int64() // new log start
			if code := c.int16(); c.err == nil && topic == d.topic && partition == d.partition {
				return codeError(code)
			}
		}
	}
	if c.err != nil {
		return c.err
	}
	return errNoAnswer
}
