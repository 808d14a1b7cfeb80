package checkout

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// fullEvent has every field.
func fullEvent() stored {
	return stored{Event: Event{
		Station: "lab", Seq: 300, ID: uuid.MustParse("019aa5f6-0000-7000-8000-000000000001"), Kind: Handover, Reader: "door",
		Actor: "root", Person: "ann", PersonName: "Ann", Device: "ipad", DeviceName: "iPad", From: "\x01ff", FromTag: "…901",
		Source: SourceWeb, Note: "a note", Condition: "cracked", Loan: 3 * time.Hour, DeviceTag: "…011", PersonTag: "…001",
		At: Stamp{Wall: time.Unix(1_790_000_000, 5), Mono: 77 * time.Second,
			BootID: uuid.MustParse("11111111-1111-4111-8111-111111111111"), Trusted: true},
		Gap:  &Gap{File: "x.damaged", Seq: 7, Hash: Hash{1}, Lost: [][2]uint64{{8, 9}, {20, 299}}},
		Prev: Hash{2}}, resolved: "\x01aa", whose: []byte("0123456789abcdef"),
		links: links{device: ref{1, 2}, person: ref{1, 3}, from: ref{2, 4}, resolved: ref{1, 5}},
	}
}

func TestEventRoundTrip(t *testing.T) {
	for _, ev := range []stored{fullEvent(), {Event: Event{Station: "s", Seq: 1, Kind: Clock}}, {Event: Event{Station: "s", Seq: 2, Kind: Checkout, Actor: "p", Person: "p"}}} {
		record := encodeEvent(&ev)
		got, err := decodeEvent(record)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, ev) {
			t.Errorf("got  %+v\nwant %+v", got, ev)
		}
		again := ev
		if bytes.Equal(encodeEvent(&again), record) && ev.Person != "" {
			t.Error("two encodings share their salts")
		}
	}
}

// TestEveryBitCounts flips each bit of a record: the hash, a commitment or the
// checksum notices.
func TestEveryBitCounts(t *testing.T) {
	ev := fullEvent()
	record := encodeEvent(&ev)
	for i := range len(record) * 8 {
		b := bytes.Clone(record)
		b[i/8] ^= 1 << (i % 8)
		if _, err := decodeEvent(b); err == nil {
			t.Errorf("bit %d of %d can be flipped", i, len(record)*8)
		}
	}
	for n := range record {
		if _, err := decodeEvent(record[:n]); err == nil {
			t.Errorf("a record cut at %d is taken", n)
		}
	}
}

// TestSideCannotBeExchanged puts the personal part of one event beside the
// core of another: the commitments notice.
func TestSideCannotBeExchanged(t *testing.T) {
	a, b := fullEvent(), fullEvent()
	b.Person = "ben"
	pa, err := split(encodeEvent(&a))
	if err != nil {
		t.Fatal(err)
	}
	pb, err := split(encodeEvent(&b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeEvent(assemble(pa.core, pa.hash, pb.side)); err == nil || !strings.Contains(err.Error(), "not what was committed") {
		t.Error(err)
	}
	if _, err := decodeEvent(assemble(pa.core, pa.hash, nil)); err == nil || !strings.Contains(err.Error(), "missing and not erased") {
		t.Error(err)
	}
}

// TestTypicalSize keeps an eye on what a tap costs for ever.
func TestTypicalSize(t *testing.T) {
	ev := stored{Event: Event{Station: "lab", Seq: 1_000_000, ID: uuid.New(), Kind: Checkout, Reader: "stump", Source: SourceReader,
		Actor: "p000001", Person: "p000001", PersonName: "Person Number 1", Device: "d000001", DeviceName: "Device Number 1",
		At: fullEvent().At, Prev: Hash{1}}, links: fullEvent().links}
	if n := len(encodeEvent(&ev)); n > 340 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	ev := fullEvent()
	f.Add(encodeEvent(&ev))
	p, err := split(encodeEvent(&ev))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.core)
	f.Add(p.side)
	f.Fuzz(func(_ *testing.T, b []byte) {
		// As they are, and as parts whose sums hold.
		_, _ = decodeEvent(b)
		_, _ = decodeEvent(assemble(b, coreHash(b), b))
	})
}

func FuzzRows(f *testing.F) {
	r := row{name: "n", lookup: []byte{1}, head: ref{1, 2}, loan: loanState{holder: "h", since: ref{1, 9}, at: fullEvent().At}}
	f.Add(r.encode())
	f.Add((&Salvaged{Lost: [][2]uint64{{1, 2}}}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = openRow(b)
		v := envelope{tree: treeDevices, rev: 7, key: b, body: b}
		if len(b) <= maxEvent {
			got, err := openRow(v.seal())
			if err != nil || !bytes.Equal(got.key, b) || !bytes.Equal(got.body, b) || got.rev != 7 {
				t.Errorf("%v %v", got, err)
			}
		}
		_, _ = decodeRow(b)
		_, _ = decodeOutbox(b)
		_, _ = decodeSink(b)
		_, _ = decodeBoot(b)
		_, _ = decodeUnknown(b)
		_, _ = decodeSalvaged(b)
	})
}

func FuzzReadPeopleCSV(f *testing.F) {
	f.Add("id,name,email,badge\nann,Ann,,1\n")
	f.Add("\ufeffid,name\n\"a\",\"b\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := ReadPeopleCSV(strings.NewReader(s), parseDecimal)
		for _, r := range rows {
			if err == nil && (r.Line < 2 || r.Line > 1+strings.Count(s, "\n")) {
				t.Errorf("line %d of %q", r.Line, s)
			}
		}
	})
}
