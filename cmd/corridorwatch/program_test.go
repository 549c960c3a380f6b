package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
)

var update = flag.Bool("update", false, "write the expected results anew")

// binary builds the program once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "corridorwatch-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "corridorwatch")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return path, fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	built := false
	build := binary
	binary = func() (string, error) { built = true; return build() }
	code := m.Run()
	if built {
		path, _ := build()
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is one installation: the real program on a data directory of its own, with every port chosen by the system.
type program struct {
	t   *testing.T
	bin string
	env []string
	dir string
	// logs, if set, is a directory into which each process's log is written, that of the next one with the same name behind it.
	logs string
}

func newProgram(t *testing.T, env ...string) *program {
	t.Helper()
	return newProgramIn(t, t.TempDir(), env...)
}

func newProgramIn(t *testing.T, dir string, env ...string) *program {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	if _, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB")); err != nil {
		missing(t, err.Error())
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, envPrefix) || strings.HasPrefix(e, envPrefix+"CHDB_LIB") {
			env = append(env, e)
		}
	}
	for _, name := range []string{"BROKER_LISTEN", "CLICKHOUSE_LISTEN", "HTTP_LISTEN"} {
		env = append(env, envPrefix+name+"=127.0.0.1:0")
	}
	return &program{t: t, bin: bin, env: append(env, envPrefix+"DATA_DIR="+dir), dir: dir}
}

// missing skips a test that lacks a tool, and fails it where all must be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// tool finds a program that a Debian package brings.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, fmt.Sprintf("%s is not installed (Debian package %s)", name, pkg))
	}
	return path
}

func (p *program) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), p.bin, args...)
	cmd.Env = p.env
	return cmd
}

// run runs a subcommand to its end and returns what it printed to standard output.
func (p *program) run(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *program) try(args ...string) (string, error) {
	var out, complaints bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("corridorwatch %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), complaints.String())
	}
	return out.String(), nil
}

// world simulates a day of a corridor with load units, and returns the file of its events. A position each five minutes is enough for
// everything that moves and stands: what takes time is what follows from the events.
func (p *program) world(more ...string) string {
	p.t.Helper()
	file := filepath.Join(p.dir, "world.jsonl")
	p.run(append([]string{"simulate", "--corridors", "khorgos-aktau", "--containers", "--trains", "1", "--interval", "5m", "--out", file}, more...)...)
	return file
}

// query is what 'query' prints, tab-separated with a head.
func (p *program) query(sql string) string {
	p.t.Helper()
	return p.run("query", "--format", "TSVWithNames", sql)
}

// service is a running 'up', 'demo' or 'embedded'.
type service struct {
	*program
	addresses
	cmd *exec.Cmd
	// announced is closed when the addresses are known, ended when the process has ended.
	announced, ended chan struct{}
	output           transcript // of standard error
}

// transcript is what a process has written so far.
type transcript struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// up starts 'up' and returns when it is ready.
func (p *program) up(args ...string) *service {
	p.t.Helper()
	s := p.launch(args...)
	s.awaitReady()
	return s
}

// launch starts 'up'.
func (p *program) launch(args ...string) *service {
	p.t.Helper()
	return p.launchAs("up", args...)
}

// launchAs starts 'up', 'demo' or 'embedded'.
func (p *program) launchAs(command string, args ...string) *service {
	p.t.Helper()
	s := &service{program: p, cmd: p.command(append([]string{command}, args...)...), ended: make(chan struct{}), announced: make(chan struct{})}
	s.cmd.Stderr = io.MultiWriter(&s.output, p.logFile(command))
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "Ctrl-C") {
				close(s.announced)
			}
		}
		s.cmd.Wait()
	}()
	p.t.Cleanup(func() { s.cmd.Process.Kill(); <-s.ended })
	return s
}

// awaitReady returns when the program is ready, and reads its addresses.
func (s *service) awaitReady() {
	s.t.Helper()
	s.awaitAddresses()
	until(s.t, "ready", func() (bool, error) {
		status, body := s.get("/readyz")
		return status == http.StatusOK, errors.New(body)
	})
}

// awaitAddresses returns when the program has told its addresses, and reads them.
func (s *service) awaitAddresses() {
	s.t.Helper()
	select {
	case <-s.announced:
	case <-s.ended:
		s.t.Fatalf("%v ended: %s", s.cmd.Args[1:], s.output.String())
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "addresses.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s.addresses); err != nil {
		s.t.Fatal(err)
	}
}

// stop sends the signal and waits for the end.
func (s *service) stop(signal syscall.Signal) *os.ProcessState {
	s.cmd.Process.Signal(signal)
	<-s.ended
	return s.cmd.ProcessState
}

func (s *service) get(path string) (int, string) {
	s.t.Helper()
	return get(s.t, "http://"+s.HTTP+path)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// views are what the stages wrote, without v_now: sending events makes time pass.
func (s *service) views() map[string][]string {
	s.t.Helper()
	conn := s.connect()
	defer conn.Close()
	views, err := clickhouse.Dump(s.t.Context(), conn, s.config().database(), clickhouse.StoredViews)
	if err != nil {
		s.t.Fatal(err)
	}
	delete(views, "v_now")
	return views
}

// until asks again and again, for two minutes at most.
func until(t *testing.T, what string, ask func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		done, err := ask()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not yet: %v", what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func sameViews(t *testing.T, what string, got, want map[string][]string) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("no views to compare with")
	}
	if diff := clickhouse.Diff(want, got, 3); diff != "" {
		t.Errorf("%s: wanted and got\n%s", what, diff)
	}
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	s := p.up()
	if status, body := s.get("/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d %s", status, body)
	}
	if _, body := s.get("/metrics"); !strings.Contains(body, "corridorwatch_stage_time_seconds{") {
		t.Errorf("/metrics does not tell the stage time:\n%s", body)
	}
	if _, err := p.try("up"); err == nil || !strings.Contains(err.Error(), "another") && !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second 'up' on the same directory: %v", err)
	}
	if state := s.stop(syscall.SIGINT); state.ExitCode() != 0 {
		t.Errorf("after SIGINT: %v\n%s", state, s.output.String())
	}
	for _, addr := range append(s.Brokers, s.ClickHouse, s.HTTP) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			t.Errorf("something still listens on %s", addr)
		}
	}
	if _, err := p.try("query", "SELECT 1"); err == nil {
		t.Error("'query' answers after the end")
	}
	again := p.up()
	if again.stop(syscall.SIGTERM).ExitCode() != 0 {
		t.Error("after SIGTERM:", again.output.String())
	}
}

// TestKhorgos sends a train over the Khorgos border and asks for what the views say of it; sent once more, nothing changes.
func TestKhorgos(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	send := func() string { return s.run("ingest", "--wait", "../../testdata/khorgos/events.jsonl") }
	if out := send(); !strings.Contains(out, "read 12, accepted 12, rejected 0") {
		t.Error(out)
	}
	var got strings.Builder
	for _, sql := range []string{
		"SELECT place, n, arrived, departed, state FROM v_visits ORDER BY arrived",
		"SELECT border, direction, outbound_s, running_between_s, inbound_s, total_s, customs_s, gauge_change_s, handover_s, norm_s, delay_norm_s FROM v_crossings",
		"SELECT role, country, side_s, customs_s, gauge_change_s, unexplained_s, norm_s, delay_norm_s FROM v_crossing_sides ORDER BY role DESC",
		"SELECT from_place, to_place, round(swd_kmh, 1) AS swd, round(swod_kmh, 1) AS swod FROM v_legs ORDER BY departed_at",
	} {
		fmt.Fprintf(&got, "%s\n%s\n", sql, s.query(sql))
	}
	golden(t, "../../testdata/khorgos/views.txt", got.String())
	before := s.views()
	send()
	sameViews(t, "sent twice", s.views(), before)
}

// TestLongSentTwice sends files with mistakes in them twice, in CSV and in JSON: no view changes, that of the rejects neither.
func TestLongSentTwice(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	send := func() {
		s.run("ingest", "--wait", "--format", "csv", "--mapping", "../../ingest/testdata/commuter.yaml", "../../ingest/testdata/commuter.csv")
		s.run("ingest", "--wait", "../../ingest/testdata/mixed.jsonl")
	}
	send()
	before := s.views()
	if len(before["v_rejects"]) == 0 || len(before["v_events"]) == 0 {
		t.Errorf("%d rejects and %d events: this shows nothing", len(before["v_rejects"]), len(before["v_events"]))
	}
	send()
	sameViews(t, "sent twice", s.views(), before)
}

// golden compares with a file, or writes it if -update is given.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}
