package main

import (
	"bufio"
	"io"
	"os"
	"time"
)

// flow sends a world through 'ingest' at a pace, so that events flow while a test does its worst.
type flow struct {
	*role
	hurry chan struct{} // closed: the rest goes out as fast as it can
	fed   chan error    // has the feeder's end
}

// portionEvery is the time between two portions of lines.
const portionEvery = 20 * time.Millisecond

// flow starts to send the lines of a file, so many a second.
func (f *fleet) flow(world string, perSecond int) *flow {
	f.t.Helper()
	cmd := f.command("ingest", "--wait", "--beyond", "24h", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	file, err := os.Open(world)
	if err != nil {
		f.t.Fatal(err)
	}
	fl := &flow{role: f.follow("ingest", cmd), hurry: make(chan struct{}), fed: make(chan error, 1)}
	go func() {
		defer file.Close()
		defer in.Close()
		fl.fed <- fl.feed(file, in, max(1, perSecond*int(portionEvery)/int(time.Second)))
	}()
	return fl
}

func (f *flow) feed(from io.Reader, to io.Writer, portion int) error {
	tick := time.NewTicker(portionEvery)
	defer tick.Stop()
	lines := bufio.NewReader(from)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = to.Write(line)
		}
		if err != nil {
			return err
		}
		if n%portion == 0 {
			select {
			case <-tick.C:
			case <-f.hurry:
			}
		}
	}
}

// end sends the rest and returns when all of it is stored.
func (f *flow) end() {
	f.t.Helper()
	select {
	case err := <-f.fed:
		f.t.Fatalf("the events ran out before the test was over (%v): make the world longer", err)
	default:
	}
	close(f.hurry)
	if err := <-f.fed; err != nil {
		f.t.Errorf("feed: %v", err)
	}
	if <-f.ended; !f.cmd.ProcessState.Success() {
		f.t.Fatalf("ingest: %v\n%s", f.cmd.ProcessState, f.output())
	}
}
