package kafkalog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
)

// Lag commits offsets to a consumer group, so that people and lag monitors see how far a reader is. Nobody reads them back: a commit
// that fails is told in the log, and a later one tried again: a broker that has just been set up knows no coordinator yet.
type Lag struct {
	c     *Client
	group string

	busy   chan struct{} // holds a token while one commits: who waits for it can be stopped, unlike with a mutex
	pause  time.Time
	failed int   // commits in a row
	gen    int32 // -1: the group has no members
	member string
	broker int32 // the group's coordinator; anyBroker: to be asked for
}

// Lag makes the group's view of the readers of c.
func (c *Client) Lag(group string) *Lag {
	return &Lag{c: c, group: group, busy: make(chan struct{}, 1), gen: -1, broker: anyBroker}
}

// As says in which generation of the group this process is which member. Without, the group must have no members.
func (l *Lag) As(gen int32, member string) {
	l.busy <- struct{}{}
	defer func() { <-l.busy }()
	l.gen, l.member = gen, member
}

// commitTimeout bounds what a reader waits for an aid to people.
const commitTimeout = 2 * time.Second

// commitPause is how long nothing is tried after a failure.
const commitPause = 5 * time.Second

// Commit says that the next record to be read of each topic's partitions is the given one.
func (l *Lag) Commit(ctx context.Context, next map[string]map[int]int64) {
	select {
	case l.busy <- struct{}{}:
		defer func() { <-l.busy }()
	case <-ctx.Done():
		return
	}
	if len(next) == 0 || time.Now().Before(l.pause) {
		return
	}
	err := l.commit(ctx, next)
	if err == nil || ctx.Err() != nil {
		l.failed = 0
		return
	}
	l.pause, l.broker = time.Now().Add(commitPause), anyBroker
	level := slog.LevelDebug // the group's coordinator moves and starts now and then
	if l.failed++; l.failed > 1 {
		level = slog.LevelWarn
	}
	l.c.log.Log(ctx, level, "offsets for lag monitors were not committed; nothing else depends on them", "group", l.group, "err", err)
}

func (l *Lag) commit(ctx context.Context, next map[string]map[int]int64) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if l.broker == anyBroker {
		res, err := l.c.call(ctx, anyBroker, &findcoordinator.Request{Key: l.group})
		if err == nil {
			err = codeError(res.(*findcoordinator.Response).ErrorCode)
		}
		if err != nil {
			return fmt.Errorf("find the coordinator: %w", err)
		}
		l.broker = res.(*findcoordinator.Response).NodeID
	}
	req := &offsetcommit.Request{GroupID: l.group, GenerationID: l.gen, MemberID: l.member}
	for topic, partitions := range next {
		t := offsetcommit.RequestTopic{Name: topic}
		for p, offset := range partitions {
			t.Partitions = append(t.Partitions, offsetcommit.RequestPartition{PartitionIndex: int32(p), CommittedOffset: offset, CommittedLeaderEpoch: -1})
		}
		req.Topics = append(req.Topics, t)
	}
	res, err := l.c.call(ctx, l.broker, req)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, t := range res.(*offsetcommit.Response).Topics {
		for _, p := range t.Partitions {
			if err := codeError(p.ErrorCode); err != nil {
				return fmt.Errorf("commit %s/%d: %w", t.Name, p.PartitionIndex, err)
			}
		}
	}
	return nil
}
