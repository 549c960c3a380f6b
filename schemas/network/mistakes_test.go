package network

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the expected problems anew")

// TestMistakes checks the catalogues of testdata. Each holds the mistakes of one kind, and problems.txt what is said of them.
func TestMistakes(t *testing.T) {
	for _, name := range []string{"places", "sections", "borders", "gauge-breaks", "corridors", "areas", "table", "syntax", "commuter", "crossing", "sources"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			problems, err := Check(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, p := range problems {
				got += p.Error() + "\n"
			}
			golden := filepath.Join(dir, "problems.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			_, err = LoadDir(dir)
			if text := strings.TrimSuffix(string(want), "\n"); (err == nil) != (text == "") || err != nil && err.Error() != text {
				t.Errorf("LoadDir says otherwise than Check: %v", err)
			}
		})
	}
}

func TestNoCatalogue(t *testing.T) {
	for _, dir := range []string{"testdata/empty", "testdata/missing"} {
		if _, err := LoadDir(dir); err == nil || !strings.HasPrefix(err.Error(), "read catalogue: ") {
			t.Errorf("%s: %v", dir, err)
		}
	}
}
