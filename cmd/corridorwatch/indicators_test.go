package main

import (
	"os"
	"strings"
	"testing"
)

// TestTripForms sends trip forms and asks for the indicators: they are those worked out by hand in testdata/trip-forms. Sent again,
// nothing changes.
func TestTripForms(t *testing.T) {
	s := newProgram(t).up("--time", "data")
	send := func() string {
		return s.run("ingest", "--wait", "--format", "trips", "../../testdata/trip-forms/forms.csv")
	}
	if out := send(); !strings.Contains(out, "rejected 0") {
		t.Error(out)
	}
	s.answers("../../testdata/trip-forms/indicators.txt")
	before := s.views()
	send()
	sameViews(t, "sent twice", s.views(), before)
}

// answers asks the questions of a file and compares: a statement on one line, the answer below it, an empty line.
func (s *service) answers(path string) {
	s.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, q := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		sql, want, _ := strings.Cut(q, "\n")
		if got := strings.TrimSpace(s.query(sql)); got != want {
			s.t.Errorf("%s\ngot:\n%s\nwant:\n%s", sql, got, want)
		}
	}
}
