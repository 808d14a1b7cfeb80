//go:build services

package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/hub/hubtest"
	"stump/internal/lab/wire"
)

// patch sends a change to the register. base is the version that was changed.
func (m *member) patch(kind, id string, base uint64, fields ...string) {
	m.Helper()
	p := m.Next(m.Sent, 0)
	p.Patches = []wire.Patch{{Kind: kind, ID: id, Base: base, Fields: fieldsOf(fields...)}}
	_, err := m.Append(m.Context(), m.from, p)
	m.ok(err)
	m.Sent = len(m.Records)
}

func fieldsOf(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// subject is a row of the register, as a station gets it.
func (m *member) subject(kind, id string) wire.Subject {
	m.Helper()
	for _, s := range m.rows().Subjects {
		if s.Kind == kind && s.ID == id {
			return s
		}
	}
	return wire.Subject{}
}

// listed are the conflicts of a lab, in short.
func (x *site) listed() string {
	x.Helper()
	all, err := x.Conflicts(x.Context(), x.lab)
	x.ok(err)
	var s []string
	for _, c := range all {
		text := c.Kind
		for _, p := range []*string{c.DeviceID, c.Subject, c.Field, c.Kept, c.Refused} {
			if p != nil {
				text += " " + *p
			}
		}
		if c.Then != nil {
			text += fmt.Sprintf(" %s@%s", c.Then.PersonID, c.Then.Station)
		}
		s = append(s, text)
	}
	return strings.Join(s, "; ")
}

// TestPatches: fields that two have changed differently stay as the first has made them,
// and the second hears of it; all others are as each has made them.
func TestPatches(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	a.patch("person", "ann", 0, "name", "Ann", "email", "ann@a", "note", "old")
	base := b.subject("person", "ann").Ver
	a.patch("person", "ann", base, "name", "Ann Okafor", "note", "")
	seen := b.rows().Ver
	b.patch("person", "ann", base, "name", "Annie", "email", "ann@b", "note", "")
	got := a.subject("person", "ann")
	same(t, "ann", fmt.Sprint(got.Fields), "map[email:ann@b name:Ann Okafor]")
	if got.Ver <= seen {
		t.Error("the row does not come down again")
	}
	same(t, "listed", x.listed(), "field ann name Ann Okafor Annie")

	// The answer was lost, and it is sent again.
	b.patch("person", "ann", base, "email", "ann@b")
	same(t, "listed after a repetition", x.listed(), "field ann name Ann Okafor Annie")
	b.patch("person", "ann", got.Ver, "name", "Annie")
	same(t, "a later change", a.subject("person", "ann").Fields["name"], "Annie")

	// A station's own changes follow each other, whatever it has heard of them.
	b.patch("person", "ann", got.Ver, "name", "Ann O.")
	same(t, "its next change", a.subject("person", "ann").Fields["name"], "Ann O.")
	same(t, "listed, still", x.listed(), "field ann name Ann Okafor Annie")

	// A field that the hub does not know, and one that is taken away while another changes it.
	a.patch("device", "ipad", 0, "name", "The iPad", "colour", "grey")
	base = a.subject("device", "ipad").Ver
	a.patch("device", "ipad", base, "colour", "")
	b.patch("device", "ipad", base, "colour", "blue")
	same(t, "the ipad", fmt.Sprint(b.subject("device", "ipad").Fields), "map[name:The iPad]")
	for _, bad := range []wire.Patch{
		{Kind: "lab", ID: "x"}, {Kind: "person"}, {Kind: "person", ID: "a\x00"}, {Kind: "person", ID: "a", Fields: map[string]string{"": "x"}},
		{Kind: "person", ID: "a", Fields: map[string]string{"name": "a\x00b"}}, {Kind: "person", ID: "a", Fields: map[string]string{"name": "\xff"}},
		{Kind: "person", ID: "a", Fields: map[string]string{"name": strings.Repeat("x", mostField+1)}},
	} {
		p := a.Next(a.Sent, 0)
		p.Patches = []wire.Patch{{Kind: "person", ID: "good", Fields: fieldsOf("name", "Good")}, bad}
		_, err := x.Append(t.Context(), a.from, p)
		is(t, fmt.Sprintf("%q", bad.ID), err, wire.CodeInvalid)
	}
	same(t, "what came with something bad", a.subject("person", "good").Ver, 0)
}

// TestTags: a tag is one person's or device's in the lab.
func TestTags(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	a.patch("person", "ann", 0, "name", "Ann", "tag/aa", "…066")
	b.patch("person", "ben", 0, "name", "Ben", "tag/aa", "…066", "tag/bb", "…067")
	same(t, "ben", fmt.Sprint(a.subject("person", "ben").Fields), "map[name:Ben tag/bb:…067]")
	same(t, "listed", x.listed(), "tag ben tag/aa person ann …066")
	b.patch("device", "ipad", 0, "tag/bb", "…067")
	same(t, "the ipad", fmt.Sprint(a.subject("device", "ipad").Fields), "map[]")

	// It moves once its owner has given it back, also in one request.
	ann, ben := a.subject("person", "ann").Ver, a.subject("person", "ben").Ver
	p := a.Next(0, 0)
	p.Patches = []wire.Patch{{Kind: "person", ID: "ann", Base: ann, Fields: fieldsOf("tag/aa", "")}, {Kind: "person", ID: "ben", Base: ben, Fields: fieldsOf("tag/aa", "…066")}}
	_, err := x.Append(t.Context(), a.from, p)
	x.ok(err)
	same(t, "ben, later", fmt.Sprint(a.subject("person", "ben").Fields), "map[name:Ben tag/aa:…066 tag/bb:…067]")
	same(t, "ann, later", fmt.Sprint(a.subject("person", "ann").Fields), "map[name:Ann]")

	// A device has one tag: of two stations that give it another, the first is heard.
	b.patch("device", "pixel", 0, "tag/d1", "…071")
	pixel := a.subject("device", "pixel").Ver
	a.patch("device", "pixel", pixel, "tag/d1", "", "tag/d2", "…072")
	b.patch("device", "pixel", pixel, "tag/d1", "", "tag/d0", "…070")
	same(t, "the pixel", fmt.Sprint(a.subject("device", "pixel").Fields), "map[tag/d2:…072]")
	same(t, "listed, later", x.listed(), "tag ben tag/aa person ann …066; tag ipad ipad tag/bb person ben …067; tag pixel pixel tag/d0 device pixel …070")

	// Many at once: one gets it.
	done := make(chan error)
	for i := range 20 {
		go func() {
			p := &wire.Append{Patches: []wire.Patch{{Kind: "person", ID: fmt.Sprint("p", i), Fields: fieldsOf("tag/cc", "…068")}}}
			_, err := x.Append(t.Context(), []Sender{a.from, b.from}[i%2], p)
			done <- err
		}()
	}
	for range 20 {
		x.ok(<-done)
	}
	owners := 0
	for _, s := range a.rows().Subjects {
		if s.Fields["tag/cc"] != "" {
			owners++
		}
	}
	same(t, "owners of a tag", owners, 1)
}

// contains reports whether anything in the database has a text.
func (x *site) contains(text string) bool {
	x.Helper()
	for _, sql := range []string{
		`select record from event where lab = $1`, `select (person || ' ' || coalesce(former, '') || coalesce(actor, ''))::bytea from event where lab = $1 and person is not null`,
		`select convert_to(doc::text, 'UTF8') from subject where lab = $1`, `select convert_to(concat(kept, refused), 'UTF8') from conflict where lab = $1`,
		`select convert_to(person, 'UTF8') from device_loan where lab = $1`, `select convert_to(lookup, 'UTF8') from subject_tag where lab = $1`,
	} {
		rows, err := x.pool.Query(x.Context(), sql, x.lab)
		x.ok(err)
		for rows.Next() {
			var b []byte
			x.ok(rows.Scan(&b))
			if bytes.Contains(b, []byte(text)) {
				rows.Close()
				return true
			}
		}
		x.ok(rows.Err())
	}
	return false
}

// TestErase: nothing of a person who was erased is left, also of what comes later; chains
// go on; and it is known who has not heard of it.
func TestErase(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	a.patch("person", "zoe-1", 0, "name", "Zoë Müller", "tag/dd", "…069")
	a.patch("person", "zoe-1", 0, "name", "Zoe Other")
	took := a.Bump("ipad", "zoe-1", "", none)
	hand := a.Add(checkout.Event{Kind: checkout.Handover, Device: "ipad", Person: "ben", From: "zoe-1", FromName: "Zoë Müller", Actor: "ben", Base: hubtest.At(took), Note: "for zoe-1"})
	a.Add(checkout.Event{Kind: checkout.Correct, Device: "pixel", Actor: "zoe-1", Source: checkout.SourceWeb})
	a.Bump("nexus", "zoe-1", "", none)
	a.send()
	if !x.contains("zoe-1") || !x.contains("Müller") || !x.contains("dd") || !x.contains("Other") {
		t.Fatal("nothing of hers is there")
	}
	late := b.Bump("pixel", "zoe-1", "", none) // not sent yet
	b.Add(checkout.Event{Kind: checkout.Return, Device: "ipad", Person: "ben", Actor: "ben", Base: hubtest.At(hand)})
	b.rows()
	ver := a.subject("person", "zoe-1").Ver
	a.patch("person", "zoe-1", ver, "erased", "1", "name", "Zoë Müller")
	b.send()
	b.patch("person", "zoe-1", ver, "email", "zoe-1@mail")
	for _, text := range []string{"zoe-1", "Müller", "Other", "dd"} {
		if x.contains(text) {
			t.Errorf("%q is still there", text)
		}
	}
	same(t, "her row", fmt.Sprint(a.subject("person", "zoe-1").Fields), "map[erased:1]")
	for device, want := range map[string]string{"ipad": "", "nexus": Erased, "pixel": Erased} {
		same(t, device, a.holder(device), want)
	}
	h, err := b.Head(t.Context(), b.from)
	x.ok(err)
	same(t, "the late chain's end", h.Newest, b.After(2))
	again, err := b.Append(t.Context(), b.from, b.Next(0, 0))
	x.ok(err)
	same(t, "receipts of what was erased", len(again), 2)
	b.Bump("pixel", "", "ben", hubtest.At(late))
	b.send()
	same(t, "the pixel, brought back", a.holder("pixel"), "")

	// A tag that she has given back is free.
	a.patch("person", "ben", 0, "tag/dd", "…069")
	same(t, "her tag", a.subject("person", "ben").Fields["tag/dd"], "…069")
	unerased := func() (names []string) {
		x.noteNow(t.Context())
		all, err := x.Stations(t.Context(), x.lab)
		x.ok(err)
		for _, st := range all {
			if len(st.Unerased) > 0 {
				names = append(names, st.Name)
			}
		}
		return names
	}
	all := a.rows().Ver
	_, err = a.Changes(t.Context(), a.from, h.Epoch, all, 0) // it has everything
	x.ok(err)
	same(t, "who has not heard", fmt.Sprint(unerased()), "[south]")
	_, err = b.Changes(t.Context(), b.from, h.Epoch, all, 0)
	x.ok(err)
	same(t, "who has not heard, later", fmt.Sprint(unerased()), "[]")
}

// TestEraseAtStation: whom a station erases while it is in the lab is erased in all of it;
// whom it has erased before is somebody else.
func TestEraseAtStation(t *testing.T) {
	x := newSite(t)
	whose := func(id string) []byte {
		sum := sha256.Sum256([]byte("key" + id))
		return sum[:16]
	}
	x.keys = func(lab string) (func(string) []byte, error) { return whose, nil }
	a := x.station("north")
	erase := func(ids ...string) {
		e := record.Event{Event: checkout.Event{Kind: checkout.Erase, Note: "a person was erased"}}
		for _, id := range ids {
			e.Whose = append(e.Whose, whose(id)...)
		}
		a.AddRecord(e)
		a.send()
	}
	a.patch("person", "zoe-1", 0, "name", "Zoë Müller")
	a.patch("person", "ann", 0, "name", "Ann")
	a.Bump("ipad", "zoe-1", "", none)
	a.Bump("ipad", "", "zoe-1", hubtest.At(a.Last()))
	erase("ann") // before it has heard of the lab
	same(t, "ann", fmt.Sprint(a.subject("person", "ann").Fields), "map[name:Ann]")
	a.Heard = time.Now()
	erase("nobody")
	erase("zoe-1", "zoe-2")
	if x.contains("zoe-1") || x.contains("Müller") {
		t.Error("something of hers is there")
	}
	same(t, "her row", fmt.Sprint(a.subject("person", "zoe-1").Fields), "map[erased:1]")
	same(t, "ann, still", fmt.Sprint(a.subject("person", "ann").Fields), "map[name:Ann]")
}

// TestResolve: what was said of a tag that nobody knew is said of its owner, once it is
// known, also where other stations speak of the tag.
func TestResolve(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	const tagP, tagD = checkout.PendingPrefix + "01", checkout.PendingPrefix + "02"
	a.Bump("ipad", tagP, "", none)
	a.Bump(tagD, "ben", "", none)
	b.Bump("pixel", "cem", "", none)
	a.send()
	b.send()
	same(t, "the tag has it", b.holder("ipad"), tagP)
	same(t, "the tag is with", b.holder(tagD), "ben")
	a.AddResolved(checkout.Event{Kind: checkout.Resolve, Person: "ann"}, tagP)
	a.AddResolved(checkout.Event{Kind: checkout.Resolve, Device: "pixel"}, tagD)
	a.send()
	same(t, "ann has it", b.holder("ipad"), "ann")
	same(t, "the tag's own row", b.holder(tagD), "")
	same(t, "who has the pixel", b.holder("pixel"), "cem") // later than ben
	same(t, "listed", x.listed(), "unseen pixel cem@south")
	b.Bump("nexus", tagP, "", none)
	b.Bump(tagD, "", "cem", hubtest.At(b.Events[0]))
	b.send()
	same(t, "who has the nexus", a.holder("nexus"), "ann")
	same(t, "who has the pixel, later", a.holder("pixel"), "")

	// Merged into somebody else, who is erased then: nothing of either is left.
	a.AddResolved(checkout.Event{Kind: checkout.Merge, Person: "zoe-1"}, "ann")
	a.send()
	same(t, "who has the ipad", b.holder("ipad"), "zoe-1")
	b.Bump("ipad", "ann", "", none)
	b.send()
	same(t, "who bumps by the old id", b.holder("ipad"), "zoe-1")
	a.patch("person", "ann", 0, "name", "Ann Okafor")
	a.patch("person", "zoe-1", 0, "erased", "1")
	b.Bump("watch", tagP, "", none)
	b.send()
	if x.contains("zoe-1") || x.contains(tagP) || x.contains("Okafor") {
		t.Error("something of her is there")
	}
}

// TestLoans: how long a loan is, and what was said of it, goes with the statement that it is
// about.
func TestLoans(t *testing.T) {
	x := newSite(t)
	a, b := x.station("north"), x.station("south")
	length := func() string {
		for _, l := range a.rows().Loans {
			return fmt.Sprintf("%s %v %v %s %v", l.Person, time.Duration(l.Length)*time.Second, l.Lost, l.Kit, l.Doubtful)
		}
		return ""
	}
	ann := a.Add(checkout.Event{Kind: checkout.Checkout, Device: "ipad", Person: "ann", Actor: "ann", Loan: 24 * time.Hour, Kit: "box"})
	a.send()
	same(t, "lent", length(), "ann 24h0m0s false box false")
	b.Add(checkout.Event{Kind: checkout.Extend, Device: "ipad", Person: "ann", Loan: 72 * time.Hour, Base: hubtest.At(ann)})
	b.send()
	same(t, "extended", length(), "ann 72h0m0s false box false")
	a.Now = time.Now().Add(-30 * time.Minute)
	a.Add(checkout.Event{Kind: checkout.Extend, Device: "ipad", Person: "ann", Loan: 48 * time.Hour, Base: hubtest.At(ann), At: checkout.Stamp{BootID: a.Boot, Mono: a.Mono()}})
	a.send()
	same(t, "extended earlier, and told later", length(), "ann 72h0m0s false box false")
	ben := b.Add(checkout.Event{Kind: checkout.Handover, Device: "ipad", Person: "ben", From: "ann", Loan: time.Hour, Base: hubtest.At(ann)})
	b.send()
	a.Add(checkout.Event{Kind: checkout.Extend, Device: "ipad", Person: "ann", Loan: 99 * time.Hour, Base: hubtest.At(ann)})
	a.send()
	same(t, "handed over, and the loan before it extended", length(), "ben 1h0m0s false  false")
	b.Add(checkout.Event{Kind: checkout.Lost, Device: "ipad", From: "ben", Base: hubtest.At(ben)})
	b.send()
	same(t, "lost", length(), " 0s true  false")
	b.Add(checkout.Event{Kind: checkout.Found, Device: "ipad", Base: hubtest.At(b.Last())})
	b.send()
	same(t, "found", length(), " 0s false  false")
	b.Bump("ipad", "cem", "", hubtest.At(b.Last()))
	b.send()
	a.Now = time.Now()
	doubt := a.Bump("ipad", "cem", "", hubtest.At(ann))
	a.send()
	same(t, "in doubt", length(), "cem 0s false  true")
	same(t, "listed", x.listed(), "doubtful ipad cem@north")
	a.Add(checkout.Event{Kind: checkout.Correct, Device: "ipad", Person: "cem", Mark: checkout.MarkRight, Base: hubtest.At(doubt)})
	a.send()
	same(t, "looked at", length(), "cem 0s false  false")
	same(t, "listed, then", x.listed(), "")
}
