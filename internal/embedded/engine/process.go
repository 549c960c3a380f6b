package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Config says how the engine's process is started.
type Config struct {
	// Exe is the program and its first arguments; it must call Serve with --lib, --data and --listen, which are appended.
	Exe []string
	// Env is added to the environment of the process, as name=value.
	Env []string

	Lib     string // path of libchdb.so, as Locate finds it
	DataDir string // directory of the databases
	Listen  string // host:port on a loopback address; port 0 takes a free one
}

// Engine is a ClickHouse engine in a process of its own: what it allocates, and how it may crash, is not this process's affair.
// That process is not in the terminal's group, so Ctrl-C does not reach it, and it ends when this process does, however that ends.
type Engine struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
	done  chan struct{}
	err   error // set before done is closed
	close func() error
}

// startLimit is how long an engine may take to open its directory; recovery after a kill is part of that.
const startLimit = 2 * time.Minute

// closeLimit is how long an engine is waited for before it is killed. It is longer than statements under way are given.
const closeLimit = 20 * time.Second

// Start runs the engine and returns when it answers. ctx bounds the start alone.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	cmd := exec.Command(cfg.Exe[0], append(cfg.Exe[1:len(cfg.Exe):len(cfg.Exe)], "--lib", cfg.Lib, "--data", cfg.DataDir, "--listen", cfg.Listen)...)
	// A server's time zone is what a DateTime without one is shown in; it should not differ from machine to machine.
	cmd.Env = append(append(os.Environ(), "TZ=UTC"), cfg.Env...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe to the engine: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("pipe from the engine: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the engine's process: %w", err)
	}
	e := &Engine{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	e.close = sync.OnceValue(e.stop)
	first := make(chan string, 1)
	go e.watch(stdout, first)
	if err := e.await(ctx, first); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// watch reads the address, and then waits for the end of the process.
func (e *Engine) watch(stdout io.Reader, first chan<- string) {
	defer close(e.done)
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err == nil {
		first <- strings.TrimSpace(line)
	}
	io.Copy(io.Discard, lines)
	if err := e.cmd.Wait(); err != nil {
		e.err = fmt.Errorf("the ClickHouse engine's process ended: %w", err)
	}
}

func (e *Engine) await(ctx context.Context, first <-chan string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("the ClickHouse engine did not start within %s", startLimit))
	defer cancel()
	select {
	case e.addr = <-first:
		return nil
	case <-e.done:
		return errors.New("the ClickHouse engine ended before it answered; what it said stands above")
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Addr is where the engine answers ClickHouse's HTTP interface, host:port.
func (e *Engine) Addr() string { return e.addr }

// Done is closed when the engine's process has ended, be it after Close or by itself.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says how the engine's process ended: nil while it runs and after an orderly end.
func (e *Engine) Err() error {
	select {
	case <-e.done:
		return e.err
	default:
		return nil
	}
}

// Close asks the engine to end, which lets statements under way finish, and kills it if it has not ended after 20 seconds. What was
// acknowledged is stored either way. Close may be called more than once.
func (e *Engine) Close() error { return e.close() }

// Kill ends the engine at once, as a crash would, for tests. Done tells when it has ended.
func (e *Engine) Kill() error { return e.cmd.Process.Kill() }

func (e *Engine) stop() error {
	e.cmd.Process.Signal(syscall.SIGTERM) // fails only if the process has ended
	e.stdin.Close()
	select {
	case <-e.done:
		return e.err
	case <-time.After(closeLimit):
	}
	e.cmd.Process.Kill()
	<-e.done
	return fmt.Errorf("the ClickHouse engine did not end within %s and was killed", closeLimit)
}
