package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
)

var (
	screen    = flag.Bool("screen", false, "measure how long an event takes to the screen, and what 200 clients cost (docs/benchmarks.md)")
	screenFor = flag.Duration("screen-for", 30*time.Second, "for how long each part is measured")
)

//go:embed testdata/drawn.js
var noteDrawn string

const (
	eventsPerSecond = 1000
	manyClients     = 200
	slowClients     = 5
)

// TestEventToScreen measures with the whole program, its own broker and engine beside it, how long it takes from the time at which a train
// is seen until clients of the stream have it and the page has drawn it, while 1,000 trains report each second: first for one client, then
// with 200 of them and some that read nothing. Where several events of a train come between two looks at the tables, all of them are shown
// with the last of them.
func TestEventToScreen(t *testing.T) {
	if !*screen {
		t.Skip("a measurement: -screen")
	}
	s := newProgram(t).up()
	sent := &trains{seen: make([][]int64, eventsPerSecond)}
	go sent.report(t, "http://"+s.HTTP+"/v1/events")

	b := openTab(t, "http://"+s.HTTP)
	command(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: noteDrawn})
	b.view("#/trains", "CRE:")
	evaluate[bool](b, "rows that were drawn", fmt.Sprintf("new Set(window.drawn.map((d) => d[0])).size === %d", eventsPerSecond))
	onScreen := func() []sighting {
		var out []sighting
		for _, d := range evaluate[[][3]any](b, "what was drawn", "window.drawn.splice(0)") {
			out = append(out, sighting{d[0].(string), int64(d[1].(float64)), int64(d[2].(float64))})
		}
		return out
	}
	reader := &client{}
	go reader.read(t, "http://"+s.HTTP+"/api/v1/stream")

	measure := func(what string) (stream, drawn []float64) {
		reader.take()
		onScreen()
		sent.count.Store(0)
		sent.late.Store(0)
		before := s.usage()
		began := time.Now()
		time.Sleep(*screenFor)
		ended := time.Now()
		now := s.usage()
		stream, drawn = sent.latencies(reader.take(), began, ended), sent.latencies(onScreen(), began, ended)
		t.Logf("%s: %d of %d events were sent late by more than 100 ms; to a client of the stream p50 %.0f, p99 %.0f ms (%d events); drawn p50 %.0f, p99 %.0f ms (%d events); the program (broker, stages, page) takes %.0f %% of a core and %.0f MiB",
			what, sent.late.Load(), sent.count.Load(), part(stream, 0.5), part(stream, 0.99), len(stream), part(drawn, 0.5), part(drawn, 0.99), len(drawn),
			100*(now.cpu-before.cpu)/ended.Sub(began).Seconds(), now.memory/(1<<20))
		return stream, drawn
	}
	measure("one client and the page")
	var bytesRead atomic.Int64
	for range manyClients {
		go drain(t, "http://"+s.HTTP+"/api/v1/stream", &bytesRead)
	}
	until(t, "all are connected", func() (bool, error) {
		n := s.metric("corridorwatch_live_clients")
		return n >= manyClients+2, fmt.Errorf("%v clients", n)
	})
	measure(fmt.Sprintf("with %d more", manyClients))
	t.Logf("they read %.1f MB", float64(bytesRead.Load())/1e6)
	for range slowClients {
		conn, err := net.Dial("tcp", s.HTTP)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(conn, "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	measure(fmt.Sprintf("and %d that read nothing", slowClients))
}

// trains are what was sent, by train: when each was seen, ms.
type trains struct {
	mu          sync.Mutex // guards seen
	seen        [][]int64
	count, late atomic.Int64
}

// report sends each train's position once a second, a tenth of them every 100 ms.
func (s *trains) report(t *testing.T, url string) {
	const parts = 10
	began := time.Now()
	for n := 0; t.Context().Err() == nil; n++ {
		due := began.Add(time.Duration(n) * time.Second / parts)
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
		} else if wait < -100*time.Millisecond {
			s.late.Add(eventsPerSecond / parts)
		}
		var body bytes.Buffer
		for i := n % parts; i < eventsPerSecond; i += parts {
			at := time.Now().UTC()
			s.mu.Lock()
			s.seen[i] = append(s.seen[i], at.UnixMilli())
			s.mu.Unlock()
			// Along 43.5 degrees north, 20 m a second, away from any place.
			fmt.Fprintf(&body, `{"specversion":"1.0","type":"train.position","source":"screen","id":"%d-%d","subject":"CRE:%d:2026-11-01","time":%q,"data":{"lat":%.5f,"lon":%.5f,"speed_kmh":72}}`+"\n",
				i, n, 10000+i, at.Format("2006-01-02T15:04:05.000Z"), 45+float64(i)*0.0005, 71+float64(n/parts)*0.00025)
		}
		resp, err := http.Post(url, "application/x-ndjson", &body)
		if err != nil {
			if t.Context().Err() == nil {
				t.Errorf("send: %v", err)
			}
			return
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("send: %s %s", resp.Status, answer)
			return
		}
		s.count.Add(eventsPerSecond / parts)
	}
}

// sighting is that somebody has a train as it was seen then, at that time, ms.
type sighting struct {
	run  string
	seen int64
	at   int64
}

// latencies are how long each event took that happened in a time, ms; what came later than it was looked at is left out by its end.
func (s *trains) latencies(all []sighting, from, to time.Time) []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []float64
	next := make([]int, len(s.seen)) // by train: the first event that was not shown
	for _, d := range all {
		number, err := strconv.Atoi(strings.Split(d.run, ":")[1])
		if err != nil {
			continue
		}
		i := number - 10000
		for ; next[i] < len(s.seen[i]) && s.seen[i][next[i]] <= d.seen; next[i]++ {
			if at := s.seen[i][next[i]]; at >= from.UnixMilli() && at <= to.UnixMilli() {
				out = append(out, float64(d.at-at))
			}
		}
	}
	return out
}

// client is one that reads the stream as programs do.
type client struct {
	mu  sync.Mutex // guards got
	got []sighting
}

func (c *client) take() []sighting {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.got
	c.got = nil
	return out
}

func (c *client) read(t *testing.T, url string) {
	body, err := open(t, url)
	if err != nil {
		return
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<26)
	delta := false
	for lines.Scan() {
		if name, ok := bytes.CutPrefix(lines.Bytes(), []byte("event: ")); ok {
			delta = string(name) == "delta"
		}
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok || !delta {
			continue
		}
		at := time.Now().UnixMilli()
		var changes struct {
			Trains map[string]*struct {
				Run    string
				SeenAt time.Time `json:"seen_at"`
			}
		}
		if err := json.Unmarshal(data, &changes); err != nil {
			t.Errorf("the stream: %v", err)
			return
		}
		c.mu.Lock()
		for _, row := range changes.Trains {
			if row != nil {
				c.got = append(c.got, sighting{row.Run, row.SeenAt.UnixMilli(), at})
			}
		}
		c.mu.Unlock()
	}
}

// drain reads the stream and takes nothing of it.
func drain(t *testing.T, url string, n *atomic.Int64) {
	body, err := open(t, url)
	if err != nil {
		return
	}
	defer body.Close()
	buf := make([]byte, 64<<10)
	for {
		k, err := body.Read(buf)
		n.Add(int64(k))
		if err != nil {
			return
		}
	}
}

func open(t *testing.T, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// usage is what the program has used: seconds of CPU, and bytes it has now.
type usage struct{ cpu, memory float64 }

func (s *service) usage() usage {
	s.t.Helper()
	return usage{s.metric("process_cpu_seconds_total"), s.metric("process_resident_memory_bytes")}
}

// metric is the value of one that has no labels; 0 if there is none.
func (s *service) metric(name string) float64 {
	s.t.Helper()
	_, body := s.get("/metrics")
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(body)
	if m == nil {
		return 0
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}
