package engine

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	chcompress "github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// decoded is a request's body in plain: HTTP's own encoding is taken off first, then, with decompress=1, ClickHouse's block format.
func decoded(body io.Reader, encoding string, blocks bool) (io.Reader, error) {
	plain, err := inflated(body, encoding)
	if err != nil {
		return nil, err
	}
	if blocks {
		return blockReader{chcompress.NewReader(plain)}, nil
	}
	return plain, nil
}

// blockReader reads ClickHouse's block format to its end, which ch-go reports as a failure to read the next header.
type blockReader struct{ *chcompress.Reader }

func (b blockReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		if strings.HasSuffix(err.Error(), "header: EOF") {
			return n, io.EOF
		}
		return n, io.ErrUnexpectedEOF // in the middle of a block
	}
	return n, err
}

func inflated(body io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(body)
	case "deflate":
		return zlib.NewReader(body)
	case "br":
		return brotli.NewReader(body), nil
	case "lz4":
		return lz4.NewReader(body), nil
	case "zstd":
		// One goroutine: the caller does not close the reader.
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		return r, err
	}
	return nil, newException(fmt.Sprintf("Code: 89. DB::Exception: Unknown content encoding '%s'; gzip, deflate, br, zstd and lz4 are known. (UNKNOWN_COMPRESSION_METHOD)", encoding))
}

// accepted is the encoding of those the client takes that answers are sent in, or empty: the first it names that is known.
func accepted(header http.Header) string {
	for _, name := range strings.Split(header.Get("Accept-Encoding"), ",") {
		name, _, _ = strings.Cut(strings.TrimSpace(name), ";")
		switch name {
		case "gzip", "deflate", "br", "zstd", "lz4":
			return name
		}
	}
	return ""
}

// deflated encodes what is written to it; closing it ends the encoding, not w.
func deflated(w io.Writer, encoding string) (io.WriteCloser, error) {
	switch encoding {
	case "gzip":
		return gzip.NewWriterLevel(w, gzip.BestSpeed)
	case "deflate":
		return zlib.NewWriterLevel(w, zlib.BestSpeed)
	case "br":
		return brotli.NewWriterLevel(w, brotli.BestSpeed), nil
	case "lz4":
		return lz4.NewWriter(w), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	}
	return plain{w}, nil
}

type plain struct{ io.Writer }

func (plain) Close() error { return nil }

// blockWriter writes ClickHouse's block format, which clients ask for with compress=1: frames with a checksum of their own.
type blockWriter struct {
	to io.Writer
	by *chcompress.Writer
}

func newBlockWriter(w io.Writer, method string) *blockWriter {
	by := chcompress.LZ4
	if strings.EqualFold(method, "zstd") {
		by = chcompress.ZSTD
	}
	return &blockWriter{to: w, by: chcompress.NewWriter(0, by)}
}

// Write makes frames of at most a mebibyte of p.
func (b *blockWriter) Write(p []byte) (n int, err error) {
	const most = 1 << 20
	for len(p) > 0 {
		piece := p[:min(len(p), most)]
		if err := b.by.Compress(piece); err != nil {
			return n, fmt.Errorf("compress a block: %w", err)
		}
		if _, err := b.to.Write(b.by.Data); err != nil {
			return n, err
		}
		n, p = n+len(piece), p[len(piece):]
	}
	return n, nil
}

// Close ends the frames; there is nothing to write.
func (b *blockWriter) Close() error { return nil }
