package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// parseFailpoint reads name:n, a setting of tests: the process kills itself the n-th time it comes to the point of that name.
func parseFailpoint(s string) (name string, n int64, err error) {
	name, count, ok := strings.Cut(s, ":")
	if n, err = strconv.ParseInt(count, 10, 64); !ok || name == "" || err != nil || n < 1 {
		return "", 0, fmt.Errorf("%q: give name:n", s)
	}
	return name, n, nil
}

// failpoint is nil unless a test has set one.
func (c config) failpoint() func(name string) {
	if c.Failpoint == "" {
		return nil
	}
	die, n, _ := parseFailpoint(c.Failpoint) // loadConfig has checked it
	var hits atomic.Int64
	return func(name string) {
		if name == die && hits.Add(1) == n {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing more is done until the signal has come
		}
	}
}
