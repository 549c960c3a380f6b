package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRecompute sends a world of which some events come days late: the views count them and do not have them, and after a recompute
// are those of a run in which everything had come in time. The stages have forgotten all of it by then; TestReplay has a run that is held.
func TestRecompute(t *testing.T) {
	world := newProgram(t)
	all := filepath.Join(world.dir, "world.jsonl")
	world.run("simulate", "--corridors", "khorgos-aktau", "--days", "1", "--containers", "--out", all)
	early, late := split(t, all)
	// Both end at the same stage time.
	last := func(s *service) { s.run("ingest", "--wait", "--beyond", "2000h", late) }
	whole := newProgram(t).up("--time", "data")
	whole.run("ingest", all)
	last(whole)
	want := whole.views()
	whole.stop(syscall.SIGTERM)
	s := newProgram(t).up("--time", "data")
	s.run("ingest", "--beyond", "1200h", early)
	s.run("ingest", "--wait", late)
	awaiting := func() string {
		return strings.TrimSpace(s.run("query", "--format", "TSV", "SELECT sum(late_events), countIf(late_events > 0) FROM v_train_status"))
	}
	if got := awaiting(); strings.HasPrefix(got, "0\t") {
		t.Errorf("late events and runs that have some: %s", got)
	}
	t.Log(s.run("recompute", "--late"))
	if got := awaiting(); got != "0\t0" {
		t.Errorf("after the recompute there are late events, in runs: %s", got)
	}
	if out := s.run("recompute", "--late"); !strings.Contains(out, "nothing to recompute") {
		t.Error(out)
	}
	last(s)
	sameViews(t, "recomputed", s.views(), want)
	s.run("audit")
}

// split holds some events of every third subject back: all kinds of events, in two files.
func split(t *testing.T, path string) (early, late string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(s string) uint32 {
		h := fnv.New32a()
		h.Write([]byte(s))
		return h.Sum32()
	}
	var files [2]bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var ev struct{ Id, Subject string }
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			t.Fatal(err)
		}
		into := &files[0]
		if sum(ev.Subject)%3 == 0 && sum(ev.Id)%4 == 0 {
			into = &files[1]
		}
		into.Write(lines.Bytes())
		into.WriteByte('\n')
	}
	early, late = path+".early", path+".late"
	for i, name := range []string{early, late} {
		if files[i].Len() == 0 {
			t.Fatal("nothing to hold back")
		}
		if err := os.WriteFile(name, files[i].Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return early, late
}
