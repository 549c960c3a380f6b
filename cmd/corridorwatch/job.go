package main

import (
	"context"
	"errors"
	"fmt"
)

// job is one part of a running process.
type job struct {
	name string
	run  func(context.Context) error // until its context ends
}

// runJobs runs jobs until ctx ends or one of them fails. It then stops them one after the other, the last first, so that whoever
// takes from another is stopped after it.
func runJobs(ctx context.Context, jobs []job) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stops := make([]func(), len(jobs))
	for i, j := range jobs {
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := j.run(own); err != nil && own.Err() == nil {
				fail(fmt.Errorf("%s: %w", j.name, err))
			}
		}()
		stops[i] = func() { cancel(); <-done }
	}
	<-ctx.Done()
	for i := len(stops) - 1; i >= 0; i-- {
		stops[i]()
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
