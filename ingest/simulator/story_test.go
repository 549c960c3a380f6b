package simulator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStoriesAreRead: every story that ships makes a world, and what a story says that is not known is refused.
func TestStoriesAreRead(t *testing.T) {
	files, err := filepath.Glob("../../testdata/stories/*.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := ReadStory(text, catalogue(t))
		if err == nil {
			_, err = New(cfg)
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, change := range [][2]string{{"even: true", "odd: true"}, {"start: 20", "start: x"}, {"per_day: ", "per_day: x"}, {"reports", "smoke"}} {
			broken := strings.Replace(string(text), change[0], change[1], 1)
			if _, err := ReadStory([]byte(broken), catalogue(t)); err == nil {
				t.Errorf("%s: %q is taken", path, change[1])
			}
		}
	}
}
