package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Poll keeps a board as the views are. Ages are not on it: they change without anything happening. It shows since when.
type Poll struct {
	Ask   Ask
	Board *Board
	Every time.Duration // a second unless set

	mu    sync.Mutex
	state State
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

// questions are what is on the board.
var questions = []question{
	{"trains", `SELECT run AS key, * EXCEPT (unseen_s, running_s, known_at, late_events)
		FROM v_train_status WHERE state != 'closed' OR seen_at > (SELECT now FROM v_now) - INTERVAL 6 HOUR`},
	{"borders", `SELECT concat(border, '|', role, '|', direction, '|', unit_kind) AS key, border, border_name, role, country, direction, unit_kind, area,
		waiting, silent, candidates, over_norm, oldest_unit, norm_s, released_24h, released_median_s,
		(SELECT now FROM v_now) - toIntervalSecond(oldest_s) AS oldest_since, 
		if(waiting = 0, NULL, (SELECT now FROM v_now) - toIntervalSecond(toInt64(ifNotFinite(ifNull(median_s, 0), 0)))) AS median_since
		FROM v_borders_now`},
	{"alerts", `SELECT fingerprint AS key, * EXCEPT (known_at) FROM v_alerts WHERE firing OR resolved > (SELECT now FROM v_now) - INTERVAL 24 HOUR`},
}

// stageTime is the view of the one row that says which stage time is shown.
const stageTime = "now"

// Views are those of the board.
func Views() []string {
	out := []string{stageTime}
	for _, q := range questions {
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

// Run looks again and again until ctx ends. While ClickHouse is away the board stays as it was, and State says since when.
func (p *Poll) Run(ctx context.Context) error {
	every := p.Every
	if every == 0 {
		every = time.Second
	}
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		err := p.Look(limited)
		cancel()
		if err != nil && ctx.Err() == nil {
			slog.Warn("live: what is shown is not renewed; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
	}
	return nil
}

// Look renews the board once.
func (p *Poll) Look(ctx context.Context) error {
	err := p.look(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.state.Error = err.Error()
		return err
	}
	p.state = State{Looked: time.Now().UTC()}
	return nil
}

func (p *Poll) look(ctx context.Context) error {
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
	for _, q := range questions {
		rows := map[string]json.RawMessage{}
		err := p.Ask.each(ctx, q.sql, readOnly(), func(row json.RawMessage) error {
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
	row, err := json.Marshal(map[string]any{"key": stageTime, "stage_time": now})
	if err != nil {
		return err
	}
	p.Board.Put(stageTime, map[string]json.RawMessage{stageTime: row})
	return nil
}
