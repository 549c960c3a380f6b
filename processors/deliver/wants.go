package deliver

import (
	"slices"

	"corridorwatch/schemas/pb"
)

// severities from the least.
var severities = []string{"info", "ticket", "page"}

// Wants says which alerts a channel is told of: those that fit every list that is not empty.
type Wants struct {
	Severity  string   `yaml:"severity"`  // the least: info, ticket or page; empty: all
	Corridors []string `yaml:"corridors"` // one of these at least
	Borders   []string `yaml:"borders"`
	Kinds     []string `yaml:"kinds"`
}

// Take tells whether an alert is wanted.
func (w Wants) Take(a *pb.Alert) bool {
	return slices.Index(severities, a.Severity) >= slices.Index(severities, w.Severity) &&
		(len(w.Corridors) == 0 || slices.ContainsFunc(a.Corridors, func(c string) bool { return slices.Contains(w.Corridors, c) })) &&
		(len(w.Borders) == 0 || slices.Contains(w.Borders, a.Border)) &&
		(len(w.Kinds) == 0 || slices.Contains(w.Kinds, a.Kind))
}
