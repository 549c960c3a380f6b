package engine

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// statementFunc is the shape of chdb's functions that take a statement, a format and parameters, each with lengths.
type statementFunc = func(conn uintptr, query *byte, n uintptr, format *byte, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, params uintptr) uintptr

// library is libchdb, ClickHouse as a shared library. It is called without cgo, so that this program stays one file that builds
// anywhere. Handles of the library are uintptrs: they point to memory that is not Go's.
type library struct {
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv **byte) *uintptr
	closeConn         func(conn *uintptr)

	query       statementFunc
	streamQuery statementFunc
	fetch       func(conn, stream uintptr) uintptr
	cancelQuery func(conn, stream uintptr)

	insert        statementFunc
	insertAppend  func(stream uintptr, data *byte, n uintptr) int32
	insertDone    func(stream uintptr) uintptr
	insertError   func(stream uintptr) string
	insertDestroy func(stream uintptr)

	resultError  func(result uintptr) string
	resultBuffer func(result uintptr) *byte
	resultLength func(result uintptr) uintptr
	rowsRead     func(result uintptr) uint64
	bytesRead    func(result uintptr) uint64
	rowsWritten  func(result uintptr) uint64
	bytesWritten func(result uintptr) uint64
	destroy      func(result uintptr)
}

// open loads libchdb.so at path. The library stays loaded until the process ends.
func open(path string) (lib *library, err error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("load the ClickHouse engine %s: %w", path, err)
	}
	lib = &library{}
	for name, fn := range map[string]any{
		"chdb_set_signal_handlers_enabled": &lib.setSignalHandlers,
		"chdb_connect":                     &lib.connect,
		"chdb_close_conn":                  &lib.closeConn,
		"chdb_query_with_params_n":         &lib.query,
		"chdb_stream_query_with_params_n":  &lib.streamQuery,
		"chdb_stream_fetch_result":         &lib.fetch,
		"chdb_stream_cancel_query":         &lib.cancelQuery,
		"chdb_stream_insert_with_params_n": &lib.insert,
		"chdb_stream_append":               &lib.insertAppend,
		"chdb_stream_done":                 &lib.insertDone,
		"chdb_stream_insert_error":         &lib.insertError,
		"chdb_destroy_insert_stream":       &lib.insertDestroy,
		"chdb_result_error":                &lib.resultError,
		"chdb_result_buffer":               &lib.resultBuffer,
		"chdb_result_length":               &lib.resultLength,
		"chdb_result_rows_read":            &lib.rowsRead,
		"chdb_result_bytes_read":           &lib.bytesRead,
		"chdb_result_rows_written":         &lib.rowsWritten,
		"chdb_result_bytes_written":        &lib.bytesWritten,
		"chdb_destroy_query_result":        &lib.destroy,
	} {
		address, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("engine %s is not the version this program needs (%s): %w", path, Version, err)
		}
		purego.RegisterFunc(fn, address)
	}
	// The handlers of ClickHouse would take the place of Go's and print a trace of their own.
	lib.setSignalHandlers(0)
	return lib, nil
}

// conn is one connection: a session with settings and a current database of its own. It runs one statement at a time, and one
// goroutine at a time may use it. All connections of a process share one data directory.
type conn struct {
	lib    *library
	handle *uintptr // chdb_connection *
}

// dial opens a connection; args are those of clickhouse local (--path=…, --database=…, --max_threads=4). The first connection of
// the process starts the engine, and closing the last one stops it.
func (lib *library) dial(args ...string) (*conn, error) {
	argv := make([]*byte, 0, len(args)+1)
	for _, a := range append([]string{"clickhouse"}, args...) {
		if strings.ContainsRune(a, 0) {
			return nil, fmt.Errorf("argument %q of the engine holds a zero byte", a)
		}
		argv = append(argv, cString(a))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, a := range argv {
		pin.Pin(a)
	}
	handle := lib.connect(int32(len(argv)), &argv[0])
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errors.New("the engine refused the connection; what it said stands above")
	}
	return &conn{lib: lib, handle: handle}, nil
}

// session is what chdb's functions take: the handle points to it.
func (c *conn) session() uintptr { return *c.handle }

func (c *conn) close() { c.lib.closeConn(c.handle) }

// param is a value for a {name:Type} in a statement, in ClickHouse's escaped (TSV) notation.
type param struct{ name, value string }

// call hands a statement to one of the functions that take a statement, a format and parameters.
func (c *conn) call(f statementFunc, query, format string, params []param) uintptr {
	var pin runtime.Pinner
	defer pin.Unpin()
	names, values := make([]*byte, len(params)+1), make([]*byte, len(params)+1)
	nameLens, valueLens := make([]uintptr, len(params)+1), make([]uintptr, len(params)+1)
	for i, p := range params {
		names[i], nameLens[i] = cString(p.name), uintptr(len(p.name))
		values[i], valueLens[i] = cString(p.value), uintptr(len(p.value))
		pin.Pin(names[i])
		pin.Pin(values[i])
	}
	q, fm := cString(query), cString(format)
	result := f(c.session(), q, uintptr(len(query)), fm, uintptr(len(format)),
		unsafe.Pointer(&names[0]), unsafe.Pointer(&nameLens[0]), unsafe.Pointer(&values[0]), unsafe.Pointer(&valueLens[0]), uintptr(len(params)))
	runtime.KeepAlive(q)
	runtime.KeepAlive(fm)
	return result
}

// cString is a copy of s that ends with a zero byte, and so is never nil.
func cString(s string) *byte { return &append([]byte(s), 0)[0] }

// stats is what a statement has read or written.
type stats struct{ readRows, readBytes, writtenRows, writtenBytes uint64 }

func (c *conn) stats(result uintptr) stats {
	return stats{c.lib.rowsRead(result), c.lib.bytesRead(result), c.lib.rowsWritten(result), c.lib.bytesWritten(result)}
}

// exec runs a statement to its end and returns the whole result.
func (c *conn) exec(query, format string, params []param) ([]byte, stats, error) {
	result := c.call(c.lib.query, query, format, params)
	defer c.lib.destroy(result)
	if msg := c.lib.resultError(result); msg != "" {
		return nil, stats{}, newException(msg)
	}
	return append([]byte(nil), c.bytes(result)...), c.stats(result), nil
}

// bytes is the data of a result, valid until the result is destroyed.
func (c *conn) bytes(result uintptr) []byte {
	n := c.lib.resultLength(result)
	if n == 0 {
		return nil
	}
	return unsafe.Slice(c.lib.resultBuffer(result), n)
}

// query runs a statement and calls take with one piece of the result after the other; a piece is valid until take returns. It ends
// early, and stops the statement, when take fails.
func (c *conn) query(query, format string, params []param, take func([]byte) error) (stats, error) {
	stream := c.call(c.lib.streamQuery, query, format, params)
	defer c.lib.destroy(stream)
	if msg := c.lib.resultError(stream); msg != "" {
		return stats{}, newException(msg)
	}
	var total stats
	for {
		more, err := c.next(stream, &total, take)
		if err != nil {
			c.lib.cancelQuery(c.session(), stream)
			return total, err
		}
		if !more {
			return total, nil
		}
	}
}

// next takes the next piece of a streamed result.
func (c *conn) next(stream uintptr, total *stats, take func([]byte) error) (more bool, err error) {
	piece := c.lib.fetch(c.session(), stream)
	defer c.lib.destroy(piece)
	if msg := c.lib.resultError(piece); msg != "" {
		return false, newException(msg)
	}
	s := c.stats(piece)
	total.readRows += s.readRows
	total.readBytes += s.readBytes
	data := c.bytes(piece)
	if len(data) == 0 {
		return false, nil
	}
	return true, take(data)
}

// insertion is an INSERT that takes its rows in pieces.
type insertion struct {
	conn   *conn
	handle uintptr
}

// insert begins an INSERT; query is the statement without FORMAT and data. The caller must end it with done or abort.
func (c *conn) insert(query, format string, params []param) (*insertion, error) {
	i := &insertion{conn: c, handle: c.call(c.lib.insert, query, format, params)}
	if msg := c.lib.insertError(i.handle); msg != "" {
		i.abort()
		return nil, newException(msg)
	}
	return i, nil
}

// Write hands on the next piece of data, cut anywhere.
func (i *insertion) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if i.conn.lib.insertAppend(i.handle, &p[0], uintptr(len(p))) != 0 {
		msg := i.conn.lib.insertError(i.handle)
		if msg == "" {
			msg = "the engine refused more data"
		}
		return 0, newException(msg)
	}
	return len(p), nil
}

// done writes what was handed over; after it, the rows are stored.
func (i *insertion) done() (stats, error) {
	lib := i.conn.lib
	defer lib.insertDestroy(i.handle)
	result := lib.insertDone(i.handle)
	defer lib.destroy(result)
	if msg := lib.resultError(result); msg != "" {
		return stats{}, newException(msg)
	}
	return i.conn.stats(result), nil
}

// abort ends an insertion without storing what is not stored yet.
func (i *insertion) abort() { i.conn.lib.insertDestroy(i.handle) }
