package simulation

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"corridorwatch/internal/progress"
)

// chunk is how many seeds a worker process runs.
const chunk = 10 * seedsPerWorld

// work is what a worker process does: it runs its seeds and prints a line for each.
func work(t *testing.T) {
	var from, to uint64
	if _, err := fmt.Sscanf(*workFlag, "%d-%d", &from, &to); err != nil {
		t.Fatal(err)
	}
	j := newJudge(t, plant{})
	for seed := from; seed < to; seed++ {
		c := newCase(seed)
		fmt.Printf("seed %d\n", seed)
		if v := j.verdict(c); v != "" {
			fmt.Printf("failed %d\n%s\n%s\nthe least that fails: %s\n", seed, c, v, j.shrink(c))
		}
	}
	fmt.Printf("struck %v\n", j.struck)
	fmt.Println("done")
}

// runSeeds runs chunks of seeds in as many processes as there are processors: a seed is repeated best where nothing else runs.
func runSeeds(t *testing.T) {
	r := &seedRun{t: t, done: readProgress(t), bar: progress.New(os.Stderr, "seeds", "seeds", int64(*seedsFlag))}
	defer r.bar.Done()
	began := time.Now()
	var workers sync.WaitGroup
	chunks := make(chan [2]uint64)
	for range runtime.NumCPU() {
		workers.Go(func() {
			for c := range chunks {
				r.chunk(c[0], c[1])
			}
		})
	}
	size := uint64(chunk)
	if n := uint64(runtime.NumCPU()); *seedsFlag < n*size {
		size = (*seedsFlag + n - 1) / n
	}
	for from := *fromFlag; from < *fromFlag+*seedsFlag; from += size {
		chunks <- [2]uint64{from, min(from+size, *fromFlag+*seedsFlag)}
	}
	close(chunks)
	workers.Wait()
	t.Logf("%d seeds in %v, %d a minute; %d failed", r.ran, time.Since(began).Round(time.Second), int(float64(r.ran)/time.Since(began).Minutes()), r.failed)
}

type seedRun struct {
	t    *testing.T
	done map[string]bool // chunks of earlier runs
	bar  *progress.Bar

	mu     sync.Mutex
	ran    int
	failed int
}

// chunk runs seeds in a process of its own. If that crashes, the seed at which it did has failed, and another process does the rest.
func (r *seedRun) chunk(from, to uint64) {
	name := fmt.Sprintf("%d-%d", from, to)
	if r.done[name] {
		r.count(int(to - from))
		return
	}
	for from < to {
		last, finished, said := r.process(from, to)
		if finished {
			break
		}
		r.fail(fmt.Sprintf("the process ended at seed %d: %s\n%s", last, newCase(last), said))
		from = last + 1
	}
	r.remember(name)
}

func (r *seedRun) process(from, to uint64) (last uint64, finished bool, said string) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeeds$", "-test.timeout=0", fmt.Sprintf("-work=%d-%d", from, to))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=800", "GODEBUG=asyncpreemptoff=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.t.Error(err)
		return to, true, ""
	}
	last = from
	var failure []string
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "done":
			finished = true
		case strings.HasPrefix(line, "seed "):
			fmt.Sscanf(line, "seed %d", &last)
			r.count(1)
			fallthrough
		case strings.HasPrefix(line, "struck "):
			r.fail(strings.Join(failure, "\n"))
			failure = nil
		default:
			failure = append(failure, line)
		}
	}
	cmd.Wait()
	text := strings.Join(failure, "\n") + stderr.String()
	return last, finished, text[:min(len(text), 6000)]
}

func (r *seedRun) count(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran += n
	r.bar.Set(int64(r.ran), fmt.Sprintf("%d failed", r.failed))
}

// fail notes a failure.
func (r *seedRun) fail(text string) {
	if text == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed++
	r.t.Error(text)
	r.append("failed: " + strings.ReplaceAll(text, "\n", "\n  "))
}

// remember notes that a chunk has been run.
func (r *seedRun) remember(chunk string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append("chunk " + chunk)
}

func (r *seedRun) append(line string) {
	if *progressFlag == "" {
		return
	}
	f, err := os.OpenFile(*progressFlag, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, line)
		f.Close()
	}
	if err != nil {
		r.t.Error(err)
	}
}

func readProgress(t *testing.T) map[string]bool {
	done := map[string]bool{}
	if *progressFlag == "" {
		return done
	}
	text, err := os.ReadFile(*progressFlag)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "chunk "); ok {
			done[name] = true
		}
	}
	return done
}
