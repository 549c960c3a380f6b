package dwell

import (
	"path/filepath"
	"testing"

	"corridorwatch/processors/stream/foldtest"
)

// TestFoldedTwice folds every scenario here and, with restarts, in another process.
func TestFoldedTwice(t *testing.T) {
	cat := testCatalog(t)
	foldtest.Twice(t, func(every int) (digests []string) {
		paths, _ := filepath.Glob("testdata/*.txt")
		for _, path := range paths {
			lines, _ := parse(t, path)
			f := foldtest.New(Stage(cat), every)
			play(f, lines, table{})
			digests = append(digests, path+": "+f.Digest())
		}
		return digests
	})
}
