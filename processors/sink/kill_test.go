package sink_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
)

// asChild in the environment makes the test binary a process that runs the sink and nothing else. Its standard output names each
// failpoint that is hit, and that the sink was woken again.
const asChild = "CORRIDORWATCH_TEST_SINK"

// childConfig is what such a process is told.
type childConfig struct {
	Brokers              []string
	ClickHouse, Database string
	Group                bool   // share the work
	Die, Sleep           string // failpoints: be killed, be stopped until woken
	After                int    // hits of the failpoint that pass
}

func child() {
	var cfg childConfig
	err := json.Unmarshal([]byte(os.Getenv(asChild)), &cfg)
	ctx := context.Background()
	var conn driver.Conn
	if err == nil {
		conn, err = clickhouse.Open(ctx, clickhouse.Config{Addr: cfg.ClickHouse, Database: cfg.Database})
	}
	if err == nil {
		run := sink.Run
		if cfg.Group {
			run = sink.RunGroup
		}
		err = run(ctx, sink.Config{
			Log:  kafkalog.New(kafkalog.Config{Brokers: cfg.Brokers, ClientID: "child", Log: slog.New(slog.DiscardHandler)}),
			Conn: conn, Prefix: prefix, Database: cfg.Database, Partitions: partitions, FlushEvery: 5 * time.Millisecond,
			Logger: slog.New(slog.DiscardHandler), SessionTimeout: sessionTimeout, Failpoint: cfg.failpoint,
		})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (cfg *childConfig) failpoint(name string) {
	signal := map[string]syscall.Signal{cfg.Die: syscall.SIGKILL, cfg.Sleep: syscall.SIGSTOP}[name]
	if signal != 0 && name != "" && cfg.After == 0 {
		fmt.Println(name)
		syscall.Kill(os.Getpid(), signal)
		fmt.Println("woken")
	}
	if signal != 0 {
		cfg.After--
	}
}

// TestKilled kills a process that runs the sink without warning, each time when another table shows the latest round: between the
// inserts of a flush, or between them and the offsets.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := within(t, 5*time.Minute)
	tables := []string{"train_events", "visits", "visits_history", "legs", "train_status"}
	const kills = 15
	cut := 0
	w.history(0, 1)
	for i := 1; i <= kills; i++ {
		w.history(i, i+1) // known at the mark of the round before
		process := w.startChild(ctx, childConfig{})
		w.await(ctx, process, fmt.Sprintf("SELECT max(known_at) >= fromUnixTimestamp64Milli(%d) FROM %s.%s", begin+int64(i-1)*hour, w.database, tables[i%len(tables)]))
		process.kill()
		if !w.stored(ctx) {
			cut++
		}
	}
	t.Logf("%d of %d kills came between rows and offsets", cut, kills)
	w.sinkTo(begin + kills*hour)
	got := w.dump()
	w.anew()
	equal(t, "after kills", got, w.sinkTo(begin+kills*hour))
}

type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	said   *bufio.Scanner
}

func (w *world) startChild(ctx context.Context, cfg childConfig) *process {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cfg.Brokers, cfg.ClickHouse, cfg.Database = w.brokers, w.addr, w.database
	told, err := json.Marshal(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(ctx, self), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asChild+"="+string(told))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	p.said = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { p.cmd.Process.Kill() })
	go func() { p.cmd.Process.Wait(); close(p.exited) }()
	return p
}

// says waits for the next line the process writes.
func (p *process) says(t *testing.T, want string) {
	t.Helper()
	if !p.said.Scan() || p.said.Text() != want {
		t.Fatalf("the sink's process says %q, want %q", p.said.Text(), want)
	}
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// await waits until a query answers 1 while a process lives.
func (w *world) await(ctx context.Context, p *process, query string) {
	w.t.Helper()
	for {
		var yes uint8
		if err := w.conn.QueryRow(ctx, query).Scan(&yes); err != nil {
			w.t.Fatal(err)
		}
		if yes == 1 {
			return
		}
		select {
		case <-p.exited:
			w.t.Fatal("the sink ended by itself")
		default:
		}
	}
}
