// Package kafkatest gives tests a real Apache Kafka: the broker's jars from Maven Central, one JVM a node, on loopback.
package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

//go:embed pom.xml
var pom []byte

// Version of the broker.
var Version = string(regexp.MustCompile(`kafka_2\.13</artifactId><version>([^<]+)`).FindSubmatch(pom)[1])

// Cluster is a set of nodes, each broker and controller.
type Cluster struct {
	// Brokers are the addresses of all nodes, host:port.
	Brokers []string
	Nodes   []*Node
}

// ListenAddrs are the addresses of all nodes.
func (c *Cluster) ListenAddrs() []string { return c.Brokers }

// Node is one JVM.
type Node struct {
	t          testing.TB
	libs, dir  string
	addr       string
	cmd        *exec.Cmd
	ended      chan struct{}
	properties string
}

// startWithin bounds how long a JVM may take until it answers.
const startWithin = 2 * time.Minute

// Start starts a cluster and returns when it answers. It ends with the test. Without Java or Maven it skips the test, or fails it if
// CORRIDORWATCH_REQUIRE_ALL=1.
func Start(t testing.TB, nodes int) *Cluster {
	t.Helper()
	libs, err := jars()
	if err != nil {
		if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ports := freePorts(t, 2*nodes)
	var voters []string
	for i := range nodes {
		voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", i+1, ports[2*i+1]))
	}
	c := &Cluster{}
	id := uuid()
	for i := range nodes {
		n := &Node{t: t, libs: libs, dir: t.TempDir(), addr: fmt.Sprintf("127.0.0.1:%d", ports[2*i])}
		n.properties = filepath.Join(n.dir, "server.properties")
		if err := os.WriteFile(n.properties, []byte(properties(i+1, nodes, n.addr, ports[2*i+1], voters, filepath.Join(n.dir, "log"))), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := n.java("-Xmx128m", "kafka.tools.StorageTool", "format", "-t", id, "-c", n.properties).CombinedOutput(); err != nil {
			t.Fatalf("format the storage of node %d: %v\n%s", i+1, err, out)
		}
		c.Nodes, c.Brokers = append(c.Nodes, n), append(c.Brokers, n.addr)
	}
	for _, n := range c.Nodes {
		n.launch()
		t.Cleanup(n.Kill)
	}
	for _, n := range c.Nodes {
		n.await()
	}
	return c
}

func properties(id, nodes int, addr string, controller int, voters []string, logs string) string {
	copies := strconv.Itoa(min(nodes, 3))
	inSync := strconv.Itoa(max(1, min(nodes, 3)-1))
	return strings.NewReplacer("{id}", strconv.Itoa(id), "{addr}", addr, "{controller}", strconv.Itoa(controller),
		"{voters}", strings.Join(voters, ","), "{logs}", logs, "{copies}", copies, "{insync}", inSync).Replace(`process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{addr},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{addr}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={logs}
default.replication.factor={copies}
min.insync.replicas={insync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={insync}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={insync}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`)
}

func (n *Node) java(args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-cp", filepath.Join(n.libs, "*")}, args...)...)
	cmd.Dir = n.dir
	return cmd
}

func (n *Node) launch() {
	n.t.Helper()
	n.cmd = n.java("-Xms128m", "-Xmx512m", "kafka.Kafka", n.properties)
	var output bytes.Buffer
	n.cmd.Stdout, n.cmd.Stderr = &output, &output
	if err := n.cmd.Start(); err != nil {
		n.t.Fatalf("start Apache Kafka: %v", err)
	}
	n.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { cmd.Wait(); close(ended) }(n.cmd, n.ended)
}

func (n *Node) await() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	client := kafka.Client{Addr: kafka.TCP(n.addr), Timeout: 2 * time.Second}
	for {
		res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
		if err == nil && len(res.Brokers) > 0 {
			return
		}
		select {
		case <-n.ended:
			n.t.Fatalf("Apache Kafka at %s ended: %v\n%s", n.addr, n.cmd.ProcessState, n.cmd.Stdout)
		case <-ctx.Done():
			n.t.Fatalf("Apache Kafka at %s does not answer: %v", n.addr, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Kill ends the node without warning and waits for its end.
func (n *Node) Kill() { n.signal(syscall.SIGKILL) }

// Stop ends the node in order: leaders move first, if there are others.
func (n *Node) Stop() { n.signal(syscall.SIGTERM) }

func (n *Node) signal(s syscall.Signal) {
	n.cmd.Process.Signal(s)
	<-n.ended
}

// Restart starts a node that was killed or stopped, on its data, and returns when it answers.
func (n *Node) Restart() {
	n.t.Helper()
	n.launch()
	n.await()
}

// freePorts are ports that nobody listens on now. The broker cannot choose its own, since the nodes must know each other's.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// jars returns the directory of the broker's jars, which Maven fetches once per user.
func jars() (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", errors.New("java is not installed (Debian package default-jre-headless): no Apache Kafka")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "corridorwatch", "apache-kafka", Version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", errors.New("mvn is not installed (Debian package maven): no Apache Kafka")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	project, libs := filepath.Join(temp, "pom.xml"), filepath.Join(temp, "libs")
	if err := os.WriteFile(project, pom, 0o644); err != nil {
		return "", err
	}
	out, err := exec.Command("mvn", "-B", "-q", "-f", project, "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+libs).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("fetch Apache Kafka %s with Maven: %w\n%s", Version, err, out)
	}
	if err := os.Rename(libs, dir); err != nil {
		if _, other := os.Stat(dir); other == nil {
			return dir, nil // another test was faster
		}
		return "", err
	}
	return dir, nil
}

// uuid makes a cluster id as Kafka writes them: 16 random bytes in URL-safe base64.
func uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] &= 0x7f // never a leading dash
	return base64.RawURLEncoding.EncodeToString(b)
}
