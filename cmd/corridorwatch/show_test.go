package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// viewer is what a client of the stream has put together.
type viewer struct {
	last  string
	state struct{ Error string }
	kinds []string // of events, in order
	rows  map[string]map[string]json.RawMessage
}

// watch follows the stream, on from where it was, until done.
func (w *viewer) watch(t *testing.T, s *service, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/api/v1/stream?last="+w.last, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	w.kinds = nil
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			w.last = value
		case "event":
			w.kinds = append(w.kinds, value)
		case "data":
			if w.take(t, value); done() {
				return
			}
		}
	}
	t.Fatalf("the stream ended after %v, with %d trains and state %+v: %v", w.kinds, len(w.rows["trains"]), w.state, lines.Err())
}

func (w *viewer) take(t *testing.T, data string) {
	t.Helper()
	var changes map[string]map[string]json.RawMessage
	kind := w.kinds[len(w.kinds)-1]
	into := any(&changes)
	if kind == "state" {
		into = &w.state
	}
	if err := json.Unmarshal([]byte(data), into); err != nil {
		t.Fatalf("%s %s: %v", kind, data, err)
	}
	if kind == "snapshot" {
		w.rows = map[string]map[string]json.RawMessage{}
	}
	for view, rows := range changes {
		if w.rows[view] == nil {
			w.rows[view] = map[string]json.RawMessage{}
		}
		for key, row := range rows {
			if w.rows[view][key] = row; string(row) == "null" {
				delete(w.rows[view], key)
			}
		}
	}
}

// TestShown watches trains at Khorgos come onto the screen while the program is killed: what is shown, and what the API says, is what SQL
// says, and the program that is started anew is told from the one before.
func TestShown(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	s := p.up("--time", "data")
	w := &viewer{}
	w.watch(t, s, func() bool { return w.rows != nil || len(w.kinds) > 3 })
	s.run("ingest", "--wait", "--beyond", "1h", "../../testdata/khorgos/events.jsonl")
	want := s.query("SELECT run FROM v_train_status WHERE state != 'closed' OR seen_at > (SELECT now FROM v_now) - INTERVAL 6 HOUR ORDER BY run")
	trains := strings.Count(want, "\n") - 1
	if trains < 1 {
		t.Fatalf("no train to be shown: %s", want)
	}
	w.watch(t, s, func() bool { return len(w.rows["trains"]) == trains && len(w.rows["borders"]) > 0 })
	for run := range w.rows["trains"] {
		if !strings.Contains(want, run+"\n") {
			t.Errorf("%s is shown, and SQL says %s", run, want)
		}
	}
	before := w.last

	t.Run("page", func(t *testing.T) { wholePage(t, s) })

	status, body := s.get("/api/v1/crossings?order=unit,border,n&columns=unit,border,total_s&format=csv&limit=5")
	sql := s.query("SELECT unit, border, total_s FROM v_crossings ORDER BY unit, border, n LIMIT 5")
	if got := strings.ReplaceAll(strings.ReplaceAll(body, `"`, ""), ",", "\t"); status != http.StatusOK || got != sql {
		t.Errorf("the API says %d\n%s\nSQL\n%s", status, got, sql)
	}
	if status, body := s.get("/api/v1/nowhere"); status != http.StatusNotFound {
		t.Errorf("%d %s", status, body)
	}

	s.stop(syscall.SIGKILL)
	s = p.up("--time", "data")
	w.rows = nil
	w.watch(t, s, func() bool { return len(w.rows["trains"]) == trains && len(w.rows["borders"]) > 0 })
	if w.last == before || fmt.Sprint(w.kinds[:2]) != "[state snapshot]" {
		t.Errorf("another process goes on with %s as if it were the same: %v", before, w.kinds)
	}
	if w.state.Error != "" {
		t.Errorf("state: %s", w.state.Error)
	}
	if state := s.stop(syscall.SIGTERM); !state.Success() {
		t.Errorf("%v, while somebody watched", state)
	}
}

// wholePage loads the page and all that it names, and nothing of it lies elsewhere.
func wholePage(t *testing.T, s *service) {
	res, err := http.Get("http://" + s.HTTP + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	html, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusNotFound {
		missing(t, string(html))
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q", policy)
	}
	names := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(string(html), -1)
	if len(names) < 3 {
		t.Errorf("the page names %v", names)
	}
	for _, name := range names {
		if !strings.HasPrefix(name[1], "/") || strings.HasPrefix(name[1], "//") {
			t.Errorf("%s lies elsewhere", name[1])
			continue
		}
		if status, body := s.get(name[1]); status != http.StatusOK || body == "" {
			t.Errorf("%s: %d", name[1], status)
		}
	}
}
