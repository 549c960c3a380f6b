package schemas

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// FuzzProtobuf takes any bytes as an event in protobuf: what Check lets pass comes back the same from JSON, and hashes the
// same.
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
		ev.ImpliedBy = "" // which intake decides anew
		text := EncodeJSON(ev)
		back, fault := DecodeJSON(text)
		if fault != nil || !proto.Equal(back, stripped(ev)) || Hash(back) != Hash(ev) {
			t.Fatalf("%v comes back from %s as %v, %v", ev, text, back, fault)
		}
	})
}

// stripped is an event without what JSON does not say. It is copied by way of its bytes: proto.Clone loses the sign of -0.
func stripped(ev *pb.Event) *pb.Event {
	b, err := proto.Marshal(ev)
	if err != nil {
		panic(err)
	}
	ev = new(pb.Event)
	if err := proto.Unmarshal(b, ev); err != nil {
		panic(err)
	}
	ev.IngestedAt, ev.AcceptedAt, ev.Late, ev.Hash = 0, 0, false, 0
	return ev
}
