package kafkalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
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

var errPlain = fmt.Errorf("decompresses to more than %d bytes", maxPlain)

// String is the codec's name.
func (c Compression) String() string { return compress.Compression(c).String() }

// inflater decompresses batches. What it keeps between them is used again.
type inflater struct{ zstd *zstd.Decoder }

// inflate appends what src decompresses to, at most maxPlain.
func (i *inflater) inflate(dst, src []byte, c Compression) ([]byte, error) {
	out, err := dst, error(nil)
	switch c {
	case Zstd:
		out, err = i.inflateZstd(dst, src)
	case Snappy:
		out, err = inflateSnappy(dst, src)
	case Gzip, Lz4:
		out, err = inflateStream(dst, src, compress.Compression(c).Codec())
	default:
		err = errors.New("unknown codec")
	}
	if err != nil {
		return dst, fmt.Errorf("compressed by codec %d (%s): %w", c, c, err)
	}
	return out, nil
}

func (i *inflater) inflateZstd(dst, src []byte) ([]byte, error) {
	if i.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderMaxWindow(maxPlain))
		if err != nil {
			return dst, err
		}
		i.zstd = d
	}
	start := len(dst)
	out, err := i.zstd.DecodeAll(src, dst)
	if err == nil && len(out)-start > maxPlain {
		err = errPlain
	}
	return out, err
}

// xerialMagic begins snappy as Java clients write it: 16 bytes of header, then blocks, each behind its length. Others write one
// bare block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

func inflateSnappy(dst, src []byte) ([]byte, error) {
	if len(src) < 16 || !bytes.HasPrefix(src, xerialMagic) {
		return inflateBlock(dst, src, maxPlain)
	}
	c, start := cursor{b: src[16:]}, len(dst)
	for len(c.b) > 0 {
		block := c.take(int(c.int32()))
		if c.err != nil {
			return dst, c.err
		}
		var err error
		if dst, err = inflateBlock(dst, block, maxPlain-(len(dst)-start)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func inflateBlock(dst, block []byte, most int) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return dst, err
	}
	if n > most {
		return dst, errPlain
	}
	dst = slices.Grow(dst, n)
	out, err := snappy.Decode(dst[len(dst):len(dst)+n], block)
	return dst[:len(dst)+len(out)], err
}

func inflateStream(dst, src []byte, codec compress.Codec) ([]byte, error) {
	r := codec.NewReader(bytes.NewReader(src))
	defer r.Close()
	start := len(dst)
	for {
		dst = slices.Grow(dst, max(512, 2*len(src)-(len(dst)-start)))
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > maxPlain:
			return dst, errPlain
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
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
