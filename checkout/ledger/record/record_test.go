package record

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

// fullEvent has every field.
func fullEvent() Event {
	return Event{Event: checkout.Event{
		Chain: checkout.Hash{9}, Base: checkout.Place{Chain: checkout.Hash{8}, Seq: 7}, Heard: time.Unix(1_790_000_000, 1000),
		Closed:  []checkout.Head{{Station: "attic", Chain: checkout.Hash{3}, Seq: 12, Hash: checkout.Hash{4}}},
		Station: "lab", Seq: 300, ID: uuid.MustParse("019aa5f6-0000-7000-8000-000000000001"), Kind: checkout.Handover, Reader: "door",
		Actor: "root", Person: "ann", PersonName: "Ann", Device: "ipad", DeviceName: "iPad", From: "\x01ff", FromTag: "…901",
		Source: checkout.SourceWeb, Note: "a note", Condition: "cracked", Loan: 3 * time.Hour, DeviceTag: "…011", PersonTag: "…001",
		At: checkout.Stamp{Wall: time.Unix(1_790_000_000, 5), Mono: 77 * time.Second,
			BootID: uuid.MustParse("11111111-1111-4111-8111-111111111111"), Trusted: true},
		Gap:  &checkout.Gap{File: "x.damaged", Seq: 7, Hash: checkout.Hash{1}, Lost: [][2]uint64{{8, 9}, {20, 299}}},
		Prev: checkout.Hash{2}}, Resolved: "\x01aa", Whose: []byte("0123456789abcdef"),
		Links: Links{Device: Ref{1, 2}, Person: Ref{1, 3}, From: Ref{2, 4}, Resolved: Ref{1, 5}},
	}
}

func TestEventRoundTrip(t *testing.T) {
	for _, ev := range []Event{fullEvent(), {Event: checkout.Event{Station: "s", Seq: 1, Kind: checkout.Clock}},
		{Event: checkout.Event{Station: "s", Seq: 2, Kind: checkout.Checkout, Actor: "p", Person: "p"}},
		{Event: checkout.Event{Station: "s", Seq: 5, Kind: checkout.Extend, Person: "p", Device: "d", Loan: time.Hour, Due: time.Unix(1_790_000_000, 0)}},
		{Event: checkout.Event{Station: "s", Seq: 6, Kind: checkout.Incomplete, Device: "box", Condition: "incomplete", Missing: []string{"Charger", "Cable, long"}}},
		{Event: checkout.Event{Station: "s", Seq: 7, Kind: checkout.Checkout, Person: "p", Device: "charger", Kit: "box"}},
		{Event: checkout.Event{Station: "s", Seq: 8, Kind: checkout.Reserve, Person: "p", Booking: checkout.Booking{Kind: "headset", From: time.Unix(1_790_000_000, 0), To: time.Unix(1_790_003_600, 0)}}},
		{Event: checkout.Event{Station: "s", Seq: 9, Kind: checkout.Cancel, Person: "p", Device: "d", Booking: checkout.Booking{Seq: 8}}},
		{Event: checkout.Event{Station: "s", Seq: 3, Kind: checkout.Resolve, Device: "d"}, Resolved: "\x01aa"},
		{Event: checkout.Event{Station: "s", Seq: 4, Kind: checkout.Return, Chain: checkout.Hash{9}, Base: checkout.Place{Chain: checkout.Hash{9}, Seq: 3}}},
	} {
		record := Encode(&ev)
		got, err := Decode(record)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, ev) {
			t.Errorf("got  %+v\nwant %+v", got, ev)
		}
		again := ev
		if bytes.Equal(Encode(&again), record) && ev.Person != "" {
			t.Error("two encodings share their salts")
		}
	}
}

// TestExtendForOlderPrograms: a program that does not know the kind takes it for a
// correction, and finds the same loan.
func TestExtendForOlderPrograms(t *testing.T) {
	for _, k := range []checkout.Kind{checkout.Reserve, checkout.Cancel, checkout.Ready} {
		was := Loan{Holder: "ann", Length: time.Minute}
		if got := was.After(&Event{Event: checkout.Event{Kind: k}}, Ref{1, 5}); older[k] != checkout.Correct || got != was {
			t.Errorf("%s: %+v, and for older programs %q", k, got, older[k])
		}
	}
	ev := Event{Event: checkout.Event{Station: "s", Seq: 5, Kind: checkout.Extend, Device: "d", Loan: time.Hour}}
	p, err := Split(Encode(&ev))
	if err != nil {
		t.Fatal(err)
	}
	var kind checkout.Kind
	var loan time.Duration
	if err := decode([]Field{{4, &kind}, {15, (*seconds)(&loan)}}, p.Core[1:]); err != nil {
		t.Fatal(err)
	}
	as := Event{Event: checkout.Event{Kind: kind, Loan: loan}}
	was := Loan{Holder: "ann", Length: time.Minute}
	if got, want := was.After(&as, Ref{1, 5}), was.After(&ev, Ref{1, 5}); kind != checkout.Correct || got != want || got.Length != time.Hour {
		t.Errorf("%s: %+v, want %+v", kind, got, want)
	}
}

// TestEveryBitCounts flips each bit of a record: the hash, a commitment or the
// checksum notices.
func TestEveryBitCounts(t *testing.T) {
	ev := fullEvent()
	record := Encode(&ev)
	for i := range len(record) * 8 {
		b := bytes.Clone(record)
		b[i/8] ^= 1 << (i % 8)
		if _, err := Decode(b); err == nil {
			t.Errorf("bit %d of %d can be flipped", i, len(record)*8)
		}
	}
	for n := range record {
		if _, err := Decode(record[:n]); err == nil {
			t.Errorf("a record cut at %d is accepted", n)
		}
	}
}

// TestSideCannotBeExchanged puts the personal part of one event beside the
// core of another: the commitments notice.
func TestSideCannotBeExchanged(t *testing.T) {
	a, b := fullEvent(), fullEvent()
	b.Person = "ben"
	pa, err := Split(Encode(&a))
	if err != nil {
		t.Fatal(err)
	}
	pb, err := Split(Encode(&b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(assemble(pa.Core, pa.Hash, pb.Side)); err == nil || !strings.Contains(err.Error(), "does not match its commitment") {
		t.Error(err)
	}
	if _, err := Decode(assemble(pa.Core, pa.Hash, nil)); err == nil || !strings.Contains(err.Error(), "missing and not erased") {
		t.Error(err)
	}
}

// TestTypicalSize keeps an eye on what a tap costs for ever.
func TestTypicalSize(t *testing.T) {
	ev := Event{Event: checkout.Event{Station: "lab", Seq: 1_000_000, ID: uuid.New(), Kind: checkout.Checkout, Reader: "stump", Source: checkout.SourceReader,
		Actor: "p000001", Person: "p000001", PersonName: "Person Number 1", Device: "d000001", DeviceName: "Device Number 1",
		At: fullEvent().At, Prev: checkout.Hash{1}}, Links: fullEvent().Links}
	if n := len(Encode(&ev)); n > 380 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	ev := fullEvent()
	f.Add(Encode(&ev))
	p, err := Split(Encode(&ev))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Core)
	f.Add(p.Side)
	f.Fuzz(func(_ *testing.T, b []byte) {
		// As they are, and as parts whose sums hold.
		_, _ = Decode(b)
		_, _ = Decode(assemble(b, coreHash(b), b))
	})
}

func FuzzRows(f *testing.F) {
	r := Row{Name: "n", Lookup: []byte{1}, Head: Ref{1, 2}, Loan: Loan{Holder: "h", Since: Ref{1, 9}, At: fullEvent().At}}
	f.Add(Pack(RowForm(&r)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = Open(b)
		v := Envelope{Tree: TreeDevices, Rev: 7, Key: b, Body: b}
		if len(b) <= MaxSize {
			got, err := Open(v.Seal())
			if err != nil || !bytes.Equal(got.Key, b) || !bytes.Equal(got.Body, b) || got.Rev != 7 {
				t.Errorf("%v %v", got, err)
			}
		}
		_, _ = Unpack(RowForm, b)
		_, _ = Unpack(OutboxForm, b)
		_, _ = Unpack(SinkForm, b)
		_, _ = Unpack(BootForm, b)
		_, _ = Unpack(UnknownForm, b)
		_, _ = Unpack(ChainForm, b)
	})
}

// A row whose memo says that it waits, and that a salvage or restore parked since,
// is parked; what was stuck before stays what it was.
func TestMemoOfParkedRow(t *testing.T) {
	for memo, want := range map[string]OutboxState{
		`{"state":"queued","step":"returned"}`: Parked, `{"state":"sending","step":"returned"}`: Parked,
		`{"state":"lost","step":"returned"}`: InDoubt, `{"state":"conflict","step":"returned"}`: Conflict,
	} {
		b := Pack(OutboxForm(&OutboxRow{State: Parked, Reason: "the ledger was damaged"}))
		o, err := Unpack(OutboxForm, appendField(b, 6, []byte(memo)))
		if err != nil || o.State != want || o.Reason != "the ledger was damaged" || o.Step != "returned" {
			t.Errorf("%s: %+v, %v, want it %v", memo, o, err, want)
		}
	}
	if s := OutboxState(9).String(); s != "unknown" {
		t.Errorf("state 9 is %q", s)
	}
}
