package main

import (
	"strings"
	"testing"

	"corridorwatch/ingest/simulator"
)

// TestFiguresTable: every figure is a line; one that is off without a reason, or is missing, is an error.
func TestFiguresTable(t *testing.T) {
	exact := map[string]measure{}
	for _, f := range simulator.Figures() {
		exact[f.Measure] = measure{f.Value, 10}
	}
	var out strings.Builder
	err := figuresTable(&out, exact) // the last year of each; what is off in other years has a reason or lies within the factor
	if n := strings.Count(out.String(), "\n"); n != len(simulator.Figures())+1 {
		t.Errorf("%d lines of %d figures: %v\n%s", n, len(simulator.Figures()), err, out.String())
	}
	exact["TFI1 KZ outbound"] = measure{20, 10}
	if err := figuresTable(&out, exact); err == nil || !strings.Contains(err.Error(), "KZ outbound of 2020: 20.0 simulated, 8.9 published") {
		t.Errorf("off by a factor of two without a reason: %v", err)
	}
	delete(exact, "SWD UZ")
	if err := figuresTable(&out, exact); err == nil || !strings.Contains(err.Error(), "SWD UZ") {
		t.Errorf("a figure is missing: %v", err)
	}
}
