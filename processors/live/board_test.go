package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type rows = map[string]json.RawMessage

func text(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// told is what a client with a revision is told, which revision it has then, and whether that is everything.
func told(t *testing.T, b *Board, name string, rev uint64, views []string) (c Changes, now uint64, whole bool) {
	t.Helper()
	n, _, err := b.news(name, rev, views)
	if err != nil {
		t.Fatal(err)
	}
	if n.event != "" {
		if err := json.Unmarshal(n.data, &c); err != nil {
			t.Fatal(err)
		}
	}
	return c, n.rev, n.event == "snapshot"
}

// TestClientsCatchUp: whatever changes and whenever a client looks, what it puts together of changes is what is on the board.
func TestClientsCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		b := NewBoard()
		type watcher struct {
			name string
			rev  uint64
			has  map[string]rows
		}
		watchers := make([]watcher, 5)
		now := map[string]rows{"trains": {}, "borders": {}}
		wholes := 0
		// Two that know the same are told the same bytes, which are written once; what changes in between is told.
		one, _, _ := b.news("", 0, []string{"trains"})
		two, _, _ := b.news("", 0, []string{"trains"})
		other, _, _ := b.news("", 0, []string{"borders"})
		if &one.data[0] != &two.data[0] || &one.data[0] == &other.data[0] {
			t.Error("clients that watch the same do not share what is written")
		}
		for range 3000 {
			view := []string{"trains", "borders"}[rnd.IntN(2)]
			key := fmt.Sprint(rnd.IntN(20))
			if rnd.IntN(3) == 0 {
				delete(now[view], key)
			} else {
				now[view][key] = text(rnd.IntN(3))
			}
			b.Put(view, maps.Clone(now[view]))
			time.Sleep(time.Duration(rnd.IntN(60)) * time.Second)
			for i := range watchers {
				w := &watchers[i]
				if rnd.IntN(3*(i*i*i+1)) != 0 {
					continue
				}
				changes, rev, whole := told(t, b, w.name, w.rev, []string{"trains", "borders"})
				if whole {
					w.has = map[string]rows{"trains": {}, "borders": {}}
					wholes++
				}
				for view, changed := range changes {
					for key, row := range changed {
						if string(row) == "null" {
							delete(w.has[view], key)
						} else {
							w.has[view][key] = row
						}
					}
				}
				w.name, w.rev = b.name, rev
				for view := range now {
					if !maps.EqualFunc(w.has[view], now[view], func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
						t.Fatalf("watcher %d has %v in %s, want %v", i, w.has[view], view, now[view])
					}
				}
			}
		}
		if wholes <= len(watchers) {
			t.Error("no client was ever away for too long: the test does not show what happens then")
		}
		if rows := b.views["trains"].byRev.Len() + b.views["borders"].byRev.Len(); rows > 40 {
			t.Errorf("%d rows are kept, of 40 keys", rows)
		}
	})
}

// sse reads a stream until stop says so.
func sse(t *testing.T, url, last string, stop func(event string, data Changes, id string) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %s", res.Status, res.Header.Get("Content-Type"))
	}
	var id, event string
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			var c Changes
			if event != "state" {
				if err := json.Unmarshal([]byte(value), &c); err != nil {
					t.Fatalf("%s: %v", value, err)
				}
			}
			if stop(event, c, id) {
				return
			}
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
}

func newStream(b *Board) *httptest.Server {
	return httptest.NewServer(&Stream{Board: b, Views: []string{"trains", "borders"}, Coalesce: time.Millisecond, Beat: func() any { return map[string]int{"now": 1} }})
}

// TestHeadWatchesNothing: what asks for the head of the stream alone is answered, and does not count as somebody who watches.
func TestHeadWatchesNothing(t *testing.T) {
	s := &Stream{Board: NewBoard(), Views: []string{"trains"}, Beat: func() any { return nil }, Watch: func(context.Context) func() {
		t.Error("it watches")
		return func() {}
	}}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodHead, "/api/v1/stream?views=trains", nil))
	if kind := answer.Result().Header.Get("Content-Type"); answer.Code != http.StatusOK || kind != "text/event-stream" {
		t.Errorf("%d, %s", answer.Code, kind)
	}
}

// TestResume: a client that was cut off is told what it missed, by the same process; another process tells it everything.
func TestResume(t *testing.T) {
	b := NewBoard()
	b.Put("trains", rows{"1": text("a"), "2": text("b")})
	server := newStream(b)
	defer server.Close()
	var last string
	var events []string
	sse(t, server.URL, "", func(event string, c Changes, id string) bool {
		events, last = append(events, event), id
		return event == "snapshot" && len(c["trains"]) == 2
	})
	if !slices.Equal(events, []string{"state", "snapshot"}) {
		t.Errorf("events %v", events)
	}
	b.Put("trains", rows{"1": text("a"), "3": text("c")})
	check := func(event string, c Changes, id string) bool {
		if event == "state" {
			return false
		}
		if event != "delta" || len(c["trains"]) != 2 || string(c["trains"]["2"]) != "null" || string(c["trains"]["3"]) != `"c"` {
			t.Errorf("%s %s, want what changed since", event, text(c))
		}
		return true
	}
	sse(t, server.URL, last, check)
	sse(t, server.URL+"?last="+last, "", check)
	sse(t, server.URL, "other-7", func(event string, c Changes, _ string) bool { return event == "snapshot" && len(c["trains"]) == 2 })

	res, err := http.Get(server.URL + "?views=trains,ships")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("a view that is not there: %s", res.Status)
	}
}

// TestSlowClient: one that reads nothing holds up neither the board nor the others.
func TestSlowClient(t *testing.T) {
	b := NewBoard()
	server := newStream(b)
	defer server.Close()
	slow, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	slow.(*net.TCPConn).SetReadBuffer(1024)
	fmt.Fprintf(slow, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		sse(t, server.URL, "", func(_ string, c Changes, _ string) bool { return strings.HasPrefix(string(c["trains"]["0"]), `"199 `) })
	}()
	for n := range 200 {
		all := rows{}
		for i := range 100 {
			all[fmt.Sprint(i)] = text(fmt.Sprint(n, " ", strings.Repeat("x", 1000)))
		}
		b.Put("trains", all)
	}
	<-done
}
