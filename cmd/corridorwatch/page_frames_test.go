package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"corridorwatch/processors/live"
	"corridorwatch/schemas/network"
)

var frames = flag.Bool("frames", false, "measure how many frames a second the time-distance diagram makes (docs/benchmarks.md)")

//go:embed testdata/frames.js
var gestures string

// TestDiagramFrames measures how smoothly the diagram moves with 200 and with 1,000 trains on it, while their positions come. The page, its
// stream and its messages are those of the program; the trains are made up here, so that no engine wants the cores beside the browser.
func TestDiagramFrames(t *testing.T) {
	if !*frames {
		t.Skip("a measurement: -frames")
	}
	for _, n := range []int{200, 1000} {
		server := busyPage(t, n)
		b := openTab(t, server.URL)
		b.view("#/corridor/"+busyCorridor+"?h=72", fmt.Sprint(n, " trains"))
		if ink := evaluate[int](b, "ink on the diagram", inked); ink < 500 {
			t.Fatalf("%d pixels of the diagram are drawn", ink)
		}
		command(b, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		for _, gesture := range []string{"rest", "pan", "zoom", "hover"} {
			before := b.busySeconds()
			got, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct{ Gaps, Draws []float64 }](fmt.Sprintf("(%s)(%q, 8000)", gestures, gesture), chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			cpu := b.busySeconds() - before
			total, slow := 0.0, 0
			for _, gap := range got.Gaps {
				if total += gap; gap > 20.5 { // 50 a second, and the clock's grain
					slow++
				}
			}
			t.Logf("%4d trains, %-5s: %5.1f frames a second; frame p50 %.1f, p95 %.1f, longest %.0f ms; %d of %d longer than 20 ms; %.1f ms of CPU of the page's thread a frame; lines drawn %d times, p50 %.1f, longest %.1f ms",
				n, gesture, float64(len(got.Gaps))*1000/total, part(got.Gaps, 0.5), part(got.Gaps, 0.95), part(got.Gaps, 1), slow, len(got.Gaps), cpu*1000/float64(len(got.Gaps)),
				len(got.Draws), part(got.Draws, 0.5), part(got.Draws, 1))
		}
	}
}

// busySeconds is how much CPU the page's own thread has used since that is counted, which other work on the machine does not change.
func (b *tab) busySeconds() float64 {
	b.t.Helper()
	for _, m := range command(b, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "TaskDuration" {
			return m.Value
		}
	}
	b.t.Fatal("the browser does not say how busy the page is")
	return 0
}

// part is the value below which a part of a list lies; 0 where there is none.
func part(list []float64, p float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(p*float64(len(sorted)-1)+0.5)]
}

// busyCorridor is the one that all the trains are on.
const busyCorridor = "khorgos-aktau"

// busyPage serves the page over a corridor with n trains seen in three days. Each second a tenth of them report a position.
func busyPage(t *testing.T, n int) *httptest.Server {
	t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	corridor := cat.Corridors[slices.IndexFunc(cat.Corridors, func(c *network.Corridor) bool { return c.ID == busyCorridor })]
	rnd := rand.New(rand.NewPCG(7, uint64(n)))
	began := time.Now().UTC().Truncate(time.Minute)
	lines, trains := []any{}, map[string]json.RawMessage{}
	for i := range n {
		unit := fmt.Sprintf("CRE:%d:2026-03-01", 10000+i)
		line := lineRow(corridor, unit, i%2 == 1, began.Add(-time.Duration(rnd.Int64N(int64(54*time.Hour)))), began, rnd)
		lines = append(lines, line)
		trains[unit] = statusRow(cat, corridor, unit, began, rnd)
	}
	board := live.NewBoard()
	now := func() {
		board.Put("now", map[string]json.RawMessage{"now": text(map[string]any{"key": "now", "stage_time": time.Now().UTC()})})
	}
	board.Put("trains", trains)
	now()
	tick := time.NewTicker(time.Second)
	t.Cleanup(tick.Stop)
	go func() {
		for t.Context().Err() == nil {
			select {
			case <-t.Context().Done():
			case at := <-tick.C:
				i := 0
				for unit := range trains {
					if i++; i > n/10 {
						break
					}
					trains[unit] = statusRow(cat, corridor, unit, at.UTC(), rnd)
				}
				board.Put("trains", trains)
				now()
			}
		}
	}()
	mux := http.NewServeMux()
	for _, path := range []string{"GET /{$}", "GET /assets/", "GET /icon.svg"} {
		mux.Handle(path, live.Page())
	}
	mux.Handle("GET /api/v1/stream", &live.Stream{Board: board, Views: live.Views(), Beat: func() any { return live.State{Looked: time.Now(), Clock: time.Now()} }})
	serve := func(view string, rows []any) {
		mux.HandleFunc("GET /api/v1/"+view, func(w http.ResponseWriter, _ *http.Request) {
			for _, row := range rows {
				w.Write(append(text(row), '\n'))
			}
		})
	}
	serve("lines", lines)
	for view, rows := range catalogue(cat) {
		serve(view, rows)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}

func text(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of plain values
	}
	return b
}

// lineRow is a row of the query lines: a run along the corridor from a time on, as far as it is by now, and its plan.
func lineRow(c *network.Corridor, unit string, back bool, at, now time.Time, rnd *rand.Rand) map[string]any {
	visits, plan := []any{}, []any{}
	delay := rnd.Float64() * 10 // hours, at the end
	end := c.Km(len(c.Places) - 1)
	km := 0.0
	ms := func(t time.Time) any {
		if t.After(now) {
			return nil
		}
		return t.UnixMilli()
	}
	planned := at
	for i := range c.Places {
		place, next := c.Places[i], c.Km(i)
		if back {
			place, next = c.Places[len(c.Places)-1-i], end-c.Km(len(c.Places)-1-i)
		}
		run := time.Duration((next - km) / 50 * float64(time.Hour))
		km = next
		late := time.Duration(delay * km / end * float64(time.Hour))
		planned = planned.Add(run)
		stop := time.Duration(rnd.Int64N(int64(4 * time.Hour)))
		came, went := planned.Add(late), planned.Add(late+stop)
		plan = append(plan, []any{place, planned.UnixMilli(), planned.Add(stop).UnixMilli()})
		planned = planned.Add(stop)
		if came.Before(now) {
			visits = append(visits, []any{place, came.UnixMilli(), ms(went), true, went.After(now), nil, nil})
		}
	}
	return map[string]any{"unit": unit, "unit_kind": "train", "delay_s": delay * 3600, "visits": visits, "plan": plan}
}

// statusRow is a row of the trains: somewhere between two places.
func statusRow(cat *network.Catalog, c *network.Corridor, unit string, at time.Time, rnd *rand.Rand) json.RawMessage {
	row := map[string]any{"key": unit, "run": unit, "unit_kind": "train", "state": "open", "seen_at": at, "direction_by": c.ID, "place": ""}
	i := rnd.IntN(len(c.Places) - 1)
	a, _ := cat.Place(c.Places[i])
	b, _ := cat.Place(c.Places[i+1])
	if a.Position != nil && b.Position != nil {
		p := rnd.Float64()
		row["lat"], row["lon"] = a.Position.Lat+p*(b.Position.Lat-a.Position.Lat), a.Position.Lon+p*(b.Position.Lon-a.Position.Lon)
	}
	return text(row)
}

// catalogue are the rows of the queries that the page learns the network by.
func catalogue(cat *network.Catalog) map[string][]any {
	out := map[string][]any{}
	for _, p := range cat.Places {
		row := map[string]any{"id": p.ID, "name": p.Name, "country": p.Country, "kinds": p.Kinds, "zone": p.Zone.String(), "area": cat.Area(p.ID), "has_position": p.Position != nil}
		if p.Position != nil {
			row["lat"], row["lon"] = p.Position.Lat, p.Position.Lon
		}
		out["places"] = append(out["places"], row)
	}
	for _, b := range cat.Borders {
		out["borders"] = append(out["borders"], map[string]any{"id": b.ID, "name": b.Name, "country_a": b.A.Country, "country_b": b.B.Country,
			"places_a": b.A.Places, "places_b": b.B.Places, "sea": b.Sea, "gauge_break": b.GaugeBreak, "area": b.Area})
	}
	for _, c := range cat.Corridors {
		km := make([]float64, len(c.Places))
		for i := range km {
			km[i] = c.Km(i)
		}
		out["corridors"] = append(out["corridors"], map[string]any{"id": c.ID, "name": c.Name, "status": c.Status, "places": c.Places, "km": km})
	}
	return out
}
