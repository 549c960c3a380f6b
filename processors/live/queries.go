package live

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// queryFiles are what the page needs beside the analysts' views: SQL over them and over the catalogue. Each is asked for like a view.
// A file begins with what it is, and what its parameters and columns mean:
//
//	-- The time-distance diagram of a corridor.
//	-- ?corridor: catalogue id of the corridor
//	-- unit: train run or vessel voyage
//
//go:embed queries/*.sql
var queryFiles embed.FS

// param is what a query must be given.
type param struct{ Name, Comment string }

var meaning = regexp.MustCompile(`^-- (\??)([a-z_0-9]+): (.*)$`)

// untyped are the queries without the types of their columns.
var untyped = sync.OnceValues(queries)

// queries returns the queries by name. What their columns are costs much to ask, so it is asked once, and when it matters: for the
// description, and for one of them whose columns choose rows.
func (a *API) queries(ctx context.Context, name string, request url.Values) (map[string]*view, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.typed != nil {
		return a.typed, nil
	}
	all, err := untyped()
	if err != nil || name != "openapi.json" && (all[name] == nil || !all[name].chosen(request)) {
		return all, err
	}
	typed, err := queries()
	if err != nil {
		return nil, err
	}
	for _, v := range typed {
		if err := a.Ask.describe(ctx, v); err != nil {
			return nil, err
		}
	}
	a.typed = typed
	return typed, nil
}

// chosen tells whether a request chooses rows by a column.
func (v *view) chosen(request url.Values) bool {
	for name := range request {
		if !slices.Contains(reserved, name) && !v.isParam(name) {
			return true
		}
	}
	return false
}

// queries reads the files; only the types of their columns are missing.
func queries() (map[string]*view, error) {
	entries, err := queryFiles.ReadDir("queries")
	if err != nil {
		return nil, err
	}
	out := map[string]*view{}
	for _, e := range entries {
		text, err := queryFiles.ReadFile("queries/" + e.Name())
		if err != nil {
			return nil, err
		}
		v := &view{Name: strings.TrimSuffix(e.Name(), path.Ext(e.Name()))}
		var about []string
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			switch m := meaning.FindStringSubmatch(line); {
			case v.Query != "" || !strings.HasPrefix(line, "--"):
				v.Query += line + "\n"
			case m == nil:
				about = append(about, strings.TrimSpace(strings.TrimPrefix(line, "--")))
			case m[1] == "?":
				v.Params = append(v.Params, param{m[2], m[3]})
			default:
				v.Columns = append(v.Columns, column{View: v.Name, Name: m[2], Comment: m[3]})
			}
		}
		v.Comment = strings.Join(about, " ")
		out[v.Name] = v
	}
	return out, nil
}

// sqlOf is the text of a query's file.
func sqlOf(name string) string {
	text, err := queryFiles.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(err) // the names are constants
	}
	return string(text)
}

// describe asks for the types of a query's columns, and holds those that are described against those that there are.
func (ask Ask) describe(ctx context.Context, v *view) error {
	params := readOnly()
	for _, p := range v.Params {
		params.Set("param_"+p.Name, "2000-01-01") // a text and a time
	}
	i := 0
	err := ask.each(ctx, "DESCRIBE ("+v.Query+")", params, func(row json.RawMessage) error {
		var c column
		if err := json.Unmarshal(row, &c); err != nil {
			return err
		}
		if i == len(v.Columns) || v.Columns[i].Name != c.Name {
			return fmt.Errorf("column %d is %s, which is not what its file says", i+1, c.Name)
		}
		v.Columns[i].Type = c.Type
		i++
		return nil
	})
	if err == nil && i < len(v.Columns) {
		err = fmt.Errorf("there is no column %s", v.Columns[i].Name)
	}
	if err != nil {
		return fmt.Errorf("ask for the columns of %s: %w", v.Name, err)
	}
	return nil
}

// given takes the parameters of a query out of a request.
func (v *view) given(request, params url.Values) error {
	for _, p := range v.Params {
		if !request.Has(p.Name) {
			return fmt.Errorf("%s needs %s: %s", v.Name, p.Name, p.Comment)
		}
		params.Set("param_"+p.Name, escape(request.Get(p.Name)))
	}
	return nil
}

func (v *view) isParam(name string) bool {
	return slices.ContainsFunc(v.Params, func(p param) bool { return p.Name == name })
}

// source is what is selected from.
func (v *view) source() string {
	if v.Query != "" {
		return "(" + v.Query + ")"
	}
	return "v_" + v.Name
}
