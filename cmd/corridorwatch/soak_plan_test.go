package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// disturbance is what happens in one round. Moments are told in slices of the piece of the world that is on its way, so that they are
// the same on every machine.
type disturbance struct {
	Victim string
	How    string        // killed, paused, ... or a named point of the work, see stream.Config and sink.Config
	Hit    int           `json:",omitzero"` // which time it comes to that point
	Slice  int           `json:",omitzero"` // after this slice; those behind the last stand for the time in which results are stored
	One    int           `json:",omitzero"` // which of the processes or sinks
	Away   time.Duration `json:",omitzero"` // how long it is left dead, or how far into its start it is killed again
}

func (d disturbance) String() string {
	s := d.Victim
	if d.One > 0 {
		s += fmt.Sprint(" ", d.One)
	}
	s += " " + d.How
	if d.Hit > 0 {
		s += fmt.Sprintf(", time %d", d.Hit)
	}
	if d.Slice > 0 {
		s += fmt.Sprintf(", slice %d", d.Slice)
	}
	if d.Away > 0 {
		s += fmt.Sprintf(", %s", d.Away)
	}
	return s
}

// Ways to be disturbed, besides the named points.
const (
	killed      = "killed"
	left        = "killed, left to others"
	paused      = "paused"
	whileStarts = "killed, again while it starts"
)

// Victims.
const (
	aProcess   = "process"
	aSink      = "sink"
	allRoles   = "all processes and sinks"
	theBase    = "embedded" // broker and engine, where other brokers are given the engine alone
	theEngine  = "engine"
	theUp      = "up"
	theNode    = "Apache Kafka"
	aProducer  = "producer"
	everything = "everything" // but Apache Kafka
)

// points are where a role can be told to die.
var points = map[string][]string{
	aProcess: {"after-produce", "before-checkpoint", "after-checkpoint", "in-restore", "in-rebalance"},
	aSink:    {"before-insert", "after-insert", "after-marks", "in-rebalance"},
	theUp:    {"after-produce", "before-checkpoint", "after-checkpoint", "in-restore", "before-insert", "after-insert", "after-marks"},
}

// deck holds every disturbance of a kind of installation once; the frequent ones more often.
func deck(l leg, c cluster) (all []disturbance) {
	add := func(victim string, hows ...string) {
		for _, how := range hows {
			all = append(all, disturbance{Victim: victim, How: how})
		}
	}
	if l.Fleet {
		add(aProcess, killed, left, paused)
		add(aSink, killed, left, paused)
		add(allRoles, killed)
		add(aProcess, points[aProcess]...)
		add(aSink, points[aSink]...)
	} else {
		add(theUp, killed, killed, whileStarts)
		add(theUp, points[theUp]...)
	}
	if l.Fleet && c.clickhouse == "" {
		add(theBase, killed, killed)
	}
	if c.clickhouse == "" {
		add(theEngine, killed)
	}
	if c.node != nil {
		add(theNode, killed)
	}
	add(aProducer, killed)
	add(everything, killed, killed)
	return all
}

// plan chooses what happens in each round of a leg: shuffled decks, one after the other.
func plan(rnd *rand.Rand, l leg, c cluster) (all []disturbance) {
	for len(all) < l.Rounds {
		next := deck(l, c)
		rnd.Shuffle(len(next), func(i, k int) { next[i], next[k] = next[k], next[i] })
		all = append(all, next...)
	}
	all = all[:l.Rounds]
	for i := range all {
		all[i].choose(rnd)
	}
	return all
}

// choose fills in what is left to chance.
func (d *disturbance) choose(rnd *rand.Rand) {
	d.Slice = 1 + rnd.IntN(sliceCount+slicesAfter)
	if d.Victim == aProcess || d.Victim == aSink {
		d.One = 1 + rnd.IntN(2)
	}
	switch d.How {
	case killed:
		if rnd.IntN(3) == 0 {
			d.Away = time.Duration(rnd.IntN(3000)) * time.Millisecond
		}
	case whileStarts:
		d.Away = time.Duration(rnd.IntN(2000)) * time.Millisecond
	case left, paused:
	case "in-restore":
		d.Hit = 1 + rnd.IntN(3)
	case "in-rebalance": // a group for each stage, one for all sinks
		if d.Hit = 1; d.Victim == aProcess {
			d.Hit += rnd.IntN(3)
		}
	case "after-produce":
		d.Slice, d.Hit = 0, 1+rnd.IntN(40)
	case "before-checkpoint", "after-checkpoint":
		d.Slice, d.Hit = 0, 1+rnd.IntN(8)
	default: // the sink stores once a second
		d.Slice, d.Hit = 0, 1+rnd.IntN(2)
	}
}
