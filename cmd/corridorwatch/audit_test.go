package main

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/longtest"
)

// TestLongAudit: what is as it should be is found so, and each way in which tables can be wrong is found and named.
func TestLongAudit(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	// A broker that others run: nothing is cut there while the test goes on.
	b, err := broker.Start(broker.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := newProgram(t, envPrefix+"BROKERS="+b.Addr()).up("--time", "data")
	s.run("ingest", "--wait", "../../testdata/khorgos/events.jsonl", "../../ingest/testdata/mixed.jsonl")
	clean := s.run("audit")
	for _, line := range []string{
		`visits/\d +dwell/\d +1 +\d+ +1 +\d+ +0 +0 +none\n`, `crossings +1 +0 +0 +0 +0 +0 +0\n`, `the tables hold what the topics say`,
	} {
		if !regexp.MustCompile(line).MatchString(clean) {
			t.Errorf("no line %s in\n%s", line, clean)
		}
	}
	for _, c := range []struct{ name, sql, line string }{
		{"missing", "ALTER TABLE legs DELETE WHERE to_place = 'kz-altynkol' SETTINGS mutations_sync = 2", `legs +\d+ +1 +0 +0 +0 +0 +0\n`},
		{"different", "ALTER TABLE train_status UPDATE standing = NOT standing WHERE 1 SETTINGS mutations_sync = 2", `train_status +\d+ +0 +0 +[1-9]\d* +0 +0 +0\n`},
		{"not in the topics", "INSERT INTO crossings (unit, journey, border, n, version) VALUES ('ghost', 'ghost', 'khorgos', 1, 1)", `crossings +1 +0 +0 +0 +0 +1 +0\n`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.run("query", c.sql)
			out, err := s.try("audit")
			if status(err) != 1 || !regexp.MustCompile(c.line).MatchString(out) || !strings.Contains(out, "WRONG: ") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	t.Run("cut log", func(t *testing.T) {
		log := kafkalog.New(kafkalog.Config{Brokers: s.Brokers, ClientID: "test"})
		defer log.Close()
		topic := s.Prefix + ".visits"
		for p := range 4 {
			_, end, err := log.Offsets(t.Context(), topic, p)
			if err == nil && end > 1 {
				err = log.DeleteRecords(t.Context(), topic, p, end-1)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out, _ := s.try("audit") // legs and others are wrong still
		if !regexp.MustCompile(`OUTSIDE RETENTION +BEFORE OFFSET\nvisits/0 +\d+\nvisits/1 +\d+\nvisits/2 +\d+\nvisits/3 +\d+\n`).MatchString(out) || !regexp.MustCompile(`visits +0 +0 +0 +0 +0 +0 +[1-9]\d*\n`).MatchString(out) {
			t.Error(out)
		}
	})
	t.Run("cannot judge", func(t *testing.T) {
		s.run("query", "RENAME TABLE sink_offsets TO gone")
		if out, err := s.try("audit"); status(err) != 2 {
			t.Errorf("status %d: %v\n%s", status(err), err, out)
		}
		s.run("query", "RENAME TABLE gone TO sink_offsets")
	})
}

// status is how a program ended.
func status(err error) int {
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
