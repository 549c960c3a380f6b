package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"corridorwatch/internal/embedded/engine"
)

// TestAccept runs the program's own acceptance for one corridor and one day: what the views say is what the simulated world did, and
// duplicates and another order of arrival change nothing. 'make accept' runs it for all corridors and longer.
func TestAccept(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	if _, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB")); err != nil {
		if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	bin := filepath.Join(t.TempDir(), "corridorwatch")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, corridor := range []string{"khorgos-aktau", "middle-btk"} {
		t.Run(corridor, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), bin, "accept", "--days", "2", "--corridors", corridor).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "== equal: all") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
