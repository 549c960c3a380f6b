package main

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"corridorwatch/schemas/clickhouse"
)

// round sends a piece of the world while something happens, and returns when its results are stored.
func (s *site) round(w *world, i int, d disturbance) result {
	s.t.Helper()
	r := result{disturbance: d}
	p := s.produce(w.pieces[i])
	s.disturb(p, &r)
	s.poll(fmt.Sprintf("round %d (%s): stored", i+1, d), func() bool { s.unharmed(); return over(p.ended) })
	if d.Victim == aProducer || d.Victim == everything { // what it had sent nobody knows: everything is sent again
		s.send(w.pieces[i])
	} else if err := p.problem(); err != nil {
		s.t.Fatalf("round %d (%s): %v", i+1, d, err)
	}
	s.unharmed()
	return r
}

// disturb does what the round is about. Who died is there again when it returns.
func (s *site) disturb(p *producer, r *result) {
	s.t.Helper()
	d := r.disturbance
	name := strings.TrimSuffix(fmt.Sprint(d.Victim, " ", d.One), " 0")
	switch d.How {
	case killed:
		p.at(d.Slice)
		s.kill(d, name, p)
	case left, paused:
		p.at(d.Slice)
		r.TakeOver = s.leave(d.How, name, p)
	case whileStarts:
		p.at(d.Slice)
		s.stop(syscall.SIGKILL)
		s.launchBase()
		time.Sleep(d.Away) // the moment is the point of the test
		s.stop(syscall.SIGKILL)
		s.startBase()
	case "in-restore":
		p.at(d.Slice)
		s.stopOne(name, syscall.SIGKILL)
		s.arm(name, d.How, d.Hit)
		s.startOne(name)
		r.Missed = !s.awaitDeath(name, p)
	case "in-rebalance":
		s.arm(name, d.How, d.Hit)
		p.at(d.Slice)
		other := fmt.Sprint(d.Victim, " ", 3-d.One)
		s.stopOne(other, syscall.SIGTERM)
		s.startOne(other)
		r.Missed = !s.awaitDeath(name, p)
	default:
		s.arm(name, d.How, d.Hit)
		r.Missed = !s.awaitDeath(name, p)
	}
}

// kill ends whom the round is about, and starts it again after a while.
func (s *site) kill(d disturbance, name string, p *producer) {
	s.t.Helper()
	var roles []string
	switch d.Victim {
	case aProcess, aSink:
		roles = []string{name}
	case allRoles, everything:
		roles = s.names()
	}
	if d.Victim == aProducer || d.Victim == everything {
		p.kill()
	}
	for _, name := range roles {
		s.roles[name].cmd.Process.Signal(syscall.SIGKILL)
	}
	down := s.cmd != nil && (d.Victim == theBase || d.Victim == theUp || d.Victim == everything)
	switch {
	case down:
		s.stop(syscall.SIGKILL)
	case d.Victim == theEngine:
		s.killEngine()
		down = true
	case d.Victim == theNode:
		s.c.node.Kill()
	}
	time.Sleep(d.Away)
	if d.Victim == theNode {
		s.c.node.Restart()
	}
	if down {
		s.startBase()
	}
	for _, name := range roles {
		<-s.roles[name].ended
		s.startRole(name)
	}
}

// killEngine ends the engine alone, upon which the process it belongs to ends by itself.
func (s *site) killEngine() {
	s.t.Helper()
	if out, err := exec.Command("pkill", "-KILL", "-P", strconv.Itoa(s.cmd.Process.Pid)).CombinedOutput(); err != nil {
		s.t.Fatalf("the engine: %v %s", err, out)
	}
	s.poll("the end of who has lost its engine", func() bool { return over(s.ended) })
}

// leave kills or pauses a role, lets the others do its work until they have taken over, and brings it back.
func (s *site) leave(how, name string, p *producer) (took time.Duration) {
	s.t.Helper()
	victim := s.roles[name]
	lost := victim.tasks()
	began := time.Now()
	if how == paused {
		victim.signal(syscall.SIGSTOP)
	} else {
		victim.signal(syscall.SIGKILL)
	}
	others := slices.DeleteFunc(s.names(), func(other string) bool { return other == name })
	s.poll("tasks taken over", func() bool {
		var left bool
		took, left = 0, false
		for task := range lost {
			at := time.Time{}
			for _, other := range others {
				at = later(at, s.roles[other].tookUp(task, began))
			}
			left = left || at.IsZero()
			took = max(took, at.Sub(began))
		}
		return !left && len(lost) > 0 || over(p.ended) // a sink has no tasks
	})
	if how == paused {
		victim.signal(syscall.SIGCONT)
	} else {
		s.startRole(name)
	}
	return max(0, took.Round(10*time.Millisecond))
}

// tasks are those the role has now.
func (r *role) tasks() map[string]bool {
	held := map[string][]int{}
	for _, l := range r.logged() {
		if l.Msg == "tasks of this process" {
			held[l.Stage] = l.Tasks
		}
	}
	all := map[string]bool{}
	for stage, tasks := range held {
		for _, i := range tasks {
			all[fmt.Sprint(stage, "/", i)] = true
		}
	}
	return all
}

// tookUp is when the role took up a task since a moment, zero if it has not.
func (r *role) tookUp(task string, since time.Time) time.Time {
	for _, l := range r.logged() {
		if l.Msg == "took up task" && l.Time.After(since) && fmt.Sprint(l.Stage, "/", l.Task) == task {
			return l.Time
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// awaitDeath returns true when the process has died where it was told to, and starts it again; false if the work was done before.
func (s *site) awaitDeath(name string, p *producer) bool {
	s.t.Helper()
	cmd, ended := s.processOf(name)
	s.poll(name+" dead or the work done", func() bool { return over(ended) || over(p.ended) })
	if s.disarm(name) && !over(ended) {
		return false
	}
	s.poll(name+" dead", func() bool { return over(ended) })
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		s.t.Fatalf("%s ended by itself: %v", name, cmd.ProcessState)
	}
	if name == theUp {
		s.startBase()
	} else {
		s.startRole(name)
	}
	return true
}

func (s *site) processOf(name string) (*exec.Cmd, chan struct{}) {
	if name == theUp {
		return s.cmd, s.ended
	}
	return s.roles[name].cmd, s.roles[name].ended
}

func (s *site) stopOne(name string, signal syscall.Signal) {
	if name == theUp {
		s.stop(signal)
	} else {
		s.roles[name].signal(signal)
	}
}

// startOne starts a process, and does not wait until it works.
func (s *site) startOne(name string) {
	s.t.Helper()
	if name == theUp {
		s.launchBase()
	} else {
		s.startRole(name)
	}
}

// unharmed makes sure that nothing has died or complained that was not told to.
func (s *site) unharmed() {
	s.t.Helper()
	if s.cmd != nil && over(s.ended) {
		s.t.Fatalf("%v ended by itself: %v", s.cmd.Args[1:], s.cmd.ProcessState)
	}
	for name, r := range s.roles {
		if over(r.ended) {
			s.t.Fatalf("%s ended by itself: %v", name, r.cmd.ProcessState)
		}
		for _, l := range r.logged() {
			if l.Level == "ERROR" {
				s.t.Fatalf("%s: %s", name, l.raw)
			}
		}
	}
}

// compare holds the views against those of the run that nothing disturbed, and ends the leg if they differ.
func (s *site) compare(w *world, i int) (equal bool) {
	s.t.Helper()
	got, different := s.hashes(), ""
	for view, want := range w.want[i] {
		if got[view] != want {
			different += fmt.Sprintf(" %s (%d rows, not %d)", view, got[view].Rows, want.Rows)
		}
	}
	if different == "" && len(got) == len(w.want[i]) {
		return true
	}
	s.t.Errorf("after round %d other views than undisturbed:%s\n%s", i+1, different, clickhouse.Diff(w.rows(s.t, i), s.views(), 5))
	s.t.FailNow()
	return false
}

// patience bounds every waiting.
const patience = 3 * time.Minute

func (s *site) poll(what string, done func() bool) {
	s.t.Helper()
	for began := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			s.t.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
