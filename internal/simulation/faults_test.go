package simulation

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// fault is one thing that goes wrong: what befalls the nth request of a class that a slot sends in its life.
type fault struct {
	kind  string
	slot  string
	class string
	nth   int
	lasts time.Duration
}

// request is the nth of a class that a slot sends.
type request struct {
	slot, class string
	nth         int
}

// Kinds of faults. A request is cut before the broker gets it, or its answer is lost after the work was done, or it is done later
// although its sender has been told that it failed; or it is just slow. Its sender is killed, stopped in order, paused (frozen, while
// another takes over), or upgraded. ClickHouse and the broker refuse it.
var kinds = []string{"cut", "lost", "late", "slow", "kill", "killdone", "killlate", "stop", "pause", "upgrade", "refuse"}

// class is a kind of requests, and about how many of it a process sends in a run: what is to befall a later one does not come to pass.
type class struct {
	name string
	many int
}

// What a producer, the stages and the sink send; classes that stand twice come to pass early as often as at all.
var (
	feedClasses  = []class{{"produce", 8}, {"offsets", 4}}
	groupClasses = []class{{"join", 5}, {"sync", 4}, {"heartbeat", 15}}
	stageClasses = []class{
		{"produce", 12}, {"produce", 45}, {"checkpoint", 12}, {"checkpoint", 36}, {"fetch", 20}, {"fetch", 90}, {"offsets", 120}, {"delete", 16},
		{"commit", 30}, {"metadata", 10},
	}
	sinkClasses = []class{{"insert", 8}, {"insert", 25}, {"fetch", 200}, {"metadata", 20}, {"commit", 3}, {"question", 1}}
)

func (f fault) String() string {
	return fmt.Sprintf("%s %s %s %d %s", f.kind, f.slot, f.class, f.nth, f.lasts)
}

func parseFault(text string) (f fault, err error) {
	w := strings.Fields(text)
	if len(w) != 5 {
		return f, fmt.Errorf("fault %q: want kind, process, class, number and duration", text)
	}
	f.kind, f.slot, f.class = w[0], w[1], w[2]
	if f.nth, err = strconv.Atoi(w[3]); err == nil {
		f.lasts, err = time.ParseDuration(w[4])
	}
	return f, err
}

// drawFaults draws what goes wrong in a deployment.
func drawFaults(rnd *rand.Rand, d deployment) (faults []fault) {
	for range rnd.IntN(8) {
		of := d.slots[min(rnd.IntN(2*len(d.slots)), len(d.slots)-1)]
		c := of.classes[rnd.IntN(len(of.classes))]
		f := fault{
			kind: kinds[rnd.IntN(len(kinds))], slot: of.name, class: c.name, nth: 1 + rnd.IntN(c.many),
			lasts: time.Duration(10<<rnd.IntN(8)) * time.Millisecond,
		}
		f.kind = f.possible()
		if f.kind == "pause" {
			f.lasts = time.Duration(2+rnd.IntN(8)) * sessionTimeout / 2
		}
		faults = append(faults, f)
	}
	return faults
}

// possible replaces what kfake does not take as Kafka would: it starts no session timer for a member that joins by a connection that is
// closed already, lets it lead the group, and drops whoever waits for it longer than a session, so that a group may not find together for
// as long as one can wait. On Apache Kafka the crash test kills members in rebalances.
func (f fault) possible() string {
	if f.class == "join" || f.class == "sync" {
		switch f.kind {
		case "late":
			return "cut"
		case "killlate":
			return "kill"
		}
	}
	return f.kind
}

// testCase is all that decides a run.
type testCase struct {
	world      uint64
	without    map[int]bool // events left out
	deployment string
	faults     []fault
}

// newCase is the case of a seed. Seeds that follow one another share a world, so that it need not be run undisturbed for each.
func newCase(seed uint64) testCase {
	rnd := rand.New(rand.NewPCG(seed, 2))
	d := deployments[rnd.IntN(len(deployments))]
	return testCase{world: seed / seedsPerWorld, deployment: d.name, faults: drawFaults(rnd, d)}
}

const seedsPerWorld = 50

// String is a case in a line, as -case takes it and testdata/kept.txt holds it.
func (c testCase) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "world %d %s", c.world, c.deployment)
	if len(c.without) > 0 {
		out.WriteString(" without")
		for i := range 1000 {
			if c.without[i] {
				fmt.Fprintf(&out, " %d", i)
			}
		}
	}
	for _, f := range c.faults {
		out.WriteString(" | " + f.String())
	}
	return out.String()
}

func parseCase(line string) (c testCase, err error) {
	parts := strings.Split(line, "|")
	w := strings.Fields(parts[0])
	if len(w) < 3 || w[0] != "world" {
		return c, fmt.Errorf("case %q: want world, its number and a deployment", line)
	}
	if c.world, err = strconv.ParseUint(w[1], 10, 64); err != nil {
		return c, err
	}
	c.deployment, c.without = w[2], map[int]bool{}
	for _, n := range w[min(4, len(w)):] {
		i, err := strconv.Atoi(n)
		if err != nil {
			return c, fmt.Errorf("case %q: event %q: %w", line, n, err)
		}
		c.without[i] = true
	}
	for _, text := range parts[1:] {
		f, err := parseFault(text)
		if err != nil {
			return c, err
		}
		c.faults = append(c.faults, f)
	}
	return c, nil
}
