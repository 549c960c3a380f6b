package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"corridorwatch/internal/kafkatest"
)

var (
	rounds        = flag.Int("rounds", 14, "of TestCrash on the embedded broker")
	kafkaRounds   = flag.Int("kafka-rounds", 4, "of TestCrash on Apache Kafka")
	seed          = flag.Uint64("seed", 0, "of TestCrash: its world, and who dies when and where; 0: a random one, which is printed")
	stateDir      = flag.String("state", "", "directory in which TestCrash keeps its data and what it has done; it goes on from there")
	ownBrokers    = flag.String("brokers", "", "run TestCrash on this Kafka instead, -kafka-rounds of it, under prefixes that it makes and removes")
	ownClickHouse = flag.String("clickhouse", "", "with -brokers: on this ClickHouse too")
)

// TestCrash sends a world piece by piece. While a piece is on its way something dies: one process or all, broker, engine or producer,
// at a random moment or at a named point of its work. After each round the views must be those of a run that nothing disturbed, and
// every few rounds and in the end of each leg the audit must be clean. 'make soak' does more rounds, goes on where it was
// interrupted, and does the same on the clusters of whoever has some.
func TestCrash(t *testing.T) {
	t.Parallel()
	j := openJournal(t)
	t.Logf("-seed %d", j.Seed)
	t.Cleanup(func() { t.Log(j.report()) })
	toDo := map[string][]leg{}
	for _, ground := range j.grounds() {
		if legs := slices.DeleteFunc(j.legs(ground), func(l leg) bool { return j.Legs[l.Name] != nil }); len(legs) > 0 {
			toDo[ground] = legs
		}
	}
	if len(toDo) == 0 {
		t.Log("done before")
		return
	}
	w := j.undisturbed(t)
	for ground, legs := range toDo {
		t.Run(ground, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, ground)
			for _, l := range legs {
				t.Run(l.Name, func(t *testing.T) {
					began := time.Now()
					j.finish(t, l, runLeg(t, j, l, c, &w))
					t.Logf("%d rounds in %s", l.Rounds, time.Since(began).Round(time.Second))
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// Where legs take place.
const (
	onEmbedded = "embedded"
	onKafka    = "Apache Kafka"
	onGiven    = "given" // Kafka and ClickHouse of whoever runs this, or else an 'embedded' in their place
)

func (j *journal) grounds() []string {
	if *ownBrokers != "" {
		return []string{onGiven}
	}
	return []string{onEmbedded, onKafka, onGiven}
}

// cluster is what a leg is given.
type cluster struct {
	brokers, clickhouse string // empty: embedded
	node                *kafkatest.Node
}

func newCluster(t *testing.T, ground string) cluster {
	switch {
	case ground == onEmbedded:
		return cluster{}
	case ground == onKafka:
		k := kafkatest.Start(t, 1)
		return cluster{brokers: strings.Join(k.Brokers, ","), node: k.Nodes[0]}
	case *ownBrokers != "":
		return cluster{brokers: *ownBrokers, clickhouse: *ownClickHouse}
	}
	s := newProgram(t).launchAs("embedded")
	s.awaitAddresses()
	return cluster{brokers: s.Brokers[0], clickhouse: s.ClickHouse}
}

// leg is a row of rounds on one installation.
type leg struct {
	Name   string
	Number int
	Ground string
	Fleet  bool // a process for each role; else 'up'
	Rounds int
}

// roundsALeg is how many rounds a leg has at most: so much is done again when a soak was interrupted.
const roundsALeg = 10

// legs cuts the rounds on one ground into legs, half of them with a fleet and half with 'up'.
func (j *journal) legs(ground string) (legs []leg) {
	rounds := map[string]int{onEmbedded: j.Rounds, onKafka: j.KafkaRounds, onGiven: 2}[ground]
	if *ownBrokers != "" {
		rounds = j.KafkaRounds
	}
	n := 2 * ((rounds + 2*roundsALeg - 1) / (2 * roundsALeg))
	for i := range n {
		l := leg{Number: i + 1, Ground: ground, Fleet: i%2 == 0, Rounds: rounds*(i+1)/n - rounds*i/n}
		l.Name = fmt.Sprintf("%s %s leg %d", ground, map[bool]string{true: "fleet", false: "up"}[l.Fleet], l.Number)
		legs = append(legs, l)
	}
	return legs
}

// longest is how many rounds the longest leg has.
func (j *journal) longest() (n int) {
	for _, ground := range j.grounds() {
		for _, l := range j.legs(ground) {
			n = max(n, l.Rounds)
		}
	}
	return n
}

// runLeg does the rounds of a leg on a new installation.
func runLeg(t *testing.T, j *journal, l leg, c cluster, w *world) (done []result) {
	dir := t.TempDir()
	if *stateDir != "" {
		dir = filepath.Join(j.dir, strings.ReplaceAll(l.Name, " ", "-"))
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	s := newSite(t, j, l, c, dir)
	plan := plan(rand.New(rand.NewPCG(j.Seed, xxhash.Sum64String(l.Name))), l, c)
	for i, d := range plan {
		began := time.Now()
		r := s.round(w, i, d)
		r.Equal = s.compare(w, i)
		if r.Audited = (i+1)%auditEvery == 0 || i == len(plan)-1; r.Audited {
			s.run("audit")
		}
		r.Took = time.Since(began).Round(10 * time.Millisecond)
		t.Logf("round %d of %d: %s", i+1, len(plan), r)
		done = append(done, r)
	}
	s.end()
	return done
}

// auditEvery is after how many rounds the audit is run.
const auditEvery = 5

// result is what a round did.
type result struct {
	disturbance
	Missed   bool          `json:",omitzero"` // the work was done before it came to the named point
	TakeOver time.Duration `json:",omitzero"` // until others had taken up the tasks of who died
	Took     time.Duration
	Equal    bool // the views, to those undisturbed
	Audited  bool `json:",omitzero"` // and found clean
}

func (r result) String() string {
	s := r.disturbance.String()
	if r.Missed {
		s += ": NOT REACHED"
	}
	if r.TakeOver > 0 {
		s += fmt.Sprintf(", taken over after %s", r.TakeOver)
	}
	return s + fmt.Sprintf("; views equal%s; %s", map[bool]string{true: ", audit clean"}[r.Audited], r.Took)
}
