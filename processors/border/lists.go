package border

import "corridorwatch/schemas/pb"

// named is the time over which lists of one vehicle name a load unit.
type named struct {
	run         string
	first, last int64
}

// lists are those of all vehicles. A load unit is on one vehicle at a time, and the later list counts.
type lists []named

func (u *unit) lists() lists { return u.listsOf(u.rides) }

// listsOf are those that some of the rides rest on.
func (u *unit) listsOf(rides map[string]*pb.Ride) (all lists) {
	if u.isVehicle() {
		return nil
	}
	at := map[named]int{}
	for _, key := range sortedKeys(rides) {
		r := rides[key]
		if _, gone := u.retracted[r.OnBy]; gone || r.NamedAt == 0 {
			continue
		}
		i, known := at[named{run: r.Run, first: r.NamedAt}]
		if !known {
			i = len(all)
			at[named{run: r.Run, first: r.NamedAt}] = i
			all = append(all, named{run: r.Run, first: r.NamedAt})
		}
		all[i].last = max(all[i].last, r.NamedLastAt)
	}
	return all
}

// contradict tells whether a ride was not one: before it began another vehicle's list had named the unit, after all lists of its own
// vehicle; or the lists that name it lie between two of another vehicle.
func (l lists) contradict(r *pb.Ride) bool {
	began, last := (&stay{Visit: r.Visit}).start(), r.NamedLastAt
	for _, n := range l {
		if n.run == r.Run && n.first == r.NamedAt {
			last = n.last
		}
	}
	for _, n := range l {
		if n.run != r.Run && (n.first > r.NamedLastAt && n.first <= began || n.first < r.NamedAt && last < n.last) {
			return true
		}
	}
	return false
}
