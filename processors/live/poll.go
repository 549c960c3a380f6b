package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Poll keeps a board as the views are, while somebody watches: to look costs a quarter of a core, which is nothing to spend on nobody.
// Ages are not on the board: they change without anything happening. It shows since when.
type Poll struct {
	Ask   Ask
	Board *Board

	mu       sync.Mutex
	state    State
	watchers int
	watched  chan struct{} // closed while somebody watches
	looked   chan struct{} // closed by the next look, which makes another
}

// NewPoll makes one with an empty board.
func NewPoll(ask Ask) *Poll {
	return &Poll{Ask: ask, Board: NewBoard(), watched: make(chan struct{}), looked: make(chan struct{})}
}

// State is how fresh the board is; up to when it knows everything that was accepted is its row of the view now.
type State struct {
	// Looked is when ClickHouse last answered, by the clock of this process; Clock is its time when this was written.
	Looked time.Time `json:"looked"`
	Clock  time.Time `json:"clock"`
	// Error is why it does not answer now; empty while it does.
	Error string `json:"error,omitempty"`
}

// question fills a view of the board. Each row has a column key.
type question struct{ view, sql string }

// round is a list of questions that are asked one after another.
type round struct {
	every time.Duration
	// rest is how many times as long as it took nothing is asked then, at least: what takes long may take a part of a core, but not all of it.
	rest      int
	settings  url.Values
	questions []question
}

// often are the questions that tell what is now, seldom those that take long, which must not keep the others from being asked.
var (
	often = round{time.Second, 0, nil, []question{
		{"trains", `SELECT run AS key, * EXCEPT (unseen_s, running_s, known_at, late_events)
			FROM v_train_status WHERE state != 'closed' OR seen_at > (SELECT now FROM v_now) - INTERVAL 6 HOUR`},
		{"borders", `SELECT concat(border, '|', role, '|', direction, '|', unit_kind) AS key, border, border_name, role, country, direction, unit_kind, area,
			waiting, silent, candidates, begun_here, over_norm, oldest_unit, norm_s, released_24h, released_median_s,
			(SELECT now FROM v_now) - toIntervalSecond(oldest_s) AS oldest_since,
			if(waiting = 0, NULL, (SELECT now FROM v_now) - toIntervalSecond(toInt64(ifNotFinite(ifNull(median_s, 0), 0)))) AS median_since
			FROM v_borders_now`},
		{"alerts", `SELECT fingerprint AS key, * EXCEPT (known_at) FROM v_alerts WHERE firing OR resolved > (SELECT now FROM v_now) - INTERVAL 24 HOUR`},
		{"restrictions", `SELECT concat(source, '|', id) AS key, subject, effect, limit_per_day, direction, applies_to, from_time, until_time, reason, reference
			FROM v_restrictions WHERE in_force`},
	}}
	// These rows say of which stage time they are.
	seldom = round{20 * time.Second, 20, url.Values{"max_execution_time": {"120"}, "max_threads": {"1"}}, []question{
		{"border_days", `SELECT concat(border, '|', role, '|', direction, '|', unit_kind, '|', toString(railway_day)) AS key, *, (SELECT now FROM v_now) AS as_of
			FROM v_border_days WHERE day_ends > (SELECT now FROM v_now) - INTERVAL 8 DAY`},
	}}
)

// stageTime is the view of the one row that says which stage time is shown.
const stageTime = "now"

// Views are those of the board.
func Views() []string {
	out := []string{stageTime}
	for _, q := range slices.Concat(often.questions, seldom.questions) {
		out = append(out, q.view)
	}
	return out
}

// State tells how fresh the board is now.
func (p *Poll) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state
	s.Clock = time.Now().UTC()
	return s
}

// Watch is called by who looks at the board, and leave when that ends. After a time without anybody the board is as it was then: the
// first to come back is kept waiting for a look at ClickHouse, but no longer than soon, and State says how old it is.
func (p *Poll) Watch(ctx context.Context) (leave func()) {
	p.mu.Lock()
	if p.watchers++; p.watchers == 1 {
		close(p.watched)
		p.state.Error = "" // of when somebody last watched: the next look tells anew
	}
	looked, old := p.looked, time.Since(p.state.Looked) > 2*often.every
	p.mu.Unlock()
	if old {
		select {
		case <-looked:
		case <-time.After(soon):
		case <-ctx.Done():
		}
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.watchers--; p.watchers == 0 {
			p.watched = make(chan struct{})
		}
	}
}

// soon is for how long a board is waited for: a person who sees nothing for longer thinks that nothing works.
const soon = 2 * time.Second

// Run looks again and again, while somebody watches, until ctx ends. While ClickHouse is away the board stays as it was, and State says
// since when.
func (p *Poll) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { p.again(ctx, often, p.look) })
	all.Go(func() { p.again(ctx, seldom, p.lookBack) })
	all.Wait()
	return nil
}

func (p *Poll) again(ctx context.Context, r round, look func(context.Context) error) {
	for p.awaitWatcher(ctx) {
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
		err := look(limited)
		cancel()
		if err != nil && ctx.Err() == nil {
			slog.Warn("live: what is shown is not renewed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(r.every, time.Duration(r.rest)*time.Since(began))):
		}
	}
}

// awaitWatcher returns true when somebody watches, and false when ctx has ended.
func (p *Poll) awaitWatcher(ctx context.Context) bool {
	p.mu.Lock()
	watched := p.watched
	p.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-watched:
	}
	return ctx.Err() == nil
}

// Look renews the whole board once.
func (p *Poll) Look(ctx context.Context) error { return errors.Join(p.look(ctx), p.lookBack(ctx)) }

// look renews what is now.
func (p *Poll) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := p.now(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.looked)
	p.looked = make(chan struct{})
	if err != nil {
		p.state.Error = err.Error()
		return err
	}
	p.state = State{Looked: time.Now().UTC()}
	return nil
}

// lookBack renews what takes long.
func (p *Poll) lookBack(ctx context.Context) error { return p.ask(ctx, seldom) }

func (p *Poll) now(ctx context.Context) error {
	var now time.Time
	// Stage time first: what is shown is at least as new as it says.
	err := p.Ask.each(ctx, "SELECT toUnixTimestamp64Milli(now) AS now FROM v_now", readOnly(), func(row json.RawMessage) error {
		var v struct{ Now int64 }
		err := json.Unmarshal(row, &v)
		now = time.UnixMilli(v.Now).UTC()
		return err
	})
	if err != nil {
		return fmt.Errorf("ask for the stage time: %w", err)
	}
	if err := p.ask(ctx, often); err != nil {
		return err
	}
	row, err := json.Marshal(map[string]any{"key": stageTime, "stage_time": now})
	if err != nil {
		return err
	}
	p.Board.Put(stageTime, map[string]json.RawMessage{stageTime: row})
	return nil
}

// ask puts the answers to the questions of a round onto the board.
func (p *Poll) ask(ctx context.Context, r round) error {
	for _, q := range r.questions {
		rows := map[string]json.RawMessage{}
		settings := readOnly()
		maps.Copy(settings, r.settings)
		err := p.Ask.each(ctx, q.sql, settings, func(row json.RawMessage) error {
			var k struct{ Key string }
			err := json.Unmarshal(row, &k)
			rows[k.Key] = row
			return err
		})
		if err != nil {
			return fmt.Errorf("ask for %s: %w", q.view, err)
		}
		p.Board.Put(q.view, rows)
	}
	return nil
}
