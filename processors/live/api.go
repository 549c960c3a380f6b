package live

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// API answers from the views of the analysts' contract, whatever they are, and from a few queries of the page:
//
//	GET /api/v1/                         which views there are
//	GET /api/v1/openapi.json             the same as OpenAPI 3.1, with what each column means
//	GET /api/v1/crossings?border=khorgos,dostyk&left.from=2026-05-11&order=-total_s&limit=20&format=csv
//
// A column's name takes rows that have one of the values; name.from and name.to bound it, from included and to not. Everything is
// read only, and what is asked for becomes a parameter of the statement, never a part of it.
type API struct {
	Ask Ask

	mu    sync.Mutex
	known map[string]*view // views
	asked time.Time
	typed map[string]*view // queries with the types of their columns; nil until somebody needs them
}

// Bounds of an answer.
const (
	usualRows = 1000
	mostRows  = 100_000
)

// reserved are parameters that are not columns.
var reserved = []string{"format", "order", "limit", "offset", "columns"}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("view")
	all, err := a.queries(r.Context(), name, r.URL.Query())
	if err == nil && all[name] == nil {
		var views map[string]*view
		if views, err = a.views(r.Context()); err == nil {
			all = maps.Clone(all)
			maps.Copy(all, views)
		}
	}
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err)
		return
	}
	switch v := all[name]; {
	case name == "":
		answer(w, index(all))
	case name == "openapi.json":
		answer(w, openAPI(all))
	case v == nil:
		fail(w, http.StatusNotFound, fmt.Errorf("there is no view %q: /api/v1/ lists them", name))
	default:
		a.rows(w, r, v)
	}
}

// views are asked for again now and then: a migration may have brought others.
func (a *API) views(ctx context.Context) (map[string]*view, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known != nil && time.Since(a.asked) < time.Minute {
		return a.known, nil
	}
	views, err := a.Ask.views(ctx)
	if err != nil {
		return nil, err
	}
	a.known, a.asked = views, time.Now()
	return views, nil
}

// formats by the name of the parameter, with ClickHouse's name and the content type.
var formats = map[string][2]string{
	"json":   {"JSON", "application/json"},
	"ndjson": {"JSONEachRow", "application/x-ndjson"},
	"csv":    {"CSVWithNames", "text/csv; charset=utf-8"},
}

func (a *API) rows(w http.ResponseWriter, r *http.Request, v *view) {
	sql, params, err := v.statement(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	format := formats[formatOf(r)]
	rows, err := a.Ask(r.Context(), sql, format[0], params)
	if err != nil {
		status := http.StatusServiceUnavailable
		if strings.Contains(err.Error(), "CANNOT_PARSE") {
			status, err = http.StatusBadRequest, fmt.Errorf("a value does not fit its column: %w", err)
		}
		fail(w, status, err)
		return
	}
	defer rows.Close()
	w.Header().Set("Content-Type", format[1])
	w.Header().Set("Cache-Control", "no-store")
	if format[0] == "CSVWithNames" {
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", v.Name+".csv"))
	}
	w.Header().Add("Vary", "Accept-Encoding")
	send := func() error { _, err := io.Copy(w, rows); return err }
	if accepts(r) {
		w.Header().Set("Content-Encoding", "gzip")
		send = func() error { return squeeze(w, rows, gzip.BestSpeed) }
	}
	if err := send(); err != nil && r.Context().Err() == nil {
		slog.Warn("api: the answer was broken off", "view", v.Name, "err", err)
		panic(http.ErrAbortHandler) // so that the client does not take it for whole
	}
}

func formatOf(r *http.Request) string {
	if f := r.FormValue("format"); f != "" {
		return f
	}
	return "json"
}

// statement makes the SQL of a request and its parameters.
func (v *view) statement(query url.Values) (string, url.Values, error) {
	params := readOnly()
	var where []string
	bind := func(c column, value string) string {
		name := "p" + strconv.Itoa(len(params))
		params.Set("param_"+name, escape(value))
		if strings.HasPrefix(c.plain(), "DateTime64") { // times as people write them
			return fmt.Sprintf("parseDateTime64BestEffort({%s:String}, 3, 'UTC')", name)
		}
		return fmt.Sprintf("CAST({%s:String}, '%s')", name, strings.ReplaceAll(c.plain(), "'", `\'`))
	}
	if err := v.given(query, params); err != nil {
		return "", nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if slices.Contains(reserved, name) || v.isParam(name) {
			continue
		}
		of, bound, _ := strings.Cut(name, ".")
		c, err := v.column(of)
		if err != nil {
			return "", nil, err
		}
		switch bound {
		case "":
			var in []string
			for _, values := range query[name] {
				for value := range strings.SplitSeq(values, ",") {
					in = append(in, bind(c, value))
				}
			}
			where = append(where, fmt.Sprintf("%s IN (%s)", quoted(of), strings.Join(in, ", ")))
		case "from":
			where = append(where, quoted(of)+" >= "+bind(c, query.Get(name)))
		case "to":
			where = append(where, quoted(of)+" < "+bind(c, query.Get(name)))
		default:
			return "", nil, fmt.Errorf("%q: a column takes .from and .to", name)
		}
	}
	columns, err := v.list(query.Get("columns"))
	if err != nil {
		return "", nil, err
	}
	sql := "SELECT " + columns + " FROM " + v.source()
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	order, err := v.order(query.Get("order"))
	if err != nil {
		return "", nil, err
	}
	limit, err := number(query, "limit", usualRows, mostRows)
	if err != nil {
		return "", nil, err
	}
	offset, err := number(query, "offset", 0, 1<<40)
	if err != nil {
		return "", nil, err
	}
	if f := query.Get("format"); f != "" && formats[f][0] == "" {
		return "", nil, fmt.Errorf("format is json, ndjson or csv, not %q", f)
	}
	return fmt.Sprintf("%s%s LIMIT %d OFFSET %d", sql, order, limit, offset), params, nil
}

// escape writes a parameter as ClickHouse reads it: as a field of its TabSeparated format.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}

func quoted(name string) string { return "`" + name + "`" }

func (v *view) column(name string) (column, error) {
	i := slices.IndexFunc(v.Columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, fmt.Errorf("%s has no column %q: /api/v1/openapi.json lists them", v.Name, name)
	}
	return v.Columns[i], nil
}

func (v *view) list(text string) (string, error) {
	if text == "" {
		return "*", nil
	}
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if _, err := v.column(name); err != nil {
			return "", err
		}
		out = append(out, quoted(name))
	}
	return strings.Join(out, ", "), nil
}

func (v *view) order(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		name, down := strings.CutPrefix(name, "-")
		if _, err := v.column(name); err != nil {
			return "", err
		}
		if out = append(out, quoted(name)); down {
			out[len(out)-1] += " DESC"
		}
	}
	return " ORDER BY " + strings.Join(out, ", "), nil
}

func number(query url.Values, name string, usual, most int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s is a number from 0 to %d, not %q", name, most, text)
	}
	return n, nil
}

// fail answers with an error in words.
func fail(w http.ResponseWriter, status int, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
