package schemas

import (
	"strconv"
	"strings"

	"corridorwatch/schemas/pb"
)

// Activities are the codes of what is done, or waited for, at a border station; other codes are taken too.
var Activities = [...]string{
	"loading", "unloading", "transhipment", "gauge_change", "wagon_delivery", "cargo_fixing", "excess_cargo", "wagon_repair", "classification",
	"marshalling", "document_errors", "transit_documents", "customs", "technical_inspection", "commercial_inspection", "sanitary_inspection",
	"busy_facilities", "faulty_equipment", "waiting_wagons", "waiting_locomotive", "restricted_entry", "priority_trains", "other",
}

// eventType is one CloudEvents type: its prefix says what it is about, its verb what happened.
type eventType struct {
	verb     pb.Verb
	word     string   // "arrived" of "train.arrived"
	prefixes []string // "train", "vessel", "unit" ...
	about    string   // for the documentation
	subject  string
	start    func(e *pb.Event)      // puts the empty data message into e; nil if the type has none
	has      func(e *pb.Event) bool // tells whether e holds data of this type
	data     shape[pb.Event]
	needData bool // at least one field is needed
}

var (
	vehicles = []string{"train", "vessel"}
	movers   = []string{"train", "vessel", "unit"}
)

const (
	aboutRun  = "run"
	aboutUnit = "unit"
)

// eventTypes lists every type. A prefix and a word occur together once.
var eventTypes = makeTypes()

func makeTypes() []*eventType {
	types := append(movementTypes(), runTypes()...)
	types = append(types, unitTypes()...)
	types = append(types, cargoTypes()...)
	types = append(types, networkTypes()...)
	types = append(types, costType())
	for _, t := range types {
		if t.start == nil {
			t.start, t.has = func(*pb.Event) {}, func(e *pb.Event) bool { return e.Data == nil }
		}
		for _, f := range t.data {
			t.needData = t.needData || f.need
		}
	}
	return types
}

func placeField(doc string) field[pb.Event] {
	return textField("place", "place", doc, func(e *pb.Event) *string { return &e.Place })
}

func movementTypes() []*eventType {
	position := &eventType{
		verb: pb.Verb_POSITION, word: "position", prefixes: movers, subject: "run or unit", about: "a fix of a tracker; that of a wagon or container is stored and makes no visits",
		start: func(e *pb.Event) { e.Data = &pb.Event_Position{Position: new(pb.Position)} },
		has:   func(e *pb.Event) bool { return e.GetPosition() != nil },
		data: shape[pb.Event]{
			degreesField("lat", "latitude in degrees, WGS 84, north positive", 90, func(e *pb.Event) *int32 { return &e.GetPosition().LatE7 }).required(),
			degreesField("lon", "longitude in degrees, WGS 84, east positive", 180, func(e *pb.Event) *int32 { return &e.GetPosition().LonE7 }).required(),
			maybeField("speed_kmh", "speed over ground, up to 500", 500, func(e *pb.Event) **float32 { return &e.GetPosition().SpeedKmh }),
			maybeField("heading", "degrees clockwise from north, 0 to 360", 360, func(e *pb.Event) **float32 { return &e.GetPosition().Heading }),
			maybeField("accuracy_m", "radius the tracker claims, metres", 1e7, func(e *pb.Event) **float32 { return &e.GetPosition().AccuracyM }),
		},
	}
	types := []*eventType{position}
	for _, m := range []struct {
		verb     pb.Verb
		word     string
		prefixes []string
		about    string
	}{
		{pb.Verb_ARRIVED, "arrived", movers, "came to a stand at a place"},
		{pb.Verb_DEPARTED, "departed", movers, "left a place where it stood"},
		{pb.Verb_PASSED, "passed", vehicles, "went through a place without a stop"},
	} {
		types = append(types, &eventType{
			verb: m.verb, word: m.word, prefixes: m.prefixes, subject: "run or unit", about: m.about,
			start: func(e *pb.Event) { e.Data = &pb.Event_Movement{Movement: new(pb.Movement)} },
			has:   func(e *pb.Event) bool { return e.GetMovement() != nil },
			data: shape[pb.Event]{
				placeField("where").required(),
				timeField("planned_time", "when it should have been", func(e *pb.Event) *int64 { return &e.GetMovement().PlannedTime }),
			},
		})
	}
	return types
}

func runTypes() []*eventType {
	held := func(verb pb.Verb, word, about string) *eventType {
		return &eventType{
			verb: verb, word: word, prefixes: vehicles, subject: aboutRun, about: about,
			start: func(e *pb.Event) { e.Data = &pb.Event_Held{Held: new(pb.Held)} },
			has:   func(e *pb.Event) bool { return e.GetHeld() != nil },
			data: shape[pb.Event]{
				placeField("where it waits").required(),
				textField("bound_for", "border", "border it waits for", func(e *pb.Event) *string { return &e.GetHeld().BoundFor }),
				textField("cause", "code", "why", func(e *pb.Event) *string { return &e.GetHeld().Cause }),
			},
		}
	}
	return []*eventType{
		plannedType(), compositionType(),
		{
			verb: pb.Verb_ENDED, word: "ended", prefixes: vehicles, subject: aboutRun, about: "the run is over",
			start: func(e *pb.Event) { e.Data = &pb.Event_Ended{Ended: new(pb.Ended)} },
			has:   func(e *pb.Event) bool { return e.GetEnded() != nil },
			data: shape[pb.Event]{
				placeField("where"),
				textField("continued_by", "run", "run under which the train goes on", func(e *pb.Event) *string { return &e.GetEnded().ContinuedBy }),
			},
		},
		held(pb.Verb_HELD, "held", "held back upstream, before the border"),
		held(pb.Verb_RESUMED, "resumed", "goes on after it was held"),
		handoverType(),
	}
}

func plannedType() *eventType {
	stops := shape[pb.PlanStop]{
		textField("place", "place", "where", func(s *pb.PlanStop) *string { return &s.Place }).required(),
		timeField("arrival", "planned arrival", func(s *pb.PlanStop) *int64 { return &s.Arrival }),
		timeField("departure", "planned departure", func(s *pb.PlanStop) *int64 { return &s.Departure }),
	}
	return &eventType{
		verb: pb.Verb_PLANNED, word: "planned", prefixes: vehicles, subject: aboutRun, about: "the timetable of a run; a later one replaces it",
		start: func(e *pb.Event) { e.Data = &pb.Event_Plan{Plan: new(pb.Plan)} },
		has:   func(e *pb.Event) bool { return e.GetPlan() != nil },
		data: shape[pb.Event]{
			listField("stops", "in order; places the catalogue lacks are kept as they are", stops, func(e *pb.Event) *[]*pb.PlanStop { return &e.GetPlan().Stops }).required(),
			textField("destination", "place", "where the run ends", func(e *pb.Event) *string { return &e.GetPlan().Destination }).required(),
			textField("exit_border", "border", "by which it is to leave", func(e *pb.Event) *string { return &e.GetPlan().ExitBorder }),
		},
	}
}

func compositionType() *eventType {
	containers := shape[pb.ContainerOn]{
		textField("id", "container", "ISO 6346 number", func(c *pb.ContainerOn) *string { return &c.Id }).required(),
		flagField("loaded", "false: an empty", func(c *pb.ContainerOn) **bool { return &c.Loaded }),
	}
	items := shape[pb.CompositionItem]{
		textField("wagon", "wagon", "7, 8 or 12 digits", func(i *pb.CompositionItem) *string { return &i.Wagon }),
		listField("containers", "what stands on it", containers, func(i *pb.CompositionItem) *[]*pb.ContainerOn { return &i.Containers }),
		textField("consignment", "text", "consignment note", func(i *pb.CompositionItem) *string { return &i.Consignment }),
	}
	return &eventType{
		verb: pb.Verb_COMPOSITION, word: "composition", prefixes: vehicles, subject: aboutRun, about: "which wagons and containers the run carries from now on",
		start: func(e *pb.Event) { e.Data = &pb.Event_Composition{Composition: new(pb.Composition)} },
		has:   func(e *pb.Event) bool { return e.GetComposition() != nil },
		data: shape[pb.Event]{
			codeField("op", "set replaces the list, add and remove change it", []string{"set", "add", "remove"},
				func(e *pb.Event) *pb.Composition_Op { return &e.GetComposition().Op }).required(),
			listField("items", "wagons with what stands on them, or containers alone; none: an empty train", items, func(e *pb.Event) *[]*pb.CompositionItem { return &e.GetComposition().Items }),
			placeField("where"),
		},
	}
}

func handoverType() *eventType {
	at := func(e *pb.Event) *pb.Handover { return e.GetHandover() }
	return &eventType{
		verb: pb.Verb_HANDOVER, word: "handover", prefixes: vehicles, subject: aboutRun, about: "one railway hands the train to the next",
		start: func(e *pb.Event) { e.Data = &pb.Event_Handover{Handover: new(pb.Handover)} },
		has:   func(e *pb.Event) bool { return e.GetHandover() != nil },
		data: shape[pb.Event]{
			textField("border", "border", "at which border", func(e *pb.Event) *string { return &at(e).Border }).required(),
			codeField("state", "how far it has come", []string{"offered", "accepted", "refused", "returned"},
				func(e *pb.Event) *pb.Handover_State { return &at(e).State }).required(),
			textField("cause", "code", "why refused or returned", func(e *pb.Event) *string { return &at(e).Cause }),
			textField("counterpart", "text", "the other railway", func(e *pb.Event) *string { return &at(e).Counterpart }),
		},
	}
}

func unitTypes() []*eventType {
	loading := func(verb pb.Verb, word, about string) *eventType {
		return &eventType{
			verb: verb, word: word, prefixes: []string{"unit"}, subject: aboutUnit, about: about,
			start: func(e *pb.Event) { e.Data = &pb.Event_Loading{Loading: new(pb.Loading)} },
			has:   func(e *pb.Event) bool { return e.GetLoading() != nil },
			data: shape[pb.Event]{
				textField("vehicle", "run", "run, or voyage", func(e *pb.Event) *string { return &e.GetLoading().Vehicle }).required(),
				codeField("vehicle_kind", "vessel where it is one; without it, ids that begin with IMO: or MMSI: are vessels", []string{"train", "vessel"},
					func(e *pb.Event) *pb.UnitKind { return &e.GetLoading().VehicleKind }),
				placeField("where").required(),
			},
		}
	}
	at := func(e *pb.Event) *pb.Activity { return e.GetActivity() }
	return []*eventType{
		loading(pb.Verb_LOADED, "loaded", "came on board of a vehicle; implies train.composition"),
		loading(pb.Verb_UNLOADED, "unloaded", "left a vehicle; implies train.composition"),
		{
			verb: pb.Verb_ACTIVITY, word: "activity", prefixes: movers, subject: "run or unit", about: "what is done, or waited for, at a place",
			start: func(e *pb.Event) { e.Data = &pb.Event_Activity{Activity: new(pb.Activity)} },
			has:   func(e *pb.Event) bool { return e.GetActivity() != nil },
			data: shape[pb.Event]{
				textField("kind", "code", "such as "+strings.Join(Activities[:], ", "), func(e *pb.Event) *string { return &at(e).Kind }).required(),
				codeField("state", "begin and end", []string{"started", "finished", "held", "released"},
					func(e *pb.Event) *pb.Activity_State { return &at(e).State }).required(),
				placeField("where").required(),
				textField("cause", "code", "why", func(e *pb.Event) *string { return &at(e).Cause }),
				textField("party", "text", "who does it, or causes it", func(e *pb.Event) *string { return &at(e).Party }),
			},
		},
	}
}

// typesByName finds a type by its CloudEvents name.
var typesByName = func() map[string]namedType {
	m := map[string]namedType{}
	for _, t := range eventTypes {
		for _, p := range t.prefixes {
			m[p+"."+t.word] = namedType{t, kindOfPrefix(p)}
		}
	}
	return m
}()

type namedType struct {
	*eventType
	kind pb.UnitKind
}

func kindOfPrefix(p string) pb.UnitKind {
	switch p {
	case "train":
		return pb.UnitKind_TRAIN
	case "vessel":
		return pb.UnitKind_VESSEL
	case "unit":
		return pb.UnitKind_CONTAINER
	}
	return pb.UnitKind_UNIT_KIND_NONE
}

// typeOf finds the type of an event by verb and kind of its subject.
func typeOf(verb pb.Verb, kind pb.UnitKind) (*eventType, string) {
	if verb <= 0 || int(verb) >= len(typesByVerb) || kind < 0 || kind > pb.UnitKind_CONTAINER {
		return nil, ""
	}
	return typesByVerb[verb], names[verb][kind]
}

// typesByVerb and names are the same table the other way round.
var (
	typesByVerb = func() (by [pb.Verb_COST + 1]*eventType) {
		for _, t := range eventTypes {
			by[t.verb] = t
		}
		return by
	}()
	names = func() (by [pb.Verb_COST + 1][pb.UnitKind_CONTAINER + 1]string) {
		for _, t := range eventTypes {
			for _, p := range t.prefixes {
				kind := kindOfPrefix(p)
				by[t.verb][kind] = p + "." + t.word
				if kind == pb.UnitKind_CONTAINER {
					by[t.verb][pb.UnitKind_WAGON] = p + "." + t.word
				}
			}
		}
		for kind := range by[pb.Verb_RETRACTED] {
			by[pb.Verb_RETRACTED][kind] = "event.retracted" // of whatever it is about
		}
		for kind := range by[pb.Verb_MILESTONE] {
			by[pb.Verb_MILESTONE][kind] = "shipment.milestone" // intake passes it on to each unit
		}
		return by
	}()
)

// TypeName is the CloudEvents type of an event, empty if there is no such type: TRAIN and ARRIVED make "train.arrived", wagons and
// containers "unit.arrived".
func TypeName(verb pb.Verb, kind pb.UnitKind) string {
	_, name := typeOf(verb, kind)
	return name
}

// ParseType splits a CloudEvents type. The kind of a unit.* type is CONTAINER until KindOfUnit has seen the subject.
func ParseType(name string) (pb.Verb, pb.UnitKind, bool) {
	t, ok := typesByName[name]
	if !ok {
		return 0, 0, false
	}
	return t.verb, t.kind, true
}

// KindOfUnit tells wagons from containers by their number: 7 digits (China), 8 (1520 network) or 12 (UIC) are a wagon, whatever blanks
// and hyphens stand between them; everything else is a container.
func KindOfUnit(number string) pb.UnitKind {
	digits := 0
	for i := 0; i < len(number); i++ {
		switch c := number[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == ' ' || c == '-':
		default:
			return pb.UnitKind_CONTAINER
		}
	}
	if digits == 7 || digits == 8 || digits == 12 {
		return pb.UnitKind_WAGON
	}
	return pb.UnitKind_CONTAINER
}

// unknownType says which types there are, beginning with those that look like what was written.
func unknownType(name string) *Fault {
	detail := strconv.Quote(clip(name, 60)) + " is not an event type"
	prefix, _, _ := strings.Cut(name, ".")
	var like []string
	for _, t := range eventTypes {
		for _, p := range t.prefixes {
			if p == prefix {
				like = append(like, p+"."+t.word)
			}
		}
	}
	if like == nil {
		return &Fault{Reason: UnknownType, Path: "type", Detail: detail + ": types begin with train., vessel., unit., shipment., network., border. or event."}
	}
	return &Fault{Reason: UnknownType, Path: "type", Detail: detail + "; of " + prefix + " there are " + strings.Join(like, ", ")}
}

// Start puts the empty data message of its type into an event whose verb and kind are set; none where the type has no data.
func Start(ev *pb.Event) {
	if t, _ := typeOf(ev.Verb, ev.UnitKind); t != nil {
		t.start(ev)
	}
}
