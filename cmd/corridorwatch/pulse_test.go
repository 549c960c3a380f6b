package main

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// pulse watches the stage time of the slowest task.
type pulse struct {
	t     *testing.T
	tasks int
	urls  []string // of the metrics of every process
	stop  chan struct{}
	wg    sync.WaitGroup

	mu   sync.Mutex    // guards what follows
	beat chan struct{} // closed at the next advance
	at   []time.Time   // of the advances
}

// takePulse begins to look at the stage time of so many tasks, at the metrics of the processes that share them.
func takePulse(t *testing.T, tasks int, urls ...string) *pulse {
	p := &pulse{t: t, tasks: tasks, urls: urls, stop: make(chan struct{}), beat: make(chan struct{})}
	p.wg.Go(p.run)
	t.Cleanup(func() { close(p.stop); p.wg.Wait() })
	return p
}

func (p *pulse) run() {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	times := map[string]float64{} // by labels of a task; a process that has given a task away may still show its last
	for last := 0.0; ; {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		for _, url := range p.urls {
			readStageTimes(url, times)
		}
		slowest := 0.0
		for _, at := range times {
			if slowest == 0 || at < slowest {
				slowest = at
			}
		}
		if len(times) == p.tasks && slowest > last {
			last = slowest
			p.advanced()
		}
	}
}

func (p *pulse) advanced() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
	close(p.beat)
	p.beat = make(chan struct{})
}

var metricsClient = http.Client{Timeout: 5 * time.Second}

// readStageTimes takes over what is later than known.
func readStageTimes(url string, times map[string]float64) {
	resp, err := metricsClient.Get(url)
	if err != nil {
		return // asked again soon
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		labels, value, _ := strings.Cut(lines.Text(), "} ")
		if at, err := strconv.ParseFloat(value, 64); err == nil && strings.HasPrefix(labels, "corridorwatch_stage_time_seconds{") {
			times[labels] = max(times[labels], at)
		}
	}
}

// goesOn returns the first advance after a moment, waiting for it.
func (p *pulse) goesOn(after time.Time) time.Time {
	p.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		p.mu.Lock()
		beat := p.beat
		for _, at := range p.at {
			if at.After(after) {
				p.mu.Unlock()
				return at
			}
		}
		p.mu.Unlock()
		select {
		case <-beat:
		case <-late:
			p.t.Fatal("stage time stands still for two minutes")
		}
	}
}

// standstill is the longest time between two advances within a span.
func (p *pulse) standstill(from, to time.Time) (longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := from
	for _, at := range append(p.at[:len(p.at):len(p.at)], to) {
		if at.After(from) && !at.After(to) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return longest
}
