package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger hands warnings and errors of kfake to slog. While the broker closes it keeps the errors too: kfake tells of a failed save
// only here.
type logger struct {
	to *slog.Logger

	mu      sync.Mutex // guards what follows: kfake logs from several goroutines
	closing bool
	errors  []error
}

// Logf takes one line of kfake's log. What it does for every request (Info and below) is left out.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.to.Error("embedded broker: " + fmt.Sprintf(format, args...))
		l.keep(fmt.Errorf(format, args...))
	case kfake.LogLevelWarn:
		l.to.Warn("embedded broker: " + fmt.Sprintf(format, args...))
	}
}

func (l *logger) keep(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		l.errors = append(l.errors, err)
	}
}

// close begins to keep errors.
func (l *logger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
}

// failure is what went wrong since close.
func (l *logger) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errors...)
}
