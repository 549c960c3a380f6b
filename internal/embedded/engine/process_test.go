package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/embedded/enginetest"
)

// own starts an engine of the test's own in dir.
func own(t *testing.T, dir string) *engine.Engine {
	t.Helper()
	enginetest.Start(t) // skips without the engine
	lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), enginetest.Config(lib, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func post(addr, query string) (string, error) {
	resp, err := http.Post("http://"+addr+"/", "text/plain", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}

func mustPost(t *testing.T, addr, query string) string {
	t.Helper()
	got, err := post(addr, query)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// pidOf finds the engine with this data directory, by the arguments of all processes.
func pidOf(t *testing.T, dataDir string) int {
	t.Helper()
	children, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range children {
		args, err := os.ReadFile(c)
		if err == nil && bytes.Contains(args, []byte("\x00--data\x00"+dataDir+"\x00")) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(c)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process with data directory %s", dataDir)
	return 0
}

// residentMB is the peak of the shared engine's memory.
func residentMB(t *testing.T) int {
	t.Helper()
	pid := pidOf(t, enginetest.Dir(t))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb / 1024
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

func TestRowsSurviveAnOrderlyEnd(t *testing.T) {
	dir := t.TempDir()
	e := own(t, dir)
	mustPost(t, e.Addr(), "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a")
	mustPost(t, e.Addr(), "INSERT INTO t VALUES (1), (2)")
	if err := e.Close(); err != nil {
		t.Fatal("orderly end: ", err)
	}
	if err := e.Err(); err != nil {
		t.Error(err)
	}
	e = own(t, dir)
	if got := mustPost(t, e.Addr(), "SELECT sum(a) FROM t"); got != "3\n" {
		t.Errorf("sum after a restart: %q, want 3", got)
	}
}

// Rows are inserted as fast as they go while the engine is killed; every insert that was acknowledged is there afterwards.
func TestAcknowledgedRowsSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	e := own(t, dir)
	mustPost(t, e.Addr(), "CREATE TABLE t (batch Int64, n Int32) ENGINE = ReplacingMergeTree ORDER BY (batch, n)")
	const rows = 5000
	var acknowledged, batch int64
	for kill := range 3 {
		pid := pidOf(t, dir)
		var goal atomic.Int64
		goal.Store(acknowledged + 20)
		failed := make(chan struct{})
		go func() {
			defer close(failed)
			for {
				_, err := post(e.Addr(), "INSERT INTO t FORMAT TSV\n"+batchOf(batch, rows))
				if err != nil {
					batch++ // it may be there or not
					return
				}
				batch++
				if acknowledged++; acknowledged == goal.Load() {
					go syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}()
		<-failed
		<-e.Done()
		if e.Err() == nil {
			t.Error("a killed engine has no error")
		}
		e = own(t, dir)
		got := mustPost(t, e.Addr(), "SELECT countIf(c = "+strconv.Itoa(rows)+"), countIf(c != "+strconv.Itoa(rows)+") FROM (SELECT batch, uniqExact(n) AS c FROM t GROUP BY batch)")
		var whole, partial int64
		if _, err := fmt.Sscan(got, &whole, &partial); err != nil {
			t.Fatal(err)
		}
		t.Logf("kill %d: %d inserts acknowledged, %d there", kill+1, acknowledged, whole)
		if whole < acknowledged || partial > 0 {
			t.Errorf("after kill %d: %d whole inserts and %d partial ones, %d were acknowledged", kill+1, whole, partial, acknowledged)
		}
	}
}

func batchOf(batch int64, rows int) string {
	var b strings.Builder
	for n := range rows {
		fmt.Fprintf(&b, "%d\t%d\n", batch, n)
	}
	return b.String()
}

// Ctrl-C in a terminal goes to the whole group of processes; the engine is not in it.
func TestTheEngineIsInAGroupOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	e := own(t, dir)
	pid := pidOf(t, dir)
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	if group == syscall.Getpgrp() {
		t.Error("the engine is in the group of this process")
	}
	if got := mustPost(t, e.Addr(), "SELECT 1"); got != "1\n" {
		t.Errorf("got %q", got)
	}
}

// A statement under way when the engine is told to end is finished, and new ones find nobody.
func TestStatementsUnderWayAreFinished(t *testing.T) {
	e := own(t, t.TempDir())
	type result struct {
		text string
		err  error
	}
	slow := make(chan result, 1)
	go func() {
		text, err := post(e.Addr(), "SELECT sum(sleepEachRow(0.1)) FROM numbers(20) SETTINGS max_block_size = 1")
		slow <- result{text, err}
	}()
	waitForStatement(t, e.Addr(), "sleepEachRow")
	began := time.Now()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if r := <-slow; r.err != nil || r.text != "0\n" {
		t.Errorf("statement under way: %q, %v", r.text, r.err)
	}
	t.Logf("closed in %s", time.Since(began))
	if _, err := post(e.Addr(), "SELECT 1"); err == nil {
		t.Error("the engine answers after its end")
	}
}

func waitForStatement(t *testing.T, addr, text string) {
	t.Helper()
	query := "SELECT count() FROM system.processes WHERE query LIKE '%" + text + "%' AND query NOT LIKE '%system.processes%'"
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if mustPost(t, addr, query) != "0\n" {
			return
		}
	}
	t.Fatalf("no statement with %s runs", text)
}

// When the parent dies, its end of the engine's standard input closes, and the engine ends.
func TestTheEngineEndsWithItsParent(t *testing.T) {
	enginetest.Start(t)
	dir := t.TempDir()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), "ENGINE_TEST_PARENT="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	parent.Stderr = os.Stderr
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	if _, err := fmt.Fscan(out, &addr); err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, dir)
	parent.Process.Kill()
	parent.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil {
			break
		}
		if time.Now().After(deadline) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the engine outlived its parent by 20 s")
		}
	}
	e := own(t, dir) // the directory is free again
	e.Close()
}

func TestFailedStarts(t *testing.T) {
	dir := t.TempDir()
	e := own(t, dir)
	lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*engine.Config){
		"directory in use": func(c *engine.Config) { c.DataDir = dir },
		"port in use":      func(c *engine.Config) { c.Listen = e.Addr() },
		"no loopback":      func(c *engine.Config) { c.Listen = "0.0.0.0:0" },
		"no library":       func(c *engine.Config) { c.Lib = "/nonexistent/libchdb.so" },
		"no program":       func(c *engine.Config) { c.Exe = []string{"/nonexistent/program"} },
	} {
		cfg := enginetest.Config(lib, t.TempDir())
		change(&cfg)
		if e, err := engine.Start(t.Context(), cfg); err == nil {
			t.Errorf("%s: no error", name)
			e.Close()
		}
	}
}

func TestLocate(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if _, err := engine.Locate(""); err == nil || !strings.Contains(err.Error(), "corridorwatch engine fetch") || !strings.Contains(err.Error(), "CORRIDORWATCH_CHDB_LIB=") {
		t.Errorf("without an engine: %v, want how to get it", err)
	}
	own := filepath.Join(t.TempDir(), "libchdb.so")
	if _, err := engine.Locate(own); err == nil {
		t.Error("a missing library was located")
	}
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{own, filepath.Dir(own)} {
		if got, err := engine.Locate(path); err != nil || got != own {
			t.Errorf("Locate(%s) = %s, %v, want %s", path, got, err, own)
		}
	}
	dir, err := engine.CacheDir()
	if err != nil || !strings.HasSuffix(dir, url.PathEscape("corridorwatch")+"/chdb/"+engine.Version) {
		t.Errorf("CacheDir() = %s, %v", dir, err)
	}
}
