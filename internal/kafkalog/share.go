package kafkalog

import (
	"cmp"
	"slices"

	"github.com/segmentio/kafka-go"
)

// member of a group, as the leader sees it when it shares the partitions out.
type member struct {
	id string
	told
}

func count(all []member, variant string) int {
	n := 0
	for _, m := range all {
		if m.Variant == variant {
			n++
		}
	}
	return n
}

// choose names the variant whose members get the partitions.
func choose(all []member, active string) string {
	if count(all, active) > 0 {
		return active
	}
	best := ""
	for _, m := range all {
		if n, most := count(all, m.Variant), count(all, best); n > most || n == most && m.Variant < best {
			best = m.Variant
		}
	}
	return best
}

// share gives the partitions to the members of a variant: of each topic each gets as many as the others, or one more. What a member
// holds it keeps, up to that number.
func share(all []member, variant string, partitions []kafka.Partition) kafka.GroupMemberAssignments {
	out := kafka.GroupMemberAssignments{}
	var workers []member
	for _, m := range all {
		out[m.id] = map[string][]int{}
		if m.Variant == variant {
			workers = append(workers, m)
		}
	}
	slices.SortFunc(workers, func(a, b member) int { return cmp.Compare(a.id, b.id) })
	byTopic := map[string][]int{}
	var topics []string
	for _, p := range partitions {
		if byTopic[p.Topic] == nil {
			topics = append(topics, p.Topic)
		}
		byTopic[p.Topic] = append(byTopic[p.Topic], p.ID)
	}
	slices.Sort(topics)
	given := map[string]int{}
	for _, topic := range topics {
		ids := byTopic[topic]
		slices.Sort(ids)
		shareTopic(workers, topic, ids, given, out)
	}
	return out
}

// shareTopic shares out one topic; given counts what each member has got of all topics, so that the ones too many of several topics
// do not all fall to the same.
func shareTopic(workers []member, topic string, ids []int, given map[string]int, out kafka.GroupMemberAssignments) {
	if len(workers) == 0 {
		return
	}
	most := (len(ids) + len(workers) - 1) / len(workers)
	full := len(ids) - (most-1)*len(workers) // so many may have `most`, the others one less
	taken := map[int]bool{}
	give := func(m member, p int) {
		out[m.id][topic] = append(out[m.id][topic], p)
		taken[p] = true
		given[m.id]++
	}
	room := func(m member) bool {
		n := len(out[m.id][topic])
		if n < most-1 {
			return true
		}
		if n >= most {
			return false
		}
		atMost := 0
		for _, w := range workers {
			if len(out[w.id][topic]) == most {
				atMost++
			}
		}
		return atMost < full
	}
	for _, m := range workers {
		for _, p := range m.Held[topic] {
			if slices.Contains(ids, p) && !taken[p] && room(m) {
				give(m, p)
			}
		}
	}
	for _, p := range ids {
		if taken[p] {
			continue
		}
		var to *member
		for i := range workers {
			m := &workers[i]
			if room(*m) && (to == nil || cmp.Or(cmp.Compare(len(out[m.id][topic]), len(out[to.id][topic])), cmp.Compare(given[m.id], given[to.id])) < 0) {
				to = m
			}
		}
		give(*to, p)
	}
}
