package main

import (
	"flag"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"corridorwatch/internal/kafkatest"
)

var (
	rounds = flag.Int("rounds", 20, "kills of TestKills on the embedded broker, half as many on Apache Kafka")
	seed   = flag.Uint64("seed", 0, "of the moments at which TestKills kills; 0: a random one, which is printed")
)

// TestKills kills the program at random moments, again and again, while a world is sent to it: broker, stages, sink and engine at
// once, or the engine alone. The producer is killed with it, and sends everything again. In the end the views are those of a run that
// was not disturbed, and the audit is clean. 'make soak' does more rounds.
func TestKills(t *testing.T) {
	whole := newProgram(t)
	world := filepath.Join(whole.dir, "world.jsonl")
	whole.run("simulate", "--corridors", "khorgos-aktau", "--days", "2", "--containers", "--duplicates", "0.02", "--shuffle", "10m", "--out", world)
	s := whole.up("--time", "data")
	began := time.Now()
	s.run("ingest", "--wait", "--beyond", "24h", world)
	took := time.Since(began)
	want := s.views()
	s.stop(syscall.SIGTERM)
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d; undisturbed %s", *seed, took.Round(time.Millisecond))

	t.Run("embedded", func(t *testing.T) {
		kills(t, newProgram(t, envPrefix+"CHECKPOINT_EVERY=200ms"), world, *rounds, took, want)
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		brokers := envPrefix + "BROKERS=" + strings.Join(kafkatest.Start(t, 1).Brokers, ",")
		kills(t, newProgram(t, brokers, envPrefix+"CHECKPOINT_EVERY=200ms"), world, *rounds/2, took, want)
	})
}

func kills(t *testing.T, p *program, world string, rounds int, took time.Duration, want map[string][]string) {
	rnd := rand.New(rand.NewPCG(*seed, 1))
	for round := range rounds {
		s := p.launch("--time", "data")
		ingest := p.command("ingest", "--wait", world)
		wait := time.Duration(rnd.Float64() * 1.5 * float64(took))
		if rnd.IntN(5) == 0 { // while it starts
			wait /= 20
		} else {
			s.awaitReady()
			if err := ingest.Start(); err != nil {
				t.Fatal(err)
			}
		}
		select { // the moment is the point of the test
		case <-time.After(wait):
		case <-s.ended:
			t.Fatalf("round %d: 'up' ended by itself: %v\n%s", round, s.cmd.ProcessState, s.output.String())
		}
		s.kill(rnd.IntN(4) == 0)
		if ingest.Process != nil {
			ingest.Process.Kill()
			ingest.Wait()
		}
	}
	s := p.up("--time", "data")
	// Each ingest that ends makes a minute pass. A day later no train is heard of any more, here as there.
	s.run("ingest", "--wait", "--beyond", "24h", world)
	sameViews(t, "after the kills", s.views(), want)
	s.run("audit")
}

// kill ends the program without warning, or its engine alone, upon which the program ends by itself.
func (s *service) kill(engineAlone bool) {
	if engineAlone {
		exec.Command("pkill", "-KILL", "-P", strconv.Itoa(s.cmd.Process.Pid)).Run()
		select {
		case <-s.ended:
			return
		case <-time.After(20 * time.Second): // it had no engine yet
		}
	}
	s.stop(syscall.SIGKILL)
}
