package kafkalog_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/kafkalog"
)

// proxy forwards connections and can cut them all.
type proxy struct {
	net.Listener
	to    string
	mu    sync.Mutex // guards conns
	conns []net.Conn
	wg    sync.WaitGroup
}

// listenThrough makes a broker that is reached through a proxy.
func listenThrough(t testing.TB) (*kfake.Cluster, *proxy) {
	p := &proxy{}
	c := broker(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		behind, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		front, err := net.Listen(network, "127.0.0.1:0")
		p.Listener, p.to = front, behind.Addr().String()
		return &fronted{behind, front.Addr()}, err
	}))
	p.wg.Go(p.run)
	t.Cleanup(func() { p.Close(); p.cut(); p.wg.Wait() })
	return c, p
}

// fronted is a listener that gives another address as its own.
type fronted struct {
	net.Listener
	addr net.Addr
}

func (f *fronted) Addr() net.Addr { return f.addr }

func (p *proxy) run() {
	for {
		in, err := p.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { io.Copy(in, out); in.Close() })
		p.wg.Go(func() { io.Copy(out, in); out.Close() })
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// Connections are cut again and again while records are written and read. Whatever is written is read, in order; repetitions are
// allowed where an acknowledgement was lost.
func TestConnectionCuts(t *testing.T) {
	c, p := listenThrough(t)
	k := client(t, c)
	create(t, k, "t", 1)
	const n = 300
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(15 * time.Millisecond):
				p.cut()
			}
		}
	})
	ctx := within(t, 40*time.Second)
	wg.Go(func() {
		a := k.Appender("t", 0)
		for i := range n {
			a.Append(nil, fmt.Append(nil, i))
			if _, err := a.Flush(ctx); err != nil {
				t.Error(err)
				return
			}
		}
	})
	want := 0
	r := k.Reader("t", 0, 0)
	for want < n {
		b, err := r.Next(ctx)
		if err != nil {
			t.Error(err)
			break
		}
		for _, rec := range b.Records {
			got, err := strconv.Atoi(string(rec.Value))
			if err != nil || got > want {
				t.Errorf("read %q, want %d or a repetition", rec.Value, want)
			}
			if got == want {
				want++
			}
		}
	}
	close(stop)
}

// A reader and an appender outlive a restart of the broker, and begin before its first start.
func TestBrokerRestarts(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	dir := t.TempDir()
	start := func() *kfake.Cluster {
		return broker(t, kfake.Ports(port), kfake.DataDir(dir), kfake.SeedTopics(1, "t"))
	}
	k := kafkalog.New(kafkalog.Config{Brokers: []string{fmt.Sprintf("127.0.0.1:%d", port)}, Log: slog.New(slog.DiscardHandler)})
	defer k.Close()
	ctx := within(t, 40*time.Second)
	values := make(chan string)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() {
		defer close(values)
		for r := k.Reader("t", 0, 0); ; {
			b, err := r.Next(ctx)
			if err != nil {
				return
			}
			for _, rec := range b.Records {
				select {
				case values <- string(rec.Value):
				case <-ctx.Done():
				}
			}
		}
	})
	a := k.Appender("t", 0)
	for i := range 3 {
		c := start()
		a.Append(nil, fmt.Append(nil, i))
		if first := flush(t, a); first != int64(i) {
			t.Errorf("record %d appended at %d", i, first)
		}
		if got := <-values; got != fmt.Sprint(i) {
			t.Errorf("read %q, want %d", got, i)
		}
		c.Close()
	}
}
