package kafkalog

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// fetchVersion is spoken by brokers from 2.3 on.
	fetchVersion = 11

	readUncommitted = 0
	readCommitted   = 1 // aborted transactions of other producers are not seen
)

// fetch asks one broker for one partition.
type fetch struct {
	route
	clientID  string
	id        int32
	topic     string
	partition int
	offset    int64
	wait      time.Duration
	maxBytes  int
	isolation byte

	answers  *sync.Pool
	ans      *answer // taken from the pool when an answer has come: a request that waits holds no buffer
	version  int16
	highMark int64
	logStart int64
}

func (f *fetch) ApiKey() protocol.ApiKey { return protocol.Fetch }

// Required tells the transport to call RawExchange.
func (f *fetch) Required(versions map[protocol.ApiKey]int16) bool {
	f.version = versions[protocol.Fetch]
	return true
}

// RawExchange writes the request to a connection, reads the answer and decodes it. Errors that concern the partition are in the
// answer and leave the connection in order; they come back through take.
func (f *fetch) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if f.version < fetchVersion {
		return nil, kafka.UnsupportedVersion
	}
	if _, err := rw.Write(f.request()); err != nil {
		return nil, err
	}
	size, err := readAnswerHead(rw, f.id)
	if err != nil {
		return nil, err
	}
	f.ans, _ = f.answers.Get().(*answer)
	if f.ans == nil {
		f.ans = &answer{}
	}
	f.ans.reset(f.offset, size)
	_, err = io.ReadFull(rw, f.ans.buf)
	return f, err
}

func (f *fetch) request() []byte {
	b := appendHead(make([]byte, 0, 128+len(f.topic)+len(f.clientID)), protocol.Fetch, fetchVersion, f.id, f.clientID)
	b = order.AppendUint32(b, ^uint32(0)) // replica id: a consumer
	b = order.AppendUint32(b, uint32(f.wait.Milliseconds()))
	b = order.AppendUint32(b, 1) // min bytes
	b = order.AppendUint32(b, uint32(f.maxBytes))
	b = append(b, f.isolation)
	b = order.AppendUint32(b, 0)          // no session
	b = order.AppendUint32(b, ^uint32(0)) // and none wanted
	b = order.AppendUint32(b, 1)
	b = appendString(b, f.topic)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, uint32(f.partition))
	b = order.AppendUint32(b, ^uint32(0)) // leader epoch: whatever it is
	b = order.AppendUint64(b, uint64(f.offset))
	b = order.AppendUint64(b, ^uint64(0)) // log start: a consumer has none
	b = order.AppendUint32(b, uint32(f.maxBytes))
	b = order.AppendUint32(b, 0) // forgotten topics
	b = appendString(b, "")      // rack
	order.PutUint32(b, uint32(len(b)-4))
	return b
}

// take decodes the answer that RawExchange read.
func (f *fetch) take() error {
	c := cursor{b: f.ans.buf}
	c.int32() // throttle time: the broker itself holds the connection back
	code := c.int16()
	c.int32() // session
	topics := c.count(6)
	if code != 0 {
		return codeError(code)
	}
	for range topics {
		name := c.string()
		for range c.count(30) {
			p := readPartition(&c)
			if c.err != nil {
				return c.err
			}
			if name == f.topic && p.index == int32(f.partition) {
				return f.takePartition(p)
			}
		}
	}
	if c.err != nil {
		return c.err
	}
	return fmt.Errorf("answer lacks the partition")
}

// fetchedPartition is what an answer says of one partition.
type fetchedPartition struct {
	index    int32
	code     int16
	highMark int64
	logStart int64
	gone     []aborted
	set      []byte
}

func readPartition(c *cursor) fetchedPartition {
	p := fetchedPartition{index: c.int32(), code: c.int16(), highMark: c.int64()}
	c.int64() // last stable offset
	p.logStart = c.int64()
	for range c.count(16) {
		p.gone = append(p.gone, aborted{producer: c.int64(), first: c.int64()})
	}
	c.int32() // preferred replica
	if n := c.int32(); n > 0 {
		p.set = c.take(int(n))
	}
	return p
}

func (f *fetch) takePartition(p fetchedPartition) error {
	if p.code != 0 {
		return codeError(p.code)
	}
	f.highMark, f.logStart = p.highMark, p.logStart
	err := f.ans.decode(p.set, p.gone)
	if bad, ok := err.(*batchError); ok {
		return &CorruptError{Topic: f.topic, Partition: f.partition, Offset: bad.offset, Reason: bad.reason.Error()}
	}
	return err
}

// fetch makes one round trip to the leader of f's partition.
func (c *Client) fetch(ctx context.Context, f *fetch) error {
	ctx, cancel := context.WithTimeout(ctx, f.wait+callTimeout)
	defer cancel()
	id, err := c.leader(ctx, f.topic, f.partition)
	if err != nil {
		return err
	}
	f.route, f.clientID, f.id, f.answers = route(id), c.clientID, c.requests.Add(1), &c.answers
	if err = c.send(ctx, f); err == nil {
		err = f.take()
	}
	if err != nil && remedyFor(err) >= refresh {
		c.leaders.forget(f.topic, f.partition, id)
	}
	return err
}
