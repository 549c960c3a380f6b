// Package live shows an installation to people and programs over HTTP: what is now, as a stream of server-sent events, and what was, from
// the views in ClickHouse.
//
//	ClickHouse ─► poll: a few views, every second while somebody watches ─► Board ─► Stream: GET /api/v1/stream, any number of clients
//	           └► API: GET /api/v1/{view}, as JSON, NDJSON or CSV
//
// What is shown is what the views say, so its numbers are those of SQL.
package live

import (
	"bytes"
	"container/list"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Board holds the rows that are shown now, by view and key, each with the revision in which it last changed. A client needs no queue of
// its own: it knows a revision, and what changed since then is what it lacks. However slow it is, it gets the latest of each row once.
type Board struct {
	name string // of this process' board: revisions of another mean nothing

	mu      sync.Mutex
	rev     uint64
	views   map[string]*shown
	changed chan struct{}  // closed when something changes
	horizon uint64         // deleted rows of this revision and before are forgotten: who knows less needs everything
	written map[asked]news // what is told now, by who asks: clients that keep up ask for the same
}

// asked is what a client knows, and which views it watches.
type asked struct {
	rev   uint64
	whole bool
	views string
}

// news are changes as they are sent. Nobody writes into it: it is of all clients that lack the same.
type news struct {
	event string // snapshot or delta; empty: there are none
	data  []byte // Changes as JSON
	rev   uint64 // which they bring one to
}

// mostWritten is how many different news are kept. Clients that are slow lack each something else.
const mostWritten = 8

// shown is a view.
type shown struct {
	rows  map[string]*list.Element // of *row, by key
	byRev *list.List               // the least revision first; deleted rows too, for a while
}

type row struct {
	key  string
	json []byte // nil: deleted
	rev  uint64
	at   time.Time // when it was deleted
}

// keepDeleted is for how long a client may have been away and still be told only of what changed.
const keepDeleted = 15 * time.Minute

// NewBoard makes an empty board.
func NewBoard() *Board {
	return &Board{name: rand.Text()[:8], views: map[string]*shown{}, changed: make(chan struct{}), written: map[asked]news{}}
}

// Put replaces the rows of a view. Rows that are as they were keep their revision.
func (b *Board) Put(view string, rows map[string]json.RawMessage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.views[view]
	if v == nil {
		v = &shown{rows: map[string]*list.Element{}, byRev: list.New()}
		b.views[view] = v
	}
	before, next, now := b.rev, b.rev+1, time.Now()
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if e := v.rows[key]; e != nil {
			if r := e.Value.(*row); bytes.Equal(r.json, rows[key]) {
				continue
			}
			v.byRev.Remove(e)
		}
		b.rev = next
		v.rows[key] = v.byRev.PushBack(&row{key: key, json: rows[key], rev: next})
	}
	for _, key := range slices.Sorted(maps.Keys(v.rows)) {
		e := v.rows[key]
		r := e.Value.(*row)
		switch _, there := rows[key]; {
		case there:
		case r.json != nil:
			b.rev = next
			v.byRev.Remove(e)
			v.rows[key] = v.byRev.PushBack(&row{key: key, rev: next, at: now})
		case now.Sub(r.at) > keepDeleted:
			b.horizon = max(b.horizon, r.rev)
			v.byRev.Remove(e)
			delete(v.rows, key)
		}
	}
	if b.rev != before {
		clear(b.written)
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

// Changes are rows by view and key; null stands for one that is no more.
type Changes map[string]map[string]json.RawMessage

var deleted = json.RawMessage("null")

// news are what a client lacks that has a revision, and a channel that is closed when there is more. They are written once for all that
// lack the same, while they wait for it: with 200 clients that keep up it is one that is written.
func (b *Board) news(name string, rev uint64, views []string) (n news, more <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	whole := b.unknown(name, rev)
	key := asked{rev, whole, strings.Join(views, ",")}
	if whole {
		key.rev = 0
	}
	n, known := b.written[key]
	if known {
		return n, b.changed, nil
	}
	n.rev = b.rev
	changes := b.since(key.rev, whole, views)
	switch {
	case whole:
		n.event = "snapshot"
	case len(changes) > 0:
		n.event = "delta"
	}
	if n.event != "" {
		if n.data, err = json.Marshal(changes); err != nil {
			return news{}, nil, fmt.Errorf("write what changed: %w", err)
		}
	}
	if len(b.written) < mostWritten {
		b.written[key] = n
	}
	return n, b.changed, nil
}

// unknown tells whether a revision is none from which one can go on: who has such a one begins anew.
func (b *Board) unknown(name string, rev uint64) bool {
	return name != b.name || rev < b.horizon || rev > b.rev
}

// since are the changes behind a revision of the given views, or, whole, all rows that there are.
func (b *Board) since(rev uint64, whole bool, views []string) Changes {
	c := Changes{}
	for _, name := range views {
		v := b.views[name]
		if v == nil {
			continue
		}
		for e := v.byRev.Back(); e != nil; e = e.Prev() {
			r := e.Value.(*row)
			if r.rev <= rev {
				break
			}
			if r.json == nil && whole {
				continue
			}
			if c[name] == nil {
				c[name] = map[string]json.RawMessage{}
			}
			if c[name][r.key] = r.json; r.json == nil {
				c[name][r.key] = deleted
			}
		}
	}
	return c
}
