package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// item is one thing read from an input: an event, or bytes that are none.
type item struct {
	ev    *pb.Event
	fault *schemas.Fault
	own   bool   // the fault is one that intake would not find: it is told
	raw   []byte // as it came; valid until the next read, unless fault is set
	ct    string // content type of raw
}

// told is the fault to tell intake. What it can find by itself it shall find, since its catalogue is the one that counts.
func (it item) told() *schemas.Fault {
	if it.own {
		return it.fault
	}
	return nil
}

// reader reads an input in its own order. It returns io.EOF at the end; other errors are of the input itself, not of what it holds.
type reader interface {
	next() (item, error)
}

// open opens a file, or standard input for "-". What is compressed by gzip is seen by its first bytes, whatever its name.
func open(path string, stdin io.Reader) (io.ReadCloser, error) {
	f := &input{}
	raw := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		f.file, raw = file, file
	}
	buffered := bufio.NewReaderSize(raw, 1<<16)
	f.Reader = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("read %s as gzip: %w", path, err)
		}
		f.Reader = unzipped
	}
	return f, nil
}

type input struct {
	io.Reader
	file *os.File
}

func (i *input) Close() error {
	if i.file == nil {
		return nil
	}
	return i.file.Close()
}

// lines reads lines of any length; of one longer than maxElement the first maxElement bytes are kept.
type lines struct {
	r    *bufio.Reader
	long []byte
}

func newLines(r io.Reader) lines { return lines{r: bufio.NewReaderSize(r, 1<<16)} }

// next returns a line without its end, valid until the next call; whole is false if it was cut.
func (l *lines) next() (line []byte, whole bool, err error) {
	line, err = l.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return endOf(line, true, err)
	}
	l.long = append(l.long[:0], line...)
	whole = true
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.r.ReadSlice('\n')
		if room := maxElement - len(l.long); len(line) > room {
			line, whole = line[:max(room, 0)], false
		}
		l.long = append(l.long, line...)
	}
	return endOf(l.long, whole, err)
}

// endOf: a last line without a line feed is a line.
func endOf(line []byte, whole bool, err error) ([]byte, bool, error) {
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, false, err
	}
	return bytes.TrimRight(line, "\r\n"), whole, nil
}
