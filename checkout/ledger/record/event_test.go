package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"stump/checkout"
)

// decodedEvent is fullEvent as it is read from a record, and the record.
func decodedEvent(t *testing.T) (Event, []byte) {
	t.Helper()
	ev := fullEvent()
	b := Encode(&ev)
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return got, b
}

// TestRewrite erases each personal field by itself: the hash and all others stay.
func TestRewrite(t *testing.T) {
	whole, b := decodedEvent(t)
	for what, tc := range map[string]struct {
		erase func(s *Secrets)
		want  func(ev *Event)
	}{
		"person": {func(s *Secrets) { s.Person = nil },
			func(ev *Event) { ev.Person, ev.PersonName, ev.PersonTag, ev.Resolved = "", "", "", "" }},
		"from":  {func(s *Secrets) { s.From = nil }, func(ev *Event) { ev.From, ev.FromName, ev.FromTag = "", "", "" }},
		"actor": {func(s *Secrets) { s.Actor = nil }, func(ev *Event) { ev.Actor = "" }},
		"note":  {func(s *Secrets) { s.Note = nil }, func(ev *Event) { ev.Note = "" }},
	} {
		rewritten, err := Rewrite(b, func(s *Secrets, l *Links, erased *bool) {
			tc.erase(s)
			l.Device = Ref{7, 8}
			*erased = true
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(rewritten)
		want := whole
		tc.want(&want)
		want.Erased, want.Links.Device = true, Ref{7, 8}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s erased: %v\n got %+v\nwant %+v", what, err, got, want)
		}
		// Erased, but not said so: somebody took it away.
		hidden, err := Rewrite(b, func(s *Secrets, _ *Links, _ *bool) { tc.erase(s) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(hidden); !errors.Is(err, ErrNotEvent) || !strings.Contains(err.Error(), "missing and not erased") {
			t.Errorf("%s taken away: %v", what, err)
		}
	}
	same, err := Rewrite(b, func(*Secrets, *Links, *bool) {})
	if err != nil || !bytes.Equal(same, b) {
		t.Errorf("rewritten without a change: %v", err)
	}
	if _, err := Rewrite(b[:40], func(*Secrets, *Links, *bool) {}); !errors.Is(err, ErrNotEvent) {
		t.Errorf("half a record: %v", err)
	}
}

// TestForgedSecrets: a value that was changed, also with a new salt or without one, does
// not match its commitment.
func TestForgedSecrets(t *testing.T) {
	_, b := decodedEvent(t)
	for what, forge := range map[string]func(s *Secrets){
		"another note":        func(s *Secrets) { s.Note[len(s.Note)-1]++ },
		"another salt":        func(s *Secrets) { s.Note[0]++ },
		"a new note":          func(s *Secrets) { s.Note = salted([]byte("no")) },
		"no salt":             func(s *Secrets) { s.Note = s.Note[saltLen:] },
		"the actor as note":   func(s *Secrets) { s.Note = s.Actor },
		"from and person":     func(s *Secrets) { s.From, s.Person = s.Person, s.From },
		"a note after a note": func(s *Secrets) { s.Note = append(s.Note, ' ') },
	} {
		forged, err := Rewrite(b, func(s *Secrets, _ *Links, _ *bool) { forge(s) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(forged); !errors.Is(err, ErrNotEvent) || !strings.Contains(err.Error(), "does not match its commitment") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNothingPersonalInTheCore: without its side, a record doesn't name anybody, and the
// same event twice doesn't look the same.
func TestNothingPersonalInTheCore(t *testing.T) {
	ev := fullEvent()
	ev.Station, ev.Person, ev.PersonName, ev.From, ev.FromName, ev.Actor, ev.Note = "lab", "ann-id", "Ann Name", "ben-id", "Ben Name", "root-id", "a secret"
	first, err := Split(Encode(&ev))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"ann-id", "Ann Name", "ben-id", "Ben Name", "root-id", "a secret", ev.PersonTag, ev.FromTag} {
		if bytes.Contains(first.Core, []byte(secret)) {
			t.Errorf("the core holds %q", secret)
		}
		if !bytes.Contains(first.Side, []byte(secret)) {
			t.Errorf("the side lacks %q", secret)
		}
	}
	again := ev
	second, err := Split(Encode(&again))
	if err != nil || second.Hash == first.Hash || bytes.Equal(second.Core, first.Core) {
		t.Errorf("the commitments of equal values are equal: %v", err)
	}
}

// TestSplit finds the end of a record among other bytes, and refuses parts that are too
// long to be one.
func TestSplit(t *testing.T) {
	_, b := decodedEvent(t)
	p, err := Split(append(bytes.Clone(b), "and more"...))
	if err != nil || p.Size != len(b) || p.Hash != coreHash(p.Core) {
		t.Errorf("%d bytes of %d: %v", p.Size, len(b), err)
	}
	long := make([]byte, MaxSize+1)
	for what, record := range map[string][]byte{
		"nothing":     nil,
		"a magic":     eventMagic,
		"another one": append([]byte("Ew"), b[2:]...),
		"a long core": assemble(long, coreHash(long), nil),
		"a long side": assemble(p.Core, p.Hash, long),
		"no core":     binary.AppendUvarint([]byte("Ev"), 1<<62),
	} {
		if got, err := Split(record); !errors.Is(err, ErrNotEvent) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
}

// TestOtherVersions: a record of a later program is refused by its version, and an empty
// core is no event.
func TestOtherVersions(t *testing.T) {
	_, b := decodedEvent(t)
	p, err := Split(b)
	if err != nil {
		t.Fatal(err)
	}
	later := append([]byte{3}, p.Core[1:]...)
	_, err = Decode(assemble(later, coreHash(later), p.Side))
	if err == nil || errors.Is(err, ErrNotEvent) || err.Error() != "event record of version 3: this program knows versions up to 2" {
		t.Errorf("%v", err)
	}
	if _, err := Decode(assemble(nil, coreHash(nil), nil)); !errors.Is(err, ErrNotEvent) {
		t.Errorf("an empty core: %v", err)
	}
	// New fields in the core of this version are skipped, and are part of the hash.
	more := appendField(bytes.Clone(p.Core), 200, []byte("new"))
	got, err := Decode(assemble(more, coreHash(more), p.Side))
	if err != nil || got.Hash == p.Hash || got.Person != "ann" {
		t.Errorf("with a new field: %+v, %v", got, err)
	}
}

// TestFirstOfAChain: the first event's chain is its own hash, and later ones name it.
func TestFirstOfAChain(t *testing.T) {
	first := Event{Event: checkout.Event{Station: "s", Seq: 1, Kind: checkout.Clock}}
	b := Encode(&first)
	if first.Chain != first.Hash || first.Hash.IsZero() {
		t.Errorf("chain %v, hash %v", first.Chain, first.Hash)
	}
	got, err := Decode(b)
	if err != nil || got.Chain != first.Hash {
		t.Errorf("it is read as chain %v, %v", got.Chain, err)
	}
	next := Event{Event: checkout.Event{Station: "t", Seq: 2, Kind: checkout.Clock, Chain: first.Chain, Prev: first.Hash}}
	got, err = Decode(Encode(&next))
	if err != nil || got.Chain != first.Hash || got.Hash == got.Chain || got.Station != "t" {
		t.Errorf("the next is %+v, %v", got, err)
	}
}
