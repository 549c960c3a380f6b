package schemas

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// FuzzProtobuf takes any bytes as an event in protobuf: what Check lets pass is, once its texts are trimmed as JSON's are, the same
// event when it goes through JSON, and hashes the same.
func FuzzProtobuf(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		ev, fault := DecodeJSON(text)
		if fault != nil {
			f.Fatal(fault)
		}
		b, err := proto.Marshal(ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ev := new(pb.Event)
		if (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, ev) != nil {
			return
		}
		if fault := Check(ev); fault != nil {
			if fault.Reason == "" || fault.Detail == "" {
				t.Fatalf("a fault without words: %+v", fault)
			}
			return
		}
		ev.ImpliedBy = "" // JSON does not say it, and intake decides it anew
		text := EncodeJSON(ev)
		back, fault := DecodeJSON(text)
		if fault != nil {
			// Only trimming can take a text away that was there.
			if fault.Reason != MissingField && fault.Reason != ImpossibleValue {
				t.Fatalf("%s does not come back: %v", text, fault)
			}
			return
		}
		again, fault := DecodeJSON(EncodeJSON(back))
		if fault != nil || !proto.Equal(back, again) || Hash(back) != Hash(again) {
			t.Fatalf("%s comes back as %v, then %v, %v", text, back, again, fault)
		}
		if plain := string(EncodeJSON(back)); plain == string(text) && Hash(back) != Hash(ev) {
			t.Fatalf("%s: hash %x, as protobuf %x", text, Hash(back), Hash(ev))
		}
	})
}
