package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cespare/xxhash/v2"

	"corridorwatch/schemas/clickhouse"
)

// journal is what a soak has done, leg by leg. With a directory it survives the process.
type journal struct {
	dir         string
	Seed        uint64
	Rounds      int
	KafkaRounds int
	Prefix      string // of the installations on brokers that were given
	Undisturbed *reference
	Legs        map[string]*doneLeg
	mu          sync.Mutex // guards Legs: grounds are run beside one another
}

// reference is what the views say when nothing is disturbed.
type reference struct {
	Program string // see programSum
	Views   []map[string]clickhouse.Content
}

type doneLeg struct {
	Program string // see programSum
	Rounds  []result
}

// openJournal takes up the journal of an earlier run, or begins one.
func openJournal(t *testing.T) *journal {
	t.Helper()
	j := &journal{dir: *stateDir, Seed: cmp.Or(*seed, rand.Uint64()), Rounds: *rounds, KafkaRounds: *kafkaRounds, Legs: map[string]*doneLeg{}}
	j.Prefix = fmt.Sprintf("crash_%x", j.Seed)
	if j.dir == "" {
		return j
	}
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(j.file())
	if errors.Is(err, fs.ErrNotExist) {
		j.write(t)
		return j
	}
	was := &journal{dir: j.dir}
	if err == nil {
		err = json.Unmarshal(text, was)
	}
	if err != nil {
		t.Fatal(err)
	}
	if *seed != 0 && *seed != was.Seed || was.Rounds != j.Rounds || was.KafkaRounds != j.KafkaRounds {
		t.Fatalf("%s is of another soak, -seed %d -rounds %d -kafka-rounds %d: go on with these, or remove the directory", j.file(), was.Seed, was.Rounds, was.KafkaRounds)
	}
	return was
}

func (j *journal) file() string { return filepath.Join(j.dir, "journal.json") }

// finish notes a leg.
func (j *journal) finish(t *testing.T, l leg, done []result) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Legs[l.Name] = &doneLeg{Program: programSum(t), Rounds: done}
	j.write(t)
}

// programSum tells one build of the program from another.
func programSum(t *testing.T) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%016x", xxhash.Sum64(program))
}

func (j *journal) write(t *testing.T) {
	t.Helper()
	if j.dir == "" {
		return
	}
	text, err := json.MarshalIndent(j, "", "  ")
	if err == nil {
		err = os.WriteFile(j.file()+".new", append(text, '\n'), 0o644)
	}
	if err == nil {
		err = os.Rename(j.file()+".new", j.file())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tally counts the rounds of one kind.
type tally struct {
	rounds, missed, equal, audited int
	takeOver                       []time.Duration
}

func (a *tally) add(r result) {
	a.rounds++
	if r.Missed {
		a.missed++
	}
	if r.Equal {
		a.equal++
	}
	if r.Audited {
		a.audited++
	}
	if r.TakeOver > 0 {
		a.takeOver = append(a.takeOver, r.TakeOver)
	}
}

// report is a table of everything done. What is in it has passed: a leg is noted when all its rounds have.
func (j *journal) report() string {
	all, programs := map[string]*tally{}, map[string]int{}
	for name, leg := range j.Legs {
		ground, _, _ := strings.Cut(name, " leg")
		programs[leg.Program] += len(leg.Rounds)
		for _, r := range leg.Rounds {
			for _, row := range []string{"any\tany", "any\ton " + ground, r.Victim + "\t" + r.How} {
				if all[row] == nil {
					all[row] = &tally{}
				}
				all[row].add(r)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-seed %d -rounds %d -kafka-rounds %d; rounds by sum of the program: %v\n", j.Seed, j.Rounds, j.KafkaRounds, programs)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VICTIM\tHOW\tROUNDS\tPOINT NOT REACHED\tVIEWS EQUAL\tAUDITS CLEAN\tTAKEN OVER AFTER (MEDIAN, MOST)")
	for _, row := range slices.Sorted(maps.Keys(all)) {
		a := all[row]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d/%d\t%d\t%s\n", row, a.rounds, a.missed, a.equal, a.rounds, a.audited, spread(a.takeOver))
	}
	w.Flush()
	return b.String()
}

func spread(all []time.Duration) string {
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return fmt.Sprintf("%s, %s", all[len(all)/2].Round(10*time.Millisecond), all[len(all)-1].Round(10*time.Millisecond))
}
