package live

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"corridorwatch/internal/embedded/enginetest"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

const database = "live_api"

// story is an installation's database with the small world of the views' own test in it.
func story(t *testing.T) Ask {
	t.Helper()
	addr := enginetest.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c := clickhouse.Config{Addr: addr, Database: database}
	if err := clickhouse.Migrate(ctx, c, cat); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Exec(context.Background(), "DROP DATABASE "+database)
		conn.Close()
	})
	text, err := os.ReadFile("../../schemas/clickhouse/testdata/story.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split(strings.ReplaceAll(string(text), "DB.", database+"."), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			if err := conn.Exec(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return func(ctx context.Context, sql, format string, params url.Values) (io.ReadCloser, error) {
		params.Set("database", database)
		params.Set("default_format", format)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/?"+params.Encode(), strings.NewReader(sql))
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusOK {
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return nil, errors.New(string(b))
		}
		return res.Body, nil
	}
}

func serve(t *testing.T, ask Ask) (get func(path string) (status int, kind, body string)) {
	mux := http.NewServeMux()
	api := &API{Ask: ask}
	mux.Handle("GET /api/v1/{$}", api)
	mux.Handle("GET /api/v1/{view}", api)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(path string) (int, string, string) {
		t.Helper()
		res, err := http.Get(server.URL + "/api/v1/" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header.Get("Content-Type"), string(b)
	}
}

// TestAPI asks for the same rows as SQL, in each format, and for what there is not.
func TestAPI(t *testing.T) {
	ask := story(t)
	get := serve(t, ask)
	rows := func(path string) []map[string]any {
		t.Helper()
		status, kind, body := get(path)
		var a struct{ Data []map[string]any }
		if err := json.Unmarshal([]byte(body), &a); err != nil || status != http.StatusOK || kind != "application/json" {
			t.Fatalf("%s: %d %s %s (%v)", path, status, kind, body, err)
		}
		return a.Data
	}
	var want []string
	err := ask.each(t.Context(), "SELECT unit FROM v_visits WHERE place IN ('east', 'mid') AND arrived >= '2026-03-01 00:00:00' AND arrived < '2026-03-01 12:00:00' ORDER BY dwell_s DESC, unit",
		readOnly(), func(row json.RawMessage) error {
			var r struct{ Unit string }
			err := json.Unmarshal(row, &r)
			want = append(want, r.Unit)
			return err
		})
	if err != nil || len(want) < 2 {
		t.Fatalf("SQL says %v, %v", want, err)
	}
	const path = "visits?place=east,mid&arrived.from=2026-03-01T03:00:00%2B03:00&arrived.to=2026-03-01T12:00:00Z&order=-dwell_s,unit"
	var got []string
	for _, r := range rows(path) {
		got = append(got, r["unit"].(string))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the API says %v, SQL %v", got, want)
	}
	if r := rows("visits?unit=R1&columns=place,dwell_s&order=place&limit=1&offset=1"); len(r) != 1 || len(r[0]) != 2 || r[0]["place"] != "mid" {
		t.Errorf("one row of two columns: %v", r)
	}
	for _, name := range []string{`O'Hara\`, "a\tb", `") OR 1=1 --`, "{p1:String}"} {
		if r := rows("visits?unit=" + url.QueryEscape(name)); len(r) != 0 {
			t.Errorf("unit %q: %v", name, r)
		}
	}
	_, kind, body := get("visits?place=east&format=csv&columns=unit,place")
	if all, err := csv.NewReader(strings.NewReader(body)).ReadAll(); err != nil || len(all) < 3 || all[0][0] != "unit" || !strings.HasPrefix(kind, "text/csv") {
		t.Errorf("CSV %s: %q, %v", kind, body, err)
	}
	if _, kind, body := get("visits?place=east&format=ndjson"); strings.Count(body, "\n") < 2 || kind != "application/x-ndjson" {
		t.Errorf("NDJSON %s: %q", kind, body)
	}
	for path, want := range map[string]string{
		"nothing": "no view", "visits?nowhere=1": "no column", "visits?order=nowhere": "no column", "visits?limit=many": "limit is a number", "visits?format=xml": "format is",
		"visits?columns=place,1%3Dnow()": "no column", "visits?arrived.around=1": ".from and .to", "visits?dwell_s.from=long": "does not fit", "visits?arrived.from=yesterday": "does not fit",
	} {
		status, _, body := get(path)
		if status < 400 || !strings.Contains(body, want) || !strings.Contains(body, `"error"`) {
			t.Errorf("%s: %d %s, want an error with %q", path, status, body, want)
		}
	}
}

// TestOpenAPI: the index and the description name every view and column of the contract, with what they mean.
func TestOpenAPI(t *testing.T) {
	ask := story(t)
	get := serve(t, ask)
	views, err := ask.views(t.Context())
	if err != nil || len(views) < 20 {
		t.Fatalf("%d views, %v", len(views), err)
	}
	own, err := (&API{Ask: ask}).queries(t.Context(), "openapi.json", nil)
	if err != nil || len(own) < 5 {
		t.Fatalf("%d queries, %v", len(own), err)
	}
	maps.Copy(views, own)
	_, _, index := get("")
	_, _, text := get("openapi.json")
	var doc struct {
		OpenAPI    string
		Paths      map[string]any
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Description string
					Type        any
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%v: %.200s", err, text)
	}
	for name, v := range views {
		if doc.Paths["/"+name] == nil || !strings.Contains(index, `"/api/v1/`+name+`"`) {
			t.Errorf("%s is not told of", name)
		}
		for _, c := range v.Columns {
			p := doc.Components.Schemas[name].Properties[c.Name]
			if p.Description == "" || p.Type == nil {
				t.Errorf("%s.%s (%s): nobody says what it means", name, c.Name, c.Type)
			}
		}
	}
}

// TestPoll: what is on the board is what the views say, and while ClickHouse is away it says so.
func TestPoll(t *testing.T) {
	ask := story(t)
	away := false
	p := NewPoll(func(ctx context.Context, sql, format string, params url.Values) (io.ReadCloser, error) {
		if away {
			return nil, errors.New("connection refused")
		}
		return ask(ctx, sql, format, params)
	})
	if err := p.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	changes, rev, _ := told(t, p.Board, "", 0, Views())
	for _, view := range Views() {
		if len(changes[view]) == 0 {
			t.Errorf("nothing of %s is on the board: the story tells nothing of it", view)
		}
	}
	n := 0
	err := ask.each(t.Context(), "SELECT waiting, oldest_s FROM v_borders_now", readOnly(), func(row json.RawMessage) error {
		n++
		return nil
	})
	if err != nil || n != len(changes["borders"]) {
		t.Errorf("%d borders on the board, %d in the view (%v)", len(changes["borders"]), n, err)
	}
	if s := p.State(); s.Error != "" || s.Looked.IsZero() {
		t.Errorf("state %+v", s)
	}
	if now := string(changes[stageTime][stageTime]); !strings.Contains(now, `"2026-03-02T00:00:00Z"`) {
		t.Errorf("stage time %s", now)
	}
	if err := p.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, again, _ := told(t, p.Board, "", 0, Views()); again != rev {
		t.Error("rows change though nothing has happened")
	}
	away = true
	if err := p.Look(t.Context()); err == nil || p.State().Error == "" || p.State().Looked.IsZero() {
		t.Errorf("ClickHouse is away: %v, %+v", err, p.State())
	}
}
