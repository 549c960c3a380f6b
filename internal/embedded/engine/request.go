package engine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// request is what a client asks for by URL parameters, headers and body, as ClickHouse's HTTP interface defines them.
type request struct {
	statement
	data io.Reader // of an INSERT

	id       string
	database string
	settings []setting
	params   []param
	readOnly bool   // GET and HEAD may not change anything
	revision uint64 // of Native answers; 0: as the engine writes them
	output   string // format of the answer
	encoding string // of the answer
	compress string // method of ClickHouse's block format for the answer, or empty
	waitEnd  bool   // send nothing before all is known
}

type setting struct{ name, value string }

// mostText is how much of a request may be text of a statement, and not data of an INSERT: ClickHouse's max_query_size is less.
const mostText = 16 << 20

// unsettled are URL parameters that are not settings of a statement.
var unsettled = []string{
	"query", "query_id", "database", "default_format", "user", "password", "quota_key", "role", "stacktrace", "buffer_size",
	"wait_end_of_query", "compress", "decompress", "client_protocol_version", "close_session", "session_check", "session_timeout",
	"enable_http_compression",
}

func newRequest(r *http.Request) (*request, error) {
	args := r.URL.Query()
	if args.Has("session_id") {
		return nil, newException("Code: 48. DB::Exception: Sessions (session_id) are not supported by the embedded engine; send settings with each request. (NOT_IMPLEMENTED)")
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, newException("Code: 48. DB::Exception: External tables (multipart/form-data) are not supported by the embedded engine. (NOT_IMPLEMENTED)")
	}
	q := &request{
		id:       args.Get("query_id"),
		database: either(args.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		readOnly: r.Method == http.MethodGet || r.Method == http.MethodHead,
		waitEnd:  args.Get("wait_end_of_query") == "1",
	}
	q.id = either(q.id, strings.ToLower(rand.Text()))
	q.takeSettings(args)
	q.takeCompression(r, args)
	if v := args.Get("client_protocol_version"); v != "" {
		var err error
		if q.revision, err = strconv.ParseUint(v, 10, 32); err != nil {
			return nil, newException("Code: 36. DB::Exception: client_protocol_version is not a number: " + v + ". (BAD_ARGUMENTS)")
		}
	}
	if err := q.takeText(r, args); err != nil {
		return nil, err
	}
	q.output = either(q.format, args.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated")
	return q, nil
}

// either is the first of its arguments that is not empty.
func either(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// takeSettings sorts the URL parameters that are not the interface's own: param_x for {x:Type} in the statement, else settings.
func (q *request) takeSettings(args url.Values) {
	names := make([]string, 0, len(args))
	for name := range args {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if p, ok := strings.CutPrefix(name, "param_"); ok {
			q.params = append(q.params, param{p, args.Get(name)})
		} else if !slices.Contains(unsettled, name) && !(name == "readonly" && q.readOnly) {
			q.settings = append(q.settings, setting{name, args.Get(name)})
		}
	}
	if q.readOnly {
		// 2 allows settings, as a GET's parameters are. It is the last: after it, no setting could make the GET write.
		q.settings = append(q.settings, setting{"readonly", "2"})
	}
}

func (q *request) takeCompression(r *http.Request, args url.Values) {
	switch args.Get("enable_http_compression") {
	case "1", "true":
		q.encoding = accepted(r.Header)
	}
	if args.Get("compress") == "1" {
		q.compress = either(args.Get("network_compression_method"), "LZ4")
	}
}

// takeText puts the statement together: the query parameter, and the body after it. For an INSERT, what follows the name of the
// format is data, and is not read here.
func (q *request) takeText(r *http.Request, args url.Values) error {
	body, err := decoded(r.Body, r.Header.Get("Content-Encoding"), args.Get("decompress") == "1")
	if err != nil {
		return fmt.Errorf("content encoding of the request: %w", err)
	}
	text := strings.TrimRight(args.Get("query"), " \t\r\n")
	if text != "" {
		if q.statement = parse(text); q.insert && q.format != "" {
			q.data = body
			if rest := text[q.statement.data:]; rest != "" && strings.TrimSpace(rest) != ";" {
				q.data = io.MultiReader(strings.NewReader(rest+"\n"), body)
			}
			return nil
		}
		text += "\n"
	}
	head, err := io.ReadAll(io.LimitReader(body, mostText))
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	text += string(head)
	q.statement = parse(text)
	if q.insert {
		q.data = io.MultiReader(strings.NewReader(text[q.statement.data:]), body)
		q.format = either(q.format, "Values")
		return nil
	}
	if n, err := io.ReadFull(body, make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return newException(fmt.Sprintf("Code: 62. DB::Exception: The statement is longer than %d bytes. (SYNTAX_ERROR)", mostText))
	}
	return nil
}
