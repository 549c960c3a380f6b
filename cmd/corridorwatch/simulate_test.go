package main

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"corridorwatch/schemas"
)

// TestSimulate writes a day twice: the bytes are the same, and every line is an event that 'ingest' reads.
func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CORRIDORWATCH_DATA_DIR", dir)
	var files [2][2][]byte
	for i := range files {
		cmd := simulateCmd()
		events, truth := filepath.Join(dir, "events.jsonl"), filepath.Join(dir, "truth.jsonl")
		cmd.SetArgs([]string{"--corridors", "khorgos-aktau", "--out", events, "--truth", truth})
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		for j, path := range []string{events, truth} {
			var err error
			if files[i][j], err = os.ReadFile(path); err != nil || len(files[i][j]) == 0 {
				t.Fatalf("%s: %d bytes, %v", path, len(files[i][j]), err)
			}
		}
	}
	if !bytes.Equal(files[0][0], files[1][0]) || !bytes.Equal(files[0][1], files[1][1]) {
		t.Error("the same flags gave other bytes")
	}
	n := 0
	for s := bufio.NewScanner(bytes.NewReader(files[0][0])); s.Scan(); n++ {
		if _, fault := schemas.DecodeJSON(s.Bytes()); fault != nil {
			t.Fatalf("line %d: %v\n%s", n+1, fault, s.Bytes())
		}
	}
	if n < 10_000 {
		t.Errorf("%d events: a day of positions a minute apart is more", n)
	}
}
