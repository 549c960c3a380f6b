// Package foldtest checks that a fold gives the same bytes wherever and however often it is folded: here and in another process, in
// which its state is written and read again now and then, whole and in pieces.
//
//	func TestFoldedTwice(t *testing.T) {
//		foldtest.Twice(t, func(every int) (digests []string) {
//			f := foldtest.New(Stage(cat), every)
//			… fold …
//			return []string{f.Digest()}
//		})
//	}
package foldtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// marker in the environment makes the test binary print its digests.
const marker = "CORRIDORWATCH_TEST_FOLDER"

// Twice compares the digests of this process, without restarts, with those of another, with a restart after every few records.
func Twice(t *testing.T, digests func(every int) []string) {
	t.Helper()
	if os.Getenv(marker) != "" {
		for _, d := range digests(3) {
			fmt.Println("digest " + d)
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), marker+"=1")
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("fold in another process: %v\n%s", err, text)
	}
	there := strings.Split(string(text), "\n")
	here := digests(0)
	if len(here) == 0 {
		t.Error("nothing was folded")
	}
	for _, d := range here {
		if !slices.Contains(there, "digest "+d) {
			t.Errorf("another process does not come to %s", d)
		}
	}
}

// Fold is a fold that sums up what comes out of it, and is restarted after every few records.
type Fold struct {
	inner   stream.Fold
	stage   stream.Stage
	every   int // 0: never
	steps   int
	whole   []byte // last state written whole
	pieces  [][]stream.Piece
	records int
	sum     [sha256.Size]byte // of the sum before and the record
}

// New makes the fold of a stage, restarted after every so many records; 0: never.
func New(stage stream.Stage, every int) *Fold {
	return &Fold{inner: stage.New(), stage: stage, every: every}
}

// Fold folds a record, and restarts the fold if it is time.
func (f *Fold) Fold(in stream.In, out *stream.Out) {
	f.inner.Fold(in, f.watched(in.Now, out))
	f.step()
}

// Advance closes a round, and restarts the fold if it is time.
func (f *Fold) Advance(now int64, out *stream.Out) {
	f.inner.Advance(now, f.watched(now, out))
	f.step()
}

func (f *Fold) step() {
	if f.steps++; f.every > 0 && f.steps%f.every == 0 {
		f.restart()
	}
}

// Snapshot is the state.
func (f *Fold) Snapshot() ([]byte, error) { return f.inner.Snapshot() }

// Restore replaces the state.
func (f *Fold) Restore(state []byte) error { return f.inner.Restore(state) }

// watched sums up what is emitted on its way to out.
func (f *Fold) watched(now int64, out *stream.Out) *stream.Out {
	return stream.NewOut(func(topic, key string, rec *pb.Record) {
		rec.KnownAt = now
		b := must(proto.MarshalOptions{Deterministic: true}.Marshal(rec))
		f.records++
		f.sum = sha256.Sum256(append(append(f.sum[:], topic+"|"+key+"|"...), b...))
		out.Emit(topic, key, rec)
	}, out.Tick)
}

// Digest is a sum of all that came out, in order, and of the state.
func (f *Fold) Digest() string {
	state := sha256.Sum256(must(f.Snapshot()))
	return fmt.Sprintf("%d records %s, state %s", f.records, hex.EncodeToString(f.sum[:8]), hex.EncodeToString(state[:8]))
}

// restart writes the state, whole each third time and else what has changed, and goes on with a new fold that reads it.
func (f *Fold) restart() {
	if pieces, ok := f.inner.(stream.Pieces); ok && f.steps/f.every%3 != 1 {
		f.pieces = append(f.pieces, must(pieces.Changed()))
	} else {
		f.whole, f.pieces = must(f.Snapshot()), nil
	}
	f.inner = f.stage.New()
	err := f.Restore(f.whole)
	for _, p := range f.pieces {
		if err == nil {
			err = f.inner.(stream.Pieces).Apply(p)
		}
	}
	if err != nil {
		panic(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
