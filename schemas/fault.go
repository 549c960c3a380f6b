package schemas

// Reasons why an event is not accepted. They are codes: rejects and answers over HTTP carry them.
const (
	Unreadable      = "unreadable"       // not JSON, not protobuf, not UTF-8
	UnknownType     = "unknown_type"     // a CloudEvents type this program does not know
	MissingField    = "missing_field"    // a field that the type needs is not given
	ImpossibleValue = "impossible_value" // a field holds what cannot be
	UnknownPlace    = "unknown_place"    // a place, border, area or section the catalogue does not have
	OffNetwork      = "off_network"      // a vehicle farther from everything the catalogue knows than it can be
	Future          = "future"           // further ahead of stage time than a clock may be wrong
	FarAhead        = "far_ahead"        // ahead of data time, and nothing else confirms that time has come so far
	ForeignSource   = "foreign_source"   // over HTTP: the token does not speak for this source (answered only, not kept)
)

// Fault says why an event is not accepted, where the reason lies, and what to do about it.
type Fault struct {
	Reason string // one of the codes above
	Path   string // JSON path within the event, such as "data.stops[2].arrival"; empty for the whole of it
	Detail string // what was found and what is wanted instead
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return f.Reason + ": " + f.Detail
	}
	return f.Reason + " at " + f.Path + ": " + f.Detail
}

// under puts the fault one level deeper: below a field or, with an index, below an element of a list.
func (f *Fault) under(name string) *Fault {
	switch {
	case f == nil:
		return nil
	case f.Path == "":
		f.Path = name
	case f.Path[0] == '[':
		f.Path = name + f.Path
	default:
		f.Path = name + "." + f.Path
	}
	return f
}

func impossible(detail string) *Fault { return &Fault{Reason: ImpossibleValue, Detail: detail} }
