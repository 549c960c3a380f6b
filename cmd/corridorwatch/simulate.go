package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/progress"
	"corridorwatch/schemas"
)

const feedsHelp = "what is told of trains by country, gps if nothing is said: KZ=reports for a railway without GPS, PL=statuses for containers' statuses only (needs --containers)"

func simulateCmd() *cobra.Command {
	w := simulator.Config{}
	var start, out, truth string
	var days int
	var feeds map[string]string
	var story string
	var lines []string
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "write the events of a simulated world as JSON lines, and what really happened in it",
		Long: "Writes the events of a simulated world as JSON lines in the order of their arrival, for 'ingest', and with --truth what really\n" +
			"happened: one visit, leg or crossing a line, times in ms. The same flags give the same bytes.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := setup()
			if err != nil {
				return err
			}
			cfg.OpenLines = append(cfg.OpenLines, lines...)
			if w.Catalog, err = cfg.catalogue(); err != nil {
				return err
			}
			if w.Start, err = time.Parse(time.DateOnly, start); err != nil {
				return fmt.Errorf("--start is a date like 2026-03-01: %w", err)
			}
			if days < 1 {
				return errors.New("--days must be at least 1")
			}
			w.Duration = time.Duration(days) * 24 * time.Hour
			if w.Feeds, err = simulator.ParseFeeds(feeds); err != nil {
				return err
			}
			if story != "" {
				if w, err = readStory(story, w); err != nil {
					return err
				}
			}
			world, err := simulator.New(w)
			if err != nil {
				return err
			}
			if err := writeFile(out, cmd.OutOrStdout(), func(b *bufio.Writer) error { return writeEvents(cmd.Context(), b, world) }); err != nil {
				return fmt.Errorf("write the events: %w", err)
			}
			if truth == "" {
				return nil
			}
			if err := writeFile(truth, cmd.OutOrStdout(), func(b *bufio.Writer) error { return writeTruth(b, world.Truth()) }); err != nil {
				return fmt.Errorf("write the truth: %w", err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&w.Corridors, "corridors", nil, "corridors of the catalogue; empty: all that are open")
	f.StringVar(&start, "start", "2026-03-01", "first day, UTC")
	f.IntVar(&days, "days", 1, "days")
	f.Uint64Var(&w.Seed, "seed", 1, "seed of the world")
	f.Float64Var(&w.TrainsPerDay, "trains", 2, "trains a day per corridor and direction")
	f.DurationVar(&w.Interval, "interval", time.Minute, "between positions")
	f.Float64Var(&w.NoiseM, "noise", 10, "standard deviation of a position, metres")
	f.Float64Var(&w.Duplicates, "duplicates", 0, "share of events that arrive twice")
	f.DurationVar(&w.ShuffleWithin, "shuffle", 0, "arrival is delayed by up to this")
	f.Float64Var(&w.Loss, "loss", 0, "share of events that never arrive")
	f.DurationVar(&w.GapEvery, "gap-every", 0, "mean time between gaps of a tracker")
	f.DurationVar(&w.GapLength, "gap-length", 30*time.Minute, "mean length of a gap")
	f.BoolVar(&w.StoreForward, "store-forward", false, "what was measured in a gap arrives after it, instead of never")
	f.BoolVar(&w.Containers, "containers", false, "compositions, containers and consignments too")
	f.StringSliceVar(&lines, "open", nil, openHelp)
	f.StringVar(&story, "story", "", "YAML file of a story, which says what runs and what happens: the flags above are not asked then, but for those of disturbances; testdata/stories has examples")
	f.StringToStringVar(&feeds, "feeds", nil, feedsHelp)
	f.DurationVar(&w.WindEvery, "wind-every", 168*time.Hour, "mean time between two closures of a sea border's ports by wind; 0: none")
	f.DurationVar(&w.WindLength, "wind-length", 20*time.Hour, "mean length of such a closure")
	f.Float64Var(&w.Refusals, "refusals", 0.05, "share of hand-overs that are refused at first")
	f.StringVar(&out, "out", "-", "file of the events; -: standard output")
	f.StringVar(&truth, "truth", "", "file of what really happened")
	return cmd
}

// readStory makes the world of a story, with the seed, the noise and the disturbances of flags.
func readStory(path string, flags simulator.Config) (simulator.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return flags, fmt.Errorf("read the story: %w", err)
	}
	w, err := simulator.ReadStory(text, flags.Catalog)
	if err != nil {
		return flags, fmt.Errorf("%s: %w", path, err)
	}
	w.Seed, w.NoiseM, w.Duplicates, w.ShuffleWithin, w.Loss = flags.Seed, flags.NoiseM, flags.Duplicates, flags.ShuffleWithin, flags.Loss
	w.GapEvery, w.GapLength, w.StoreForward = flags.GapEvery, flags.GapLength, flags.StoreForward
	return w, nil
}

// writeFile lets write fill the file, or standard output.
func writeFile(path string, stdout io.Writer, write func(*bufio.Writer) error) (err error) {
	if path != "-" {
		f, createErr := os.Create(path)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		stdout = f
	}
	b := bufio.NewWriterSize(stdout, 1<<20)
	return errors.Join(write(b), b.Flush())
}

func writeEvents(ctx context.Context, b *bufio.Writer, world *simulator.World) error {
	bar := progress.New(os.Stderr, "simulate", "events", int64(world.Total()))
	defer bar.Done()
	var line []byte
	for n := int64(1); ; n++ {
		ev, ok := world.Next()
		if !ok {
			return nil
		}
		line = append(schemas.AppendJSON(line[:0], ev), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
		if n%10_000 == 0 {
			bar.Set(n, "")
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
}

// writeTruth writes a thing a line. A leg whose length is not known has the length null.
func writeTruth(b *bufio.Writer, truth *simulator.Truth) error {
	enc := json.NewEncoder(b)
	for i := range truth.Visits {
		if err := enc.Encode(map[string]any{"visit": &truth.Visits[i]}); err != nil {
			return err
		}
	}
	for _, l := range truth.Legs {
		km := &l.Km
		if math.IsNaN(l.Km) {
			km = nil
		}
		if err := enc.Encode(map[string]any{"leg": map[string]any{
			"Run": l.Run, "From": l.From, "To": l.To, "Km": km, "Started": l.Started, "Departed": l.Departed, "Arrived": l.Arrived, "Standing": l.Standing, "Cut": l.Cut, "Vague": l.Vague,
		}}); err != nil {
			return err
		}
	}
	for i := range truth.Crossings {
		if err := enc.Encode(map[string]any{"crossing": &truth.Crossings[i]}); err != nil {
			return err
		}
	}
	for i := range truth.Consists {
		if err := enc.Encode(map[string]any{"consist": &truth.Consists[i]}); err != nil {
			return err
		}
	}
	for i := range truth.Notices {
		if err := enc.Encode(map[string]any{"notice": &truth.Notices[i]}); err != nil {
			return err
		}
	}
	return nil
}
