package broker

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// members ends the membership of who is silent for longer than a session, in kfake's place. kfake does so only for a member that has
// received the answer to its join: one that was killed while it joined would stay in its group for ever, and its share of the work be
// nobody's. And it does so even to a member that waits for the answer to its join, which would wait on without ever getting one.
type members struct {
	addr string
	log  *slog.Logger

	mu     sync.Mutex // guards what follows
	groups map[string]*group
}

// group is what has been seen of a consumer group.
type group struct {
	session time.Duration        // the longest that a member asked for, 0: none has since the broker started
	seen    map[string]time.Time // when each member was last heard of, or found in the group
	moved   time.Time            // when somebody joined, or the group was last found dividing up its work: members wait in silence then
}

// The session that kfake is asked for in place of a member's own, ms: the longest that it allows. Shorter than its shortest are left to
// it to refuse.
const (
	shortestSession = 6_000
	longestSession  = 300_000
)

// unknownSession is taken for the members of a group from before a restart, until one joins and says its own.
const unknownSession = 30 * time.Second

// membersEvery is how often groups are looked at.
const membersEvery = time.Second

// watch notes who sends requests to the cluster.
func (m *members) watch(cluster *kfake.Cluster) {
	for _, kind := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.OffsetCommit} {
		cluster.ControlKey(kind.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			switch req := req.(type) {
			case *kmsg.JoinGroupRequest:
				m.joined(req.Group, req.MemberID, time.Duration(req.SessionTimeoutMillis)*time.Millisecond)
				// A group waits no longer than a session for members to ask for their share again. The wait begins anew whenever another
				// one asks: were it longer than a member's patience with its request, a group that waits for one who was killed would do
				// so for ever, while the others ask in turn.
				req.RebalanceTimeoutMillis = min(req.RebalanceTimeoutMillis, req.SessionTimeoutMillis)
				if req.SessionTimeoutMillis >= shortestSession {
					req.SessionTimeoutMillis = max(req.SessionTimeoutMillis, longestSession)
				}
			case *kmsg.SyncGroupRequest:
				m.heard(req.Group, req.MemberID)
			case *kmsg.HeartbeatRequest:
				m.heard(req.Group, req.MemberID)
			case *kmsg.OffsetCommitRequest:
				m.heard(req.Group, req.MemberID)
			}
			return nil, nil, false
		})
	}
}

func (m *members) joined(name, member string, session time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.group(name)
	g.session, g.moved = max(g.session, session), time.Now()
	g.seen[member] = g.moved
}

// group is called with mu held.
func (m *members) group(name string) *group {
	g := m.groups[name]
	if g == nil {
		g = &group{seen: map[string]time.Time{}}
		m.groups[name] = g
	}
	return g
}

func (m *members) heard(name, member string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.groups[name]; g != nil {
		g.seen[member] = time.Now()
	}
}

// run looks at the groups again and again until ctx ends.
func (m *members) run(ctx context.Context) {
	tick := time.NewTicker(membersEvery)
	defer tick.Stop()
	restored := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if !restored {
			err = m.restore(ctx)
			restored = err == nil
		}
		if err == nil {
			err = m.look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			m.log.Warn("embedded broker: look at the consumer groups; trying again", "err", err)
		}
	}
}

// restore learns of the groups from before a restart.
func (m *members) restore(ctx context.Context) error {
	res, err := ask(ctx, m.addr, kmsg.NewPtrListGroupsRequest())
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range res.(*kmsg.ListGroupsResponse).Groups {
		m.group(g.Group)
	}
	return nil
}

// look lets those leave that have been silent for too long.
func (m *members) look(ctx context.Context) error {
	m.mu.Lock()
	names := slices.Sorted(maps.Keys(m.groups))
	m.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Groups = names
	res, err := ask(ctx, m.addr, describe)
	if err != nil {
		return err
	}
	for _, d := range res.(*kmsg.DescribeGroupsResponse).Groups {
		for _, member := range m.silent(&d) {
			leave := kmsg.NewPtrLeaveGroupRequest()
			leave.Group, leave.MemberID = d.Group, member
			if _, err := ask(ctx, m.addr, leave); err != nil {
				return err
			}
			m.log.Info("embedded broker: a member of a group is silent for longer than its session", "group", d.Group, "member", member)
		}
	}
	return nil
}

// silent are the members of a group that have not been heard of for a session, while others wait for nothing.
func (m *members) silent(d *kmsg.DescribeGroupsResponseGroup) (out []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g, now := m.groups[d.Group], time.Now()
	if d.State != "Stable" {
		g.moved = now
		return nil
	}
	session := cmp.Or(g.session, unknownSession)
	seen := map[string]time.Time{}
	for i := range d.Members {
		member := d.Members[i].MemberID
		last, known := g.seen[member]
		if !known {
			last = now
		}
		seen[member] = last
		if now.Sub(last) > session && now.Sub(g.moved) > session {
			out = append(out, member)
		}
	}
	g.seen = seen
	return out
}

// ask sends one request over a connection of its own.
func ask(ctx context.Context, addr string, req kmsg.Request) (kmsg.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return nil, fmt.Errorf("send %s: %w", kmsg.NameForKey(req.Key()), err)
	}
	head := make([]byte, 8) // length and correlation
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil, fmt.Errorf("answer to %s: %w", kmsg.NameForKey(req.Key()), err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, fmt.Errorf("answer to %s: %w", kmsg.NameForKey(req.Key()), err)
	}
	res := req.ResponseKind()
	return res, res.ReadFrom(body)
}
