package engine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// handler serves ClickHouse's HTTP interface from the engine. Each request has a connection of its own, which takes a fifth of a
// millisecond to open, so no setting and no current database of one request is seen by another.
type handler struct {
	lib      *library
	path     string // of the data
	timezone string
}

// routes is the whole interface. A browser is let in where a person types the address; a page of some other site is not, and
// neither is one that goes by a name it gave to this machine.
func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	ok := func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Ok.\n") }
	mux.HandleFunc("/ping", ok)
	mux.HandleFunc("/replicas_status", ok)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("query") {
			ok(w, r)
			return
		}
		h.serve(w, r)
	})
	mux.HandleFunc("POST /{$}", h.serve)
	return localOnly(http.NewCrossOriginProtection().Handler(mux))
}

// localOnly turns away requests for a host that is neither an address nor localhost.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			http.Error(w, "this engine serves its own machine only, as localhost or 127.0.0.1", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-ClickHouse-Timezone", h.timezone)
	q, err := newRequest(r)
	if err != nil {
		newAnswer(w, &request{}).fail(err)
		return
	}
	a := newAnswer(w, q)
	s, err := h.run(q, a)
	if err == nil {
		err = a.end(s)
	}
	if err != nil {
		a.fail(err)
	}
}

// run gives the statement to the engine and its result to a.
func (h *handler) run(q *request, a *answer) (stats, error) {
	// An INSERT is in the engine's files when it is acknowledged, not in a queue, unless the client asks for that.
	c, err := h.lib.dial("--path="+h.path, "--async_insert=0")
	if err != nil {
		return stats{}, err
	}
	defer c.close()
	if err := q.prepare(c); err != nil {
		return stats{}, err
	}
	switch {
	case q.insert:
		return q.runInsert(c)
	case q.streams():
		s, err := c.query(q.text, q.output, q.params, func(piece []byte) error { return q.take(piece, a) })
		if !isCode(err, codeBadArguments) || !strings.Contains(err.Error(), "Streaming query is not supported") {
			return s, err
		}
	}
	result, s, err := c.exec(q.text, q.output, q.params)
	if err != nil {
		return s, err
	}
	return s, q.take(result, a)
}

// prepare puts the database and the settings of a request in force.
func (q *request) prepare(c *conn) error {
	if q.database != "" && q.database != "default" {
		_, _, err := c.exec("USE "+quoted(q.database, '`'), "Null", nil)
		// Who is about to create the database may well name it already.
		if err != nil && !(isCode(err, codeUnknownDatabase) && q.is("CREATE", "DATABASE")) {
			return err
		}
	}
	if len(q.settings) == 0 {
		return nil
	}
	var set []string
	for _, s := range q.settings {
		set = append(set, quoted(s.name, '`')+" = "+quoted(s.value, '\''))
	}
	_, _, err := c.exec("SET "+strings.Join(set, ", "), "Null", nil)
	return err
}

// quoted is s as a literal ('…') or a name (`…`).
func quoted(s string, quote byte) string {
	q := string(quote)
	return q + strings.NewReplacer(`\`, `\\`, q, `\`+q).Replace(s) + q
}

// frameless are the formats whose results can be put together from pieces: no heading, nothing at the end. The engine writes each
// piece of a streamed result as a whole document.
var frameless = []string{
	"Native", "Null", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "TSKV", "LineAsString", "RowBinary", "RawBLOB",
	"JSONEachRow", "JSONLines", "NDJSON", "JSONStringsEachRow", "JSONCompactEachRow", "JSONCompactStringsEachRow",
}

// streams tells whether the result may be sent in pieces. Where it may not, the engine holds all of it in memory.
func (q *request) streams() bool {
	return slices.Contains(frameless, q.output) && (q.is("SELECT") || q.is("WITH"))
}

// take hands on a piece of the result.
func (q *request) take(piece []byte, a *answer) error {
	if q.output == "Native" && q.revision > 0 {
		var err error
		if piece, err = recode(piece, q.revision); err != nil {
			return err
		}
	}
	_, err := a.Write(piece)
	return err
}

// runInsert stores the data of a request. It returns only when the engine has written it to its files.
func (q *request) runInsert(c *conn) (stats, error) {
	in, err := c.insert(q.text[:q.head], q.format, q.params)
	if err != nil {
		return stats{}, err
	}
	n, err := io.CopyBuffer(onlyWriter{in}, q.data, make([]byte, holdBack))
	if err != nil {
		in.abort()
		if _, ok := errors.AsType[*exception](err); ok {
			return stats{}, err
		}
		return stats{}, fmt.Errorf("take the data of an INSERT, after %d bytes: %w", n, err)
	}
	return in.done()
}

// onlyWriter hides everything but Write, so that the buffer given to io.CopyBuffer is used.
type onlyWriter struct{ io.Writer }
