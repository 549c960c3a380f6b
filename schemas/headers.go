package schemas

// Content types of records in the intake topic. Without a content-type header the first byte decides: '{' and '[' begin JSON.
const (
	JSONType     = "application/cloudevents+json"
	BatchType    = "application/cloudevents-batch+json"
	ProtobufType = "application/protobuf" // one pb.Event

	// From 'recompute' and 'replay' alone: what has passed an intake before.
	RecomputeType = "application/vnd.corridorwatch.recompute+protobuf" // one pb.Recompute
	AcceptedType  = "application/vnd.corridorwatch.accepted+protobuf"  // one pb.Accepted
)

// Headers of records in the intake topic.
const (
	HeaderContentType = "content-type"

	// A record with these was found bad by its producer, which sends it on so that it is kept: intake rejects it as told.
	HeaderReject = "corridorwatch-reject" // reason
	HeaderPath   = "corridorwatch-path"
	HeaderDetail = "corridorwatch-detail"

	// A record with these is another attempt at a reject, in the partition its id begins with.
	HeaderRetry   = "corridorwatch-retry"   // id of the reject
	HeaderAttempt = "corridorwatch-attempt" // attempts so far
	HeaderFormer  = "corridorwatch-former"  // optional: the pb.Reject as it was, so that its reason is still told when it is accepted
)
