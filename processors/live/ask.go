package live

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Ask runs SQL on the installation's database by ClickHouse's HTTP interface. params are its URL parameters: settings, and param_x for
// {x:Type} in the statement. The answer is in the given format; whoever asks closes it.
type Ask func(ctx context.Context, sql, format string, params url.Values) (io.ReadCloser, error)

// readOnly are the settings of everything that is asked here. A statement that takes longer than people wait is given up.
func readOnly() url.Values {
	return url.Values{"readonly": {"2"}, "max_execution_time": {"20"}, "output_format_json_quote_64bit_integers": {"0"},
		"date_time_output_format": {"iso"}, "wait_end_of_query": {"1"}}
}

// each calls do for each row of an answer in the format JSONEachRow.
func (ask Ask) each(ctx context.Context, sql string, params url.Values, do func(json.RawMessage) error) error {
	answer, err := ask(ctx, sql, "JSONEachRow", params)
	if err != nil {
		return err
	}
	defer answer.Close()
	for d := json.NewDecoder(answer); ; {
		var row json.RawMessage
		switch err := d.Decode(&row); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("read the answer of ClickHouse: %w", err)
		}
		if err := do(row); err != nil {
			return err
		}
	}
}

// column is a column of a view, as the analysts' contract has it.
type column struct {
	View    string `json:"table"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment"`
}

// plain is the type without what only says how it is stored.
func (c column) plain() string {
	t := c.Type
	for _, wrap := range []string{"LowCardinality(", "Nullable("} {
		if inner, ok := strings.CutPrefix(t, wrap); ok {
			t = strings.TrimSuffix(inner, ")")
		}
	}
	return t
}

// view is a v_ view without its v_, or a query of our own.
type view struct {
	Name, Comment string
	Columns       []column
	Query         string // SQL; empty: it is a view
	Params        []param
}

// views reads which there are, with what their columns mean.
func (ask Ask) views(ctx context.Context) (map[string]*view, error) {
	out := map[string]*view{}
	err := ask.each(ctx, `SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'v_')`, readOnly(),
		func(row json.RawMessage) error {
			var v struct{ Name, Comment string }
			if err := json.Unmarshal(row, &v); err != nil {
				return err
			}
			out[v.Name] = &view{Name: strings.TrimPrefix(v.Name, "v_"), Comment: v.Comment}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("ask which views there are: %w", err)
	}
	err = ask.each(ctx, `SELECT table, name, type, comment FROM system.columns WHERE database = currentDatabase() AND startsWith(table, 'v_') ORDER BY table, position`,
		readOnly(), func(row json.RawMessage) error {
			var c column
			if err := json.Unmarshal(row, &c); err != nil {
				return err
			}
			if v := out[c.View]; v != nil {
				v.Columns = append(v.Columns, c)
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("ask what the views hold: %w", err)
	}
	byName := map[string]*view{}
	for _, v := range out {
		if len(v.Columns) > 0 {
			byName[v.Name] = v
		}
	}
	return byName, nil
}
