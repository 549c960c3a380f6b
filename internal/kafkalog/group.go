package kafkalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

// GroupConfig says how a process takes part in a consumer group, which shares the partitions of some topics among its members.
type GroupConfig struct {
	ID     string
	Topics []string
	// SessionTimeout is how long a member may be silent until its partitions are given to others, 6 s when zero. The brokers bound it
	// (group.min.session.timeout.ms, 6 s unless set otherwise).
	SessionTimeout time.Duration
	// Variant names what this process computes. Partitions go only to members of one variant: that which Active names if any member
	// has it, else that which most members have. So an upgrade takes effect once no member of the former variant is left.
	Variant string
	// Active tells which variant worked on the partitions last, "" if none has; the group's leader asks. Nil: none has.
	Active func(context.Context) (string, error)
}

// Generation is a membership between two rebalances.
type Generation struct {
	ID         int32
	Member     string
	Partitions map[string][]int // by topic
}

// Join takes part in the group until ctx ends or work fails. It calls work for each generation, with a context that ends with it;
// the group goes on to the next generation, in which others may get the partitions, only when work has returned. At the end the
// group is told, so that others take over at once.
func (c *Client) Join(ctx context.Context, cfg GroupConfig, work func(context.Context, Generation) error) error {
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = 6 * time.Second
	}
	s := &sticky{ctx: ctx, cfg: cfg, c: c}
	for brokers := slices.Clone(c.brokers); ; brokers = append(brokers[1:], brokers[0]) {
		again, err := c.join(ctx, s, brokers, work)
		if !again || pause(ctx, rejoinPause) != nil {
			return err
		}
	}
}

const (
	// groupTimeout bounds a request to a coordinator beside the time it may take.
	groupTimeout = 5 * time.Second
	rejoinPause  = time.Second
)

// join takes part in the group as Join does, until something goes wrong that may pass: then `again` is true. kafka-go asks the first of
// the brokers that takes a connection for the coordinator, each time anew. That one may have stopped answering, so another is to be
// first then.
func (c *Client) join(ctx context.Context, s *sticky, brokers []string, work func(context.Context, Generation) error) (again bool, err error) {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: s.cfg.ID, Brokers: brokers, Dialer: c.dialer(), Topics: s.cfg.Topics, GroupBalancers: []kafka.GroupBalancer{s},
		HeartbeatInterval: min(time.Second, s.cfg.SessionTimeout/5), SessionTimeout: s.cfg.SessionTimeout, RebalanceTimeout: 30 * time.Second,
		JoinGroupBackoff: rejoinPause, Timeout: groupTimeout,
	})
	if err != nil {
		return false, fmt.Errorf("group %s: %w", s.cfg.ID, err)
	}
	defer context.AfterFunc(ctx, func() { group.Close() })()
	defer group.Close()
	for {
		gen, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
			return false, nil
		case err != nil && groupRefused(err):
			return false, fmt.Errorf("join group %s: %w", s.cfg.ID, judged(err))
		case errors.Is(err, kafka.RebalanceInProgress) || errors.Is(err, kafka.UnknownMemberId) || errors.Is(err, kafka.IllegalGeneration):
			c.log.Info("kafka: joining the group again: others have come or gone, or this process was silent for too long", "group", s.cfg.ID)
			continue
		case err != nil:
			c.log.Warn("kafka: joining the group; trying again", "group", s.cfg.ID, "broker", brokers[0], "err", err)
			return true, nil
		}
		if err := during(ctx, gen, s, work); err != nil {
			return false, err
		}
	}
}

// during runs work for one generation.
func during(ctx context.Context, gen *kafka.Generation, s *sticky, work func(context.Context, Generation) error) error {
	g := Generation{ID: gen.ID, Member: gen.MemberID, Partitions: map[string][]int{}}
	for topic, partitions := range gen.Assignments {
		for _, p := range partitions {
			g.Partitions[topic] = append(g.Partitions[topic], p.ID)
		}
	}
	s.held.Store(&g.Partitions)
	failed := make(chan error, 1)
	gen.Start(func(ended context.Context) {
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(ended, cancel)()
		failed <- work(own, g)
	})
	return <-failed
}

// groupRefused tells whether joining again would be refused again.
func groupRefused(err error) bool {
	var code kafka.Error
	if !errors.As(err, &code) {
		return remedyFor(err) == stop
	}
	switch code {
	case kafka.GroupAuthorizationFailed, kafka.TopicAuthorizationFailed, kafka.InvalidSessionTimeout, kafka.InvalidGroupId,
		kafka.InconsistentGroupProtocol, kafka.SASLAuthenticationFailed:
		return true
	}
	return false
}

func (c *Client) dialer() *kafka.Dialer {
	return &kafka.Dialer{ClientID: c.clientID, Timeout: dialTimeout, DualStack: true, TLS: c.transport.TLS, SASLMechanism: c.transport.SASL,
		DialFunc: c.transport.Dial}
}

// sticky gives each member about as many partitions as the others, and leaves with it what it holds.
type sticky struct {
	ctx  context.Context
	cfg  GroupConfig
	c    *Client
	held atomic.Pointer[map[string][]int] // what this member has had last
}

// told is what a member says of itself when it joins.
type told struct {
	Variant string           `json:"variant,omitempty"`
	Held    map[string][]int `json:"held,omitempty"`
}

// ProtocolName keeps members of other programs out of the group.
func (s *sticky) ProtocolName() string { return "corridorwatch-sticky" }

// UserData is what the leader is told of this member.
func (s *sticky) UserData() ([]byte, error) {
	t := told{Variant: s.cfg.Variant}
	if held := s.held.Load(); held != nil {
		t.Held = *held
	}
	return json.Marshal(t)
}

// AssignGroups shares the partitions out. Only the leader is asked.
func (s *sticky) AssignGroups(members []kafka.GroupMember, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	all := make([]member, len(members))
	for i, m := range members {
		all[i].id = m.ID
		if err := json.Unmarshal(m.UserData, &all[i].told); err != nil {
			s.c.log.Warn("kafka: a member of the group says of itself what cannot be read; it is given new partitions", "group", s.cfg.ID, "err", err)
		}
	}
	active := ""
	if s.cfg.Active != nil {
		ctx, cancel := context.WithTimeout(s.ctx, callTimeout) // the others wait
		defer cancel()
		var err error
		if active, err = s.cfg.Active(ctx); err != nil {
			s.c.log.Warn("kafka: which variant is active is not known; the one most members have works on", "group", s.cfg.ID, "err", err)
		}
	}
	variant := choose(all, active)
	if waiting := len(all) - count(all, variant); waiting > 0 {
		s.c.log.Info("members of another version wait until none of the present one is left", "group", s.cfg.ID, "members", len(all), "waiting", waiting)
	}
	return share(all, variant, partitions)
}
