package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// failpoint lets the process die at a named point of its work, for tests. A file says which, and may come and go while the process
// runs: name:n, the n-th time it comes there since the file says so. The process removes it when it dies of it.
type failpoint struct {
	file string

	mu   sync.Mutex // guards said and hits
	said string
	hits int64
}

// failpoint is nil unless a test has set one.
func (c config) failpoint() func(name string) {
	if c.Failpoint == "" {
		return nil
	}
	return (&failpoint{file: c.Failpoint}).hit
}

func (f *failpoint) hit(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := os.ReadFile(f.file)
	if err != nil { // nothing is said
		return
	}
	if string(text) != f.said {
		f.said, f.hits = string(text), 0
	}
	die, n, err := parseFailpoint(f.said)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", f.file, err))
	}
	if name != die {
		return
	}
	if f.hits++; f.hits == n && os.Remove(f.file) == nil { // else it was taken back just now
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing more is done until the signal has come
	}
}

func parseFailpoint(s string) (name string, n int64, err error) {
	name, count, ok := strings.Cut(s, ":")
	if n, err = strconv.ParseInt(count, 10, 64); !ok || name == "" || err != nil || n < 1 {
		return "", 0, fmt.Errorf("%q: give name:n", s)
	}
	return name, n, nil
}
