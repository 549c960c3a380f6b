package kafkalog

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/compress"
)

// Compression is a codec of record batches. Readers take all of them, whatever an appender chose.
type Compression int8

// The codecs of Kafka. Zstd gives the smallest logs, Lz4 costs the least time; on loopback None is fastest.
const (
	None   = Compression(compress.None)
	Gzip   = Compression(compress.Gzip)
	Snappy = Compression(compress.Snappy)
	Lz4    = Compression(compress.Lz4)
	Zstd   = Compression(compress.Zstd)
)

// maxPlain bounds what one batch may decompress to: a few kilobytes can claim to be gigabytes.
const maxPlain = 64 << 20

// String is the codec's name.
func (c Compression) String() string { return compress.Compression(c).String() }

// inflate appends what src decompresses to.
func (c Compression) inflate(dst, src []byte) ([]byte, error) {
	codec := compress.Compression(c).Codec()
	if codec == nil {
		return dst, fmt.Errorf("has unknown codec %d", c)
	}
	r := codec.NewReader(bytes.NewReader(src))
	defer r.Close()
	start := len(dst)
	for {
		dst = slices.Grow(dst, max(512, 2*len(src)-(len(dst)-start)))
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst[:start], fmt.Errorf("%s: %w", c, err)
		case len(dst)-start > maxPlain:
			return dst[:start], fmt.Errorf("%s: decompresses to more than %d bytes", c, maxPlain)
		}
	}
}

// deflate appends src compressed.
func (c Compression) deflate(dst, src []byte) ([]byte, error) {
	codec := compress.Compression(c).Codec()
	if codec == nil {
		return dst, fmt.Errorf("unknown codec %d", c)
	}
	out := bytes.NewBuffer(dst)
	w := codec.NewWriter(out)
	_, err := w.Write(src)
	if end := w.Close(); err == nil {
		err = end
	}
	return out.Bytes(), err
}
