package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fleet is an installation whose roles are processes of their own: 'embedded' below, and any number of 'process', 'sink' and 'live'.
type fleet struct {
	*service // 'embedded'; it runs the ClickHouse engine alone where other brokers are given
	roles    []*role
}

// newFleet starts 'embedded' on ports that stay the same when it is started again.
func newFleet(t *testing.T, env ...string) *fleet {
	t.Helper()
	p := newProgram(t)
	ports := freePorts(t, 2)
	p.env = append(append(p.env, fmt.Sprintf("%sBROKER_LISTEN=127.0.0.1:%d", envPrefix, ports[0]),
		fmt.Sprintf("%sCLICKHOUSE_LISTEN=127.0.0.1:%d", envPrefix, ports[1])), env...)
	f := &fleet{}
	f.service = p.launchAs("embedded", "--time", "data")
	f.awaitAddresses()
	return f
}

// restartBase kills 'embedded' and starts it again.
func (f *fleet) restartBase() {
	f.t.Helper()
	f.stop(syscall.SIGKILL)
	f.service = f.program.launchAs("embedded", "--time", "data")
	f.awaitAddresses()
}

// role is one process of a fleet.
type role struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	ended chan struct{}

	mu    sync.Mutex // guards lines
	lines []logLine
	more  chan struct{} // takes a token for each new line while there is room
}

// logLine is what a role logged, as far as tests look at it.
type logLine struct {
	Time  time.Time
	Level string
	Msg   string
	HTTP  string
	Err   string
	Stage string
	Task  int
	Tasks []int
	raw   string
}

// start starts a role with more settings. command is a subcommand, and what follows it.
func (f *fleet) start(command string, env ...string) *role {
	f.t.Helper()
	return f.startAs(fmt.Sprintf("%s %d", command, len(f.roles)), command, env...)
}

// startAs is start with a name for messages.
func (f *fleet) startAs(name, command string, env ...string) *role {
	f.t.Helper()
	cmd := f.command(strings.Fields(command)...)
	cmd.Env = append(slices.Clip(cmd.Env), env...)
	return f.follow(name, cmd)
}

// follow starts a command and reads what it logs.
func (f *fleet) follow(name string, cmd *exec.Cmd) *role {
	f.t.Helper()
	r := &role{t: f.t, name: name, cmd: cmd, ended: make(chan struct{}), more: make(chan struct{}, 1)}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go r.listen(io.TeeReader(stderr, f.logFile(r.name)))
	f.roles = append(f.roles, r)
	f.t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-r.ended
		if f.t.Failed() && f.logs == "" {
			f.t.Logf("%s logged:\n%s", r.name, r.output())
		}
	})
	return r
}

func (r *role) listen(stderr io.Reader) {
	defer close(r.ended)
	scanner := bufio.NewScanner(stderr)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		l := logLine{raw: scanner.Text()}
		json.Unmarshal(scanner.Bytes(), &l) // what is no JSON is text
		r.mu.Lock()
		r.lines = append(r.lines, l)
		r.mu.Unlock()
		select {
		case r.more <- struct{}{}:
		default:
		}
	}
	r.cmd.Wait()
}

func (r *role) logged() []logLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

func (r *role) output() string {
	var b strings.Builder
	for _, l := range r.logged() {
		fmt.Fprintln(&b, l.raw)
	}
	return b.String()
}

// await returns the first line that fits, from those logged already on.
func (r *role) await(what string, fits func(logLine) bool) logLine {
	r.t.Helper()
	timeout := time.After(2 * time.Minute)
	for {
		for _, l := range r.logged() {
			if fits(l) {
				return l
			}
		}
		select {
		case <-r.more:
		case <-r.ended:
			r.t.Fatalf("%s ended while waiting for %s: %v\n%s", r.name, what, r.cmd.ProcessState, r.output())
		case <-timeout:
			r.t.Fatalf("%s: not yet %s\n%s", r.name, what, r.output())
		}
	}
}

// url is where the role serves HTTP.
func (r *role) url(path string) string {
	r.t.Helper()
	return "http://" + r.await("serving", func(l logLine) bool { return l.HTTP != "" }).HTTP + path
}

// ready asks the role whether it is.
func (r *role) ready() (bool, error) {
	status, body := get(r.t, r.url("/readyz"))
	return status == http.StatusOK, fmt.Errorf("%s: %s", r.name, body)
}

func (r *role) awaitReady() {
	r.t.Helper()
	until(r.t, r.name+" ready", r.ready)
}

// signal sends one; after SIGKILL and SIGTERM it waits for the end.
func (r *role) signal(s syscall.Signal) {
	r.cmd.Process.Signal(s)
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		<-r.ended
	}
}

// takenOver returns how long after `since` the roles had taken up every task of the stages, counting those they had before.
func takenOver(t *testing.T, since time.Time, partitions int, roles ...*role) time.Duration {
	t.Helper()
	var took time.Duration
	until(t, "every task taken over", func() (bool, error) {
		held := map[string]bool{}
		took = 0
		for _, r := range roles {
			now := map[string][]int{}
			for _, l := range r.logged() {
				switch {
				case l.Msg == "tasks of this process":
					now[l.Stage] = l.Tasks
				case l.Msg == "took up task" && l.Time.After(since):
					took = max(took, l.Time.Sub(since))
				}
			}
			for stage, tasks := range now {
				for _, i := range tasks {
					held[fmt.Sprint(stage, "/", i)] = true
				}
			}
		}
		return len(held) == len(stageNames())*partitions && took > 0, fmt.Errorf("%d of %d tasks", len(held), len(stageNames())*partitions)
	})
	return took
}

// freePorts are ports that nobody listens on now, below those that the system gives to outgoing connections, so that who is down for a
// while gets its own again.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range 100 * n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		if ports = append(ports, l.Addr().(*net.TCPAddr).Port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("only %d of %d ports are free", len(ports), n)
	return nil
}
