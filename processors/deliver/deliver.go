// Package deliver tells people of alerts: it reads the topic of the alerts and sends each version to the channels that want it.
//
//	alerts/0..P ─► channel "ops"     (group prefix.alerts.ops)     ─► Alertmanager, all replicas
//	            ├► channel "partner" (group prefix.alerts.partner) ─► signed webhook
//	            └► channel "night"   (group prefix.alerts.night)   ─► Telegram
//
// Each channel reads by itself, and commits to its group how far it has got: one that cannot be reached holds up no other. Delivery is
// at least once, under an id that is the same each time. Several processes share the partitions of a channel.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Notice is one version of an alert on its way to people.
type Notice struct {
	ID    string // of this version, the same whenever and by whomever it is sent
	Alert *pb.Alert
}

// NewNotice makes the notice of a version of an alert. Its id holds what the alert is about and the stage time at which it was told, of
// which there is one version: so an upgrade or a replay that tells it again does so under the same id. Fingerprints hold names as senders
// wrote them, which not every receiver takes in an id: so it holds a hash of that.
func NewNotice(a *pb.Alert) Notice {
	return Notice{ID: fmt.Sprintf("%016x-%d", xxhash.Sum64String(a.Fingerprint), a.Updated), Alert: a}
}

// Target is what a channel sends to.
type Target interface {
	// Send returns nil once the other side has taken the notice. ErrUseless: it never will take this one. ErrClosed: it wants no more at all.
	Send(ctx context.Context, n Notice) error
	// Repeat is called every RepeatEvery, for targets that forget.
	Repeat(ctx context.Context) error
}

var (
	// ErrUseless says that sending this notice again is no use.
	ErrUseless = errors.New("will not be taken however often it is sent")
	// ErrClosed says that the receiver wants nothing any more.
	ErrClosed = errors.New("the receiver wants no more")
)

// RepeatEvery is how often an Alertmanager is told again what fires.
const RepeatEvery = time.Minute

// Channel is a target and what it wants to be told.
type Channel struct {
	Name   string
	Wants  Wants
	Target Target
}

// Config of the delivery. Log, Prefix, Partitions, Begin and Channels must be given.
type Config struct {
	Log        *kafkalog.Client
	Prefix     string
	Partitions int
	Channels   []Channel
	// Begin says which alerts of these partitions fire as far as the tables know, and from which offsets of the topic on the tables know
	// nothing. A channel that was never at work begins there, and whoever must know everything that fires begins so at each start.
	Begin          func(ctx context.Context, partitions []int) (firing []Notice, next map[int]int64, err error)
	SessionTimeout time.Duration // as of kafkalog.GroupConfig
	Logger         *slog.Logger
	Metrics        *Metrics
	// Done, if set, is told that a channel needs nothing of a partition below offset.
	Done func(channel string, partition int, offset int64)
}

// Group is the consumer group of a channel.
func Group(prefix, channel string) string { return prefix + ".alerts." + channel }

// Run delivers until ctx ends. What cannot be sent is tried again without end.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	ended := make(chan error, len(cfg.Channels))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, c := range cfg.Channels {
		cfg.Metrics.begin(c.Name)
		go func() {
			group := kafkalog.GroupConfig{ID: Group(cfg.Prefix, c.Name), Topics: []string{schemas.InKafka(cfg.Prefix, schemas.Alerts)}, SessionTimeout: cfg.SessionTimeout}
			w := &worker{cfg: cfg, Channel: c, lag: cfg.Log.Lag(group.ID)}
			err := cfg.Log.Join(ctx, group, w.generation)
			if err != nil {
				cancel()
				err = fmt.Errorf("channel %s: %w", c.Name, err)
			}
			ended <- err
		}()
	}
	var all []error
	for range cfg.Channels {
		all = append(all, <-ended)
	}
	return errors.Join(all...)
}

// worker is one channel at work in this process.
type worker struct {
	Channel
	cfg Config
	lag *kafkalog.Lag
}

// generation delivers what lies in the partitions this process was given, until the next rebalance.
func (w *worker) generation(ctx context.Context, g kafkalog.Generation) error {
	w.lag.As(g.ID, g.Member)
	topic := schemas.InKafka(w.cfg.Prefix, schemas.Alerts)
	partitions := g.Partitions[topic]
	if len(partitions) == 0 {
		<-ctx.Done()
		return nil
	}
	committed, err := w.cfg.Log.Committed(ctx, Group(w.cfg.Prefix, w.Name), map[string][]int{topic: partitions})
	if err != nil {
		return w.unlessOver(ctx, err)
	}
	firing, next, err := w.begin(ctx, partitions)
	if err != nil {
		return w.unlessOver(ctx, err)
	}
	if m, ok := w.Target.(interface{ Know(Notice) }); ok {
		for _, n := range firing {
			if w.Wants.Take(n.Alert) {
				m.Know(n)
			}
		}
	}
	w.cfg.Logger.Info("alerts: delivering", "channel", w.Name, "partitions", partitions, "firing", len(firing))
	work := make(chan error, len(partitions)+1)
	for _, p := range partitions {
		from, known := committed[topic][p]
		var fresh []Notice
		if !known {
			from, fresh = next[p], inPartition(firing, p, w.cfg.Partitions)
		} else if _, must := w.Target.(interface{ Know(Notice) }); must {
			from = min(from, next[p])
		}
		go func() { work <- w.partition(ctx, p, from, fresh) }()
	}
	go func() { work <- w.repeat(ctx) }()
	var all []error
	for range len(partitions) + 1 {
		all = append(all, <-work)
	}
	return errors.Join(all...)
}

// inPartition are the notices whose records lie in a partition: the task of an area writes them, and has the area's partition.
func inPartition(all []Notice, partition, partitions int) (out []Notice) {
	for _, n := range all {
		if schemas.Partition(n.Alert.Area, partitions) == partition {
			out = append(out, n)
		}
	}
	return out
}

// begin asks for what fires until it is told.
func (w *worker) begin(ctx context.Context, partitions []int) (firing []Notice, next map[int]int64, err error) {
	err = w.patiently(ctx, "ask the tables what fires", func(ctx context.Context) error {
		firing, next, err = w.cfg.Begin(ctx, partitions)
		return err
	})
	return firing, next, err
}

// unlessOver makes no error of what was broken off because the generation ended.
func (w *worker) unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// partition delivers fresh and then what lies in one partition, in order.
func (w *worker) partition(ctx context.Context, p int, from int64, fresh []Notice) error {
	for _, n := range fresh {
		if !w.deliver(ctx, n) {
			return nil
		}
	}
	w.done(ctx, p, from)
	topic := schemas.InKafka(w.cfg.Prefix, schemas.Alerts)
	reader := w.cfg.Log.Reader(topic, p, from)
	reader.MaxWait = 2 * time.Second
	for ctx.Err() == nil {
		batch, err := reader.Next(ctx)
		var gone *kafkalog.RangeError
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &gone) && gone.Start > reader.Offset():
			// Only what ClickHouse holds is ever cut. What fires still is among that, and is told again by whoever asks the tables.
			w.cfg.Logger.Error("alerts: the log was cut below what this channel has delivered; what lay there is in v_alerts only",
				"channel", w.Name, "partition", p, "from", reader.Offset(), "to", gone.Start)
			reader = w.cfg.Log.Reader(topic, p, gone.Start)
			continue
		case err != nil:
			return fmt.Errorf("read %s/%d: %w", topic, p, err)
		}
		told := false
		for i := range batch.Records {
			rec := new(pb.Record)
			if err := proto.Unmarshal(batch.Records[i].Value, rec); err != nil {
				return fmt.Errorf("%s/%d offset %d is not a record of corridorwatch: %w", topic, p, batch.Records[i].Offset, err)
			}
			a := rec.GetAlert()
			if f, remembers := w.Target.(interface{ Forget(string) }); a != nil && rec.Deleted && remembers {
				f.Forget(a.Fingerprint)
			}
			if a == nil || rec.Deleted || !w.Wants.Take(a) {
				continue
			}
			if !w.deliver(ctx, NewNotice(a)) {
				return nil // it is sent again under the same id
			}
			told = true
		}
		if told || batch.Next == batch.HighWatermark {
			w.done(ctx, p, batch.Next)
		}
	}
	return nil
}

func (w *worker) done(ctx context.Context, p int, next int64) {
	w.lag.Commit(ctx, map[string]map[int]int64{schemas.InKafka(w.cfg.Prefix, schemas.Alerts): {p: next}})
	if w.cfg.Done != nil {
		w.cfg.Done(w.Name, p, next)
	}
}

// deliver sends a notice until it is taken; false if ctx ended before that.
func (w *worker) deliver(ctx context.Context, n Notice) bool {
	err := w.patiently(ctx, "send alert "+n.ID, func(ctx context.Context) error { return w.Target.Send(ctx, n) })
	switch {
	case errors.Is(err, ErrUseless):
		w.cfg.Metrics.refused(w.Name)
		w.cfg.Logger.Error("alerts: not taken; it is in v_alerts only", "channel", w.Name, "id", n.ID, "err", err)
		return true
	case err != nil:
		return false
	}
	w.cfg.Metrics.sent(w.Name)
	return true
}

func (w *worker) repeat(ctx context.Context) error {
	tick := time.NewTicker(RepeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.Target.Repeat(ctx); err != nil && ctx.Err() == nil {
			w.cfg.Logger.Warn("alerts: what fires was not repeated; it is tried again in a minute", "channel", w.Name, "err", err)
		}
	}
}

// Bounds of the pause between two attempts, of which a random half is left out, so that many senders do not come at once.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Minute
	// attemptTimeout bounds one attempt.
	attemptTimeout = 20 * time.Second
)

// patiently tries until it succeeds, ctx ends, or trying is no use. A receiver may say how long it wants to be left alone.
func (w *worker) patiently(ctx context.Context, what string, do func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := do(attempt)
		cancel()
		if err == nil {
			w.cfg.Metrics.failing(w.Name, false)
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, ErrUseless) {
			return err
		}
		w.cfg.Metrics.failing(w.Name, true)
		wait := pause/2 + rand.N(pause/2)
		var later *retryAfter
		switch {
		case errors.Is(err, ErrClosed):
			wait = longestPause
		case errors.As(err, &later):
			wait = max(wait, later.wait)
		}
		w.cfg.Logger.Warn("alerts: not delivered yet; trying again, nothing is lost", "channel", w.Name, "what", what, "err", err, "wait", wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// retryAfter is a receiver's wish to be left alone for a while.
type retryAfter struct {
	wait time.Duration
	err  error
}

func (r *retryAfter) Error() string { return r.err.Error() }
func (r *retryAfter) Unwrap() error { return r.err }
