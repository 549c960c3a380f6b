package kafkalog

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// produceVersion is spoken by brokers from 2.1 on.
	produceVersion = 7
	// replicateTimeout is how long a broker waits for the in-sync replicas before it says RequestTimedOut.
	replicateTimeout = 10 * time.Second
)

// errNoAnswer is what a partition gets that an answer does not mention.
var errNoAnswer = errors.New("answer lacks the partition")

// part is one record batch for one partition, and what became of it.
type part struct {
	topic     string
	partition int
	batch     []byte // not changed after it was first sent
	base      int64  // its offset, if err is nil
	err       error
}

// produce asks one broker to append one batch to each of several partitions it leads, acknowledged by all in-sync replicas.
type produce struct {
	route
	clientID string
	id       int32
	parts    []part // those of one topic stand together
	version  int16
	answer   []byte
}

func (p *produce) ApiKey() protocol.ApiKey { return protocol.Produce }

// Required tells the transport to call RawExchange.
func (p *produce) Required(versions map[protocol.ApiKey]int16) bool {
	p.version = versions[protocol.Produce]
	return true
}

// RawExchange writes the request to a connection and reads the answer.
func (p *produce) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if p.version < produceVersion {
		return nil, kafka.UnsupportedVersion
	}
	size := p.size()
	w := bufio.NewWriterSize(rw, min(size+4, 32<<10)) // a small request leaves as one packet, large batches from where they lie
	if err := p.write(w, size); err != nil {
		return nil, err
	}
	var err error
	p.answer, err = readAnswer(rw, p.id)
	return p, err
}

// size is the length of the request behind its size field.
func (p *produce) size() int {
	n := 2 + 2 + 4 + 2 + len(p.clientID) + 2 + 2 + 4 + 4
	for i, t := range p.parts {
		if i == 0 || t.topic != p.parts[i-1].topic {
			n += 2 + len(t.topic) + 4
		}
		n += 4 + 4 + len(t.batch)
	}
	return n
}

func (p *produce) write(w *bufio.Writer, size int) error {
	b := appendHead(make([]byte, 0, 256), protocol.Produce, produceVersion, p.id, p.clientID)
	order.PutUint32(b, uint32(size))
	b = order.AppendUint16(b, ^uint16(0)) // no transaction
	b = order.AppendUint16(b, ^uint16(0)) // acknowledged by all
	b = order.AppendUint32(b, uint32(replicateTimeout.Milliseconds()))
	topics := 0
	for i, t := range p.parts {
		if i == 0 || t.topic != p.parts[i-1].topic {
			topics++
		}
	}
	w.Write(order.AppendUint32(b, uint32(topics)))
	for i, t := range p.parts {
		b = b[:0]
		if i == 0 || t.topic != p.parts[i-1].topic {
			b = appendString(b, t.topic)
			b = order.AppendUint32(b, uint32(p.sameTopic(i)))
		}
		b = order.AppendUint32(b, uint32(t.partition))
		b = order.AppendUint32(b, uint32(len(t.batch)))
		w.Write(b)
		w.Write(t.batch)
	}
	return w.Flush() // has the first error of all the writes
}

// sameTopic counts the parts from i on that are of one topic.
func (p *produce) sameTopic(i int) int {
	n := i
	for n < len(p.parts) && p.parts[n].topic == p.parts[i].topic {
		n++
	}
	return n - i
}

// take reads the answer into the parts.
func (p *produce) take() error {
	for i := range p.parts {
		p.parts[i].err = errNoAnswer
	}
	c := cursor{b: p.answer}
	for range c.count(6) {
		topic := c.string()
		for range c.count(30) {
			partition, code, base := int(c.int32()), c.int16(), c.int64()
			c.take(16) // log append time, log start
			if c.err == nil {
				p.answered(topic, partition, base, codeError(code))
			}
		}
	}
	return c.err
}

func (p *produce) answered(topic string, partition int, base int64, err error) {
	for i := range p.parts {
		if t := &p.parts[i]; t.partition == partition && t.topic == topic {
			t.base, t.err = base, err
		}
	}
}

// produce sends parts to one broker and fills in what became of each. held tells that the connection may still be reading the
// batches, because the request was given up before it ended.
func (c *Client) produce(ctx context.Context, broker int32, parts []part) (held bool) {
	ctx, cancel := context.WithTimeout(ctx, replicateTimeout+callTimeout)
	defer cancel()
	p := &produce{route: route(broker), clientID: c.clientID, id: c.requests.Add(1), parts: append([]part(nil), parts...)}
	err := c.send(ctx, p)
	held = err != nil && ctx.Err() != nil
	if err == nil {
		err = p.take()
	}
	for i := range parts {
		t := &parts[i]
		if t.err = err; err == nil {
			t.base, t.err = p.parts[i].base, p.parts[i].err
		}
		if t.err != nil && remedyFor(t.err) >= refresh {
			c.leaders.forget(t.topic, t.partition, broker)
		}
	}
	return held
}
