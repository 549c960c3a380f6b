package sink

import "corridorwatch/schemas/pb"

// transferColumns adds the columns of a change of vehicles; where there was none they are empty.
func transferColumns[B any](s *shape[B], of func(B) *pb.Transfer) {
	word := func(get func(*pb.Transfer) string) func(B) string { return func(b B) string { return get(of(b)) } }
	words := func(get func(*pb.Transfer) []string) func(B) []string {
		return func(b B) []string { return get(of(b)) }
	}
	number := func(get func(*pb.Transfer) int64) func(B) int64 { return func(b B) int64 { return get(of(b)) } }
	causes := func(b B) []*pb.CauseTime { return of(b).GetCauses() }
	text(s, "transfer_first", word((*pb.Transfer).GetFirst))
	text(s, "transfer_second", word((*pb.Transfer).GetSecond))
	texts(s, "transfer_places", words((*pb.Transfer).GetPlaces))
	at(s, "transfer_arrived", number((*pb.Transfer).GetArrived))
	at(s, "transfer_off_at", number((*pb.Transfer).GetOffAt))
	at(s, "transfer_on_at", number((*pb.Transfer).GetOnAt))
	at(s, "transfer_departed", number((*pb.Transfer).GetDeparted))
	seconds(s, "transfer_on_first_s", number((*pb.Transfer).GetOnFirstS))
	seconds(s, "transfer_between_s", number((*pb.Transfer).GetBetweenS))
	seconds(s, "transfer_on_second_s", number((*pb.Transfer).GetOnSecondS))
	list(s, "transfer_cause", "String", causes, (*pb.CauseTime).GetCause)
	list(s, "transfer_cause_s", "Int64", causes, (*pb.CauseTime).GetSeconds)
	seconds(s, "transfer_overlap_s", number((*pb.Transfer).GetOverlapS))
	seconds(s, "transfer_unexplained_s", number((*pb.Transfer).GetUnexplainedS))
	at(s, "transfer_as_of", number((*pb.Transfer).GetAsOf))
	texts(s, "transfer_going_on", words((*pb.Transfer).GetGoingOn))
}
