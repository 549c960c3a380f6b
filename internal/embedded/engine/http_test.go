package engine_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"corridorwatch/internal/embedded/enginetest"
)

// ask sends one request to the engine; args are name, value, name, value.
func ask(t *testing.T, method, body string, header http.Header, args ...string) (*http.Response, string) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(args); i += 2 {
		values.Set(args[i], args[i+1])
	}
	req, err := http.NewRequest(method, "http://"+enginetest.Start(t)+"/?"+values.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %q %q: read the answer: %v", method, args, body, err)
	}
	return resp, string(got)
}

// must asks by POST and fails the test if the engine does.
func must(t *testing.T, body string, args ...string) string {
	t.Helper()
	resp, got := ask(t, "POST", body, nil, args...)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%q %q: %s: %s", args, body, resp.Status, got)
	}
	return got
}

func database(t *testing.T, name string) {
	t.Helper()
	must(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { must(t, "DROP DATABASE "+name) })
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, body string
		args         []string
		want         string
	}{
		{"GET", "", nil, "Ok.\n"},
		{"GET", "", []string{"query", "SELECT 1"}, "1\n"},
		{"POST", "SELECT 1", nil, "1\n"},
		{"POST", " + 1", []string{"query", "SELECT 1"}, "2\n"},
		{"POST", "SELECT 1, 'a' FORMAT CSV", nil, "1,\"a\"\n"},
		{"GET", "", []string{"query", "SELECT 1 AS x", "default_format", "JSONEachRow"}, "{\"x\":1}\n"},
		{"GET", "", []string{"query", "SELECT {x:UInt8} + 1", "param_x", "41"}, "42\n"},
		{"GET", "", []string{"query", "SELECT currentDatabase()", "database", "system"}, "system\n"},
		{"GET", "", []string{"query", "SELECT getSetting('max_threads')", "max_threads", "3"}, "3\n"},
		{"GET", "", []string{"query", "SELECT number FROM numbers(3) LIMIT 0"}, ""},
		{"GET", "", []string{"query", "EXISTS TABLE nosuch"}, "0\n"},
		{"GET", "", []string{"query", "SELECT number FROM numbers(3) FORMAT CSVWithNames", "max_block_size", "1"}, "\"number\"\n0\n1\n2\n"},
	} {
		resp, got := ask(t, c.method, c.body, nil, c.args...)
		if resp.StatusCode != http.StatusOK || got != c.want {
			t.Errorf("%s %q %q: %s %q, want %q", c.method, c.args, c.body, resp.Status, got, c.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	resp, _ := ask(t, "GET", "", nil, "query", "SELECT number FROM numbers(5)", "query_id", "mine", "default_format", "CSV")
	for name, want := range map[string]string{
		"X-ClickHouse-Query-Id": "mine", "X-ClickHouse-Format": "CSV", "X-ClickHouse-Timezone": "UTC", "Content-Type": "text/csv; charset=UTF-8; header=absent",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	resp, _ = ask(t, "POST", "1\n2\n", nil, "query", "INSERT INTO FUNCTION null('a Int32') FORMAT TSV")
	if got := resp.Header.Get("X-ClickHouse-Summary"); !strings.Contains(got, `"written_rows":"2"`) {
		t.Errorf("X-ClickHouse-Summary of an INSERT: %s, want 2 rows written", got)
	}
	resp, _ = ask(t, "GET", "", nil, "query", "SELECT number FROM numbers(5)")
	if got := resp.Header.Get("X-ClickHouse-Summary"); !strings.Contains(got, `"read_rows":"5"`) {
		t.Errorf("X-ClickHouse-Summary: %s, want 5 rows read", got)
	}
}

// Who creates a database may have named it already as the current one; for anything else it must be there.
func TestCreatingTheCurrentDatabase(t *testing.T) {
	must(t, "CREATE DATABASE IF NOT EXISTS fresh", "database", "fresh")
	if got := must(t, "SELECT currentDatabase()", "database", "fresh"); got != "fresh\n" {
		t.Errorf("current database %q, want fresh", got)
	}
	must(t, "DROP DATABASE fresh")
}

func TestInserts(t *testing.T) {
	database(t, "inserts")
	for i, c := range []struct{ query, body, want string }{
		{"INSERT INTO t FORMAT CSV", "1,a\n2,\"b,c\"\n", "1\ta\n2\tb,c\n"},
		{"INSERT INTO t FORMAT CSV\n3,x", "", "3\tx\n"},
		{"", "INSERT INTO t FORMAT TSV\n1\ta\n2\tb\n", "1\ta\n2\tb\n"},
		{"", "INSERT INTO t (b, a) VALUES ('x', 1 + 1), ('y', 3)", "2\tx\n3\ty\n"},
		{"INSERT INTO t VALUES", "(1, 'a')", "1\ta\n"},
		{"INSERT INTO t", "VALUES (1, 'a')", "1\ta\n"},
		{"INSERT INTO t FORMAT JSONEachRow", `{"a":1,"b":"x"} {"a":2}`, "1\tx\n2\t\n"},
		{"INSERT INTO t SELECT number, 'n' FROM numbers(2)", "", "0\tn\n1\tn\n"},
		{"INSERT INTO t FORMAT RowBinary", "\x0a\x00\x00\x00\x01\n", "10\t\\n\n"}, // the first byte is a line end, and is data
		{"INSERT INTO t FORMAT CSV;", "7,z", "7\tz\n"},
	} {
		must(t, "CREATE OR REPLACE TABLE t (a Int32, b String) ENGINE = MergeTree ORDER BY a", "database", "inserts")
		if c.query == "" {
			must(t, c.body, "database", "inserts")
		} else {
			must(t, c.body, "query", c.query, "database", "inserts")
		}
		if got := must(t, "SELECT * FROM t ORDER BY a", "database", "inserts"); got != c.want {
			t.Errorf("%d: %q %q: the table holds %q, want %q", i, c.query, c.body, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		method, query string
		args          []string
		status        int
		code, want    string
	}{
		{"POST", "SELECT * FROM nosuch", nil, 404, "60", "UNKNOWN_TABLE"},
		{"POST", "SELEC 1", nil, 400, "62", "SYNTAX_ERROR"},
		{"POST", "SELECT 1", []string{"database", "nosuch"}, 404, "81", "UNKNOWN_DATABASE"},
		{"POST", "SELECT 1", []string{"nosuch", "1"}, 404, "115", "nosuch"},
		{"POST", "INSERT INTO nosuch FORMAT CSV", nil, 404, "60", "UNKNOWN_TABLE"},
		{"POST", "SELECT 1 FORMAT Nosuch", nil, 404, "73", "UNKNOWN_FORMAT"},
		{"POST", "SELECT {x:UInt8}", []string{"param_x", "abc"}, 400, "457", "BAD_QUERY_PARAMETER"},
		{"GET", "CREATE DATABASE by_get", nil, 500, "164", "READONLY"},
		{"GET", "CREATE DATABASE by_get", []string{"readonly", "0"}, 500, "164", "READONLY"},
		{"GET", "SELECT 1 SETTINGS readonly = 0", nil, 500, "164", "READONLY"},
		{"POST", "SELECT 1", []string{"session_id", "s"}, 501, "48", "NOT_IMPLEMENTED"},
		{"POST", "SELECT throwIf(number = 3) FROM numbers(5) FORMAT JSON", nil, 500, "395", "throwIf"},
	} {
		resp, got := ask(t, c.method, "", nil, append(c.args, "query", c.query)...)
		if resp.StatusCode != c.status || resp.Header.Get("X-ClickHouse-Exception-Code") != c.code || !strings.Contains(got, c.want) {
			t.Errorf("%s %s %q: %d, code %s, %q; want %d, %s, …%s…", c.method, c.query, c.args, resp.StatusCode, resp.Header.Get("X-ClickHouse-Exception-Code"), got, c.status, c.code, c.want)
		}
	}
}

func TestInsertByGetIsRefused(t *testing.T) {
	database(t, "by_get")
	must(t, "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a", "database", "by_get")
	for _, query := range []string{"INSERT INTO t VALUES (1)", "INSERT INTO t SELECT 1", "INSERT INTO t FORMAT CSV 1"} {
		if resp, got := ask(t, "GET", "", nil, "query", query, "database", "by_get"); resp.Header.Get("X-ClickHouse-Exception-Code") != "164" {
			t.Errorf("%s: %s %s, want READONLY", query, resp.Status, got)
		}
	}
	if got := must(t, "SELECT count() FROM t", "database", "by_get"); got != "0\n" {
		t.Errorf("GETs inserted %s rows", got)
	}
}

// A failure after part of a result was sent: the answer breaks off, and carries ClickHouse's mark.
func TestFailureInTheMiddle(t *testing.T) {
	resp, err := http.Get("http://" + enginetest.Start(t) + "/?query=" + url.QueryEscape("SELECT throwIf(number = 3000000) FROM numbers(4000000)"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil {
		t.Error("the answer ended as if it were whole")
	}
	tail := string(got[max(0, len(got)-600):])
	if !strings.Contains(tail, "__exception__\r\n"+resp.Header.Get("X-ClickHouse-Exception-Tag")) || !strings.Contains(tail, "Code: 395.") {
		t.Errorf("the answer ends with %q, want ClickHouse's exception block", tail)
	}
}

func TestContentEncodings(t *testing.T) {
	database(t, "encodings")
	must(t, "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a", "database", "encodings")
	for i, c := range []struct {
		name   string
		encode func(io.Writer) io.WriteCloser
		decode func(io.Reader) (io.Reader, error)
	}{
		{"gzip", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"lz4", func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }, func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }},
		{"zstd", func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }, func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }},
	} {
		var body bytes.Buffer
		w := c.encode(&body)
		fmt.Fprintf(w, "%d\n", i)
		w.Close()
		resp, got := ask(t, "POST", body.String(), http.Header{"Content-Encoding": {c.name}}, "database", "encodings", "query", "INSERT INTO t FORMAT TSV")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("insert in %s: %s %s", c.name, resp.Status, got)
		}
		resp, got = ask(t, "GET", "", http.Header{"Accept-Encoding": {c.name}}, "database", "encodings", "query", "SELECT max(a) FROM t", "enable_http_compression", "1")
		if resp.Header.Get("Content-Encoding") != c.name {
			t.Errorf("answer in %q, want %q", resp.Header.Get("Content-Encoding"), c.name)
			continue
		}
		r, err := c.decode(strings.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(r); err != nil || string(plain) != fmt.Sprintln(i) {
			t.Errorf("%s: %q, %v, want %d", c.name, plain, err, i)
		}
	}
	if resp, _ := ask(t, "POST", "SELECT 1", http.Header{"Content-Encoding": {"xz"}}); resp.Header.Get("X-ClickHouse-Exception-Code") != "89" {
		t.Errorf("unknown encoding: %s", resp.Status)
	}
}

// A result of 1.6 GB comes in pieces: the engine's process does not grow by it.
func TestBigResultsAreStreamed(t *testing.T) {
	before := residentMB(t)
	resp, err := http.Get("http://" + enginetest.Start(t) + "/?query=" + url.QueryEscape("SELECT number, number FROM numbers(100000000) FORMAT RowBinary"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != 1_600_000_000 {
		t.Errorf("%d bytes, %v, want 1.6 GB", n, err)
	}
	if grown := residentMB(t) - before; grown > 400 {
		t.Errorf("the engine's peak grew by %d MB", grown)
	}
}

func TestOthersPagesAreTurnedAway(t *testing.T) {
	for _, h := range []http.Header{{"Origin": {"https://elsewhere.example"}}, {"Sec-Fetch-Site": {"cross-site"}}} {
		if resp, got := ask(t, "POST", "SELECT 1", h); resp.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %s %s, want 403", h, resp.Status, got)
		}
	}
	req, err := http.NewRequest("GET", "http://"+enginetest.Start(t)+"/?query=SELECT+1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.example"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("by a strange name: %s, want 403", resp.Status)
	}
}
