package sink

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"corridorwatch/schemas/clickhouse"
)

// Advice that goes with several refusals.
const (
	migrate = "the tables are missing or of another version than this program: run 'corridorwatch migrate'; the sink waits for it"
	grant   = "ClickHouse does not let this user in: mend user, password or grants (SELECT and INSERT on the database)"
	slower  = "ClickHouse has more to do than it can; the sink tries less often until it is through"
)

// refusals of ClickHouse by code, and what to do about them. They pass with time, or once somebody has mended them; until then the
// records stay in Kafka.
var refusals = map[int32]string{
	252: "too many parts: ClickHouse merges more slowly than it is given rows; look at system.merges and at the disks, and for others who insert",
	164: "the server or the user is read-only: look at the settings profile of the user",
	242: "the table is read-only: its replica has lost Keeper or is starting",
	243: "the disk of ClickHouse is full: free space or add a disk",
	241: slower + "; or give it more memory (max_server_memory_usage, max_memory_usage)",
	202: slower + "; or raise max_concurrent_queries",
	159: slower, 160: slower, 209: slower, 210: slower, 425: slower,
	285: "too few replicas are alive for CORRIDORWATCH_CLICKHOUSE_QUORUM: bring one back, or lower the setting",
	286: "the insert did not reach its quorum in time: look at system.replicas",
	319: "whether the insert reached its quorum is not known; it is made again, which is harmless",
	999: "Keeper does not answer",
	60:  migrate, 81: migrate, 16: migrate, 8: migrate, 10: migrate, 47: migrate, 691: migrate,
	497: grant, 516: grant, 192: grant, 193: grant, 194: grant,
}

// hopeless are the answers of ClickHouse that time does not mend: types that do not fit, text or data that cannot be read.
var hopeless = map[int32]bool{53: true, 27: true, 117: true, 50: true, 62: true}

// refusal is an error of ClickHouse as the sink sees it.
type refusal struct {
	code   string // of ClickHouse; "network" if it did not answer
	advice string
	final  bool // no other attempt will do better
}

func judge(err error) refusal {
	if errors.As(err, new(*mismatch)) {
		return refusal{"mismatch", "this is a fault in the program", true}
	}
	if errors.As(err, new(*clickhouse.MisplacedError)) {
		return refusal{"shards", "nothing was written", true}
	}
	var e *ch.Exception
	if !errors.As(err, &e) {
		return refusal{"network", "is ClickHouse running, and the way to it open?", false}
	}
	code := strconv.Itoa(int(e.Code))
	if hopeless[e.Code] {
		return refusal{code, "this is a fault in the program, or the tables are of another version: run 'corridorwatch migrate'", true}
	}
	return refusal{code, refusals[e.Code], false}
}

// patiently tries do again until it succeeds, ctx ends or time will not help.
func (w *worker) patiently(ctx context.Context, what string, do func(context.Context) error) error {
	return w.stubbornly(ctx, ctx, what, do)
}

// longestWait is between two attempts.
const longestWait = 10 * time.Second

// stubbornly is patiently with a second context: each attempt may go on until hard ends, but none begins after a failure once ctx
// has ended.
func (w *worker) stubbornly(ctx, hard context.Context, what string, do func(context.Context) error) error {
	var since time.Time
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, longestWait) {
		err := attempt(hard, do)
		if err == nil {
			w.metrics.succeeded()
			if !since.IsZero() {
				w.cfg.Logger.Info("sink: ClickHouse takes it again", "what", what, "after", time.Since(since).Round(time.Millisecond))
			}
			return nil
		}
		err = fmt.Errorf("%s: %w", what, err)
		why := judge(err)
		if why.final {
			return fmt.Errorf("%w (%s)", err, why.advice)
		}
		if ctx.Err() != nil {
			return err
		}
		if since.IsZero() {
			since = time.Now()
		}
		w.metrics.refused(why.code)
		w.cfg.Logger.Warn("sink: ClickHouse does not take it; trying again, nothing is lost", "err", err, "advice", why.advice, "code", why.code, "wait", wait)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

func attempt(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	err := do(ctx)
	// Of a request that was not answered, why is enough: its address names every column.
	var unanswered *url.Error
	if errors.As(err, &unanswered) {
		return unanswered.Err
	}
	return err
}
