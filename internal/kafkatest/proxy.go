package kafkatest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a node and its clients. It passes whole requests and answers, and can be told to do worse.
type Proxy struct {
	front net.Listener
	to    string
	wg    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	how     conduct
	changed chan struct{} // closed when how changes
	pipes   map[*pipe]struct{}
	lose    map[int16]int // how many answers to requests of a kind are still to be lost
	lost    int
	closed  bool
}

// conduct is how a proxy treats what passes.
type conduct struct {
	cut     bool // connections are closed at once
	silent  bool // nothing passes, nothing is closed
	latency time.Duration
	rate    int // bytes a second, 0: as fast as it goes
}

// StartProxy puts a proxy before an address. It ends with the test.
func StartProxy(t testing.TB, to string) *Proxy {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{front: front, to: to, changed: make(chan struct{}), pipes: map[*pipe]struct{}{}, lose: map[int16]int{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.front.Addr().String() }

// Cut closes every connection, now and as it comes.
func (p *Proxy) Cut() { p.behave(conduct{cut: true}) }

// Silence lets nothing through and closes nothing, as a network does that drops packets. What was under way goes on after Heal.
func (p *Proxy) Silence() { p.behave(conduct{silent: true}) }

// Slow delays each request and each answer, and lets bytes through at a rate (0: any).
func (p *Proxy) Slow(latency time.Duration, bytesPerSecond int) {
	p.behave(conduct{latency: latency, rate: bytesPerSecond})
}

// Heal ends all of it.
func (p *Proxy) Heal() { p.behave(conduct{}) }

// LoseAnswers lets the next n requests of a kind (a key of the protocol: 0 is produce) through, swallows their answers and cuts the
// connections: the work is done and nobody is told.
func (p *Proxy) LoseAnswers(kind int16, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose[kind] = n
}

// Lost is how many answers LoseAnswers has swallowed.
func (p *Proxy) Lost() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *Proxy) behave(how conduct) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.how = how
	close(p.changed)
	p.changed = make(chan struct{})
	if how.cut {
		p.cutAll()
	}
}

// cutAll is called with mu held.
func (p *Proxy) cutAll() {
	for q := range p.pipes {
		q.cut()
	}
	clear(p.pipes)
}

func (p *Proxy) close() {
	p.front.Close()
	p.mu.Lock()
	p.closed = true
	p.cutAll()
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.front.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	broker, err := net.Dial("tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	q := &pipe{Proxy: p, client: client, broker: broker, asked: map[int32]int16{}}
	p.mu.Lock()
	if p.how.cut || p.closed {
		p.mu.Unlock()
		q.cut()
		return
	}
	p.pipes[q] = struct{}{}
	p.wg.Go(func() { q.requests(); q.over() })
	p.wg.Go(func() { q.answers(); q.over() })
	p.mu.Unlock()
}

// errClosing ends a pipe.
var errClosing = errors.New("the proxy closes")

// passes returns when so many bytes may go on.
func (p *Proxy) passes(size int) error {
	p.mu.Lock()
	how := p.how
	p.mu.Unlock()
	wait := how.latency
	if how.rate > 0 {
		wait += time.Duration(size) * time.Second / time.Duration(how.rate)
	}
	for {
		p.mu.Lock()
		silent, changed, closed := p.how.silent, p.changed, p.closed
		p.mu.Unlock()
		if closed {
			return errClosing
		}
		if !silent && wait <= 0 {
			return nil
		}
		var after <-chan time.Time
		if !silent {
			after = time.After(wait)
		}
		select {
		case <-after:
			return nil
		case <-changed:
			wait = 0
		}
	}
}

// loses tells whether the answer to a request of this kind is to be swallowed.
func (p *Proxy) loses(kind int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose[kind] == 0 {
		return false
	}
	p.lose[kind]--
	p.lost++
	return true
}

// pipe is one connection of a client.
type pipe struct {
	*Proxy
	client, broker net.Conn

	mu    sync.Mutex // guards asked
	asked map[int32]int16
}

func (q *pipe) cut() {
	for _, c := range []net.Conn{q.client, q.broker} {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0) // reset: what is under way is gone
		}
		c.Close()
	}
}

// over ends the pipe after one direction has ended.
func (q *pipe) over() {
	q.client.Close()
	q.broker.Close()
	q.Proxy.mu.Lock()
	defer q.Proxy.mu.Unlock()
	delete(q.pipes, q)
}

func (q *pipe) requests() {
	var buf []byte
	for {
		frame, err := readFrame(q.client, &buf)
		if err != nil || len(frame) < 12 || q.passes(len(frame)) != nil {
			return
		}
		q.mu.Lock()
		q.asked[int32(binary.BigEndian.Uint32(frame[8:]))] = int16(binary.BigEndian.Uint16(frame[4:]))
		q.mu.Unlock()
		if _, err := q.broker.Write(frame); err != nil {
			return
		}
	}
}

func (q *pipe) answers() {
	var buf []byte
	for {
		frame, err := readFrame(q.broker, &buf)
		if err != nil || len(frame) < 8 {
			return
		}
		id := int32(binary.BigEndian.Uint32(frame[4:]))
		q.mu.Lock()
		kind := q.asked[id]
		delete(q.asked, id)
		q.mu.Unlock()
		if q.loses(kind) {
			q.cut()
			return
		}
		if q.passes(len(frame)) != nil {
			return
		}
		if _, err := q.client.Write(frame); err != nil {
			return
		}
	}
}

// readFrame reads a request or an answer: its size in four bytes, and what follows.
func readFrame(r io.Reader, buf *[]byte) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(size[:])) + 4
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	frame := (*buf)[:n]
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
