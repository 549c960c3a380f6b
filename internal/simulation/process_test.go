package simulation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
)

const sessionTimeout = 1500 * time.Millisecond

// role is what a process does, until ctx ends.
type role func(ctx context.Context, p *process) error

// slot is a place for a process: when one ends, another is started there.
type slot struct {
	name  string
	sim   *sim
	roles []role
	once  bool // the process has something to do and is done then

	mu      sync.Mutex
	counts  map[string]int // requests so far, by class
	version int            // of the stages' logic
	current *process
	all     []*process
}

// process is one life of a program: its connections end with it, and nothing it does afterwards reaches anybody.
type process struct {
	sim    *sim
	slot   *slot
	number int
	log    *kafkalog.Client
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	gone   chan struct{} // closed when another may be started in its place
	goOnce sync.Once
	err    error

	mu     sync.Mutex
	dead   bool
	asleep time.Time // until then it is frozen
	conns  map[*conn]bool
}

// start begins a process.
func (s *slot) start(number int) *process {
	p := &process{sim: s.sim, slot: s, number: number, done: make(chan struct{}), gone: make(chan struct{}), conns: map[*conn]bool{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.open()
	s.mu.Lock()
	s.current, s.all = p, append(s.all, p)
	s.mu.Unlock()
	p.logger().Info("start", "logic", s.version)
	go p.run()
	return p
}

func (p *process) open() {
	p.log = kafkalog.New(kafkalog.Config{Brokers: []string{broker}, ClientID: p.slot.name, Log: p.logger(), Dial: p.dial})
}

// run plays all roles until one ends with an error, or all have ended.
func (p *process) run() {
	defer close(p.done)
	defer p.leave()
	var all sync.WaitGroup
	errs := make([]error, len(p.slot.roles))
	for i, r := range p.slot.roles {
		all.Go(func() {
			if errs[i] = r(p.ctx, p); errs[i] != nil {
				p.cancel()
			}
		})
	}
	all.Wait()
	p.log.Close()
	p.cancel()
	p.err = errors.Join(errs...)
	p.logger().Info("end", "err", p.err)
}

func (p *process) leave() { p.goOnce.Do(func() { close(p.gone) }) }

// kill ends the process at once, wherever it is.
func (p *process) kill() {
	p.mu.Lock()
	conns := p.conns
	p.dead, p.conns = true, nil
	p.mu.Unlock()
	p.logger().Info("kill")
	for c := range conns {
		c.die()
	}
	p.cancel()
	p.leave()
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// strike does to the process what f says; a pause is to be waited for.
func (p *process) strike(f fault) (wait time.Duration) {
	switch f.kind {
	case "stop":
		p.cancel()
	case "upgrade":
		p.slot.mu.Lock()
		p.slot.version = p.sim.newVersion()
		p.slot.mu.Unlock()
		p.cancel()
	case "pause":
		p.mu.Lock()
		p.asleep = time.Now().Add(f.lasts)
		p.mu.Unlock()
		if !p.slot.once {
			p.leave() // somebody else takes over meanwhile
		}
		return f.lasts
	}
	return 0
}

// dialStore connects a process to ClickHouse.
func (p *process) dialStore(ctx context.Context, address string) (net.Conn, error) {
	to, err := p.connect(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: to, p: p, plain: true}
	if !p.hold(c) {
		to.Close()
		return nil, errCut
	}
	return c, nil
}

// frozen is how long the process is still paused.
func (p *process) frozen() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asleep.IsZero() {
		return 0
	}
	return max(0, time.Until(p.asleep))
}

// hold and letGo say whose connection it is.
func (p *process) hold(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.conns[c] = true
	}
	return !p.dead
}

func (p *process) letGo(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.conns[c]
	delete(p.conns, c)
	return held
}

// connect opens a connection in the virtual network. To the dead nobody answers.
func (p *process) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if p.isDead() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Second):
			return nil, errCut
		}
	}
	time.Sleep(p.frozen())
	return p.sim.network.DialContext(ctx, network, address)
}

func (p *process) logger() *slog.Logger {
	return p.sim.log.With("process", fmt.Sprintf("%s.%d", p.slot.name, p.number))
}

// stages runs stages, alone or sharing their tasks with other processes.
func stages(run func(context.Context, stream.Config, []stream.Stage) error) role {
	return func(ctx context.Context, p *process) error {
		return run(ctx, stream.Config{
			Log: p.log, Prefix: prefix, Partitions: partitions, Catalogue: "sim", Logger: p.logger(),
			SessionTimeout: sessionTimeout, CheckpointEvery: 400 * time.Millisecond, WholeBytes: 1,
		}, p.sim.stages(p.slot.version))
	}
}

// sinks runs the sink, alone or sharing the partitions with other processes.
func sinks(run func(context.Context, sink.Config) error) role {
	return func(ctx context.Context, p *process) error { return runSink(ctx, p, run) }
}

func runSink(ctx context.Context, p *process, run func(context.Context, sink.Config) error) error {
	conn, err := ch.Open(&ch.Options{
		Addr: []string{storeAddr}, Protocol: ch.HTTP, Auth: ch.Auth{Database: database}, MaxOpenConns: 50,
		HttpHeaders: map[string]string{processHeader: fmt.Sprintf("%s %d", p.slot.name, p.number)},
		DialContext: func(ctx context.Context, addr string) (net.Conn, error) { return p.dialStore(ctx, addr) },
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	cfg := sink.Config{
		Log: p.log, Conn: conn, Prefix: prefix, Database: database, Partitions: partitions, FlushEvery: 500 * time.Millisecond, Logger: p.logger(),
		SessionTimeout: sessionTimeout,
	}
	if plant := p.sim.plant.conn; plant != nil {
		cfg.Conn = plant(p, conn)
	}
	return run(ctx, cfg)
}

// processHeader tells the store whose insert it is.
const processHeader = "X-Process"

// supersededText is how a task says that another process has it now: no error where two run at once.
const supersededText = "another process has taken up this task"

// keepRunning starts a process in the slot again and again until ctx ends; then all that still run are stopped in order.
func (s *slot) keepRunning(ctx context.Context) {
	defer s.stop()
	for n := 1; ctx.Err() == nil && !(s.once && s.sim.fed()); n++ {
		p := s.start(n)
		s.sim.processes.Go(func() { <-p.done; s.ended(p) })
		select {
		case <-p.gone:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(time.Duration(50+100*(n%4)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (s *slot) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		p.cancel()
	}
}

// ended judges how a process ended that was not killed.
func (s *slot) ended(p *process) {
	if p.err == nil || p.isDead() || strings.Contains(p.err.Error(), supersededText) || errors.Is(p.err, context.Canceled) {
		return
	}
	s.sim.report(fmt.Errorf("process %s.%d ended: %w", s.name, p.number, p.err))
}
