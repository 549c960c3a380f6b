// Package installation creates and opens one installation: its topics, the choices that cannot change later (partition count, how
// time passes), and, on the embedded broker, the deletion of what no reader needs any more.
package installation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Ways in which time passes in an installation.
const (
	Wall = "wall" // a clock writes a tick each second
	Data = "data" // one producer, simulator or replay, writes ticks out of the events it sends
)

// Choice is what is fixed when an installation is created. To change it, replay into a new prefix.
type Choice struct {
	Time       string `json:"time"`
	Partitions int    `json:"partitions"`
	// From is the prefix of the installation whose history is replayed into this one; empty: none.
	From string `json:"from,omitempty"`
	// Stages are those it was created for: the checkpoints of another set lie elsewhere. Open fills them in.
	Stages []string `json:"stages,omitempty"`
}

// stages are those this program runs.
func stages() []string {
	var out []string
	for _, s := range schemas.Stages {
		out = append(out, schemas.StageName(s))
	}
	return out
}

// had are the stages it was created for.
func (c Choice) had() []string {
	if len(c.Stages) == 0 {
		return []string{"intake", "dwell", "border"} // created before there were others
	}
	return c.Stages
}

// Has tells whether it was created for a stage.
func (c Choice) Has(stage pb.Stage) bool {
	return slices.Contains(c.had(), schemas.StageName(stage))
}

// Check says what to do where the installation was created for other stages than this program runs.
func (c Choice) Check(prefix string) error {
	have := c.had()
	if slices.Equal(have, stages()) {
		return nil
	}
	return fmt.Errorf("installation %q was created for the stages %s, and this version runs %s: run the version it was created with, or take its history "+
		"into a new one with 'corridorwatch replay --from tables --to NEW --switch' (docs/recompute-and-replay.md)", prefix, strings.Join(have, ", "), strings.Join(stages(), ", "))
}

// ErrNone says that the prefix has no installation yet.
var ErrNone = errors.New("no installation under this prefix yet: 'corridorwatch up', 'demo' or 'topics apply' creates it")

// Specs lists the topics of an installation with their settings. Nothing is compacted and nothing expires by itself: a sequenced
// log with a hole is of no use, and checkpoints and offsets say what may be deleted.
func Specs(prefix string, partitions, replication int) []kafkalog.TopicSpec {
	configs := map[string]string{"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
	if replication >= 3 {
		configs["min.insync.replicas"] = "2"
		configs["unclean.leader.election.enable"] = "false"
		configs["message.timestamp.type"] = "LogAppendTime"
	}
	specs := make([]kafkalog.TopicSpec, 0, len(schemas.Topics))
	for _, t := range schemas.Topics {
		specs = append(specs, kafkalog.TopicSpec{
			Name: schemas.InKafka(prefix, t.Name), Partitions: t.Partitions(partitions), Replication: replication, Configs: configs,
		})
	}
	return specs
}

// Open returns what the installation was created with, creating it with want if there is none. An installation that was created
// otherwise is an error that says what to do.
func Open(ctx context.Context, log *kafkalog.Client, prefix string, want Choice, replication int) error {
	want.Stages = stages()
	have, err := Read(ctx, log, prefix)
	if errors.Is(err, ErrNone) {
		if err := create(ctx, log, prefix, want, replication); err != nil {
			return err
		}
		have, err = Read(ctx, log, prefix)
	}
	if err != nil {
		return err
	}
	if err := have.Check(prefix); err != nil {
		return err
	}
	if have.Time != want.Time {
		return fmt.Errorf("installation %q runs on %s time, not %s: start it with --time %s, or choose another CORRIDORWATCH_DATA_DIR or "+
			"CORRIDORWATCH_PREFIX for a new one", prefix, have.Time, want.Time, have.Time)
	}
	if have.Partitions != want.Partitions {
		return fmt.Errorf("installation %q has %d partitions, not %d: set CORRIDORWATCH_PARTITIONS=%d, or replay into a new prefix to change it",
			prefix, have.Partitions, want.Partitions, have.Partitions)
	}
	// Again, in case the process that created it was stopped half-way.
	if err := log.CreateTopics(ctx, Specs(prefix, have.Partitions, replication)); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	return nil
}

// create makes the installation's own topic first and writes the choice; of two processes at it the first record counts.
func create(ctx context.Context, log *kafkalog.Client, prefix string, want Choice, replication int) error {
	for _, s := range Specs(prefix, want.Partitions, replication) {
		if s.Name != schemas.InKafka(prefix, schemas.Installation) {
			continue
		}
		if err := log.CreateTopics(ctx, []kafkalog.TopicSpec{s}); err != nil {
			return fmt.Errorf("create topic %s: %w", s.Name, err)
		}
	}
	value, err := json.Marshal(want)
	if err != nil {
		return fmt.Errorf("encode the installation's choices: %w", err)
	}
	a := log.Appender(schemas.InKafka(prefix, schemas.Installation), 0)
	a.Append(nil, value)
	if _, err := a.Flush(ctx); err != nil {
		return fmt.Errorf("store the installation's choices: %w", err)
	}
	return nil
}

// Read returns what the installation was created with, or ErrNone.
func Read(ctx context.Context, log *kafkalog.Client, prefix string) (Choice, error) {
	topic := schemas.InKafka(prefix, schemas.Installation)
	topics, err := log.Topics(ctx)
	if err != nil {
		return Choice{}, fmt.Errorf("list topics: %w", err)
	}
	if topics[topic] == 0 {
		return Choice{}, ErrNone
	}
	start, end, err := log.Offsets(ctx, topic, 0)
	if err != nil {
		return Choice{}, fmt.Errorf("look at %s: %w", topic, err)
	}
	reader := log.Reader(topic, 0, start)
	for reader.Offset() < end {
		batch, err := reader.Next(ctx)
		if err != nil {
			return Choice{}, fmt.Errorf("read %s: %w", topic, err)
		}
		if len(batch.Records) == 0 {
			continue
		}
		var c Choice
		if err := json.Unmarshal(batch.Records[0].Value, &c); err != nil {
			return Choice{}, fmt.Errorf("read %s: %w", topic, err)
		}
		return c, nil
	}
	return Choice{}, ErrNone
}
