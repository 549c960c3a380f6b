package kafkatest

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// configure writes the node's configuration.
func (n *Node) configure(cfg Config, nodes []*Node) error {
	var voters []string
	for _, v := range nodes {
		voters = append(voters, fmt.Sprintf("%d@%s", v.id, v.controller))
	}
	copies := strconv.Itoa(min(len(nodes), 3))
	inSync := strconv.Itoa(max(1, min(len(nodes), 3)-1))
	all := map[string]string{
		"process.roles":            "broker,controller",
		"node.id":                  strconv.Itoa(n.id),
		"controller.quorum.voters": strings.Join(voters, ","),
		// INSIDE joins the nodes, and takes this package's own questions.
		"listeners":                      fmt.Sprintf("CLIENT://%s,INSIDE://%s,CONTROLLER://%s", n.listen, n.inside, n.controller),
		"advertised.listeners":           fmt.Sprintf("CLIENT://%s,INSIDE://%s", n.Addr, n.inside),
		"controller.listener.names":      "CONTROLLER",
		"inter.broker.listener.name":     "INSIDE",
		"listener.security.protocol.map": "CLIENT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                       n.file("log"),

		"default.replication.factor":                       copies,
		"min.insync.replicas":                              inSync,
		"offsets.topic.replication.factor":                 copies,
		"offsets.topic.num.partitions":                     "4",
		"transaction.state.log.replication.factor":         copies,
		"transaction.state.log.min.isr":                    inSync,
		"transaction.state.log.num.partitions":             "4",
		"share.coordinator.state.topic.replication.factor": copies,
		"share.coordinator.state.topic.min.isr":            inSync,
		"group.initial.rebalance.delay.ms":                 "0",
		"auto.create.topics.enable":                        "false",
	}
	if cfg.Secure {
		maps.Copy(all, securely())
	}
	maps.Copy(all, cfg.Settings)
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s=%s\n", name, all[name])
	}
	return os.WriteFile(n.file("server.properties"), b.Bytes(), 0o644)
}
