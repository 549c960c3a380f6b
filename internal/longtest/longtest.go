// Package longtest sets tests apart that take longer than one waits for. Their names begin with TestLong: 'make long' finds them by that.
package longtest

import (
	"os"
	"testing"
)

// Only skips a test unless those that take long are to be run, as CORRIDORWATCH_LONG=1 says.
func Only(t testing.TB) {
	t.Helper()
	if os.Getenv("CORRIDORWATCH_LONG") != "1" {
		t.Skip("takes long: 'make long' runs it")
	}
}
