package main

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"corridorwatch/schemas/clickhouse"
)

// TestKcat lets kcat produce one good event, one that is broken and one of a place the catalogue lacks, with keys as they come. The
// last is accepted by a retry once the place is in the catalogue.
func TestKcat(t *testing.T) {
	t.Parallel()
	kcat := tool(t, "kcat", "kcat")
	catalogue := t.TempDir()
	copyCatalogue(t, catalogue)
	p := newProgram(t, envPrefix+"CATALOG_DIR="+catalogue)
	s := p.up()
	now := time.Now().UTC().Format(time.RFC3339)
	event := func(id, place string) string {
		return `{"specversion":"1.0","type":"train.arrived","source":"kcat","id":"` + id + `","subject":"KTZ:1:` + now[:10] + `","time":"` + now + `","data":{"place":"` + place + `"}}`
	}
	for key, value := range map[string]string{"k1": event("1", "kz-dostyk"), "k2": `{"specversion":"1.0","type":"train.arr`, "k3": event("3", "kz-newplace")} {
		cmd := exec.CommandContext(t.Context(), kcat, "-P", "-b", s.Brokers[0], "-t", s.Prefix+".intake", "-k", key)
		cmd.Stdin = strings.NewReader(value)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("kcat: %v\n%s", err, out)
		}
	}
	rejects := func() string { return s.query("SELECT reason, path, open FROM v_rejects ORDER BY reason") }
	visits := func() string { return s.query("SELECT place FROM v_visits ORDER BY place") }
	await(t, "the good event", visits, "place\nkz-dostyk\n")
	await(t, "the other two", rejects, "reason\tpath\topen\nunknown_place\tdata.place\ttrue\nunreadable\ttype\ttrue\n")

	s.stop(syscall.SIGTERM)
	place := "  - {id: kz-newplace, name: New place, country: KZ, gauges: [1520]}\n"
	appendTo(t, filepath.Join(catalogue, "places_kz.yaml"), place)
	s = p.up()
	s.run("rejects", "retry", "--reason", "unknown_place")
	await(t, "the retry", rejects, "reason\tpath\topen\nunknown_place\tdata.place\tfalse\nunreadable\ttype\ttrue\n")
	await(t, "its visit", visits, "place\nkz-dostyk\nkz-newplace\n")
}

// TestAnswers asks ClickHouse with an HTTP client, with clickhouse-go and with a browser, and sends an event by HTTP.
func TestAnswers(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up()
	now := time.Now().UTC().Format(time.RFC3339)
	event := `{"specversion":"1.0","type":"train.arrived","source":"http","id":"1","subject":"KTZ:7:` + now[:10] + `","time":"` + now + `","data":{"place":"kz-dostyk"}}`
	resp, err := http.Post("http://"+s.HTTP+"/v1/events", "application/cloudevents+json", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Errorf("POST /v1/events: %s", resp.Status)
	}
	const sql = "SELECT concat('at ', place_name) AS where FROM v_visits"
	await(t, "query", func() string { return s.query(sql) }, "where\nat Dostyk\n")
	conn, err := clickhouse.Open(t.Context(), clickhouse.Config{Addr: s.ClickHouse, Database: s.Prefix})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var where string
	if err := conn.QueryRow(t.Context(), sql).Scan(&where); err != nil || where != "at Dostyk" {
		t.Errorf("clickhouse-go: %q, %v", where, err)
	}
	browse(t, "http://"+s.ClickHouse+"/?"+url.Values{"database": {s.Prefix}, "query": {sql + " FORMAT JSON"}}.Encode(), "at Dostyk")
}

// browse opens a page in a browser and wants to see a text.
func browse(t *testing.T, page, want string) {
	t.Helper()
	browser := tool(t, "chromium", "chromium")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--timeout=20000", "--dump-dom", page)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if out, err := cmd.Output(); err != nil || !strings.Contains(string(out), want) {
		t.Errorf("browser at %s: %v\n%s", page, err, out)
	}
}

// await asks until the answer is want.
func await(t *testing.T, what string, ask func() string, want string) {
	t.Helper()
	var got string
	ctx := t.Context()
	deadline := time.After(time.Minute)
	for got = ask(); got != want; got = ask() {
		select {
		case <-ctx.Done():
		case <-deadline:
		case <-time.After(50 * time.Millisecond):
			continue
		}
		t.Fatalf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}

// copyCatalogue copies the catalogue of the program into a directory.
func copyCatalogue(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob("../../schemas/network/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
