package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

// TestLongRoles shares a simulated world among processes: two, then three, of which one is killed, one paused for longer than its session
// and woken, one stopped in order, and one added; in between broker and ClickHouse are killed
// and come back. The views are those of a single process that was not disturbed.
func TestLongRoles(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	whole := newProgram(t)
	parts := worldInParts(whole, 6)
	s := whole.up("--time", "data")
	for _, part := range parts {
		s.run("ingest", "--wait", part)
	}
	want := s.views()
	s.stop(syscall.SIGTERM)
	t.Run("embedded", func(t *testing.T) { disturbRoles(t, newFleet(t), parts, want) })
	t.Run("Apache Kafka", func(t *testing.T) {
		brokers := envPrefix + "BROKERS=" + strings.Join(kafkatest.Start(t, 1).Brokers, ",")
		disturbRoles(t, newFleet(t, brokers), parts, want)
	})
}

func disturbRoles(t *testing.T, f *fleet, parts []string, want map[string][]string) {
	const partitions = 4
	// ingest sends a part of the world, and returns when its results are stored; meanwhile something happens to the roles.
	next := 0
	ingest := func(meanwhile func()) {
		t.Helper()
		cmd := f.command("ingest", "--wait", parts[next])
		var output bytes.Buffer
		cmd.Stderr = &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		next++
		meanwhile()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("ingest: %v\n%s", err, output.String())
		}
	}
	live := f.start("live")
	p1, p2 := f.start("process"), f.start("process")
	s1, s2 := f.start("sink"), f.start("sink")
	ingest(func() {})
	for _, r := range f.roles {
		r.awaitReady()
	}
	var p3 *role
	ingest(func() { p3 = f.start("process"); p3.awaitReady() })
	ingest(func() {
		began := time.Now()
		p1.signal(syscall.SIGKILL)
		t.Logf("killed: taken over after %s", takenOver(t, began, partitions, p2, p3).Round(10*time.Millisecond))
	})
	ingest(func() {
		began := time.Now()
		p2.signal(syscall.SIGSTOP)
		s1.signal(syscall.SIGKILL)
		t.Logf("paused: taken over after %s", takenOver(t, began, partitions, p3).Round(10*time.Millisecond))
	})
	ingest(func() {
		s2.signal(syscall.SIGSTOP)
		f.start("sink").awaitReady()
		p2.signal(syscall.SIGCONT)
		p2.awaitReady()
	})
	s2.signal(syscall.SIGCONT)
	f.restartBase()
	ingest(func() {
		p4 := f.start("process")
		began := time.Now()
		p3.signal(syscall.SIGTERM)
		t.Logf("stopped in order: taken over after %s", takenOver(t, began, partitions, p2, p4).Round(10*time.Millisecond))
	})
	sameViews(t, "with roles disturbed", f.views(), want)
	f.run("audit")
	live.awaitReady()
	_, body := get(t, live.url("/metrics"))
	for _, name := range []string{"stage_time_seconds", "checkpoint_timestamp_seconds", "epoch", "consumer_lag_records", "sink_mark_seconds"} {
		if !strings.Contains(body, "corridorwatch_installation_"+name+"{") {
			t.Errorf("'live' does not tell %s", name)
		}
	}
	for _, r := range f.roles {
		for _, l := range r.logged() {
			if l.Level == "ERROR" {
				t.Errorf("%s: %s", r.name, l.raw)
			}
		}
	}
}

// worldInParts simulates a world and writes it into n files, one after the other.
func worldInParts(p *program, n int) []string {
	p.t.Helper()
	text, err := os.ReadFile(p.world())
	if err != nil {
		p.t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	parts := make([]string, n)
	for i := range parts {
		parts[i] = filepath.Join(p.dir, fmt.Sprintf("part-%d.jsonl", i))
		part := bytes.Join(lines[i*len(lines)/n:(i+1)*len(lines)/n], nil)
		if err := os.WriteFile(parts[i], part, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	return parts
}
