package kafkalog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"
)

// maxAnswer bounds what is allocated for one answer, whatever size it claims.
const maxAnswer = 128 << 20

var (
	order = binary.BigEndian
	// errShort is what a cursor that ran past its end reports.
	errShort = errors.New("answer is cut off")
)

// appendHead begins a request: a place for its size, then the header of version 1, which all the requests of this package use.
func appendHead(b []byte, key protocol.ApiKey, version int16, id int32, clientID string) []byte {
	b = append(b, 0, 0, 0, 0)
	b = order.AppendUint16(b, uint16(key))
	b = order.AppendUint16(b, uint16(version))
	b = order.AppendUint32(b, uint32(id))
	return appendString(b, clientID)
}

func appendString(b []byte, s string) []byte {
	b = order.AppendUint16(b, uint16(len(s)))
	return append(b, s...)
}

// readAnswerHead reads the size of an answer, without its correlation id, which must be the request's.
func readAnswerHead(r io.Reader, id int32) (size int, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	size = int(int32(order.Uint32(head[:])))
	if size < 4 || size > maxAnswer {
		return 0, fmt.Errorf("answer of %d bytes (at most %d are read)", size, maxAnswer)
	}
	if got := int32(order.Uint32(head[4:])); got != id {
		return 0, fmt.Errorf("answer %d to request %d", got, id)
	}
	return size - 4, nil
}

// readAnswer reads a whole small answer.
func readAnswer(r io.Reader, id int32) ([]byte, error) {
	size, err := readAnswerHead(r, id)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	_, err = io.ReadFull(r, b)
	return b, err
}

// cursor reads fields one after the other. After running past the end it returns zeros, and err says so.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.err = nil, errShort
		return nil
	}
	v := c.b[:n:n]
	c.b = c.b[n:]
	return v
}

func (c *cursor) int16() int16 {
	if v := c.take(2); v != nil {
		return int16(order.Uint16(v))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if v := c.take(4); v != nil {
		return int32(order.Uint32(v))
	}
	return 0
}

func (c *cursor) int64() int64 {
	if v := c.take(8); v != nil {
		return int64(order.Uint64(v))
	}
	return 0
}

func (c *cursor) string() string { return string(c.take(int(c.int16()))) }

// count reads the length of an array whose elements take at least size bytes; null is 0.
func (c *cursor) count(size int) int {
	n := int(c.int32())
	if n < 0 {
		return 0
	}
	if n > len(c.b)/size {
		c.b, c.err = nil, errShort
		return 0
	}
	return n
}
