package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestAudit: what is as it should be is found so, and each way in which tables can be wrong is found and named.
func TestAudit(t *testing.T) {
	s := newProgram(t).up("--time", "data")
	s.run("ingest", "--wait", "../../testdata/khorgos/events.jsonl", "../../ingest/testdata/mixed.jsonl")
	if out := s.run("audit"); !strings.Contains(out, "the tables hold what the topics say") || !regexp.MustCompile(`crossings +1 +0 +0 +0 +0 +0\n`).MatchString(out) {
		t.Error(out)
	}
	for _, c := range []struct{ name, sql, line string }{
		{"missing", "ALTER TABLE legs DELETE WHERE to_place = 'kz-altynkol' SETTINGS mutations_sync = 2", `legs +\d+ +1 +0 +0 +0 +0\n`},
		{"different", "ALTER TABLE visits UPDATE stopped = NOT stopped WHERE place = 'kz-altynkol' SETTINGS mutations_sync = 2", `visits +\d+ +0 +0 +\d+ +0 +0\n`},
		{"not in the topics", "INSERT INTO crossings (unit, journey, border, n, version) VALUES ('ghost', 'ghost', 'khorgos', 1, 1)", `crossings +1 +0 +0 +0 +0 +1\n`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.run("query", c.sql)
			out, err := s.try("audit")
			if err == nil || !regexp.MustCompile(c.line).MatchString(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
