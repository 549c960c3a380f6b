package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/kafkatest"
)

// behind is a broker that is reached through a proxy.
type behind struct {
	*kfake.Cluster
	proxy *kafkatest.Proxy
}

func (b behind) Proxies() []*kafkatest.Proxy { return []*kafkatest.Proxy{b.proxy} }

func listenThrough(t testing.TB) (b behind) {
	b.Cluster = broker(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		b.proxy = kafkatest.StartProxy(t, l.Addr().String())
		return fronted{l, b.proxy}, nil
	}))
	return b
}

// fronted is a listener that gives another address as its own.
type fronted struct {
	net.Listener
	front *kafkatest.Proxy
}

func (f fronted) Addr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", f.front.Addr())
	if err != nil {
		panic(err) // an address of this process
	}
	return addr
}

// A connection that lets nothing through and is not closed is given up, and what it held comes again.
func TestSilentNetwork(t *testing.T) {
	c := listenThrough(t)
	k := client(t, c)
	create(t, k, "t", 1)
	a := k.Appender("t", 0)
	a.Append(nil, []byte("1"))
	flush(t, a)
	c.proxy.Silence()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	a.Append(nil, []byte("2"))
	if _, err := a.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush into silence: %v", err)
	}
	c.proxy.Heal()
	flush(t, a)
	c.proxy.Slow(time.Millisecond, 100_000)
	if got := numbered(t, k); got != "1 2" && got != "1 2 2" {
		t.Errorf("log holds %q", got)
	}
}

// A group is joined although the broker that is asked first takes connections and never answers.
func TestGroupBesideASilentBroker(t *testing.T) {
	c := broker(t)
	create(t, client(t, c), "t", 1)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	k := kafkalog.New(kafkalog.Config{Brokers: append([]string{silent.Addr().String()}, c.ListenAddrs()...), Log: slog.New(slog.DiscardHandler)})
	defer k.Close()
	ctx, joined := context.WithCancel(within(t, time.Minute))
	err = k.Join(ctx, kafkalog.GroupConfig{ID: "g", Topics: []string{"t"}}, func(context.Context, kafkalog.Generation) error {
		joined()
		return nil
	})
	if err != nil || context.Cause(ctx) != context.Canceled {
		t.Errorf("%v, %v", err, context.Cause(ctx))
	}
}

// Connections are cut again and again while records are written and read. Whatever is written is read, in order; repetitions are
// allowed where an acknowledgement was lost.
func TestConnectionCuts(t *testing.T) {
	c := listenThrough(t)
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
				c.proxy.Cut()
				c.proxy.Heal()
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
