package broker

import (
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

// members ends the membership of who is silent for longer than a session. kfake does so itself, but only for a member that has received
// the answer to its join: one that was killed while it joined would stay in its group for ever, and its share of the work be nobody's.
type members struct {
	addr string
	log  *slog.Logger

	mu     sync.Mutex // guards what follows
	groups map[string]*group
}

// group is what has been seen of a consumer group.
type group struct {
	session time.Duration        // the longest that a member asked for
	seen    map[string]time.Time // when each member was last heard of, or found in the group
	moved   time.Time            // when somebody joined, or the group was last found dividing up its work: members wait in silence then
}

// longestRebalance is how long a group waits for members to ask for their share again, ms. The wait begins anew whenever another one asks
// to join: were it longer than a member's own patience with its request, a group that waits for one who was killed would do so for ever,
// while the others ask in turn.
const longestRebalance = 15_000

// membersEvery is how often groups are looked at.
const membersEvery = time.Second

// watch notes who sends requests to the cluster.
func (m *members) watch(cluster *kfake.Cluster) {
	for _, kind := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.OffsetCommit} {
		cluster.ControlKey(kind.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			switch req := req.(type) {
			case *kmsg.JoinGroupRequest:
				req.RebalanceTimeoutMillis = min(req.RebalanceTimeoutMillis, longestRebalance)
				m.joined(req.Group, req.MemberID, time.Duration(req.SessionTimeoutMillis)*time.Millisecond)
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
	g := m.groups[name]
	if g == nil {
		g = &group{seen: map[string]time.Time{}}
		m.groups[name] = g
	}
	g.session, g.moved = max(g.session, session), time.Now()
	g.seen[member] = g.moved
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
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		names := slices.Sorted(maps.Keys(m.groups))
		m.mu.Unlock()
		if len(names) == 0 {
			continue
		}
		if err := m.look(ctx, names); err != nil && ctx.Err() == nil {
			m.log.Warn("embedded broker: look at the consumer groups; trying again", "err", err)
		}
	}
}

// look lets those leave that have been silent for too long.
func (m *members) look(ctx context.Context, names []string) error {
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
	seen := map[string]time.Time{}
	for i := range d.Members {
		member := d.Members[i].MemberID
		last, known := g.seen[member]
		if !known {
			last = now
		}
		seen[member] = last
		if now.Sub(last) > g.session && now.Sub(g.moved) > g.session {
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
