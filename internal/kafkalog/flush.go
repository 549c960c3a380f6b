package kafkalog

import (
	"context"
	"fmt"
	"sync"
)

// maxRequest is about how many bytes of batches go into one request.
const maxRequest = 8 << 20

// flush sends what all of as have buffered. Partitions led by the same broker share its requests, and brokers are written to
// concurrently; for each partition there is one batch in flight.
func (c *Client) flush(ctx context.Context, as []*Appender) error {
	for _, a := range as {
		a.seal()
	}
	t := c.try(step("append"))
	for {
		groups, err := c.byLeader(ctx, as)
		if err = worse(err, sendGroups(ctx, c, groups)); err == nil {
			t.done()
			return nil
		}
		if err := t.again(ctx, err); err != nil {
			return err
		}
	}
}

// group is the appenders with something to send whose partitions one broker leads.
type group struct {
	broker int32
	as     []*Appender
}

// byLeader groups the appenders that have something to send. It leaves out those whose leader is not known and returns why.
func (c *Client) byLeader(ctx context.Context, as []*Appender) (groups []group, err error) {
next:
	for _, a := range as {
		if len(a.sealed) == 0 {
			continue
		}
		id, unknown := c.leader(ctx, a.topic, a.partition)
		if unknown != nil {
			err = worse(err, fmt.Errorf("find the leader of %s/%d: %w", a.topic, a.partition, unknown))
			continue
		}
		for i := range groups {
			if groups[i].broker == id {
				groups[i].as = append(groups[i].as, a)
				continue next
			}
		}
		groups = append(groups, group{id, []*Appender{a}})
	}
	return groups, err
}

// worse returns that of two errors which trying again mends least.
func worse(a, b error) error {
	if a == nil || b != nil && remedyFor(b) < remedyFor(a) {
		return b
	}
	return a
}

// sendGroups sends each group from a goroutine of its own and waits for them.
func sendGroups(ctx context.Context, c *Client, groups []group) error {
	if len(groups) == 1 {
		return groups[0].send(ctx, c)
	}
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	for i, g := range groups {
		wg.Go(func() { errs[i] = g.send(ctx, c) })
	}
	wg.Wait()
	var err error
	for _, e := range errs {
		err = worse(err, e)
	}
	return err
}

// send sends round after round, in each the next batch of every appender, until all is acknowledged. An appender that meets an
// error takes no part in further rounds.
func (g group) send(ctx context.Context, c *Client) (err error) {
	as := g.as
	for len(as) > 0 {
		parts := nextParts(as)
		held := c.produce(ctx, g.broker, parts)
		left := as[:0:0]
		for i, a := range as[:len(parts)] {
			if a.held = a.held || held; parts[i].err != nil {
				err = worse(err, fmt.Errorf("to %s/%d: %w", a.topic, a.partition, parts[i].err))
				continue
			}
			if a.acknowledged(parts[i].base); len(a.sealed) > 0 {
				left = append(left, a)
			}
		}
		as = append(left, as[len(parts):]...)
	}
	return err
}

// nextParts takes the first batch of as many appenders as fit into a request.
func nextParts(as []*Appender) []part {
	parts, size := make([]part, 0, len(as)), 0
	for _, a := range as {
		if size += len(a.sealed[0]); size > maxRequest && len(parts) > 0 {
			break
		}
		parts = append(parts, part{topic: a.topic, partition: a.partition, batch: a.sealed[0]})
	}
	return parts
}
