package simulation

import (
	"slices"

	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
)

// deployment says which processes there are.
type deployment struct {
	name  string
	slots []slotSpec
}

type slotSpec struct {
	name    string
	roles   []role
	classes []class // of its requests
	once    bool
}

var (
	feeder = slotSpec{name: "feed", roles: []role{feed}, classes: feedClasses, once: true}
	all    = slices.Concat(stageClasses, sinkClasses)
)

func folds(name string) slotSpec {
	return slotSpec{name: name, roles: []role{stages(stream.RunGroup)}, classes: slices.Concat(stageClasses, groupClasses)}
}

func everything(name string) slotSpec {
	return slotSpec{name: name, roles: []role{stages(stream.RunGroup), sinks(sink.RunGroup)}, classes: slices.Concat(all, groupClasses)}
}

var deployments = []deployment{
	{"one", []slotSpec{feeder, {name: "a", roles: []role{stages(stream.Run), sinks(sink.Run)}, classes: all}}},
	{"two", []slotSpec{feeder, {name: "a", roles: []role{stages(stream.Run)}, classes: stageClasses}, {name: "s", roles: []role{sinks(sink.Run)}, classes: sinkClasses}}},
	{"shared2", []slotSpec{feeder, everything("a"), everything("b")}},
	{"shared3", []slotSpec{feeder, folds("a"), folds("b"), folds("c"), {name: "s", roles: []role{sinks(sink.RunGroup)}, classes: slices.Concat(sinkClasses, groupClasses)}}},
}

func deploymentOf(name string) deployment {
	for _, d := range deployments {
		if d.name == name {
			return d
		}
	}
	panic("there is no deployment " + name)
}
