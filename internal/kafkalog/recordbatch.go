package kafkalog

import (
	"fmt"
	"hash/crc32"
)

// A record batch of version 2, the only one brokers since 0.11 write. All numbers are big endian; the checksum is CRC-32C over
// everything behind it.
//
//	 0 base offset            int64    set by the broker
//	 8 length                 int32    of what follows
//	12 leader epoch           int32    set by the broker
//	16 magic                  int8     2
//	17 checksum               uint32
//	21 attributes             int16    0-2 codec, 3 broker's time, 4 transactional, 5 control
//	23 last offset delta      int32    kept when compaction removes records
//	27 first, max timestamp   int64 x2
//	43 producer id            int64    -1: none
//	51 producer epoch         int16
//	53 base sequence          int32
//	57 records                int32
//	61 records, compressed as one if there is a codec:
//	     length, attributes (1 byte), timestamp delta, offset delta, key length, key, value length, value, number of headers,
//	     { key length, key, value length, value }      zigzag varints; length -1 is null
const (
	atLength     = 8
	atMagic      = 16
	atChecksum   = 17
	atAttributes = 21
	atLastDelta  = 23
	atFirstTime  = 27
	atMaxTime    = 35
	atProducer   = 43
	atEpoch      = 51
	atSequence   = 53
	atCount      = 57
	headSize     = 61

	codecBits        = 0x07
	logAppendTimeBit = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20

	// minRecord is the least a record takes: seven varints of one byte.
	minRecord = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batchHead is the head of a record batch.
type batchHead struct {
	base       int64
	size       int // of the whole batch
	checksum   uint32
	attributes int16
	lastDelta  int32
	firstTime  int64
	maxTime    int64
	producer   int64
	count      int32
}

// last is the offset of the last record the batch had when it was written.
func (h batchHead) last() int64 { return h.base + int64(h.lastDelta) }

// readHead reads the head of the batch that b begins with. ok is false when b ends before the batch does, as the last one of an
// answer may; an error says why b is no sound batch. The checksum has been compared.
func readHead(b []byte) (h batchHead, ok bool, err error) {
	if len(b) <= atMagic {
		return h, false, nil
	}
	h.base = int64(order.Uint64(b))
	length := int32(order.Uint32(b[atLength:]))
	if b[atMagic] != 2 {
		return h, false, fmt.Errorf("is of format %d; only format 2 (brokers since 0.11) is read", b[atMagic])
	}
	if length < headSize-12 {
		return h, false, fmt.Errorf("has length %d", length)
	}
	h.size = int(length) + 12
	if h.size > len(b) {
		return h, false, nil
	}
	h.checksum = order.Uint32(b[atChecksum:])
	if sum := crc32.Checksum(b[atAttributes:h.size], castagnoli); sum != h.checksum {
		return h, false, fmt.Errorf("checksum is %08x, contents have %08x", h.checksum, sum)
	}
	h.attributes = int16(order.Uint16(b[atAttributes:]))
	h.lastDelta = int32(order.Uint32(b[atLastDelta:]))
	h.firstTime = int64(order.Uint64(b[atFirstTime:]))
	h.maxTime = int64(order.Uint64(b[atMaxTime:]))
	h.producer = int64(order.Uint64(b[atProducer:]))
	h.count = int32(order.Uint32(b[atCount:]))
	if h.lastDelta < 0 || h.count < 0 || h.base < 0 || h.base > 1<<62 {
		return h, false, fmt.Errorf("has base offset %d, last offset delta %d and %d records", h.base, h.lastDelta, h.count)
	}
	return h, true, nil
}

// appendHeadRoom begins a batch: room for its head.
func appendHeadRoom(b []byte) []byte {
	var room [headSize]byte
	return append(b, room[:]...)
}

// fillHead writes the head of a batch of count records, all of one time, behind which nothing follows in b.
func fillHead(b []byte, count int, timeMS int64, codec Compression) {
	order.PutUint32(b[atLength:], uint32(len(b)-12))
	b[atMagic] = 2
	order.PutUint16(b[atAttributes:], uint16(codec))
	order.PutUint32(b[atLastDelta:], uint32(count-1))
	order.PutUint64(b[atFirstTime:], uint64(timeMS))
	order.PutUint64(b[atMaxTime:], uint64(timeMS))
	order.PutUint64(b[atProducer:], ^uint64(0))
	order.PutUint16(b[atEpoch:], ^uint16(0))
	order.PutUint32(b[atSequence:], ^uint32(0))
	order.PutUint32(b[atCount:], uint32(count))
	order.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], castagnoli))
}

// Header is a named value beside a record.
type Header struct {
	Key   string
	Value []byte
}

// recordSize is the size of a record behind its length field.
func recordSize(delta int, key, value []byte, headers []Header) int {
	n := 1 + 1 + varintSize(int64(delta)) + bytesSize(key) + bytesSize(value) + varintSize(int64(len(headers)))
	for _, h := range headers {
		n += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	return n
}

// appendRecord appends the record with the given offset delta, at the batch's time. size is its recordSize.
func appendRecord(b []byte, size, delta int, key, value []byte, headers []Header) []byte {
	b = appendVarint(b, int64(size))
	b = append(b, 0, 0) // attributes, timestamp delta
	b = appendVarint(b, int64(delta))
	b = appendBytes(b, key)
	b = appendBytes(b, value)
	b = appendVarint(b, int64(len(headers)))
	for _, h := range headers {
		b = appendVarint(b, int64(len(h.Key)))
		b = append(b, h.Key...)
		b = appendBytes(b, h.Value)
	}
	return b
}

func appendBytes(b, v []byte) []byte {
	if v == nil {
		return append(b, 1) // -1
	}
	b = appendVarint(b, int64(len(v)))
	return append(b, v...)
}

func bytesSize(v []byte) int {
	if v == nil {
		return 1
	}
	return varintSize(int64(len(v))) + len(v)
}

func appendVarint(b []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}

func varintSize(v int64) int {
	n := 1
	for u := (uint64(v<<1) ^ uint64(v>>63)) >> 7; u != 0; u >>= 7 {
		n++
	}
	return n
}
