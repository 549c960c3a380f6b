// Package kafkatest gives tests a real Apache Kafka: the broker's jars from Maven Central, one JVM a node, on loopback. Between a node
// and its clients can stand a proxy that cuts, slows and loses what passes.
package kafkatest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"testing"
	"time"
)

// Config says what cluster a test wants.
type Config struct {
	Nodes int
	// Proxied puts a proxy before each node; clients are told its address.
	Proxied bool
	// Secure asks clients for a password, by PLAIN or SCRAM, and lets them do only what was granted: see User and Cluster.Allow.
	Secure bool
	// Settings are added to those of each node.
	Settings map[string]string
}

// Cluster is a set of nodes, each broker and controller.
type Cluster struct {
	// Brokers are the addresses for clients of all nodes, host:port.
	Brokers []string
	Nodes   []*Node
	t       testing.TB
}

// ListenAddrs are the addresses for clients of all nodes.
func (c *Cluster) ListenAddrs() []string { return c.Brokers }

// Inside are the addresses at which nobody is asked for a password.
func (c *Cluster) Inside() (addrs []string) {
	for _, n := range c.Nodes {
		addrs = append(addrs, n.inside)
	}
	return addrs
}

// Proxies are those before the nodes.
func (c *Cluster) Proxies() (all []*Proxy) {
	for _, n := range c.Nodes {
		all = append(all, n.Proxy)
	}
	return all
}

// Start starts a cluster and returns when it answers. It ends with the test. Without Java or Maven it skips the test, or fails it if
// CORRIDORWATCH_REQUIRE_ALL=1.
func Start(t testing.TB, nodes int) *Cluster {
	t.Helper()
	return StartConfig(t, Config{Nodes: nodes})
}

// StartConfig starts a cluster as Start does.
func StartConfig(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a JVM")
	}
	java, err := findJava()
	if err != nil {
		Missing(t, err)
	}
	began := time.Now()
	c := &Cluster{t: t}
	ports, err := freePorts(3 * cfg.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cfg.Nodes {
		n := &Node{t: t, java: java, id: i + 1, dir: t.TempDir(), listen: local(ports[3*i]), inside: local(ports[3*i+1]), controller: local(ports[3*i+2])}
		if n.Addr = n.listen; cfg.Proxied {
			n.Proxy = StartProxy(t, n.listen)
			n.Addr = n.Proxy.Addr()
		}
		c.Nodes, c.Brokers = append(c.Nodes, n), append(c.Brokers, n.Addr)
	}
	if err := c.start(cfg); err != nil {
		t.Fatal(err)
	}
	if _, test := t.(*testing.T); test { // what a benchmark logs stands among its results
		t.Logf("Apache Kafka %s: %d nodes up after %s", Version, cfg.Nodes, time.Since(began).Round(10*time.Millisecond))
	}
	return c
}

// Missing skips a test that lacks Apache Kafka, and fails it where all must be there.
func Missing(t testing.TB, why error) {
	t.Helper()
	if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func (c *Cluster) start(cfg Config) error {
	for i, n := range c.Nodes {
		if err := n.configure(cfg, c.Nodes); err != nil {
			return err
		}
		var err error
		if i == 0 {
			err = n.format(cfg)
		} else {
			err = n.formatLike(c.Nodes[0])
		}
		if err != nil {
			return fmt.Errorf("node %d: %w", n.id, err)
		}
	}
	for _, n := range c.Nodes {
		if err := n.start(); err != nil {
			return err
		}
		c.t.Cleanup(n.Kill)
	}
	for _, n := range c.Nodes {
		if err := n.ready(cfg.Nodes); err != nil {
			return err
		}
	}
	return nil
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// freePorts are ports that nobody listens on now, below those that the system gives to outgoing connections, so that a node that is
// down for a while gets its own again. The broker cannot choose: the nodes must know each other's.
func freePorts(n int) (ports []int, err error) {
	for range 100 * n {
		l, err := net.Listen("tcp", local(12_000+mathrand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		if ports = append(ports, l.Addr().(*net.TCPAddr).Port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("only %d of %d ports are free", len(ports), n)
}

// uuid makes an id as Kafka writes them: 16 random bytes in URL-safe base64.
func uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] &= 0x7f // never a leading dash
	return base64.RawURLEncoding.EncodeToString(b)
}
