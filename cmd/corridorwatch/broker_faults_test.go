package main

import (
	"flag"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

var allFaults = flag.Bool("all-faults", false, "TestLongBrokerFaults: also those that take long, with the brokers' own timeouts")

// brokerFault is what happens to a cluster while events flow.
type brokerFault struct {
	name   string
	strike func(*faulty)
	// hold returns when the fault has lasted long enough.
	hold func(*faulty)
	mend func(*faulty)
	long bool
}

var brokerFaults = []brokerFault{
	{
		name:   "leaders move",
		strike: func(f *faulty) { f.note("%d leaders moved", f.cluster.MoveLeaders()) },
	},
	{
		name:   "produced, and the answers lost",
		strike: func(f *faulty) { f.proxies(func(p *kafkatest.Proxy) { p.LoseAnswers(int16(kmsg.Produce), 3) }) },
		hold: func(f *faulty) {
			lost := 0
			until(f.t, "answers are lost", func() (bool, error) {
				lost = 0
				f.proxies(func(p *kafkatest.Proxy) { lost += p.Lost() })
				return lost >= 3*3, nil
			})
			f.note("%d answers lost", lost)
		},
	},
	{
		name:   "one broker cut off from its clients",
		strike: func(f *faulty) { f.cluster.Nodes[0].Proxy.Cut() },
		hold:   (*faulty).untilSeen,
		mend:   func(f *faulty) { f.cluster.Nodes[0].Proxy.Heal() },
	},
	{
		name:   "slow network: 50 ms each way, 200 KB/s a connection",
		strike: func(f *faulty) { f.proxies(func(p *kafkatest.Proxy) { p.Slow(50*time.Millisecond, 200_000) }) },
		hold:   (*faulty).untilItGoesOn,
		mend:   func(f *faulty) { f.proxies((*kafkatest.Proxy).Heal) },
	},
	{
		name:   "silent network to one broker",
		strike: func(f *faulty) { f.cluster.Nodes[1].Proxy.Silence() },
		hold:   (*faulty).untilSeen,
		mend:   func(f *faulty) { f.cluster.Nodes[1].Proxy.Heal() },
		long:   true,
	},
	{
		name:   "a broker ends in order, and returns",
		strike: func(f *faulty) { f.cluster.Nodes[2].Stop() },
		hold:   (*faulty).untilItGoesOn,
		mend:   func(f *faulty) { f.cluster.Nodes[2].Restart() },
		long:   true,
	},
	{
		name:   "a broker stands still for longer than its session, and wakes",
		strike: func(f *faulty) { f.cluster.Nodes[0].Pause() },
		hold:   (*faulty).untilItGoesOn,
		mend:   func(f *faulty) { f.cluster.Nodes[0].Resume(); f.cluster.Nodes[0].AwaitReady() },
		long:   true,
	},
	{
		name: "min.insync.replicas is not met, and met again",
		strike: func(f *faulty) {
			f.cluster.SetTopics("min.insync.replicas", "3")
			f.cluster.Nodes[1].Kill()
		},
		hold: func(f *faulty) {
			until(f.t, "the replicas are missed", func() (bool, error) { return f.saw("in-sync"), nil })
		},
		mend: func(f *faulty) {
			f.cluster.Nodes[1].Restart()
			f.pulse.goesOn(time.Now())
			f.cluster.SetTopics("min.insync.replicas", "2")
		},
		long: true,
	},
	{
		name:   "a broker is killed, and returns",
		strike: func(f *faulty) { f.cluster.Nodes[1].Kill() },
		hold:   (*faulty).untilItGoesOn,
		mend:   func(f *faulty) { f.cluster.Nodes[1].Restart() },
	},
	{
		name: "two of three brokers are killed, and return",
		strike: func(f *faulty) {
			f.cluster.Nodes[0].Kill()
			f.cluster.Nodes[2].Kill()
		},
		hold: (*faulty).untilSeen,
		mend: func(f *faulty) {
			f.cluster.Nodes[0].Launch()
			f.cluster.Nodes[2].Restart()
			f.cluster.Nodes[0].AwaitReady()
		},
	},
}

// faulty is an installation on a cluster of three, through which events flow.
type faulty struct {
	*fleet
	cluster *kafkatest.Cluster
	flow    *flow
	pulse   *pulse
	table   *tabwriter.Writer

	t      *testing.T // of the fault
	struck time.Time
	notes  []string
}

func (f *faulty) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

func (f *faulty) proxies(do func(*kafkatest.Proxy)) {
	for _, n := range f.cluster.Nodes {
		do(n.Proxy)
	}
}

// seen is the first warning since the fault, of any process.
func (f *faulty) seen() (first logLine, by string) {
	for _, r := range f.roles {
		for _, l := range r.logged() {
			if (l.Level == "WARN" || l.Level == "ERROR") && l.Time.After(f.struck) && (by == "" || l.Time.Before(first.Time)) {
				first, by = l, r.name
			}
		}
	}
	return first, by
}

// saw tells whether any process has warned of this since the fault.
func (f *faulty) saw(what string) bool {
	for _, r := range f.roles {
		for _, l := range r.logged() {
			if l.Level == "WARN" && l.Time.After(f.struck) && strings.Contains(l.raw, what) {
				return true
			}
		}
	}
	return false
}

func (f *faulty) untilSeen() {
	until(f.t, "the fault is seen", func() (bool, error) { _, by := f.seen(); return by != "", nil })
}

// untilItGoesOn returns when stage time has advanced several times, under the fault.
func (f *faulty) untilItGoesOn() {
	at := time.Now()
	for range 3 {
		at = f.pulse.goesOn(at)
	}
	f.note("goes on meanwhile")
}

// TestLongBrokerFaults lets events flow through the program and three nodes of Apache Kafka, each behind a proxy, while leaders move, answers
// are lost, the network is cut and brokers die; and through the embedded broker while its disk is full. In the end the views are those of a run
// that was not disturbed, and the audit is clean. 'make faults' adds those that take longer.
func TestLongBrokerFaults(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	whole := newProgram(t)
	more := []string{"--duplicates", "0.02", "--shuffle", "10m"}
	if *allFaults {
		more = append(more, "--days", "4", "--trains", "2", "--interval", "1m")
	}
	world := whole.world(more...)
	s := whole.up("--time", "data")
	s.run("ingest", "--wait", "--beyond", "24h", world)
	want := s.views()
	s.stop(syscall.SIGTERM)
	t.Run("full disk of the embedded broker", func(t *testing.T) { fullDisk(t, world, want) })
	t.Run("three nodes", func(t *testing.T) { threeNodes(t, whole, world, want) })
}

func threeNodes(t *testing.T, whole *program, world string, want map[string][]string) {
	cfg := kafkatest.Config{Nodes: 3, Proxied: true}
	if !*allFaults { // a cluster takes 9 s by itself until it misses a broker that was killed
		cfg.Settings = map[string]string{"broker.session.timeout.ms": "4000", "broker.heartbeat.interval.ms": "500"}
	}
	f := &faulty{cluster: kafkatest.StartConfig(t, cfg)}
	brokers := envPrefix + "BROKERS=" + strings.Join(f.cluster.Brokers, ",")
	whole.env = append(whole.env, brokers)
	whole.run("topics", "apply", "--replication", "3", "--time", "data")
	f.fleet = newFleet(t, brokers, envPrefix+"CHECKPOINT_EVERY=500ms")
	p1, p2, sink := f.start("process"), f.start("process"), f.start("sink")
	for _, r := range []*role{p1, p2, sink} {
		r.awaitReady()
	}
	perSecond := 50 // so that the world lasts for as long as the faults do
	if *allFaults {
		perSecond = 150
	}
	f.flow, f.pulse = f.fleet.flow(world, perSecond), takePulse(t, len(stageNames())*4, p1.url("/metrics"), p2.url("/metrics"))
	var report strings.Builder
	f.table = tabwriter.NewWriter(&report, 0, 0, 2, ' ', 0)
	for _, fault := range brokerFaults {
		if fault.long && !*allFaults {
			continue
		}
		t.Run(fault.name, func(t *testing.T) { f.suffer(t, fault) })
		if t.Failed() {
			return
		}
	}
	f.table.Flush()
	t.Logf("\n%s", report.String())
	f.flow.end()
	sameViews(t, "after the faults", f.views(), want)
	f.run("audit")
}

// suffer strikes, mends, and tells what was seen and how long nothing went on.
func (f *faulty) suffer(t *testing.T, fault brokerFault) {
	f.t, f.notes = t, nil
	f.pulse.goesOn(time.Now())
	f.struck = time.Now()
	fault.strike(f)
	if fault.hold != nil {
		fault.hold(f)
	}
	held := time.Since(f.struck)
	if fault.mend != nil {
		fault.mend(f)
	}
	mended := time.Now()
	on := f.pulse.goesOn(mended)
	seen := "nothing"
	if l, by := f.seen(); by != "" {
		seen = fmt.Sprintf("after %s by %s: %s", l.Time.Sub(f.struck).Round(time.Millisecond), by, l.raw)
	}
	t.Logf("seen %s", seen)
	fmt.Fprintf(f.table, "%s\theld %s\tstood still %s\twent on %s after it was mended\t%s\n", fault.name, held.Round(time.Millisecond),
		f.pulse.standstill(f.struck, on).Round(time.Millisecond), on.Sub(mended).Round(time.Millisecond), strings.Join(f.notes, ", "))
}
