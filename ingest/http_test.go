package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/normal"
	"corridorwatch/schemas/pb"
)

// serve starts a server over a broker and returns its address.
func serve(t *testing.T, log *kafkalog.Client, cfg HTTPConfig) string {
	t.Helper()
	if cfg.Form == nil {
		cat, err := network.Embedded()
		if err != nil {
			t.Fatal(err)
		}
		cfg.Form = normal.New(cat)
	}
	cfg.Queue = NewQueue(NewWriter(log, prefix, partitions))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- cfg.Queue.Run(ctx) }()
	server := httptest.NewServer(NewHTTP(cfg))
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server.URL + "/v1/events"
}

func post(t *testing.T, url, contentType, body string, headers ...string) (status int, a answer) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return res.StatusCode, a
}

func event(id, source, place string) string {
	return fmt.Sprintf(`{"specversion":"1.0","type":"train.arrived","source":"%s","id":"%s","time":"2026-03-01T03:00:00Z","subject":"KTZ:1:2026-03-01","data":{"place":"%s"}}`,
		source, id, place)
}

func TestHTTP(t *testing.T) {
	log := newLog(t)
	url := serve(t, log, HTTPConfig{FutureLimit: 5 * time.Minute, MaxBytes: 5000})
	late := strings.Replace(event("9", "s", "kz-altynkol"), "2026-03-01T03", time.Now().AddDate(0, 0, 1).Format("2006-01-02T15"), 1)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(event("7", "s", "kz-altynkol")))
	z.Close()
	for _, c := range []struct {
		about, contentType, body string
		headers                  []string
		status                   int
		want                     string // of each line
	}{
		{"one event", "application/cloudevents+json", event("1", "s", "kz-altynkol"), nil, 200, "1 accepted"},
		{"one event over several lines", "application/json; charset=utf-8", strings.ReplaceAll(event("2", "s", "kz-altynkol"), ",", ",\n"), nil, 200, "2 accepted"},
		{"a list", "application/cloudevents-batch+json", "[" + event("3", "s", "kz-altynkol") + "," + event("4", "s", "kz-nowhere") + "]", nil, 207,
			"3 accepted; 4 rejected unknown_place data.place"},
		{"lines", "application/x-ndjson", event("5", "s", "kz-altynkol") + "\nnonsense\n\n" + event("6", "s", "kz-altynkol"), nil, 207,
			"5 accepted;  rejected unreadable ; 6 accepted"},
		{"zipped", "application/json", zipped.String(), []string{"Content-Encoding", "gzip"}, 200, "7 accepted"},
		{"none", "application/json", "{}", nil, 422, " rejected missing_field specversion"},
		{"a list that breaks off", "application/json", "[" + event("8", "s", "kz-altynkol") + ",{", nil, 207, "8 accepted;  rejected unreadable "},
		{"tomorrow", "application/json", late, nil, 422, "9 rejected future time"},
		{"ticks", "application/json", `{"specversion":"1.0","type":"clock.tick","source":"x","id":"t","time":"2026-03-01T03:00:00Z"}`, nil, 422, "t rejected impossible_value type"},
		{"an empty list", "application/json", "[]", nil, 200, ""},
		{"a form", "application/x-www-form-urlencoded", event("10", "s", "kz-altynkol"), nil, 415, ""},
		{"brotli", "application/json", event("10", "s", "kz-altynkol"), []string{"Content-Encoding", "br"}, 415, ""},
		{"too much", "application/json", strings.Repeat(" ", 5001), nil, 413, ""},
	} {
		status, a := post(t, url, c.contentType, c.body, c.headers...)
		var got []string
		for _, r := range a.Results {
			line := r.ID + " " + r.Status
			if r.Status != "accepted" {
				line += " " + r.Reason + " " + r.Path
			}
			got = append(got, line)
		}
		if status != c.status || strings.Join(got, "; ") != c.want || status >= 400 && status != 422 && a.Error == "" {
			t.Errorf("%s: got %d %+v, want %d %s", c.about, status, a, c.status, c.want)
		}
	}
	if res, err := http.Get(url); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v %v", res, err)
	}
	got := both(t, log)
	for _, id := range []string{"1", "2", "3", "5", "6", "7", "8"} {
		if !strings.Contains(got, "train.arrived "+id+" ") {
			t.Errorf("%s was accepted and is not in the log:\n%s", id, got)
		}
	}
	if n := strings.Count(got, "raw "); n != 6 {
		t.Errorf("%d rejects in the log, want 6:\n%s", n, got)
	}
}

// TestClockKnownToBeAhead: of a source whose clock is an hour ahead, as its profile says, an event an hour ahead is of now.
func TestClockKnownToBeAhead(t *testing.T) {
	dir := t.TempDir()
	text := "places: [{id: kz-altynkol, at: [44.17, 80.26]}]\nsources: [{source: fast, clock_ahead_s: 3600}]\n"
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cat, err := network.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, newLog(t), HTTPConfig{FutureLimit: 5 * time.Minute, Form: normal.New(cat)})
	ahead := time.Now().UTC().Add(time.Hour).Format(time.RFC3339)
	for source, want := range map[string]int{"fast": 200, "right": 422} {
		body := strings.Replace(event("1", source, "kz-altynkol"), "2026-03-01T03:00:00Z", ahead, 1)
		if status, a := post(t, url, "application/json", body); status != want {
			t.Errorf("%s: got %d %+v", source, status, a)
		}
	}
}

// TestHugeEvent: what Kafka would not take does not stop the server.
func TestHugeEvent(t *testing.T) {
	log := newLog(t)
	url := serve(t, log, HTTPConfig{})
	huge := strings.Replace(event("1", "s", "kz-altynkol"), `"data"`, `"note":"`+strings.Repeat("x", 2_000_000)+`","data"`, 1)
	if status, a := post(t, url, "application/json", huge); status != 422 {
		t.Errorf("got %d %+v", status, a)
	}
	if status, a := post(t, url, "application/json", event("2", "s", "kz-altynkol")); status != 200 {
		t.Errorf("afterwards: got %d %+v", status, a)
	}
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("# KTZ\n0123456789abcdef-ktz //ktz.kz/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := LoadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	log := newLog(t)
	url := serve(t, log, HTTPConfig{Tokens: tokens})
	own, foreign := event("1", "//ktz.kz/gps", "kz-altynkol"), event("2", "//ady.az/gps", "kz-altynkol")
	for _, authorization := range []string{"", "Bearer nonsense", "Basic 0123456789abcdef-ktz"} {
		if status, _ := post(t, url, "application/json", own, "Authorization", authorization); status != 401 {
			t.Errorf("%q: %d", authorization, status)
		}
	}
	status, a := post(t, url, "application/json", "["+own+","+foreign+"]", "Authorization", "bearer 0123456789abcdef-ktz")
	if status != 207 || a.Accepted != 1 || a.Results[1].Reason != schemas.ForeignSource {
		t.Errorf("got %d %+v", status, a)
	}
	if got := both(t, log); strings.Contains(got, "raw") || !strings.Contains(got, "train.arrived 1") {
		t.Errorf("in the log\n%s", got)
	}
	for text, want := range map[string]string{"": "no token", "short //x": "guessed", "0123456789abcdef": "want a token"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadTokens(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestHTTPUnderLoad: many at once are either acknowledged, and then in the log, or told to come again.
func TestHTTPUnderLoad(t *testing.T) {
	log := newLog(t)
	url := serve(t, log, HTTPConfig{MaxRequests: 4})
	var wg sync.WaitGroup
	statuses := make([]int, 40)
	for i := range statuses {
		wg.Add(1)
		go func() {
			defer wg.Done()
			statuses[i], _ = post(t, url, "application/json", event(fmt.Sprint("n", i), "s", "kz-altynkol"))
		}()
	}
	wg.Wait()
	got, ok := both(t, log), 0
	for i, status := range statuses {
		switch status {
		case 200:
			ok++
			if !strings.Contains(got, fmt.Sprintf("train.arrived n%d ", i)) {
				t.Errorf("n%d was acknowledged and is not in the log", i)
			}
		case 429:
		default:
			t.Errorf("n%d: %d", i, status)
		}
	}
	if ok == 0 {
		t.Error("none was acknowledged")
	}
}

// TestKafkaAway: without an acknowledgement there is no 200.
func TestKafkaAway(t *testing.T) {
	log := kafkalog.New(kafkalog.Config{Brokers: []string{"127.0.0.1:1"}})
	t.Cleanup(func() { log.Close() })
	url := serve(t, log, HTTPConfig{Patience: 100 * time.Millisecond})
	if status, a := post(t, url, "application/json", event("1", "s", "kz-altynkol")); status != 503 || a.Error == "" {
		t.Errorf("got %d %+v", status, a)
	}
}

func TestRetry(t *testing.T) {
	log := newLog(t)
	w := NewWriter(log, prefix, partitions)
	if err := w.Retry(&pb.Reject{Id: "a7", Attempts: 2, Value: []byte("{}"), ContentType: schemas.JSONType}); err != nil {
		t.Fatal(err)
	}
	if w.Retry(&pb.Reject{}) == nil {
		t.Error("a reject without an id is taken")
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := intake(t, log, schemas.Partition("a7", partitions)); len(got) != 1 || !strings.HasPrefix(got[0], "raw a7 2 ") {
		t.Errorf("got %q", got)
	}
}
