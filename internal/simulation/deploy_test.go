package simulation

import (
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
)

// deployment says which processes there are.
type deployment struct {
	name  string
	slots []slotSpec
}

type slotSpec struct {
	name  string
	roles []role
	once  bool
}

var feeder = slotSpec{name: "feed", roles: []role{feed}, once: true}

var (
	alone  = []role{stages(stream.Run), sinks(sink.Run)}
	shared = []role{stages(stream.RunGroup), sinks(sink.RunGroup)}
)

var deployments = []deployment{
	{"one", []slotSpec{feeder, {name: "a", roles: alone}}},
	{"two", []slotSpec{feeder, {name: "a", roles: alone[:1]}, {name: "s", roles: alone[1:]}}},
	{"shared2", []slotSpec{feeder, {name: "a", roles: shared}, {name: "b", roles: shared}}},
	{"shared3", []slotSpec{feeder, {name: "a", roles: shared[:1]}, {name: "b", roles: shared[:1]}, {name: "c", roles: shared[:1]}, {name: "s", roles: shared[1:]}}},
}

func deploymentOf(name string) deployment {
	for _, d := range deployments {
		if d.name == name {
			return d
		}
	}
	panic("there is no deployment " + name)
}
