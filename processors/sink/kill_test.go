package sink_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas/clickhouse"
)

// asChild in the environment makes the test binary a process that runs the sink and nothing else: brokers|ClickHouse|database.
const asChild = "CORRIDORWATCH_TEST_SINK"

func child() {
	parts := strings.Split(os.Getenv(asChild), "|")
	ctx := context.Background()
	conn, err := clickhouse.Open(ctx, clickhouse.Config{Addr: parts[1], Database: parts[2]})
	if err == nil {
		err = sink.Run(ctx, sink.Config{
			Log:  kafkalog.New(kafkalog.Config{Brokers: strings.Split(parts[0], ","), ClientID: "child", Log: slog.New(slog.DiscardHandler)}),
			Conn: conn, Prefix: prefix, Database: parts[2], Partitions: partitions,
			FlushEvery: 5 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilled kills a process that runs the sink without warning, each time when another table shows the latest round: between the
// inserts of a flush, or between them and the offsets.
func TestKilled(t *testing.T) {
	w := newWorld(t)
	undisturbed := w.database
	w.use(undisturbed + "_killed")
	ctx := within(t, 5*time.Minute)
	tables := []string{"train_events", "visits", "visits_history", "legs", "train_status"}
	const kills = 15
	cut := 0
	w.history(0, 1)
	for i := 1; i <= kills; i++ {
		w.history(i, i+1) // known at the mark of the round before
		process := w.startChild(ctx)
		w.await(ctx, process, fmt.Sprintf("SELECT max(known_at) >= fromUnixTimestamp64Milli(%d) FROM %s.%s", begin+int64(i-1)*hour, w.database, tables[i%len(tables)]))
		process.kill()
		if !w.stored(ctx) {
			cut++
		}
	}
	t.Logf("%d of %d kills came between rows and offsets", cut, kills)
	w.sinkTo(begin + kills*hour)
	got := w.dump()
	w.use(undisturbed + "_whole")
	equal(t, "after kills", got, w.sinkTo(begin+kills*hour))
}

type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

func (w *world) startChild(ctx context.Context) *process {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	p := &process{exec.CommandContext(ctx, self), make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asChild+"="+strings.Join([]string{strings.Join(w.brokers, ","), w.addr, w.database}, "|"))
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.exited) }()
	return p
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
