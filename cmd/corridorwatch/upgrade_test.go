package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/longtest"
	"corridorwatch/schemas"
)

// TestLongCatalogueChanged changes the catalogue in the middle of a train's way over the border: after an orderly stop, after a kill that
// leaves rows of the old catalogue beyond the last checkpoint, and by processes that run beside those with the old one. The views are
// the same. Another train is at a place by a name that the old catalogue lacks.
func TestLongCatalogueChanged(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	older, newer := catalogues(t)
	first, second, last := wayOverTheBorder(t)
	ingest := func(s *service, file string) {
		t.Helper()
		if file == second {
			sendRaw(t, s.Brokers, `{"specversion":"1.0","type":"train.arrived","source":"s","id":"x1","subject":"CRE:9:2026-03-01",`+
				`"time":"2026-03-01T23:30:00+05:00","data":{"place":"name:Newname"}}`)
		}
		s.run("ingest", "--wait", file)
	}
	p := newProgram(t, older)
	s := p.up("--time", "data")
	ingest(s, first)
	s.stop(syscall.SIGTERM)
	p.env = append(p.env, newer)
	s = p.up("--time", "data")
	ingest(s, second)
	ingest(s, last)
	want := s.views()
	s.stop(syscall.SIGTERM)
	if len(want["v_rejects"]) > 0 || len(want["v_crossings"]) == 0 {
		t.Fatalf("%d rejects, %d crossings: this shows nothing", len(want["v_rejects"]), len(want["v_crossings"]))
	}
	t.Run("after a kill", func(t *testing.T) {
		// The first checkpoint comes at once, and then none for long.
		p := newProgram(t, older, envPrefix+"CHECKPOINT_EVERY=1h")
		s := p.up("--time", "data")
		ingest(s, first)
		ingest(s, second)
		if n := len(s.views()["v_rejects"]); n != 1 {
			t.Errorf("%d rejects by the older catalogue, want 1", n)
		}
		s.stop(syscall.SIGKILL)
		p.env = append(p.env, newer)
		s = p.up("--time", "data")
		ingest(s, last)
		sameViews(t, "after a kill", s.views(), want)
		s.run("audit")
	})
	t.Run("rolling", func(t *testing.T) {
		f := newFleet(t, older)
		f.start("sink")
		p1 := f.start("process")
		ingest(f.service, first)
		p2 := f.start("process", newer)
		p1.await("the newer version waits", func(l logLine) bool {
			return strings.HasPrefix(l.Msg, "members of another version wait")
		})
		p2.awaitReady()
		migrate := *f.program
		migrate.env = append(append([]string{}, f.program.env...), newer)
		migrate.run("migrate")
		p1.signal(syscall.SIGTERM)
		ingest(f.service, second)
		ingest(f.service, last)
		sameViews(t, "rolling", f.views(), want)
		f.run("audit")
	})
}

// catalogues are the settings of two: the newer one knows one place by another name too, and has other norms.
func catalogues(t *testing.T) (older, newer string) {
	t.Helper()
	var dirs [2]string
	for i := range dirs {
		dirs[i] = t.TempDir()
		files, err := filepath.Glob("../../schemas/network/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatal("no catalogue", err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				text = bytes.Replace(text, []byte("{id: kz-altynkol, name: Altynkol, "), []byte("{id: kz-altynkol, name: Altynkol, aliases: [Newname], "), 1)
				text = bytes.Replace(text, []byte("KZ: {inbound_h: 30, inbound_p95_h: 105, outbound_h: 6}"), []byte("KZ: {inbound_h: 31, inbound_p95_h: 105, outbound_h: 6}"), 1)
			}
			if err := os.WriteFile(filepath.Join(dirs[i], filepath.Base(file)), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return envPrefix + "CATALOG_DIR=" + dirs[0], envPrefix + "CATALOG_DIR=" + dirs[1]
}

// sendRaw sends an event as it is: 'ingest' would look places up itself.
func sendRaw(t *testing.T, brokers []string, event string) {
	t.Helper()
	log := kafkalog.New(kafkalog.Config{Brokers: brokers})
	defer log.Close()
	a := log.Appender(schemas.InKafka("corridorwatch", schemas.Intake), 0)
	a.Append(nil, []byte(event))
	if _, err := a.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wayOverTheBorder is the train of testdata/khorgos before and after it leaves China, and a later event that makes time pass.
func wayOverTheBorder(t *testing.T) (first, second, last string) {
	t.Helper()
	text, err := os.ReadFile("../../testdata/khorgos/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	const later = `{"specversion":"1.0","type":"train.arrived","source":"s","id":"x2","subject":"CRE:8:2026-03-02","time":"2026-03-03T10:00:00+05:00","data":{"place":"kz-dostyk"}}` + "\n"
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("1.jsonl", bytes.Join(lines[:6], nil)), write("2.jsonl", bytes.Join(lines[6:], nil)), write("3.jsonl", []byte(later))
}
