// Package schemas fixes what the parts of corridorwatch agree on: the topics, their keys and partitions, and how events look in
// CloudEvents JSON. The message types themselves are in schemas/pb (generated from schemas/proto), the catalogue of places,
// borders and corridors in schemas/network, the ClickHouse tables and views in schemas/clickhouse.
package schemas

//go:generate sh -c "cd .. && go build -o .bin/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go && protoc --plugin=.bin/protoc-gen-go -I schemas/proto --go_out=. --go_opt=module=corridorwatch schemas/proto/events.proto schemas/proto/results.proto schemas/proto/log.proto"

import (
	"hash/fnv"

	"corridorwatch/schemas/pb"
)

// Topic names, without the installation's prefix.
const (
	Intake         = "intake"       // raw input of everybody, any key
	TrainEvents    = "train-events" // events of runs, key: run
	UnitEvents     = "unit-events"  // events of wagons and containers, rides and run facts, key: unit
	AreaEvents     = "area-events"  // what one cause can delay: crossings, visits, holds, restrictions, plans; key: area
	Shipments      = "shipments"
	Restrictions   = "restrictions"
	Plans          = "plans"
	Rejects        = "rejects"
	TrainStatus    = "train-status"
	Visits         = "visits"
	Legs           = "legs"
	Crossings      = "crossings"
	CrossingDelays = "crossing-delays"
	DelayStats     = "delay-stats"
	Alerts         = "alerts"
	Recomputed     = "recomputed"   // what became of recomputes, and the events they folded that had come too late; key: subject
	Checkpoints    = "checkpoints"  // one partition per task
	Installation   = "installation" // one record: what was chosen when the prefix was created
)

// Topic says how a topic is laid out.
type Topic struct {
	Name string
	// Single topics have one partition whatever the installation's partition count, Tasks one per task, others P.
	Single, Tasks bool
	// Writers are the stages that write sequenced records and marks into it (none: its records are not sequenced).
	Writers []pb.Stage
	// Own: task t writes only partition t. Otherwise the key chooses among all partitions.
	Own bool
}

// Stages in the order of the flow; a task's checkpoint partition is CheckpointPartition.
var Stages = [...]pb.Stage{pb.Stage_INTAKE, pb.Stage_DWELL, pb.Stage_BORDER, pb.Stage_DELAY}

// Topics lists every topic of an installation.
var Topics = [...]Topic{
	{Name: Installation, Single: true},
	{Name: Checkpoints, Tasks: true},
	{Name: Intake},
	{Name: TrainEvents, Writers: []pb.Stage{pb.Stage_INTAKE}},
	{Name: UnitEvents, Writers: []pb.Stage{pb.Stage_INTAKE, pb.Stage_DWELL}},
	{Name: AreaEvents, Writers: []pb.Stage{pb.Stage_INTAKE, pb.Stage_BORDER}},
	{Name: Shipments, Own: true, Writers: []pb.Stage{pb.Stage_INTAKE}},
	{Name: Restrictions, Own: true, Writers: []pb.Stage{pb.Stage_INTAKE}},
	{Name: Plans, Own: true, Writers: []pb.Stage{pb.Stage_INTAKE}},
	{Name: Rejects, Own: true, Writers: []pb.Stage{pb.Stage_INTAKE}},
	{Name: TrainStatus, Own: true, Writers: []pb.Stage{pb.Stage_DWELL}},
	{Name: Visits, Own: true, Writers: []pb.Stage{pb.Stage_DWELL, pb.Stage_BORDER}},
	{Name: Legs, Own: true, Writers: []pb.Stage{pb.Stage_BORDER}},
	{Name: Crossings, Own: true, Writers: []pb.Stage{pb.Stage_BORDER}},
	{Name: CrossingDelays, Own: true, Writers: []pb.Stage{pb.Stage_DELAY}},
	{Name: DelayStats, Own: true, Writers: []pb.Stage{pb.Stage_DELAY}},
	{Name: Alerts, Own: true, Writers: []pb.Stage{pb.Stage_DELAY}},
	{Name: Recomputed, Own: true, Writers: []pb.Stage{pb.Stage_DWELL, pb.Stage_BORDER}},
}

// Partitions is the number of partitions of t in an installation of p.
func (t Topic) Partitions(p int) int {
	switch {
	case t.Single:
		return 1
	case t.Tasks:
		return p * len(Stages)
	}
	return p
}

// CheckpointPartition is the partition of Checkpoints that belongs to one task in an installation of p partitions.
func CheckpointPartition(stage pb.Stage, task, p int) int {
	for i, s := range Stages {
		if s == stage {
			return i*p + task
		}
	}
	panic("schemas: stage without checkpoint partition: " + stage.String())
}

// Partition chooses the partition of a key: FNV-1a, 32 bits, modulo the count. It never changes within an installation.
func Partition(key string, partitions int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(partitions))
}

// Version orders the versions of one row: epoch first, then the sequence number of the record that carries it.
func Version(epoch uint32, seq uint64) uint64 { return uint64(epoch)<<44 | seq }

// InKafka is the name of a topic in Kafka.
func InKafka(prefix, topic string) string { return prefix + "." + topic }

// Group is the consumer group in which a stage shows people how far it is. Its tasks go by their checkpoints.
func Group(prefix string, stage pb.Stage) string {
	return prefix + "." + StageName(stage)
}

// StageName is the name of a stage in settings, logs, metrics and tables.
func StageName(s pb.Stage) string {
	switch s {
	case pb.Stage_INTAKE:
		return "intake"
	case pb.Stage_DWELL:
		return "dwell"
	case pb.Stage_BORDER:
		return "border"
	case pb.Stage_DELAY:
		return "delay"
	}
	return s.String()
}

// SinkGroup is the same of the sink, which goes by what it stored in ClickHouse.
func SinkGroup(prefix string) string { return prefix + ".sink" }
