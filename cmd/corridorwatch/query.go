package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func queryCmd() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   `query "SQL"`,
		Short: "run SQL on the installation's ClickHouse and print the result",
		Long: "Runs SQL on the installation's ClickHouse. The v_ views are the analysts' contract:\n" +
			"  corridorwatch query \"SHOW TABLES LIKE 'v_%'\"\n  corridorwatch query \"DESCRIBE v_crossings\"\n" +
			"With - instead of SQL it is read from standard input.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			if cfg, err = cfg.find(); err != nil {
				return err
			}
			sql := args[0]
			if sql == "-" {
				b, err := io.ReadAll(os.Stdin)
				if err != nil {
					return fmt.Errorf("read SQL from standard input: %w", err)
				}
				sql = string(b)
			}
			return cfg.query(cmd.Context(), sql, format, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&format, "format", "PrettyCompactMonoBlock", "ClickHouse output format: CSVWithNames, JSONEachRow, Vertical, ...")
	return cmd
}

// query runs sql over ClickHouse's HTTP interface and copies the answer to out.
func (c config) query(ctx context.Context, sql, format string, out io.Writer) error {
	if strings.TrimSpace(sql) == "" {
		return errors.New("no SQL given")
	}
	resp, err := c.ask(ctx, sql, format, url.Values{})
	var refused *refusal
	if errors.As(err, &refused) {
		return err
	}
	if err != nil {
		return fmt.Errorf("ask ClickHouse (is 'corridorwatch up' running? else set CORRIDORWATCH_CLICKHOUSE): %w", err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	return nil
}

// ask asks the first server that answers: each of them shows the views. params are URL parameters of ClickHouse's HTTP interface.
func (c config) ask(ctx context.Context, sql, format string, params url.Values) (resp *http.Response, err error) {
	scheme, client := "http", http.DefaultClient
	if c.clickTLS != nil {
		scheme, client = "https", &http.Client{Transport: &http.Transport{TLSClientConfig: c.clickTLS, DisableKeepAlives: true}}
	}
	params.Set("database", c.database())
	params.Set("default_format", format)
	err = errors.New("no address")
	for _, addr := range strings.FieldsFunc(c.ClickHouse, func(r rune) bool { return r == ',' || r == ';' }) {
		var req *http.Request
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://"+addr+"/?"+params.Encode(), strings.NewReader(sql))
		if err != nil {
			return nil, err
		}
		req.Header.Set("X-ClickHouse-User", c.ClickUser)
		if c.ClickPass != "" {
			req.Header.Set("X-ClickHouse-Key", string(c.ClickPass))
		}
		if resp, err = client.Do(req); err != nil {
			continue
		}
		if resp.StatusCode != http.StatusOK {
			defer resp.Body.Close()
			text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
			return nil, &refusal{strings.TrimSpace(string(text))}
		}
		return resp, nil
	}
	return nil, err
}

// refusal is ClickHouse's own word.
type refusal struct{ text string }

func (r *refusal) Error() string { return "ClickHouse: " + r.text }

// queryRows runs sql and returns the result's tab-separated lines, unescaped fields.
func (c config) queryRows(ctx context.Context, sql string) ([][]string, error) {
	var b strings.Builder
	if err := c.query(ctx, sql, "TSVRaw", &b); err != nil {
		return nil, err
	}
	var rows [][]string
	for line := range strings.Lines(b.String()) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, nil
}
