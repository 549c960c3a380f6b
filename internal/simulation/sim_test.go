package simulation

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"corridorwatch/ingest"
	"corridorwatch/processors/border"
	"corridorwatch/processors/delay"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const (
	prefix     = "t"
	database   = "t"
	partitions = 2
	broker     = "localhost:9092"
	storeAddr  = "localhost:8123"
)

func inKafka(topic string) string { return schemas.InKafka(prefix, topic) }

// catalogue and the stages are made once: they do not change.
var (
	catalogue = sync.OnceValue(func() *network.Catalog {
		cat, err := network.Embedded()
		if err != nil {
			panic(err)
		}
		return cat
	})
	allStages = sync.OnceValue(func() []stream.Stage {
		return []stream.Stage{intake.Stage(catalogue(), intake.Config{}), dwell.Stage(catalogue()), border.Stage(catalogue()), delay.Stage(catalogue())}
	})
)

// spoken are the requests that the processes send. Each connection begins with the list of those that the broker takes: it is kept short.
var spoken = sync.OnceValue(func() *kversion.Versions {
	all, some := kversion.Stable(), new(kversion.Versions)
	for _, k := range []kmsg.Key{
		kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator, kmsg.JoinGroup,
		kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.SyncGroup, kmsg.ApiVersions, kmsg.DeleteRecords,
	} {
		if v, ok := all.LookupMaxKeyVersion(k.Int16()); ok {
			some.SetMaxKeyVersion(k.Int16(), v)
		}
	}
	return some
})

// plant is a bug put in on purpose.
type plant struct {
	stage   func(stream.Stage) stream.Stage
	produce func(p *process, request []byte) (pass, answer []byte) // pass nil: the broker does not get it, answer is what it says
	conn    func(p *process, c driver.Conn) driver.Conn
}

// sim is one run.
type sim struct {
	plant     plant
	network   virtualNetwork
	cluster   *kfake.Cluster
	store     *store
	log       *slog.Logger
	world     *world
	slots     []*slot
	processes sync.WaitGroup // have not ended
	late      sync.WaitGroup // requests on their way that nobody waits for

	mu       sync.Mutex
	faults   map[request]fault
	struck   []fault
	versions int
	feeding  bool // the events have not all been sent
	errs     []error
}

// outcome is what came out of a run.
type outcome struct {
	content  []string
	problems []string // what must not happen
	struck   []fault
	took     time.Duration // in virtual time
	records  int
}

// notUnderRace skips what simulates: with so many goroutines in a bubble the race detector's own runtime gives up
// ("ThreadSanitizer: CHECK failed"). What is simulated is tested under it in its own package.
func notUnderRace(t *testing.T) {
	if underRace {
		t.Skip("the race detector cannot follow a simulation")
	}
}

// simulate runs a case in a bubble.
func (c testCase) simulate(t *testing.T, pl plant, log *slog.Logger) (o outcome) {
	return c.simulateWith(t, pl, log, func(*sim) {})
}

// simulateWith lets prepare look at the run before it begins.
func (c testCase) simulateWith(t *testing.T, pl plant, log *slog.Logger, prepare func(*sim)) (o outcome) {
	synctest.Test(t, func(*testing.T) {
		s := &sim{plant: pl, log: log, store: newStore(), world: newWorld(c.world), faults: map[request]fault{}, feeding: true}
		for i := len(s.world.events) - 1; i >= 0; i-- {
			if c.without[i] {
				s.world.events = slices.Delete(s.world.events, i, i+1)
			}
		}
		for _, f := range c.faults {
			s.faults[request{f.slot, f.class, f.nth}] = f
		}
		prepare(s)
		o = s.run(c.deployment)
	})
	return o
}

func (s *sim) run(deployed string) (o outcome) {
	began := time.Now()
	stop := s.serve()
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	var slots sync.WaitGroup
	for _, d := range deploymentOf(deployed).slots {
		sl := &slot{name: d.name, sim: s, roles: d.roles, once: d.once, counts: map[string]int{}}
		s.slots = append(s.slots, sl)
	}
	for _, sl := range s.slots {
		slots.Go(func() { sl.keepRunning(ctx) })
	}
	if s.await("the events to be sent", time.Minute, func() (bool, <-chan struct{}) { return s.fed(), nil }) {
		s.settle()
	}
	cancel()
	slots.Wait()
	s.processes.Wait()
	s.late.Wait()
	o = outcome{content: s.store.content(), struck: s.struck, took: time.Since(began)}
	o.records = s.checkLogs()
	for _, err := range s.errs {
		o.problems = append(o.problems, err.Error())
	}
	return o
}

// settle lets everything come to rest without further faults: the closing tick is sent when nothing is on its way any more. What was
// sent last is folded and stored before that.
func (s *sim) settle() {
	time.Sleep(1200 * time.Millisecond)
	s.mu.Lock()
	s.faults = nil
	s.mu.Unlock()
	s.late.Wait()
	for _, sl := range s.slots {
		sl.mu.Lock()
		wait := sl.current.frozen()
		sl.mu.Unlock()
		time.Sleep(wait)
	}
	closing := s.world.closing()
	if err := s.close(closing); err != nil {
		s.report(fmt.Errorf("send the closing tick: %w", err))
		return
	}
	done := s.await("the closing tick to come through", 90*time.Second, func() (bool, <-chan struct{}) {
		mark, changed := s.store.passed()
		return mark >= uint64(closing), changed
	})
	if !done {
		s.report(fmt.Errorf("behind: %s", strings.Join(s.store.behind(uint64(closing)), " ")))
	}
}

// await waits until it is so, or too long.
func (s *sim) await(what string, patience time.Duration, so func() (bool, <-chan struct{})) bool {
	end := time.After(patience)
	for {
		ok, changed := so()
		if ok {
			return true
		}
		var again <-chan time.Time
		if changed == nil {
			again = time.After(100 * time.Millisecond)
		}
		select {
		case <-changed:
		case <-again:
		case <-end:
			s.report(fmt.Errorf("waited %v in vain for %s", patience, what))
			return false
		}
	}
}

// serve starts the broker and ClickHouse.
func (s *sim) serve() (stop func()) {
	seeds := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(s.network.Listen), kfake.GroupMinSessionTimeout(time.Second),
		kfake.MaxVersions(spoken()),
	}
	for _, t := range schemas.Topics {
		seeds = append(seeds, kfake.SeedTopics(int32(t.Partitions(partitions)), inKafka(t.Name)))
	}
	var err error
	if s.cluster, err = kfake.NewCluster(seeds...); err != nil {
		panic(err)
	}
	s.store.before = s.befallsInsert
	listener, err := s.network.Listen("tcp", storeAddr)
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: s.store, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go server.Serve(listener)
	return func() {
		s.cluster.Close()
		server.Close()
		time.Sleep(30 * time.Second) // what still waits in the network ends by itself
	}
}

// feed is the producer: it sends the events, pausing now and then. Stopped half-way, the next one sends all of them again, as 'ingest'
// does: which event lies too far ahead can only be told of the whole input.
func feed(ctx context.Context, p *process) error {
	w := ingest.NewWriter(p.log, prefix, partitions)
	_, err := ingest.Events(ctx, w, p.sim.world.said(ctx), ingest.Options{DataTime: true, Beyond: p.sim.world.beyond})
	if err == nil && ctx.Err() == nil && !p.isDead() {
		p.sim.mu.Lock()
		p.sim.feeding = false
		p.sim.mu.Unlock()
	}
	return err
}

// said yields the events.
func (w *world) said(ctx context.Context) iter.Seq2[*pb.Event, error] {
	return func(yield func(*pb.Event, error) bool) {
		for i, ev := range w.events {
			if i%14 == 13 {
				time.Sleep(200 * time.Millisecond)
			}
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
	}
}

// closing is a tick behind all others.
func (w *world) closing() int64 {
	last := begin
	for _, ev := range w.events {
		last = max(last, ev.Time)
	}
	return (last/minuteMS+60)*minuteMS + w.beyond.Milliseconds()
}

// close sends the last tick.
func (s *sim) close(tick int64) error {
	p := &process{sim: s, slot: &slot{name: "closing", sim: s, counts: map[string]int{}}, conns: map[*conn]bool{}}
	p.ctx, p.cancel = context.WithTimeout(context.Background(), time.Minute)
	defer p.cancel()
	p.open()
	defer p.log.Close()
	w := ingest.NewWriter(p.log, prefix, partitions)
	w.Tick(tick)
	return w.Flush(p.ctx)
}

func (s *sim) fed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.feeding
}

func (s *sim) report(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Error("problem", "err", err)
	s.errs = append(s.errs, err)
}

// newVersion numbers the versions of the logic.
func (s *sim) newVersion() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions++
	return s.versions
}

// stages are all stages in a version of their logic; each new version changes one of them.
func (s *sim) stages(version int) []stream.Stage {
	out := slices.Clone(allStages())
	for v := 1; v <= version; v++ {
		out[v%len(out)].Logic = fmt.Sprintf("sim/%d", v)
	}
	if s.plant.stage != nil {
		for i := range out {
			out[i] = s.plant.stage(out[i])
		}
	}
	return out
}

// strikes counts a request and tells what befalls it.
func (s *sim) strikes(p *process, class string) (fault, bool) {
	p.slot.mu.Lock()
	p.slot.counts[class]++
	n := p.slot.counts[class]
	p.slot.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.faults[request{p.slot.name, class, n}]
	if ok {
		s.log.Info("fault", "fault", f.String(), "process", p.number)
		s.struck = append(s.struck, f)
	}
	return f, ok
}

// refusals are what a broker may answer: of the first it has done the work.
var refusals = map[string][]*kerr.Error{
	"produce": {kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.KafkaStorageError},
	"fetch":   {kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.OffsetNotAvailable, kerr.KafkaStorageError},
	"offsets": {kerr.NotLeaderForPartition, kerr.LeaderNotAvailable}, "delete": {kerr.NotLeaderForPartition, kerr.RequestTimedOut},
	"join": {kerr.NotCoordinator, kerr.CoordinatorLoadInProgress}, "sync": {kerr.RebalanceInProgress, kerr.IllegalGeneration},
	"heartbeat": {kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.NotCoordinator}, "commit": {kerr.RebalanceInProgress, kerr.NotCoordinator},
}

var keys = map[string]kmsg.Key{
	"produce": kmsg.Produce, "fetch": kmsg.Fetch, "offsets": kmsg.ListOffsets, "delete": kmsg.DeleteRecords, "join": kmsg.JoinGroup,
	"sync": kmsg.SyncGroup, "heartbeat": kmsg.Heartbeat, "commit": kmsg.OffsetCommit,
}

// refuse lets the broker refuse the next request of a class, whole or for one partition.
func (s *sim) refuse(f fault) {
	class := f.class
	if class == "checkpoint" {
		class = "produce"
	}
	errs := refusals[class]
	if len(errs) == 0 {
		return
	}
	of := kfake.Fault{Keys: []kmsg.Key{keys[class]}, Err: errs[f.nth%len(errs)], Count: 1}
	if n := int32(f.nth / len(errs) % 3); n < partitions && f.class == "produce" {
		of.Partitions = []int32{n}
	}
	s.cluster.Fault(of)
}

// befallsInsert is what becomes of an insert.
func (s *sim) befallsInsert(r *http.Request, _ string) (v verdict) {
	p := s.byHeader(r.Header.Get(processHeader))
	if p == nil {
		return v
	}
	f, strikes := s.strikes(p, "insert")
	if !strikes {
		return v
	}
	cut := func() { panic(http.ErrAbortHandler) }
	switch f.kind {
	case "refuse":
		v.refuse = true
	case "cut":
		cut()
	case "lost":
		v.after = cut
	case "late", "killlate":
		v.postpone = func(take func()) {
			s.late.Go(func() { time.Sleep(f.lasts); take() })
			if f.kind == "killlate" {
				p.kill()
			}
		}
	case "kill":
		p.kill()
		cut()
	case "killdone":
		v.after = func() { p.kill(); cut() }
	case "slow":
		time.Sleep(f.lasts)
	default:
		time.Sleep(p.strike(f))
	}
	return v
}

// byHeader is the process that sent a request, nil if it has ended.
func (s *sim) byHeader(name string) *process {
	for _, sl := range s.slots {
		sl.mu.Lock()
		p := sl.current
		sl.mu.Unlock()
		if p != nil && fmt.Sprintf("%s %d", sl.name, p.number) == name {
			return p
		}
	}
	return nil
}
