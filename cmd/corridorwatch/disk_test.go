package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk lets the disk of the embedded broker run full while a world is sent, and makes room again.
func fullDisk(t *testing.T, world string, want map[string][]string) {
	p := newProgram(t)
	dir := filepath.Join(p.dir, "broker")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	size := "size=256m"
	if *allFaults { // four days of events
		size = "size=1g"
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		t.Skipf("a full disk is not tested: a small one can be mounted by root alone: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := p.up("--time", "data")
	pulse := takePulse(t, len(stageNames())*4, "http://"+s.HTTP+"/metrics")
	const wanted = 32 << 20 // below this much the broker takes nothing
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, free(t, dir)-wanted-1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	ingest := s.command("ingest", "--wait", "--beyond", "24h", world)
	var output bytes.Buffer
	ingest.Stdout, ingest.Stderr = &output, &output
	if err := ingest.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the disk is full", func() (bool, error) {
		return strings.Contains(s.output.String(), "the disk is full"), fmt.Errorf("%d bytes are free", free(t, dir))
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	full := time.Now()
	on := pulse.goesOn(full)
	if err := ingest.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, output.String())
	}
	sameViews(t, "after a full disk", s.views(), want)
	until(t, "audit", func() (bool, error) {
		_, err := s.try("audit")
		if err != nil && !strings.Contains(err.Error(), "could not judge") { // retention may cut what it is about to read
			t.Fatal(err)
		}
		return err == nil, err
	})
	s.stop(syscall.SIGTERM)
	t.Logf("went on %s after there was room", on.Sub(full).Round(time.Millisecond))
	for line := range strings.Lines(s.output.String()) {
		if strings.Contains(line, "the disk is full") {
			t.Logf("seen: %s", line)
			break
		}
	}
}

func free(t *testing.T, dir string) int64 {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}
