package kafkalog

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Record is one record of a partition. Its slices point into the buffer of the batch and are valid until the next call of
// Reader.Next; a null key or value is nil, an empty one is not.
type Record struct {
	Offset     int64
	TimeMS     int64 // milliseconds since 1970, by the producer's clock, or the broker's where the topic says LogAppendTime
	Key, Value []byte
	Headers    []Header
}

// answer is what one fetch brought: buffers, and the records that point into them. It is used again for another fetch.
type answer struct {
	buf      []byte // the answer as received
	plain    []byte // decompressed batches
	records  []Record
	headers  []Header
	names    map[string]string // names of headers seen, so that each is allocated once
	inflater inflater
	next     int64
	lastBase int64
	lastSum  uint32
	firstSum uint32
}

// aborted is an entry of the list of aborted transactions in an answer: batches of the producer from offset first on, until the
// marker that ends the transaction, are not to be seen.
type aborted struct{ producer, first int64 }

const (
	maxNames = 1000 // of headers remembered
	// bufLeast and bufStep are by how much buffers for small and for large answers differ, so that the next answer likely fits.
	bufLeast = 4 << 10
	bufStep  = 256 << 10
	// keptBytes and keptRecords bound what a buffer given back may hold on to.
	keptBytes   = 8 << 20
	keptRecords = 64 << 10
)

// reset forgets everything but the buffers and makes buf size bytes long.
func (a *answer) reset(from int64, size int) {
	if cap(a.buf) < size || cap(a.buf) > keptBytes {
		a.buf = make([]byte, size, room(size))
	}
	a.buf = a.buf[:size]
	if cap(a.plain) > keptBytes {
		a.plain = nil
	}
	if cap(a.records) > keptRecords {
		a.records = nil
	}
	if cap(a.headers) > keptRecords {
		a.headers = nil
	}
	if a.names == nil || len(a.names) > maxNames {
		a.names = map[string]string{}
	}
	a.plain, a.records, a.headers = a.plain[:0], a.records[:0], a.headers[:0]
	a.next, a.lastBase, a.lastSum, a.firstSum = from, -1, 0, 0
}

// room is how large a buffer for size bytes is made: the next power of two, or the next multiple of bufStep.
func room(size int) int {
	step := bufLeast
	for step < size && step < bufStep {
		step *= 2
	}
	return (size + step - 1) / step * step
}

// batchError says which batch is unsound.
type batchError struct {
	offset int64
	reason error
}

func (e *batchError) Error() string { return fmt.Sprintf("batch at %d: %v", e.offset, e.reason) }

// decode reads the record batches of set into a, from offset a.next on. It stops at the first unsound batch: with an error if
// nothing stood before it, so that the sound part of an answer is always delivered first.
func (a *answer) decode(set []byte, gone []aborted) error {
	from := a.next
	gone = slices.Clone(gone)
	a.records = slices.Grow(a.records, plainRecords(set))
	for len(set) > 0 {
		h, whole, err := readHead(set)
		if err == nil && !whole {
			if a.lastBase < 0 {
				err = fmt.Errorf("is cut off after %d bytes", len(set))
			} else {
				return nil
			}
		}
		mark := len(a.records)
		if err == nil {
			gone, err = a.decodeBatch(h, set[:h.size], from, gone)
		}
		if err != nil {
			a.records = a.records[:mark]
			if a.lastBase >= 0 {
				return nil
			}
			return &batchError{max(h.base, 0), err}
		}
		if a.lastBase < 0 {
			a.firstSum = h.checksum
		}
		a.next, a.lastBase, a.lastSum = max(a.next, h.last()+1), h.base, h.checksum
		set = set[h.size:]
		if len(a.plain) > maxPlain {
			return nil // enough for one answer
		}
	}
	return nil
}

// plainRecords is how many records the uncompressed batches of set claim to hold, as far as their sizes allow.
func plainRecords(set []byte) (n int) {
	for len(set) >= headSize {
		size := int(int32(order.Uint32(set[atLength:]))) + 12
		if size < headSize || size > len(set) {
			break
		}
		if order.Uint16(set[atAttributes:])&codecBits == 0 {
			n += max(0, min(int(int32(order.Uint32(set[atCount:]))), (size-headSize)/minRecord))
		}
		set = set[size:]
	}
	return n
}

// decodeBatch reads the records of one batch unless it is a control batch or belongs to an aborted transaction. It returns the
// transactions that are still being left out.
func (a *answer) decodeBatch(h batchHead, b []byte, from int64, gone []aborted) ([]aborted, error) {
	body := b[headSize:]
	if h.attributes&controlBit != 0 {
		if isAbortMarker(body) {
			gone = slices.DeleteFunc(gone, func(g aborted) bool { return g.producer == h.producer && g.first <= h.base })
		}
		return gone, nil
	}
	if h.last() < from || h.attributes&transactionalBit != 0 && slices.ContainsFunc(gone, func(g aborted) bool {
		return g.producer == h.producer && g.first <= h.base
	}) {
		return gone, nil
	}
	if codec := Compression(h.attributes & codecBits); codec != None {
		start := len(a.plain)
		var err error
		if a.plain, err = a.inflater.inflate(a.plain, body, codec); err != nil {
			return gone, err
		}
		body = a.plain[start:len(a.plain):len(a.plain)]
	}
	return gone, a.decodeRecords(h, body, from)
}

// isAbortMarker looks into a control batch: the key of its one record is a version and a type, of which 0 is abort.
func isAbortMarker(body []byte) bool {
	f := fields{b: body}
	f.varint() // length
	f.take(1)  // attributes
	f.varint() // timestamp delta
	f.varint() // offset delta
	key := f.bytes()
	return !f.bad && len(key) >= 4 && order.Uint16(key[2:]) == 0
}

// decodeRecords reads the uncompressed records of a batch, from offset from on.
func (a *answer) decodeRecords(h batchHead, body []byte, from int64) error {
	if int(h.count) > len(body)/minRecord {
		return fmt.Errorf("claims %d records in %d bytes", h.count, len(body))
	}
	a.records = slices.Grow(a.records, int(h.count))
	f := fields{b: body}
	for range h.count {
		own := fields{b: f.take(f.varint())}
		own.take(1) // attributes
		at, offset := h.firstTime+own.varint(), h.base+own.varint()
		key, value := own.bytes(), own.bytes()
		var headers []Header
		if n := own.varint(); n != 0 {
			headers = a.decodeHeaders(&own, n)
		}
		if f.bad || own.bad || offset < h.base || offset > h.last() {
			return fmt.Errorf("has an unreadable record among its %d", h.count)
		}
		if h.attributes&logAppendTimeBit != 0 {
			at = h.maxTime
		}
		if offset >= from {
			a.records = append(a.records, Record{offset, at, key, value, headers})
		}
	}
	return nil
}

func (a *answer) decodeHeaders(f *fields, n int64) []Header {
	if n < 0 || n > int64(len(f.b)/2) {
		f.bad = true
		return nil
	}
	start := len(a.headers)
	for range n {
		key := f.take(f.varint())
		name, ok := a.names[string(key)]
		if !ok {
			name = string(key)
			if len(a.names) < maxNames {
				a.names[name] = name
			}
		}
		a.headers = append(a.headers, Header{Key: name, Value: f.bytes()})
	}
	return a.headers[start:len(a.headers):len(a.headers)]
}

// fields reads the varints and byte strings of records. Past the end, bad is set and what it gives means nothing.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) varint() int64 {
	if b := f.b; len(b) > 1 { // nearly all are of one byte or two
		u := uint64(b[0])
		if u < 0x80 {
			f.b = b[1:]
			return int64(u>>1) ^ -int64(u&1)
		}
		if u = u&0x7f | uint64(b[1])<<7; b[1] < 0x80 {
			f.b = b[2:]
			return int64(u>>1) ^ -int64(u&1)
		}
	}
	return f.longVarint()
}

func (f *fields) longVarint() int64 {
	u, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.b, f.bad = nil, true
		return 0
	}
	f.b = f.b[n:]
	return int64(u>>1) ^ -int64(u&1)
}

func (f *fields) take(n int64) []byte {
	if n < 0 || n > int64(len(f.b)) {
		f.b, f.bad = nil, true
		return nil
	}
	v := f.b[:n:n]
	f.b = f.b[n:]
	return v
}

// bytes reads a byte string; nil is null.
func (f *fields) bytes() []byte {
	n := f.varint()
	if n == -1 {
		return nil
	}
	return f.take(n)
}
