package kafkatest

import (
	"fmt"
	"os"
	"syscall"
)

// makeArchive writes the broker's classes as a JVM has them in memory: with them a node takes 3 s of CPU time to start, without 5 s. A
// JVM that they do not fit goes without. It is done once per user, by a JVM at its orderly end.
func (j java) makeArchive(path string) error {
	temp, err := os.MkdirTemp(j.libs, "archive-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	n := &Node{java: j, id: 1, dir: temp, Addr: local(ports[0]), listen: local(ports[0]), inside: local(ports[1]), controller: local(ports[2])}
	cfg := Config{Nodes: 1}
	if err := n.configure(cfg, []*Node{n}); err != nil {
		return err
	}
	if err := n.format(cfg); err != nil {
		return err
	}
	if err := n.start("-XX:ArchiveClassesAtExit=" + n.file("classes.jsa")); err != nil {
		return err
	}
	defer n.signal(syscall.SIGKILL)
	if err := n.ready(1); err != nil {
		return err
	}
	n.signal(syscall.SIGTERM)
	if err := os.Rename(n.file("classes.jsa"), path); err != nil {
		return fmt.Errorf("the JVM left no archive: %w", err)
	}
	return nil
}
