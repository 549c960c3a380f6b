package deliver

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

const prefix = "t"

// people are those who are told; they take nothing while they are away.
type people struct {
	mu    sync.Mutex
	away  bool
	told  []string
	heard chan struct{}
}

func newPeople() *people { return &people{heard: make(chan struct{}, 1000)} }

func (p *people) Send(_ context.Context, n Notice) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return errors.New("nobody there")
	}
	p.told = append(p.told, n.ID)
	p.heard <- struct{}{}
	return nil
}

func (p *people) Repeat(context.Context) error { return nil }

func (p *people) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told)
}

// await waits until n versions have been told.
func (p *people) await(t *testing.T, n int) []string {
	t.Helper()
	for limit := time.After(time.Minute); ; {
		if got := p.all(); len(got) >= n {
			return got
		}
		select {
		case <-p.heard:
		case <-limit:
			t.Fatalf("told %v, want %d", p.all(), n)
		}
	}
}

type topic struct {
	t   *testing.T
	log *kafkalog.Client
	seq uint64
}

func newTopic(t *testing.T) *topic {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second), kfake.SeedTopics(1, schemas.InKafka(prefix, schemas.Alerts)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: broker.ListenAddrs(), ClientID: "test", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { log.Close() })
	return &topic{t: t, log: log}
}

// write appends an alert, and a mark behind it, and returns the notice it makes.
func (w *topic) write(a *pb.Alert) Notice {
	w.t.Helper()
	w.append(&pb.Record{Body: &pb.Record_Alert{Alert: a}}, &pb.Record{Body: &pb.Record_Mark{Mark: a.Updated}})
	return NewNotice(a)
}

func (w *topic) append(recs ...*pb.Record) {
	w.t.Helper()
	out := w.log.Appender(schemas.InKafka(prefix, schemas.Alerts), 0)
	for _, rec := range recs {
		w.seq++
		rec.Epoch, rec.Seq = 1, w.seq
		b, err := proto.Marshal(rec)
		if err != nil {
			w.t.Fatal(err)
		}
		out.Append([]byte("dostyk"), b)
	}
	if _, err := out.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// run delivers until the returned function is called.
func (w *topic) run(begin func(context.Context, []int) ([]Notice, map[int]int64, error), channels ...Channel) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, Config{
			Log: w.log, Prefix: prefix, Partitions: 1, Channels: channels, Begin: begin, SessionTimeout: time.Second, Logger: slog.New(slog.DiscardHandler),
		})
	}()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
}

func nothing(context.Context, []int) ([]Notice, map[int]int64, error) { return nil, nil, nil }

// TestDelivered: stopped and started again nothing is missing, nothing has two ids, and who cannot be reached holds nobody up.
func TestDelivered(t *testing.T) {
	w := newTopic(t)
	here, away := newPeople(), newPeople()
	away.away = true
	pages := newPeople()
	channels := []Channel{{Name: "here", Target: here}, {Name: "away", Target: away}, {Name: "pages", Target: pages, Wants: Wants{Severity: "page"}}}
	stop := w.run(nothing, channels...)
	defer stop()
	var want []string
	for i := range 5 {
		want = append(want, w.write(overdue(uint32(i+1), "ticket", true)).ID)
	}
	page := w.write(overdue(6, "page", true)).ID
	want = append(want, page)
	here.await(t, len(want))
	pages.await(t, 1)
	stop()
	away.mu.Lock()
	away.away = false
	away.mu.Unlock()
	stop = w.run(nothing, channels...)
	want = append(want, w.write(overdue(7, "ticket", false)).ID)
	away.await(t, len(want))
	here.await(t, len(want))
	stop()
	for _, who := range []struct {
		name   string
		people *people
		want   []string
	}{{"here", here, want}, {"away", away, want}, {"pages", pages, []string{page}}} {
		// At least once: who was told just before the stop is told again, under the same id.
		got := who.people.all()
		first := got[:0:0]
		for _, id := range got {
			if strings.Trim(id, "0123456789abcdef-") != "" {
				t.Errorf("id %q holds more than what every receiver takes", id)
			}
			if !slices.Contains(first, id) {
				first = append(first, id)
			}
		}
		if !slices.Equal(first, who.want) {
			t.Errorf("%s was told %v, want %v", who.name, got, who.want)
		}
	}
}

// TestNewChannel: it is told what fires already, and from there on what comes; not the history.
func TestNewChannel(t *testing.T) {
	w := newTopic(t)
	w.write(overdue(1, "ticket", true))
	fires := w.write(overdue(2, "ticket", true))
	begin := func(context.Context, []int) ([]Notice, map[int]int64, error) {
		return []Notice{fires}, map[int]int64{0: 4}, nil
	}
	p := newPeople()
	stop := w.run(begin, Channel{Name: "new", Target: p})
	defer stop()
	p.await(t, 1)
	last := w.write(overdue(3, "ticket", false))
	p.await(t, 2)
	stop()
	if got := p.all(); !slices.Equal(got, []string{fires.ID, last.ID}) {
		t.Errorf("told %v, want %s and %s", got, fires.ID, last.ID)
	}
}

// rememberer repeats what it was told, so it must know what is over.
type rememberer struct {
	*people
	forgot chan string
}

func (r *rememberer) Forget(fingerprint string) { r.forgot <- fingerprint }

// TestTakenBack: an alert that an upgrade takes back is repeated no more. It is no news: nobody was to be told of it.
func TestTakenBack(t *testing.T) {
	w := newTopic(t)
	r := &rememberer{newPeople(), make(chan string, 1)}
	stop := w.run(nothing, Channel{Name: "all", Target: r})
	defer stop()
	a := overdue(1, "ticket", true)
	told := w.write(a)
	r.await(t, 1)
	w.append(&pb.Record{Deleted: true, Body: &pb.Record_Alert{Alert: &pb.Alert{Fingerprint: a.Fingerprint, Area: a.Area}}})
	select {
	case got := <-r.forgot:
		if got != a.Fingerprint {
			t.Errorf("%q is forgotten, want %q", got, a.Fingerprint)
		}
	case <-time.After(time.Minute):
		t.Error("it is not forgotten")
	}
	stop()
	if got := r.all(); !slices.Equal(got, []string{told.ID}) {
		t.Errorf("told %v, want %s", got, told.ID)
	}
}
