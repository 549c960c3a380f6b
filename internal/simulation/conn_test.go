package simulation

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var errCut = errors.New("the network cut the connection")

// conn is a connection of a process to the broker, over which faults befall requests.
type conn struct {
	net.Conn
	p     *process
	plain bool // to ClickHouse, which decides itself what befalls a request

	mu       sync.Mutex // guards what follows
	request  []byte     // as much of it as has been written
	class    string     // of the request under way
	lose     bool       // the next answer: the work is done by then
	kill     bool       // the process, when the next answer comes
	ready    []byte     // an answer that does not come from the broker
	deadline time.Time
}

// dial connects a process to the broker.
func (p *process) dial(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := p.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: to, p: p}
	if !p.hold(c) {
		to.Close()
		return nil, errCut
	}
	return c, nil
}

// Write takes a request; it is passed on when it is whole.
func (c *conn) Write(b []byte) (int, error) {
	if c.plain {
		time.Sleep(c.p.frozen())
		return c.Conn.Write(b)
	}
	c.mu.Lock()
	c.request = append(c.request, b...)
	var whole []byte
	if n := 4; len(c.request) >= n {
		if n += int(binary.BigEndian.Uint32(c.request)); len(c.request) >= n {
			whole, c.request = c.request[:n:n], c.request[n:]
		}
	}
	c.mu.Unlock()
	if whole == nil {
		return len(b), nil
	}
	if err := c.send(whole); err != nil {
		return 0, err
	}
	return len(b), nil
}

// send passes a request on, unless something befalls it.
func (c *conn) send(request []byte) error {
	wait := c.p.frozen()
	if c.p.isDead() {
		return errCut
	}
	class := classOf(request)
	f, strikes := c.p.sim.strikes(c.p, class)
	c.mu.Lock()
	c.class = class
	c.mu.Unlock()
	if plant := c.p.sim.plant.produce; plant != nil && isProduce(request) {
		if request, c.ready = plant(c.p, request); request == nil {
			return nil
		}
	}
	if strikes {
		switch f.kind {
		case "refuse":
			c.p.sim.refuse(f)
		case "cut":
			c.Close()
			return errCut
		case "kill":
			c.p.kill()
			return errCut
		case "late", "killlate":
			c.deliverLate(request, f.lasts)
			if f.kind == "killlate" {
				c.p.kill()
			}
			return errCut
		case "lost", "killdone":
			c.mu.Lock()
			c.lose, c.kill = f.kind == "lost", f.kind == "killdone"
			c.mu.Unlock()
		case "slow":
			wait = max(wait, f.lasts)
		default:
			wait = max(wait, c.p.strike(f))
		}
	}
	if wait > 0 {
		if left := c.sleep(wait); left > 0 {
			c.deliverLate(request, left)
			return os.ErrDeadlineExceeded
		}
	}
	_, err := c.Conn.Write(request)
	return err
}

// sleep waits for d, but not beyond the deadline; it tells what is left.
func (c *conn) sleep(d time.Duration) (left time.Duration) {
	c.mu.Lock()
	deadline := c.deadline
	c.mu.Unlock()
	if until := time.Until(deadline); !deadline.IsZero() && until < d {
		time.Sleep(until)
		return d - until
	}
	time.Sleep(d)
	return 0
}

// deliverLate takes the connection from the process, and brings the request to the broker after a while.
func (c *conn) deliverLate(request []byte, after time.Duration) {
	c.p.letGo(c)
	c.p.sim.late.Go(func() {
		defer c.Conn.Close()
		c.Conn.SetDeadline(time.Time{})
		time.Sleep(after)
		if _, err := c.Conn.Write(request); err != nil {
			return
		}
		io.ReadFull(c.Conn, make([]byte, 8))
	})
}

// Read takes an answer, unless it gets lost.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.ready) > 0 {
		n := copy(b, c.ready)
		c.ready = c.ready[n:]
		return n, nil
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	lose, kill := c.lose, c.kill
	c.class = ""
	c.mu.Unlock()
	switch {
	case err != nil:
		return n, err
	case kill:
		c.p.kill()
		return 0, errCut
	case lose:
		c.p.letGo(c)
		c.Conn.Close()
		return 0, errCut
	}
	if wait := c.p.frozen(); wait > 0 && c.sleep(wait) > 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}

// die ends the connection of a process that was killed. A member of a group whose connection ends while it waits for others stays in
// kfake's group for ever: there its answer must come before the connection ends, as if the machine had gone and not the process alone.
func (c *conn) die() {
	c.mu.Lock()
	waits := c.class == "join" || c.class == "sync"
	c.lose = c.lose || waits
	c.mu.Unlock()
	if !waits {
		c.Conn.Close()
	}
}

// Close ends the connection.
func (c *conn) Close() error {
	if c.p.letGo(c) {
		return c.Conn.Close()
	}
	return nil
}

// SetDeadline holds for the waiting here, too.
func (c *conn) SetDeadline(t time.Time) error {
	c.until(t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline is SetDeadline: one request is under way at a time.
func (c *conn) SetReadDeadline(t time.Time) error { return c.SetDeadline(t) }

// SetWriteDeadline is SetDeadline.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.SetDeadline(t) }

func (c *conn) until(t time.Time) {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
}

func isProduce(request []byte) bool {
	return kmsg.Key(binary.BigEndian.Uint16(request[4:])) == kmsg.Produce
}

// classOf names a request.
func classOf(request []byte) string {
	switch key := kmsg.Key(binary.BigEndian.Uint16(request[4:])); key {
	case kmsg.Produce:
		if topic := firstTopic(request); topic == inKafka("checkpoints") {
			return "checkpoint"
		}
		return "produce"
	case kmsg.Fetch:
		return "fetch"
	case kmsg.ListOffsets:
		return "offsets"
	case kmsg.Metadata:
		return "metadata"
	case kmsg.JoinGroup:
		return "join"
	case kmsg.SyncGroup:
		return "sync"
	case kmsg.Heartbeat:
		return "heartbeat"
	case kmsg.OffsetCommit:
		return "commit"
	case kmsg.DeleteRecords:
		return "delete"
	}
	return "other"
}

// firstTopic is the topic of the first batch of a produce request of version 7.
func firstTopic(request []byte) string {
	at := 12
	text := func() string {
		n := int(int16(binary.BigEndian.Uint16(request[at:])))
		at += 2 + max(n, 0)
		return string(request[at-max(n, 0) : at])
	}
	text()          // client
	text()          // transaction
	at += 2 + 4 + 4 // acks, timeout, number of topics
	return text()
}
