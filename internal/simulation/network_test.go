package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// virtualNetwork is where broker and ClickHouse listen and processes dial. Who waits in it lets virtual time pass. Its connections hold
// what was written until it is read, as those of TCP do: over kfake's own network, of net.Pipe, writer and reader wait for one another
// at every piece of a request, which took a tenth of a run.
type virtualNetwork struct {
	mu        sync.Mutex
	listeners map[address]*listener
}

type listener struct {
	of      *virtualNetwork
	address address
	dialed  chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// address is a port of the one host there is.
type address string

func addressOf(at string) address { return address(at[strings.LastIndex(at, ":")+1:]) }

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return "localhost:" + string(a) }

// Listen is for whoever serves at an address.
func (n *virtualNetwork) Listen(_, where string) (net.Listener, error) {
	at := addressOf(where)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[at] != nil {
		return nil, fmt.Errorf("somebody listens at %s already", at)
	}
	if n.listeners == nil {
		n.listeners = map[address]*listener{}
	}
	l := &listener{of: n, address: at, dialed: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[at] = l
	return l, nil
}

// DialContext connects to whoever listens at an address.
func (n *virtualNetwork) DialContext(ctx context.Context, _, where string) (net.Conn, error) {
	at := addressOf(where)
	n.mu.Lock()
	l := n.listeners[at]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("nobody listens at %s", at)
	}
	here, there := connected(l.address)
	select {
	case l.dialed <- there:
		return here, nil
	case <-l.closed:
		return nil, fmt.Errorf("nobody listens at %s any more", at)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialed:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.of.mu.Lock()
		defer l.of.mu.Unlock()
		delete(l.of.listeners, l.address)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.address }

// end is one end of a connection.
type end struct {
	address
	peer *end

	mu     sync.Mutex // guards what follows; nobody holds those of both ends
	more   sync.Cond  // something below has changed
	in     []byte     // what the peer has written
	at     int        // how much of it has been read
	hung   bool       // the peer has closed its end
	closed bool
	until  [2]time.Time // deadlines of reading and writing; zero: none
	alarm  *time.Timer  // wakes a reader at its deadline or before
	rings  time.Time    // when alarm does, zero: not
}

func connected(at address) (a, b *end) {
	a, b = &end{address: at}, &end{address: at}
	a.peer, b.peer = b, a
	a.more.L, b.more.L = &a.mu, &b.mu
	return a, b
}

// Read takes what has come, and waits if there is nothing.
func (e *end) Read(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case e.late(0):
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case e.at < len(e.in):
			n := copy(b, e.in[e.at:])
			if e.at += n; e.at == len(e.in) {
				e.in, e.at = e.in[:0], 0
			}
			return n, nil
		case e.hung:
			return 0, io.EOF
		}
		e.wake()
		e.more.Wait()
	}
}

// Write leaves b with the other end.
func (e *end) Write(b []byte) (int, error) {
	e.mu.Lock()
	closed, late := e.closed, e.late(1)
	e.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case late:
		return 0, os.ErrDeadlineExceeded
	}
	p := e.peer
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	p.in = append(p.in, b...)
	p.more.Broadcast()
	return len(b), nil
}

// Close ends the connection both ways. What was written before can still be read at the other end.
func (e *end) Close() error {
	e.mu.Lock()
	e.closed = true
	if e.alarm != nil {
		e.alarm.Stop()
	}
	e.more.Broadcast()
	e.mu.Unlock()
	e.peer.mu.Lock()
	e.peer.hung = true
	e.peer.more.Broadcast()
	e.peer.mu.Unlock()
	return nil
}

// late tells whether a deadline has passed.
func (e *end) late(which int) bool {
	return !e.until[which].IsZero() && !time.Now().Before(e.until[which])
}

// wake sees to it that a reader that waits looks at its deadline in time. Deadlines move on with each request and hardly ever pass:
// an alarm that rings before its time has come is wound again, instead of being wound for each.
func (e *end) wake() {
	until := e.until[0]
	if until.IsZero() || !e.rings.IsZero() && !e.rings.After(until) {
		return
	}
	e.rings = until
	if e.alarm != nil {
		e.alarm.Reset(time.Until(until))
		return
	}
	e.alarm = time.AfterFunc(time.Until(until), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.rings = time.Time{}
		e.more.Broadcast()
	})
}

func (e *end) LocalAddr() net.Addr  { return e.address }
func (e *end) RemoteAddr() net.Addr { return e.address }

func (e *end) SetDeadline(t time.Time) error      { return e.set(t, 0, 1) }
func (e *end) SetReadDeadline(t time.Time) error  { return e.set(t, 0) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.set(t, 1) }

func (e *end) set(t time.Time, which ...int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, i := range which {
		e.until[i] = t
	}
	e.more.Broadcast() // who reads looks anew how long it may wait
	return nil
}

// TestVirtualNetwork holds connections to what those of TCP do.
func TestVirtualNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n virtualNetwork
		l, err := n.Listen("tcp", broker)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen("tcp", broker); err == nil {
			t.Error("two listen at one address")
		}
		var there net.Conn
		go func() { there, _ = l.Accept() }()
		here, err := n.DialContext(t.Context(), "tcp", broker)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		read := func(c net.Conn, want string, fails error) {
			t.Helper()
			b := make([]byte, 100)
			if k, err := c.Read(b); string(b[:k]) != want || !errors.Is(err, fails) {
				t.Errorf("read %q, %v, not %q, %v", b[:k], err, want, fails)
			}
		}
		here.Write([]byte("who "))
		here.Write([]byte("reads"))
		read(there, "who reads", nil)

		// A deadline ends the waiting when it is there, also one that was moved while somebody waits, and only that.
		began := time.Now()
		here.SetDeadline(began.Add(time.Second))
		go func() { time.Sleep(500 * time.Millisecond); here.SetDeadline(began.Add(3 * time.Second)) }()
		read(here, "", os.ErrDeadlineExceeded)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("waited %v until a deadline after 3s", took)
		}
		if _, err := here.Write([]byte("late")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write behind the deadline: %v", err)
		}
		here.SetDeadline(began.Add(time.Hour))
		go func() { time.Sleep(time.Second); here.SetReadDeadline(time.Unix(1, 0)) }()
		read(here, "", os.ErrDeadlineExceeded)
		here.SetDeadline(time.Time{})
		go func() { time.Sleep(time.Second); there.Write([]byte("there")) }()
		read(here, "there", nil)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("all of it took %v, not 5s", took)
		}

		// What was written before the end is read before it.
		there.Write([]byte("last"))
		there.Close()
		read(there, "", net.ErrClosed)
		read(here, "last", nil)
		read(here, "", io.EOF)
		if _, err := here.Write([]byte("too late")); err == nil {
			t.Error("somebody takes what is written to an end that was closed")
		}
		here.Close()
		l.Close()
		if _, err := n.DialContext(t.Context(), "tcp", broker); err == nil {
			t.Error("somebody answers where nobody listens")
		}
	})
}
