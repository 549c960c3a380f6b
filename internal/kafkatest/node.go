package kafkatest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// Node is one JVM.
type Node struct {
	// Addr is the address for clients, Proxy what stands there if the cluster is proxied.
	Addr  string
	Proxy *Proxy

	t                          testing.TB
	java                       java
	id                         int
	dir                        string
	listen, inside, controller string // addresses
	cmd                        *exec.Cmd
	ended                      chan struct{}
}

// startWithin bounds how long a JVM may take until it answers.
const startWithin = 2 * time.Minute

// ID is the node's number, from 1 on.
func (n *Node) ID() int { return n.id }

func (n *Node) file(name ...string) string {
	return filepath.Join(append([]string{n.dir}, name...)...)
}

// format makes the node's storage.
func (n *Node) format(cfg Config) error {
	args := []string{"kafka.tools.StorageTool", "format", "-t", uuid(), "-c", n.file("server.properties")}
	if cfg.Secure {
		args = append(args, scramUsers()...)
	}
	if out, err := n.java.command(args...).CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage: %w\n%s", err, out)
	}
	return nil
}

var nodeOwn = regexp.MustCompile(`(?m)^(node\.id|directory\.id)=.*$`)

// formatLike copies the fresh storage of another node, under the node's own name: that takes no second, as a JVM does.
func (n *Node) formatLike(other *Node) error {
	if err := os.CopyFS(n.file("log"), os.DirFS(other.file("log"))); err != nil {
		return err
	}
	meta := n.file("log", "meta.properties")
	text, err := os.ReadFile(meta)
	if err != nil {
		return err
	}
	text = append(nodeOwn.ReplaceAll(text, nil), fmt.Appendf(nil, "\nnode.id=%d\ndirectory.id=%s\n", n.id, uuid())...)
	return os.WriteFile(meta, text, 0o644)
}

// start starts the JVM.
func (n *Node) start(flags ...string) error {
	n.cmd = n.java.command(append(flags, "kafka.Kafka", n.file("server.properties"))...)
	n.cmd.Dir = n.dir
	var output bytes.Buffer
	n.cmd.Stdout, n.cmd.Stderr = &output, &output
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start Apache Kafka: %w", err)
	}
	n.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { cmd.Wait(); close(ended) }(n.cmd, n.ended)
	return nil
}

// ready returns when the node takes part in the cluster and knows that many nodes, itself included.
func (n *Node) ready(nodes int) error {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	for {
		known, err := n.knows(ctx)
		if err == nil && len(known) >= nodes && slices.Contains(known, n.id) {
			return nil
		}
		select {
		case <-n.ended:
			return fmt.Errorf("node at %s ended: %v\n%s", n.listen, n.cmd.ProcessState, n.cmd.Stdout)
		case <-ctx.Done():
			return fmt.Errorf("node at %s knows nodes %v: %w", n.listen, known, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// knows lists the nodes that this one takes for alive.
func (n *Node) knows(ctx context.Context) (ids []int, err error) {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := kafka.Client{Addr: kafka.TCP(n.inside), Transport: transport, Timeout: 2 * time.Second}
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	if err != nil {
		return nil, err
	}
	for _, b := range res.Brokers {
		ids = append(ids, b.ID)
	}
	return ids, nil
}

// Kill ends the node without warning and waits for its end.
func (n *Node) Kill() { n.signal(syscall.SIGKILL) }

// Stop ends the node in order: leaders move first, if there are others.
func (n *Node) Stop() { n.signal(syscall.SIGTERM) }

func (n *Node) signal(s syscall.Signal) {
	n.cmd.Process.Signal(s)
	<-n.ended
}

// Pause makes the node stand still, with all its connections, until Resume.
func (n *Node) Pause() { n.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused node go on.
func (n *Node) Resume() { n.cmd.Process.Signal(syscall.SIGCONT) }

// Launch starts a node that was killed or stopped, on its data. It does not wait for it.
func (n *Node) Launch() {
	n.t.Helper()
	if err := n.start(); err != nil {
		n.t.Fatal(err)
	}
}

// AwaitReady returns when the node takes part in the cluster. After a kill this takes until the cluster has missed its former self for
// broker.session.timeout.ms, 9 s.
func (n *Node) AwaitReady() {
	n.t.Helper()
	if err := n.ready(1); err != nil {
		n.t.Fatal(err)
	}
}

// Restart starts a node that was killed or stopped, and returns when it takes part again.
func (n *Node) Restart() {
	n.t.Helper()
	n.Launch()
	n.AwaitReady()
}
