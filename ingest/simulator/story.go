package simulator

import (
	"bytes"
	"fmt"
	"time"

	"go.yaml.in/yaml/v4"

	"corridorwatch/schemas/network"
)

// Story is a world as it is written down: what runs, what borders take, and what happens. Times are UTC.
type Story struct {
	Title      string          `yaml:"title"`
	Start      string          `yaml:"start"` // day
	Days       int             `yaml:"days"`
	Even       bool            `yaml:"even"`
	Containers int             `yaml:"containers"` // a trip; none when zero
	Interval   string          `yaml:"interval"`   // between positions, such as 10m
	Feeds      map[string]Feed `yaml:"feeds"`
	Lines      []struct {
		Corridor string    `yaml:"corridor"`
		Down     bool      `yaml:"down"`
		First    string    `yaml:"first"`
		Last     string    `yaml:"last"`
		PerDay   float64   `yaml:"per_day"`
		From     time.Time `yaml:"from"`
		Until    time.Time `yaml:"until"`
	} `yaml:"lines"`
	Borders map[string]struct {
		TrainsPerDay float64 `yaml:"trains_per_day"`
		Tracks       int     `yaml:"tracks"`
	} `yaml:"borders"`
	Norms map[string]struct {
		Hours    float64 `yaml:"h"`
		P95Hours float64 `yaml:"p95_h"`
	} `yaml:"norms"`
	Restrictions []struct {
		Border    string    `yaml:"border"`
		Direction string    `yaml:"direction"`
		From      time.Time `yaml:"from"`
		Until     time.Time `yaml:"until"`
		PerDay    float64   `yaml:"per_day"`
		Slow      float64   `yaml:"slow"`
		Reason    string    `yaml:"reason"`
		Cause     string    `yaml:"cause"`
		Reference string    `yaml:"reference"`
	} `yaml:"restrictions"`
	Diversions []struct {
		Border string    `yaml:"border"`
		Via    string    `yaml:"via"`
		From   time.Time `yaml:"from"`
		Until  time.Time `yaml:"until"`
	} `yaml:"diversions"`
}

// ReadStory makes a world's configuration of a story. What it does not know, it refuses.
func ReadStory(text []byte, cat *network.Catalog) (Config, error) {
	var s Story
	in := yaml.NewDecoder(bytes.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(&s); err != nil {
		return Config{}, fmt.Errorf("read the story: %w", err)
	}
	cfg := Config{
		Catalog: cat, Even: s.Even, Containers: s.Containers > 0, PerTrip: s.Containers, Duration: time.Duration(s.Days) * 24 * time.Hour, Feeds: map[string]Feed{},
		Borders: map[string]Capacity{}, Norms: map[string]network.Norm{},
	}
	var err error
	if cfg.Start, err = time.Parse(time.DateOnly, s.Start); err != nil {
		return Config{}, fmt.Errorf("read the story: start is a day like 2026-03-01: %w", err)
	}
	if s.Interval != "" {
		if cfg.Interval, err = time.ParseDuration(s.Interval); err != nil {
			return Config{}, fmt.Errorf("read the story: interval: %w", err)
		}
	}
	named := map[string]string{}
	for country, f := range s.Feeds {
		named[country] = string(f)
	}
	if cfg.Feeds, err = ParseFeeds(named); err != nil {
		return Config{}, fmt.Errorf("read the story: %w", err)
	}
	for _, l := range s.Lines {
		cfg.Lines = append(cfg.Lines, Line{Corridor: l.Corridor, Down: l.Down, First: l.First, Last: l.Last, PerDay: l.PerDay, From: l.From, Until: l.Until})
	}
	for id, b := range s.Borders {
		cfg.Borders[id] = Capacity{TrainsPerDay: b.TrainsPerDay, Tracks: b.Tracks}
	}
	hours := func(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }
	for side, n := range s.Norms {
		cfg.Norms[side] = network.Norm{Median: hours(n.Hours), P95: hours(n.P95Hours)}
	}
	for _, r := range s.Restrictions {
		cfg.Restrictions = append(cfg.Restrictions, Restriction{
			Border: r.Border, Direction: r.Direction, From: r.From, Until: r.Until, PerDay: r.PerDay, Slow: r.Slow, Reason: r.Reason, Cause: r.Cause, Reference: r.Reference,
		})
	}
	for _, v := range s.Diversions {
		cfg.Diversions = append(cfg.Diversions, Diversion{Border: v.Border, Via: v.Via, From: v.From, Until: v.Until})
	}
	return cfg, nil
}
