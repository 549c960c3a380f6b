package installation

import (
	"strings"
	"testing"
)

// TestCheck: an installation that was created for other stages is refused, with what to do.
func TestCheck(t *testing.T) {
	if err := (Choice{Stages: stages()}).Check("p"); err != nil {
		t.Errorf("of the same stages: %v", err)
	}
	for _, have := range [][]string{nil, {"intake", "dwell", "border", "delay", "more"}} {
		err := Choice{Stages: have}.Check("p")
		if err == nil || !strings.Contains(err.Error(), "corridorwatch replay --from tables --to NEW --switch") || !strings.Contains(err.Error(), `"p"`) {
			t.Errorf("of the stages %v: %v", have, err)
		}
	}
}
