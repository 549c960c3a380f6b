package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"corridorwatch/schemas/clickhouse"
)

// world is what a leg sends, in pieces, and what the views say after each in a run that nothing disturbs.
type world struct {
	pieces [][]byte
	want   []map[string]clickhouse.Content
}

// beyond is where time stands after a piece: past its last event, and off the second, so that no timer ends in the milliseconds by
// which time goes on when a piece is sent again.
const beyond = "30500ms"

// undisturbed makes the world, in as many pieces as the longest leg has rounds, and sends it. What the views say then is kept, for as
// long as the program is the same.
func (j *journal) undisturbed(t *testing.T) world {
	t.Helper()
	p := newProgram(t)
	w := world{pieces: p.simulate(j.Seed, j.longest())}
	sum := programSum(t)
	if j.Undisturbed != nil && j.Undisturbed.Program == sum {
		w.want = j.Undisturbed.Views
		return w
	}
	s := p.up("--time", "data")
	began := time.Now()
	for i := range w.pieces {
		s.send(w.pieces[i])
		w.want = append(w.want, s.hashes())
	}
	t.Logf("undisturbed: %d pieces in %s", len(w.pieces), time.Since(began).Round(time.Millisecond))
	s.stop(syscall.SIGTERM)
	j.Undisturbed = &reference{sum, w.want}
	j.write(t)
	return w
}

func (p *program) simulate(seed uint64, pieces int) [][]byte {
	p.t.Helper()
	text, err := os.ReadFile(p.world("--duplicates", "0.02", "--shuffle", "10m", "--seed", strconv.FormatUint(seed, 10)))
	if err != nil {
		p.t.Fatal(err)
	}
	return cut(bytes.SplitAfter(text, []byte("\n")), pieces)
}

// rows are what the views say after the i-th piece, to see what differs.
func (w *world) rows(t *testing.T, i int) map[string][]string {
	s := newProgram(t).up("--time", "data")
	defer s.stop(syscall.SIGTERM)
	for _, piece := range w.pieces[:i+1] {
		s.send(piece)
	}
	return s.views()
}

// cut joins lines into n pieces of about the same number.
func cut(lines [][]byte, n int) (pieces [][]byte) {
	for i := range n {
		pieces = append(pieces, bytes.Join(lines[i*len(lines)/n:(i+1)*len(lines)/n], nil))
	}
	return pieces
}

// send sends a piece, and returns when its results are stored.
func (p *program) send(piece []byte) {
	p.t.Helper()
	cmd := p.command("ingest", "--wait", "--beyond", beyond, "-")
	cmd.Stdin = bytes.NewReader(piece)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("ingest: %v\n%s", err, out)
	}
}

// hashes are the contents of the stored views without v_now: sending makes time pass.
func (p *program) hashes() map[string]clickhouse.Content {
	p.t.Helper()
	conn := p.connect()
	defer conn.Close()
	all, err := clickhouse.Hashes(p.t.Context(), conn, p.config().database(), clickhouse.StoredViews)
	if err != nil {
		p.t.Fatal(err)
	}
	delete(all, "v_now")
	return all
}

// A piece is sent in slices, one after the other, and it takes about as long again until its results are stored.
const (
	sliceCount  = 20
	slicesAfter = 10
	sliceEvery  = 50 * time.Millisecond
)

// producer is an 'ingest' that sends one piece.
type producer struct {
	t      *testing.T
	cmd    *exec.Cmd
	sent   [sliceCount + slicesAfter + 1]chan struct{} // closed when so many slices are sent
	ended  chan struct{}
	output bytes.Buffer
}

// produce begins to send a piece.
func (p *program) produce(piece []byte) *producer {
	p.t.Helper()
	out := &producer{t: p.t, cmd: p.command("ingest", "--wait", "--beyond", beyond, "-"), ended: make(chan struct{})}
	for i := range out.sent {
		out.sent[i] = make(chan struct{})
	}
	out.cmd.Stdout, out.cmd.Stderr = &out.output, &out.output
	read, stdin, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out.cmd.Stdin = read
	if err := out.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	read.Close()
	go func() { out.cmd.Wait(); close(out.ended) }()
	go out.feed(stdin, cut(bytes.SplitAfter(piece, []byte("\n")), sliceCount))
	p.t.Cleanup(out.kill)
	return out
}

func (p *producer) feed(stdin *os.File, parts [][]byte) {
	for i := range p.sent {
		if i > 0 && i <= len(parts) {
			stdin.Write(parts[i-1]) // whether it came is seen by how the process ends
		}
		// Before it reads, it looks for the brokers once. Who has none then has sent nothing and ends.
		for i == 1 && waiting(stdin) > 0 && !over(p.ended) {
			time.Sleep(5 * time.Millisecond)
		}
		if i == len(parts) {
			stdin.Close()
		}
		close(p.sent[i])
		select {
		case <-time.After(sliceEvery): // so that its work goes on while something dies
		case <-p.ended:
		}
	}
}

// waiting is how many bytes in a pipe nobody has read.
func waiting(pipe *os.File) (n int) {
	syscall.Syscall(syscall.SYS_IOCTL, pipe.Fd(), syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
	return n
}

// at returns when so many slices were sent, or the producer has ended.
func (p *producer) at(slice int) {
	select {
	case <-p.sent[slice]:
	case <-p.ended:
	}
}

func (p *producer) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// problem says how the producer ended, if it did not end well.
func (p *producer) problem() error {
	if p.cmd.ProcessState.Success() {
		return nil
	}
	return fmt.Errorf("ingest: %v\n%s", p.cmd.ProcessState, p.output.String())
}
