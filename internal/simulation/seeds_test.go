package simulation

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
)

var (
	seedsFlag    = flag.Uint64("seeds", 100, "how many seeds to run")
	fromFlag     = flag.Uint64("from", 0, "the first of them")
	seedFlag     = flag.Int64("seed", -1, "run this one seed")
	caseFlag     = flag.String("case", "", "run this one case")
	timesFlag    = flag.Int("times", 1, "run the one seed or case so often")
	logFlag      = flag.Bool("log", false, "show what the processes log")
	progressFlag = flag.String("progress", "", "file that remembers which seeds have been run")
	workFlag     = flag.String("work", "", "what a worker process runs: FROM-TO (set by the test itself)")
)

// TestSeeds runs cases drawn from seeds, in processes of their own. With -seed or -case it runs one, here.
func TestSeeds(t *testing.T) {
	notUnderRace(t)
	switch {
	case *workFlag != "":
		work(t)
	case *caseFlag != "":
		c, err := parseCase(*caseFlag)
		if err != nil {
			t.Fatal(err)
		}
		runOne(t, c)
	case *seedFlag >= 0:
		runOne(t, newCase(uint64(*seedFlag)))
	default:
		runSeeds(t)
	}
}

// runOne runs one case, and looks for the least of it that fails.
func runOne(t *testing.T, c testCase) {
	t.Log(c)
	j := newJudge(t, plant{})
	failed := 0
	for range *timesFlag {
		if v := j.verdict(c); v != "" {
			failed++
			t.Log(v)
		}
	}
	if failed == 0 {
		return
	}
	t.Errorf("failed %d of %d times", failed, *timesFlag)
	if !*logFlag {
		t.Logf("the least that fails:\n%s", j.shrink(c))
	}
}

// TestKept runs the cases that once failed.
func TestKept(t *testing.T) {
	notUnderRace(t)
	text, err := os.ReadFile("testdata/kept.txt")
	if err != nil {
		t.Fatal(err)
	}
	j := newJudge(t, plant{})
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		c, err := parseCase(line)
		if err != nil {
			t.Fatal(err)
		}
		if v := j.verdict(c); v != "" {
			t.Errorf("%s\n%s", line, v)
		}
	}
}

// judge compares runs with undisturbed ones of the same input.
type judge struct {
	t       *testing.T
	plant   plant
	content map[string][]string // of undisturbed runs
	struck  map[string]int      // faults that came to pass, by kind
}

func newJudge(t *testing.T, p plant) *judge {
	return &judge{t: t, plant: p, content: map[string][]string{}, struck: map[string]int{}}
}

// verdict runs a case and says what is wrong, nothing if all is well.
func (j *judge) verdict(c testCase) string {
	want, err := j.undisturbed(c)
	if err != "" {
		return err
	}
	o := c.simulate(j.t, j.plant, logger())
	for _, f := range o.struck {
		j.struck[f.kind]++
	}
	if d := diff(o.content, want, 4); d != "" {
		o.problems = append(o.problems, "the tables differ from those of an undisturbed run (-: missing, +: too much)\n"+d)
	}
	if len(o.problems) == 0 {
		return ""
	}
	return fmt.Sprintf("after %v, with %v:\n%s", o.took, o.struck, strings.Join(o.problems, "\n"))
}

// undisturbed is what the tables hold if nothing befalls the events of c.
func (j *judge) undisturbed(c testCase) (content []string, wrong string) {
	c.deployment, c.faults = "one", nil
	key := c.String()
	if j.content[key] == nil {
		o := c.simulate(j.t, plant{}, logger())
		if len(o.problems) > 0 {
			return nil, "undisturbed: " + strings.Join(o.problems, "\n")
		}
		if len(j.content) > 100 {
			clear(j.content)
		}
		j.content[key] = o.content
	}
	return j.content[key], ""
}

func logger() *slog.Logger {
	if !*logFlag {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
