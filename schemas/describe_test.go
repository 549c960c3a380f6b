package schemas

import (
	"os"
	"testing"
)

func TestDescribe(t *testing.T) {
	const path = "../docs/events.md"
	if *update {
		if err := os.WriteFile(path, []byte(Describe()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := Describe(); got != string(text) {
		t.Errorf("%s is out of date: go test ./schemas -run TestDescribe -update", path)
	}
}
