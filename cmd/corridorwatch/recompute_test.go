package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"corridorwatch/internal/longtest"
)

// TestLongRecompute sends a world of which some events come days late: the views count them and do not have them, and after a recompute
// are those of a run in which everything had come in time. The stages have forgotten all of it by then; TestLongReplay has a run that is held.
func TestLongRecompute(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	all := newProgram(t).world()
	early, late := split(t, all)
	ghost(t, all, early, late)
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
	const atDostyk = "SELECT count() FROM v_visits WHERE unit = 'KTZ:9999:2026-03-01' AND place = 'kz-dostyk'"
	if n := strings.TrimSpace(s.run("query", "--format", "TSV", atDostyk)); n != "1" {
		t.Errorf("%s visits where the train was reported", n)
	}
	s = s.killedWhile(t, "recompute", "--late")
	t.Log(s.run("recompute", "--late"))
	if n := strings.TrimSpace(s.run("query", "--format", "TSV", atDostyk)); n != "0" {
		t.Errorf("%s visits where the report was taken back", n)
	}
	if got := awaiting(); got != "0\t0" {
		t.Errorf("after the recompute there are late events, in runs: %s", got)
	}
	if out := s.run("recompute", "--late"); !strings.Contains(out, "nothing to recompute") {
		t.Error(out)
	}
	last(s)
	got := s.views()
	for _, view := range []string{"v_alerts", "v_crossing_delays", "v_delay_stats"} { // what was known at the time stays as it was told
		delete(got, view)
		delete(want, view)
	}
	sameViews(t, "recomputed", got, want)
	s.run("audit")
}

// TestRecomputeOfOneThatWentOn: a train's last stop is told late, when a wagon it carried is on its next journey: border holds the
// wagon, but not what it did before. The stop belongs to the journey that was told, and makes no other one.
func TestRecomputeOfOneThatWentOn(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	const train, wagon = "KTZ:9998:2026-03-01", "94000001"
	line := func(typ, id, subject, at, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","type":"%s","source":"goes-on","id":"%s","subject":"%s","time":"2026-%s:00Z","data":%s}`+"\n", typ, id, subject, at, data)
	}
	at := func(place string) string { return `{"place":"` + place + `"}` }
	write := func(name, text string) string {
		path := filepath.Join(s.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s.run("ingest", "--beyond", "240h", write("early", line("unit.arrived", "1", wagon, "03-01T00:30", at("kz-almaty1"))+
		line("train.composition", "2", train, "03-01T05:00", `{"op":"set","items":[{"wagon":"`+wagon+`"}]}`)+
		line("train.arrived", "3", train, "03-02T05:00", at("kz-aktogay"))+line("train.departed", "4", train, "03-02T06:00", at("kz-aktogay"))))
	s.run("ingest", "--beyond", "24h", write("next", line("unit.arrived", "5", wagon, "04-11T12:00", at("kz-aktogay"))))
	s.run("ingest", "--wait", write("late", line("train.arrived", "6", train, "03-02T12:00", at("kz-dostyk"))+line("train.departed", "7", train, "03-02T13:00", at("kz-dostyk"))))
	t.Log(s.run("recompute", "--late"))
	got := s.run("query", "--format", "TSV", "SELECT journey, place, arrived FROM v_visits WHERE unit = '"+wagon+"' ORDER BY ALL")
	want := wagon + "/20260301\tkz-aktogay\t2026-03-02 05:00:00.000\n" + wagon + "/20260301\tkz-almaty1\t2026-03-01 00:30:00.000\n" +
		wagon + "/20260301\tkz-dostyk\t2026-03-02 12:00:00.000\n" + wagon + "/20260411\tkz-aktogay\t2026-04-11 12:00:00.000\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// killedWhile kills everything while a recompute is on its way, and starts it again.
func (s *service) killedWhile(t *testing.T, args ...string) *service {
	t.Helper()
	cmd := s.command(args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "some of it is done", func() (bool, error) {
		n, err := strconv.Atoi(strings.TrimSpace(s.run("query", "--format", "TSV", "SELECT count() FROM recomputed")))
		return n > 0, err
	})
	s.stop(syscall.SIGKILL)
	cmd.Process.Kill()
	cmd.Wait()
	return s.program.up("--time", "data")
}

// ghost adds a train of which one report is taken back, late: what followed from it must go.
func ghost(t *testing.T, all, early, late string) {
	t.Helper()
	line := func(typ, id, at, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","type":"%s","source":"ghost","id":"%s","subject":"KTZ:9999:2026-03-01","time":"2026-03-01T%s:00Z","data":%s}`+"\n", typ, id, at, data)
	}
	told := line("train.arrived", "1", "06:00", `{"place":"kz-aktogay"}`) + line("train.arrived", "2", "08:00", `{"place":"kz-dostyk"}`) +
		line("train.arrived", "3", "10:00", `{"place":"cn-alashankou"}`)
	takenBack := line("event.retracted", "4", "08:00", `{"retracts_type":"train.arrived","retracts_id":"2"}`)
	for path, text := range map[string]string{all: told + takenBack, early: told, late: takenBack} {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
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
