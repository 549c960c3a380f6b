package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"corridorwatch/processors/deliver"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
)

// grant is what a role may do with a topic or a consumer group.
type grant struct {
	group      bool
	name       string
	prefix     bool // all names that begin with name
	operations []string
}

// roleGrants is what one role needs on a cluster that asks for permission.
type roleGrants struct {
	role, what string
	grants     []grant
}

// grants are what each role needs, no more. Read and Write include Describe.
func grants(prefix string, stages []stream.Stage) []roleGrants {
	topic := func(name string, operations ...string) grant {
		return grant{name: schemas.InKafka(prefix, name), operations: operations}
	}
	group := func(name, operation string) grant {
		return grant{group: true, name: name, operations: []string{operation}}
	}
	process := []grant{topic(schemas.Installation, "Read"), topic(schemas.Checkpoints, "Read", "Write", "Delete"), topic(schemas.Intake, "Read")}
	sinks := []grant{topic(schemas.Installation, "Read"), group(schemas.SinkGroup(prefix), "Read")}
	live := []grant{topic(schemas.Installation, "Read"), topic(schemas.Intake, "Write"), topic(schemas.Checkpoints, "Read"),
		group(schemas.SinkGroup(prefix), "Describe")}
	told := []grant{topic(schemas.Installation, "Read"), topic(schemas.Alerts, "Read"),
		{group: true, name: deliver.Group(prefix, ""), prefix: true, operations: []string{"Read"}}}
	admin := []grant{topic(schemas.Installation, "Read", "Write")}
	for _, s := range stages {
		process = append(process, group(schemas.Group(prefix, s.Name), "Read"))
		live = append(live, group(schemas.Group(prefix, s.Name), "Describe"))
	}
	for _, t := range schemas.Topics {
		admin = append(admin, topic(t.Name, "Create", "DescribeConfigs", "Describe"))
		if written(t, stages) { // a task reads what it wrote itself after an upgrade
			process = append(process, topic(t.Name, "Read", "Write"))
			live = append(live, topic(t.Name, "Read"))
		}
		if sink.Sunk(t) {
			sinks = append(sinks, topic(t.Name, "Read"))
		}
	}
	return []roleGrants{
		{"process", "every stage", process},
		{"sink", "", sinks},
		{"deliver", "", told},
		{"live", "", live},
		{"ingest", "and other producers that wait for what they sent", []grant{topic(schemas.Installation, "Read"), topic(schemas.Intake, "Read", "Write")}},
		{"topics, doctor", "for the administrator, once", admin},
	}
}

func written(t schemas.Topic, stages []stream.Stage) bool {
	return slices.ContainsFunc(stages, func(s stream.Stage) bool { return slices.Contains(s.Outputs, t.Name) })
}

// printACLs writes the commands that grant a principal what each role needs.
func printACLs(out io.Writer, brokers []string, principal string, roles []roleGrants) {
	for _, r := range roles {
		fmt.Fprintf(out, "\n# %s", r.role)
		if r.what != "" {
			fmt.Fprintf(out, " (%s)", r.what)
		}
		fmt.Fprintln(out)
		for _, line := range aclLines(r.grants) {
			fmt.Fprintf(out, "kafka-acls.sh --bootstrap-server %s --add --allow-principal %s%s\n", strings.Join(brokers, ","), principal, line)
		}
	}
}

// aclLines gathers what is granted alike into one line.
func aclLines(all []grant) []string {
	names := map[string][]string{}
	for _, g := range all {
		kind := " --topic "
		if g.group {
			kind = " --group "
		}
		operations := " --operation " + strings.Join(g.operations, " --operation ")
		if g.prefix {
			operations = " --resource-pattern-type prefixed" + operations
		}
		names[operations] = append(names[operations], kind+g.name)
	}
	var lines []string
	for _, operations := range slices.Sorted(maps.Keys(names)) {
		lines = append(lines, operations+strings.Join(names[operations], ""))
	}
	return lines
}
