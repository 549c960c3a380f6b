package intake_test

import (
	"os"
	"path/filepath"
	"testing"

	"corridorwatch/processors/stream/foldtest"
	"corridorwatch/schemas/network"
)

// TestFoldedTwice folds every scenario here and, with restarts, in another process.
func TestFoldedTwice(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	foldtest.Twice(t, func(every int) (digests []string) {
		paths, _ := filepath.Glob("testdata/*.txt")
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := newPlayer(t, cat, string(text), every)
			digests = append(digests, path+": "+p.fold.Digest())
		}
		return digests
	})
}
