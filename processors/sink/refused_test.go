package sink_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"corridorwatch/internal/longtest"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
)

// logged keeps what a sink says.
type logged struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// says waits for a line that has all words.
func (l *logged) says(t *testing.T, r *running, words ...string) string {
	t.Helper()
	ctx := within(t, time.Minute)
	for {
		for line := range strings.Lines(l.String()) {
			missing := 0
			for _, w := range words {
				if !strings.Contains(line, w) {
					missing++
				}
			}
			if missing == 0 {
				return line
			}
		}
		select {
		case err := <-r.done:
			t.Fatalf("the sink ended: %v; it should say %q, and says\n%s", err, words, l)
		case <-ctx.Done():
			t.Fatalf("the sink should say %q, and says\n%s", words, l)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// loud is a sink that is heard.
func (w *world) loud() (sink.Config, *logged) {
	l := new(logged)
	cfg := w.config()
	cfg.Logger = slog.New(slog.NewTextHandler(l, nil))
	return cfg, l
}

func (w *world) exec(query string) {
	w.t.Helper()
	if err := w.conn.Exec(within(w.t, time.Minute), strings.ReplaceAll(query, "DB.", w.database+".")); err != nil {
		w.t.Fatal(err)
	}
}

// unlike runs a sink in a database of its own that something is wrong with, wants what it says, mends the database, and wants the
// views of one that nothing was wrong with.
func unlike(t *testing.T, wrong, right string, words ...string) {
	t.Helper()
	w := newWorld(t)
	w.history(0, 3)
	want := w.sinkTo(begin + 2*hour)
	w.use(w.database + "_wrong")
	w.exec(wrong)
	cfg, l := w.loud()
	r := start(t, cfg)
	line := l.says(t, r, words...)
	w.exec(right)
	w.passed(r, begin+2*hour)
	r.end()
	t.Log(line)
	equal(t, "once mended", w.dump(), want)
}

// A program newer than the tables waits for the migration.
func TestTablesBehind(t *testing.T) {
	t.Parallel()
	t.Run("column", func(t *testing.T) {
		unlike(t, "ALTER TABLE DB.legs DROP COLUMN skipped", "ALTER TABLE DB.legs ADD COLUMN skipped UInt32 AFTER direction", "skipped", "run 'corridorwatch migrate'", "code=16")
	})
	t.Run("table", func(t *testing.T) {
		unlike(t, "RENAME TABLE DB.visits TO DB.gone", "RENAME TABLE DB.gone TO DB.visits", "visits", "run 'corridorwatch migrate'", "code=60")
	})
	t.Run("everything", func(t *testing.T) {
		w := newWorld(t)
		w.history(0, 2)
		migrated := w.database
		cfg, l := w.loud()
		cfg.Database = migrated + "_later"
		r := start(t, cfg)
		l.says(t, r, "sink_offsets", "run 'corridorwatch migrate'")
		w.use(cfg.Database)
		w.passed(r, begin+hour)
		r.end()
	})
}

// A program older than the tables leaves out what it does not know.
func TestTablesAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.history(0, 3)
	w.sinkTo(begin + 2*hour)
	want := w.views()
	w.use(w.database + "_ahead")
	w.exec("ALTER TABLE DB.legs ADD COLUMN tomorrow Float64 DEFAULT 7, ADD COLUMN list Array(String)")
	w.exec("ALTER TABLE DB.train_events ADD COLUMN tomorrow LowCardinality(String) DEFAULT 'x'")
	w.exec("ALTER TABLE DB.sink_offsets ADD COLUMN tomorrow UInt8")
	w.sinkTo(begin + 2*hour)
	equal(t, "tables ahead", w.views(), want)
}

func TestTooManyParts(t *testing.T) {
	unlike(t, "ALTER TABLE DB.legs MODIFY SETTING parts_to_throw_insert = 0, parts_to_delay_insert = 0",
		"ALTER TABLE DB.legs RESET SETTING parts_to_throw_insert, parts_to_delay_insert", "legs", "too many parts", "code=252")
}

// TestLongRefused lets ClickHouse refuse every insert for a while, each time for another reason.
func TestLongRefused(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	w := newWorld(t)
	w.history(0, 3)
	want := w.sinkTo(begin + 2*hour)
	for _, c := range []struct{ name, setting, value, says string }{
		{"read-only", "readonly", "1", "code=164"},
		{"memory", "max_memory_usage", "1000", "code=241"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.anew()
			var refuses atomic.Bool
			refuses.Store(true)
			pass := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: w.addr})
			proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if q := r.URL.Query(); refuses.Load() && strings.HasPrefix(q.Get("query"), "INSERT") {
					q.Set(c.setting, c.value)
					r.URL.RawQuery = q.Encode()
				}
				pass.ServeHTTP(rw, r)
			}))
			defer proxy.Close()
			conn, err := clickhouse.Open(within(t, time.Minute), clickhouse.Config{Addr: proxy.Listener.Addr().String(), Database: w.database})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			cfg, l := w.loud()
			cfg.Conn = conn
			r := start(t, cfg)
			t.Log(l.says(t, r, c.says))
			refuses.Store(false)
			w.passed(r, begin+2*hour)
			r.end()
			equal(t, "once mended", w.dump(), want)
		})
	}
}

// However much there is, there is no flush before it is due.
func TestFlushesKeepTheirDistance(t *testing.T) {
	w := newWorld(t)
	w.history(0, 6)
	want := w.sinkTo(begin + 5*hour)
	w.anew()
	flushes := make(chan struct{}, 100)
	cfg := w.config()
	cfg.FlushEvery, cfg.MaxRows = time.Hour, 1
	cfg.Failpoint = func(name string) {
		if name == "after-insert" {
			flushes <- struct{}{}
		}
	}
	r := start(t, cfg)
	<-flushes
	r.end()
	if n := len(flushes); n > 1 {
		t.Errorf("%d flushes more, want the one at the end at most", n)
	}
	equal(t, "after another start", w.sinkTo(begin+5*hour), want)
}
