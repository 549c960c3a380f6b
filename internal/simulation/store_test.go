package simulation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// store is ClickHouse as the sink sees it: it takes inserts in the Native format over HTTP, keeps the greatest version of each key,
// and answers the few questions that the driver and the sink ask. TestStore holds it against the real engine.
type store struct {
	// before, if set, is asked ahead of an insert what shall become of it.
	before func(r *http.Request, table string) verdict
	// taken, if set, is told of every insert that was done.
	taken func(query string, body []byte)

	mu      sync.Mutex // guards what follows
	tables  map[string]*table
	changed chan struct{} // closed and made anew by each insert
}

// verdict is what becomes of an insert.
type verdict struct {
	refuse   bool              // it is not done, an exception is the answer
	postpone func(take func()) // if set, is left to do it; there is no answer
	after    func()            // if set, is called between the insert and the answer
}

// table is what the rows of one table come to.
type table struct {
	layout
	rows map[string]row
}

// row points into the block it came with.
type row struct {
	block   *proto.Block
	at      int
	version [2]uint64
}

func newStore() *store {
	s := &store{tables: map[string]*table{}, changed: make(chan struct{})}
	for name, l := range layouts {
		s.tables[name] = &table{layout: l, rows: map[string]row{}}
	}
	return s
}

var (
	insertInto = regexp.MustCompile(`^INSERT INTO (?:\w+\.)?(\w+) `)
	selectFrom = regexp.MustCompile(`^SELECT ([\w, ]+) FROM (?:\w+\.)?(\w+) FINAL$`)
)

// ServeHTTP is the part of ClickHouse's HTTP interface that clickhouse-go uses.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone in the middle: nothing is stored
	}
	if m := insertInto.FindStringSubmatch(r.URL.Query().Get("query")); m != nil {
		err = s.insert(r, m[1], body)
	} else {
		err = s.answer(w, r, string(body))
	}
	if err != nil {
		var e *exception
		if !errors.As(err, &e) {
			e = &exception{62, err.Error()} // syntax error: the sink gives up and says so
		}
		w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, e.Error())
	}
}

// exception is ClickHouse's error.
type exception struct {
	code int
	text string
}

func (e *exception) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (SIMULATED)", e.code, e.text)
}

func (s *store) insert(r *http.Request, name string, body []byte) error {
	v := verdict{}
	if s.before != nil {
		v = s.before(r, name)
	}
	switch {
	case v.refuse:
		return &exception{252, "Too many parts"}
	case v.postpone != nil:
		v.postpone(func() { s.take(name, r.URL.Query().Get("query"), body) })
		panic(http.ErrAbortHandler)
	}
	if err := s.take(name, r.URL.Query().Get("query"), body); err != nil {
		return err
	}
	if v.after != nil {
		v.after()
	}
	return nil
}

// buffered is shared by all stores: one run follows the other.
var buffered = bufio.NewReaderSize(nil, 1<<20)

// take stores the blocks of one insert, all or nothing.
func (s *store) take(name, query string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[name]
	if t == nil {
		return &exception{60, "Unknown table " + name}
	}
	var blocks []*proto.Block
	// A large bufio.Reader is used as it is; otherwise each insert would make one.
	buffered.Reset(bytes.NewReader(body))
	for in := chproto.NewReader(buffered); ; {
		b := &proto.Block{ServerContext: &column.ServerContext{}}
		if err := b.Decode(in, 0); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("read the block: %w", err)
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		if err := t.add(b); err != nil {
			return err
		}
	}
	if s.taken != nil {
		s.taken(query, body)
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// add takes the rows of a block. Of equal versions the one inserted last counts.
func (t *table) add(b *proto.Block) error {
	key, err := indexes(b, t.key)
	if err != nil {
		return err
	}
	of, err := indexes(b, t.versioned)
	if err != nil {
		return err
	}
	for i := range b.Rows() {
		r := row{block: b, at: i, version: t.version(values(b, of, i))}
		k := strings.Join(texts(b, key, i), "\x00")
		if old, ok := t.rows[k]; !ok || slices.Compare(r.version[:], old.version[:]) >= 0 {
			t.rows[k] = r
		}
	}
	return nil
}

func indexes(b *proto.Block, names []string) ([]int, error) {
	out := make([]int, len(names))
	for i, n := range names {
		if out[i] = slices.Index(b.ColumnsNames(), n); out[i] < 0 {
			return nil, &exception{16, "No such column " + n}
		}
	}
	return out, nil
}

func values(b *proto.Block, columns []int, row int) []any {
	out := make([]any, len(columns))
	for i, c := range columns {
		out[i] = b.Columns[c].Row(row, false)
	}
	return out
}

func texts(b *proto.Block, columns []int, row int) []string {
	out := make([]string, len(columns))
	for i, v := range values(b, columns, row) {
		out[i] = fmt.Sprint(v)
	}
	return out
}

// answer answers a question, in Native of the revision the client speaks.
func (s *store) answer(w io.Writer, r *http.Request, query string) error {
	revision, err := strconv.ParseUint(r.URL.Query().Get("client_protocol_version"), 10, 64)
	if err != nil {
		return fmt.Errorf("client_protocol_version: %w", err)
	}
	b := proto.NewBlock()
	switch m := selectFrom.FindStringSubmatch(query); {
	case m != nil:
		err = s.sel(b, m[2], strings.Split(m[1], ", "))
	case query == "SELECT 1":
		err = fill(b, []string{"1"}, []string{"UInt8"}, uint8(1))
	case strings.HasPrefix(query, "SELECT displayName()"):
		err = fill(b, []string{"displayName()", "version()", "revision()", "timezone()"}, []string{"String", "String", "UInt32", "String"},
			"simulated", "26.7.1.1", uint32(revision), "UTC")
	default:
		return fmt.Errorf("the store knows no such question: %s", query)
	}
	if err != nil || b.Rows() == 0 {
		return err
	}
	var out chproto.Buffer
	if err := b.Encode(&out, revision); err != nil {
		return err
	}
	_, err = w.Write(out.Buf)
	return err
}

// fill adds columns and one row.
func fill(b *proto.Block, names, types []string, row ...any) error {
	for i, n := range names {
		if err := b.AddColumn(n, column.Type(types[i])); err != nil {
			return err
		}
	}
	return b.Append(row...)
}

// sel selects some columns of the latest rows of a table.
func (s *store) sel(b *proto.Block, name string, columns []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[name]
	if t == nil {
		return &exception{60, "Unknown table " + name}
	}
	for _, r := range t.rows {
		at, err := indexes(r.block, columns)
		if err != nil {
			return err
		}
		if len(b.Columns) == 0 {
			for i, c := range columns {
				if err := b.AddColumn(c, r.block.Columns[at[i]].Type()); err != nil {
					return err
				}
			}
		}
		if err := b.Append(values(r.block, at, r.at)...); err != nil {
			return err
		}
	}
	return nil
}
