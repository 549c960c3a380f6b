package engine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// answer sends the result of one statement. Until a mebibyte is there it holds it back, so that most failures still come with a
// status, and most answers with the numbers of rows in a header.
type answer struct {
	w       http.ResponseWriter
	request *request
	tag     string // marks a failure in the middle of a result
	held    []byte
	begun   bool
	out     io.Writer        // what is written to: w, or an encoder that ends there
	closers []io.WriteCloser // the encoders, the innermost first
}

const holdBack = 1 << 20

func newAnswer(w http.ResponseWriter, q *request) *answer {
	return &answer{w: w, request: q, tag: strings.ToLower(rand.Text())[:16]}
}

// Write takes the next piece of the result, and keeps nothing of p.
func (a *answer) Write(p []byte) (int, error) {
	if !a.begun && (a.request.waitEnd || len(a.held)+len(p) <= holdBack) {
		a.held = append(a.held, p...)
		return len(p), nil
	}
	if err := a.begin(); err != nil {
		return 0, err
	}
	return a.out.Write(p)
}

// begin sends the headers and what was held back. From here on a failure can no longer have a status of its own.
func (a *answer) begin() error {
	if a.begun {
		return nil
	}
	a.begun = true
	a.header(a.request.output)
	encoded, err := deflated(a.w, a.request.encoding)
	if err != nil {
		return err
	}
	if a.request.encoding != "" {
		a.w.Header().Set("Content-Encoding", a.request.encoding)
	}
	a.out, a.closers = encoded, []io.WriteCloser{encoded}
	if a.request.compress != "" {
		blocks := newBlockWriter(encoded, a.request.compress)
		a.out, a.closers = blocks, append([]io.WriteCloser{blocks}, a.closers...)
	}
	held := a.held
	a.held = nil
	_, err = a.out.Write(held)
	return err
}

func (a *answer) header(format string) {
	h := a.w.Header()
	h.Set("X-ClickHouse-Query-Id", a.request.id)
	h.Set("X-ClickHouse-Server-Display-Name", "corridorwatch")
	h.Set("X-ClickHouse-Format", format)
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	h.Set("Content-Type", contentType(format))
}

// end completes the answer of a statement that went well.
func (a *answer) end(s stats) error {
	if !a.begun {
		a.w.Header().Set("X-ClickHouse-Summary", fmt.Sprintf(
			`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d"}`, s.readRows, s.readBytes, s.writtenRows, s.writtenBytes))
		if len(a.held) == 0 {
			a.header(a.request.output)
			a.w.Header().Set("Content-Length", "0")
			return nil
		}
	}
	if err := a.begin(); err != nil {
		return err
	}
	return a.close()
}

func (a *answer) close() error {
	var errs []error
	for _, c := range a.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// fail tells the client of an error: with a status, if nothing was sent yet; else as ClickHouse does, as a marked block behind what
// was sent, and then by breaking off the answer, so that a client who does not know the mark cannot take a part for the whole.
func (a *answer) fail(err error) {
	e := asException(err)
	if !a.begun {
		a.header("TabSeparated")
		a.w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		a.w.WriteHeader(e.status())
		io.WriteString(a.w, e.message+"\n")
		return
	}
	message := e.message + "\n"
	fmt.Fprintf(a.out, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", a.tag, message, len(message), a.tag)
	a.close()
	if f, ok := a.w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "JSON"), format == "GeoJSON":
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8; header=" + map[bool]string{true: "present", false: "absent"}[strings.Contains(format, "WithNames")]
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "Native"), strings.HasPrefix(format, "RowBinary"), format == "Parquet", format == "ORC", format == "Arrow", format == "ArrowStream":
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}
