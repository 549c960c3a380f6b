package main

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/pb"
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
			// What is left is what a process repeats that was paused, and goes on at the end of what is deleted.
			batch, err := log.Reader(topic, p, 0).Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var of []kafkalog.Record // dwell
			for _, r := range batch.Records {
				rec := new(pb.Record)
				if err := proto.Unmarshal(r.Value, rec); err != nil {
					t.Fatal(err)
				}
				if rec.Stage == pb.Stage_DWELL {
					of = append(of, r)
				}
			}
			again := log.Appender(topic, p)
			for _, r := range []kafkalog.Record{of[0], of[len(of)-1]} {
				again.Append(r.Key, r.Value)
			}
			if _, err := again.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := log.DeleteRecords(t.Context(), topic, p, batch.Next); err != nil {
				t.Fatal(err)
			}
		}
		out, _ := s.try("audit") // legs and others are wrong still
		for _, line := range []string{
			`visits/\d +dwell/\d +1 +2 +1 +\d+ +0 +0 +none known: behind what was deleted \d+ follows 1 at offset \d+\n`,
			`OUTSIDE RETENTION +BEFORE OFFSET\nvisits/0 +\d+\nvisits/1 +\d+\nvisits/2 +\d+\nvisits/3 +\d+\n`, `visits +\d+ +0 +0 +0 +\d+ +0 +[1-9]\d*\n`,
		} {
			if !regexp.MustCompile(line).MatchString(out) {
				t.Errorf("no line %s in\n%s", line, out)
			}
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
