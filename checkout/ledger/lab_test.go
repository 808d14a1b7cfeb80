package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/labrow"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

// testLab is a lab without a network: the newest word is the true one.
type testLab struct {
	t     *testing.T
	ver   uint64
	at    time.Time
	rows  map[string]*wire.Subject
	loans map[string]*wire.Loan
	acked map[*tester]uint64
}

func newTestLab(t *testing.T, all ...*tester) *testLab {
	b := &testLab{t: t, at: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), rows: map[string]*wire.Subject{}, loans: map[string]*wire.Loan{}, acked: map[*tester]uint64{}}
	for _, x := range all {
		x.ok(x.JoinLab())
	}
	return b
}

// send tells the lab what is new at a station.
func (b *testLab) send(x *tester) {
	b.t.Helper()
	chain, newest, err := x.OwnChain()
	x.ok(err)
	patches, err := x.LabPatches(0, 0)
	x.ok(err)
	if first := b.acked[x] + 1; first <= newest.Seq {
		of, err := x.LabPatches(first, newest.Seq)
		x.ok(err)
		patches = append(patches, of...)
	}
	for _, p := range patches {
		b.ver++
		s := b.rows[p.Kind+p.ID]
		if s == nil {
			s = &wire.Subject{Kind: p.Kind, ID: p.ID, Fields: map[string]string{}}
			b.rows[p.Kind+p.ID] = s
		}
		maps.Copy(s.Fields, p.Fields)
		maps.DeleteFunc(s.Fields, func(_, v string) bool { return v == "" })
		s.Ver = b.ver
	}
	x.ok(x.LabTold(patches))
	for b.acked[x] < newest.Seq {
		after, records, ok, err := x.OwnEvents(b.acked[x], 3, 1<<20)
		x.ok(err)
		if !ok || after.Seq != b.acked[x] || len(records) == 0 {
			b.t.Fatalf("after %d come %v, %v", b.acked[x], after, ok)
		}
		for _, raw := range records {
			ev, err := record.Decode(raw)
			x.ok(err)
			b.acked[x] = ev.Seq
			b.erase(x, ev.Whose)
			if !ev.Kind.MovesDevice() || ev.Device == "" {
				continue
			}
			b.ver++
			b.at = b.at.Add(time.Second)
			w := &wire.Loan{Device: ev.Device, Ver: b.ver, Chain: chain.String(), Seq: ev.Seq, At: b.at, Station: ev.Station, Length: int64(ev.Loan / time.Second)}
			if ev.Kind == checkout.Checkout || ev.Kind == checkout.Handover {
				w.Person = ev.Person
			}
			b.loans[ev.Device] = w
		}
	}
}

// erase erases whom an event has erased: the lab has the site key.
func (b *testLab) erase(x *tester, whose []byte) {
	for _, s := range b.rows {
		if whose != nil && bytes.Equal(x.keys.Whose(s.ID, 0), whose) {
			b.ver++
			s.Ver, s.Fields = b.ver, map[string]string{labrow.Erased: "1"}
		}
	}
}

// tell tells a station what is new in the lab.
func (b *testLab) tell(x *tester) bool {
	b.t.Helper()
	c, err := x.Lab()
	x.ok(err)
	out := wire.Changes{Epoch: 1, Ver: b.ver, At: b.at}
	for _, s := range b.rows {
		if s.Ver > c.Ver || c.Epoch != 1 {
			out.Subjects = append(out.Subjects, *s)
		}
	}
	for _, w := range b.loans {
		if w.Ver > c.Ver || c.Epoch != 1 {
			out.Loans = append(out.Loans, *w)
		}
	}
	news, err := x.TakeLab(out, b.acked[x])
	x.ok(err)
	return news
}

// meet lets stations tell each other everything.
func (b *testLab) meet(all ...*tester) {
	b.t.Helper()
	for range 2 {
		for _, x := range all {
			b.send(x)
		}
		for _, x := range all {
			b.tell(x)
		}
	}
}

func (x *tester) sound() {
	x.t.Helper()
	r, err := x.Verify(x.t.Context(), VerifyOptions{})
	x.ok(err)
	if !r.OK() {
		x.t.Errorf("the ledger doesn't verify: %+v", r.Faults)
	}
}

// register is the register as other stations see it.
func (x *tester) register() string {
	x.t.Helper()
	all, err := x.LabRegister(nil)
	x.ok(err)
	var lines []string
	for _, s := range all {
		for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
			lines = append(lines, fmt.Sprintf("%s %s %s=%s", s.Kind, s.ID, name, s.Fields[name]))
		}
	}
	return strings.Join(lines, "\n")
}

func labOfTwo(t *testing.T) (b *testLab, a, z *tester) {
	a, z = newLedger(t), newEmptyLedger(t)
	b = newTestLab(t, a, z)
	b.meet(a, z)
	return b, a, z
}

func TestLabHasOneRegister(t *testing.T) {
	b, a, z := labOfTwo(t)
	want(t, "the register", z.register(), a.register())
	want(t, "a badge of the other station", z.subject(2).Name, "Ben")
	want(t, "a tag of the other station", z.subject(12).Name, "The pixel")

	name := "Benedict"
	z.ok(z.EditPerson("ben", books.Edit{Name: &name, MoreBadge: tag(5)}, "admin", checkout.SourceCLI))
	mail := "ben@elsewhere.example"
	a.ok(a.EditPerson("ben", books.Edit{Email: &mail}, "admin", checkout.SourceCLI))
	a.ok(a.AddDevice(books.Device{ID: "nokia", Name: "Nokia"}, tag(15), "admin", checkout.SourceCLI))
	b.meet(a, z)
	want(t, "the register", z.register(), a.register())
	want(t, "both changes", a.register() != "" && strings.Contains(a.register(), "name=Benedict") && strings.Contains(a.register(), "email=ben@elsewhere.example"), true)
	want(t, "a further badge", a.subject(5).ID, "ben")
	want(t, "what was added", z.subject(15).ID, "nokia")

	// A badge is lost, a tag goes to another device, somebody leaves.
	a.ok(a.EditPerson("ben", books.Edit{LostBadge: byTag(2)}, "admin", checkout.SourceCLI))
	z.ok(z.EditDevice("nokia", books.Edit{Untag: tag(15)}, "admin", checkout.SourceCLI))
	z.ok(z.EditDevice("nexus", books.Edit{Tag: tag(15)}, "admin", checkout.SourceCLI))
	a.ok(a.RetirePerson("cem", "admin", checkout.SourceCLI))
	b.meet(a, z)
	want(t, "the register", z.register(), a.register())
	want(t, "a lost badge", z.subject(2).Status, checkout.LostBadge)
	want(t, "a tag that moved", a.subject(15).ID, "nexus")
	want(t, "the tag before", a.subject(13).Kind, checkout.Unknown)
	want(t, "who left", z.subject(3).Status, checkout.Retired)
	a.sound()
	z.sound()
	want(t, "news when nothing is new", b.tell(a) || b.tell(z), false)
}

// TestTakenHereBackThere: a device goes where people carry it.
func TestTakenHereBackThere(t *testing.T) {
	b, a, z := labOfTwo(t)
	out := a.bump(1, 11)
	b.meet(a, z)
	want(t, "who has it, there", z.who(), "ipad=ann")
	back := z.bump(1, 11)
	want(t, "the kind", back.Kind, checkout.Return)
	want(t, "what it is based on", back.Base, checkout.Place{Chain: out.Chain, Seq: out.Seq})
	want(t, "the lab time that was heard", back.Heard.Equal(b.at), true)
	b.meet(a, z)
	want(t, "who has it, here", a.who(), "")
	want(t, "the base, here", a.bump(2, 11).Base, checkout.Place{Chain: back.Chain, Seq: back.Seq})
	b.meet(a, z)
	want(t, "handed over there", z.bump(3, 11).Kind, checkout.Handover)
	b.meet(a, z)
	want(t, "who has it, here", a.who(), "ipad=cem")
	for _, x := range []*tester{a, z} {
		x.sound()
		x.reopen()
		x.sound()
		want(t, "who has it, after a restart", x.who(), "ipad=cem")
	}
}

// TestOwnNewerEventStays: what happened here, of which the lab has not heard, is not undone
// by its word.
func TestOwnNewerEventStays(t *testing.T) {
	b, a, z := labOfTwo(t)
	a.bump(1, 11)
	b.send(a)
	z.bump(2, 11) // z was away
	b.tell(z)
	want(t, "who has it", z.who(), "ipad=ben")
	b.send(z)
	b.tell(z)
	b.tell(a)
	want(t, "who has it, there", a.who(), "ipad=ben")
	a.sound()
	z.sound()
}

// TestRowOnItsWay: a row that was sent before the lab had heard of an event here, and comes
// when it has, is followed by the lab's word on that event.
func TestRowOnItsWay(t *testing.T) {
	b, a, z := labOfTwo(t)
	a.bump(1, 11)
	b.send(a)
	onItsWay := *b.loans["ipad"]
	ev := z.bump(2, 11)
	b.send(z)
	_, err := z.TakeLab(wire.Changes{Epoch: 1, Ver: onItsWay.Ver, At: b.at, Loans: []wire.Loan{onItsWay}}, b.acked[z])
	z.ok(err)
	want(t, "who has it, for a moment", z.who(), "ipad=ann")
	b.tell(z)
	want(t, "who has it", z.who(), "ipad=ben")
	want(t, "what the next bump is based on", z.bump(2, 11).Base, checkout.Place{Chain: ev.Chain, Seq: ev.Seq})
	z.sound()
}

// TestOwnEditStays: a change here that the lab has not heard of stays, beside the lab's.
func TestOwnEditStays(t *testing.T) {
	b, a, z := labOfTwo(t)
	place, note := "Shelf 3", "A crack"
	a.ok(a.EditDevice("ipad", books.Edit{Place: &place}, "admin", checkout.SourceCLI))
	z.ok(z.EditDevice("ipad", books.Edit{Note: &note}, "admin", checkout.SourceCLI))
	b.send(a)
	b.tell(z)
	d, err := z.FindDevice("ipad")
	z.ok(err)
	want(t, "the lab's", d.Place, place)
	want(t, "its own", d.Note, note)
	b.meet(a, z)
	want(t, "the register", z.register(), a.register())
}

// TestSalvageAsksTheLabAgain: what others did is not made into events of this station.
func TestSalvageAsksTheLabAgain(t *testing.T) {
	b, a, z := labOfTwo(t)
	a.bump(1, 11)
	b.meet(a, z)
	ev := z.bump(2, 12)
	z.ok(z.Close())
	z.salvaged()
	z.sound()
	c, err := z.Lab()
	z.ok(err)
	want(t, "the cursor", c, LabCursor{})
	for e, err := range z.History(books.HistoryFilter{}) {
		z.ok(err)
		if e.Seq > ev.Seq && e.Device == "ipad" {
			t.Errorf("the salvage has made an event of another's: %+v", e.Event)
		}
	}
	b.acked[z] = ev.Seq
	b.tell(z)
	want(t, "who has what", z.who(), "ipad=ann pixel=ben")
	z.sound()
}

// TestRekey: a station that joins takes the lab's key, and finds its own tags as before.
func TestRekey(t *testing.T) {
	x := newLedger(t)
	other := bytes.Repeat([]byte{9}, len(testKey))
	under, err := x.LabRegister(other)
	x.ok(err)
	ring, err := sitekey.NewRing(other, nil)
	x.ok(err)
	at := slices.IndexFunc(under, func(s wire.Subject) bool { return s.ID == "ipad" })
	want(t, "the tag under the other key", string(labrow.TagsOf(under[at].Fields)[0].Lookup), string(ring.Find(tag(11), 0)))
	x.ok(x.Rekey(other, testKey))
	want(t, "a device's tag", x.subject(11).ID, "ipad")
	want(t, "a badge", x.subject(1).ID, "ann")
	x.bump(1, 11)
	x.sound()
	x.o.SiteKey, x.o.OldKeys = other, [][]byte{testKey}
	x.reopen()
	want(t, "who has what", x.who(), "ipad=ann")
	want(t, "a badge", x.subject(1).ID, "ann")
	x.sound()
	x.o.OldKeys = nil
	x.reopen()
	want(t, "a badge that was bumped", x.subject(1).ID, "ann")
	want(t, "a badge that was not", x.subject(2).Kind, checkout.Unknown)
}

// TestDirectoryOfTheLab: the directory's word on a device that another station has just moved
// may be from before that station has told it.
func TestDirectoryOfTheLab(t *testing.T) {
	b, a, z := labOfTwo(t)
	ref := "9"
	for _, x := range []*tester{a, z} {
		x.ok(x.update(func(t *txn) {
			d := t.known(record.TreeDevices, "ipad")
			d.row.Ref = ref
			t.save(d)
		}))
	}
	z.clock.wall = b.at.Add(time.Minute)
	a.bump(1, 11)
	b.meet(a, z)
	hears := func() (why books.Why) {
		m, err := z.Moment(DirectorySink, "snipe.example")
		z.ok(err)
		z.ok(z.TakeOver(m, []books.Seen{{Device: ref, Holding: books.Holding{Free: true}}}, "directory", nil, func(w books.Word) { why = w.Why }))
		return why
	}
	want(t, "at once", hears(), books.Busy)
	want(t, "who has it", z.who(), "ipad=ann")
	z.clock.wall = b.at.Add(2 * time.Hour)
	want(t, "two hours later", hears(), books.Taken)
	want(t, "who has it", z.who(), "")
}

// TestErasedInTheLab: an erasure reaches a station that was away, once who was erased has
// brought back what they had.
func TestErasedInTheLab(t *testing.T) {
	b, a, z := labOfTwo(t)
	for _, x := range []*tester{a, z} {
		x.o.Sinks = nil
		x.reopen()
	}
	z.bump(1, 11) // z is away
	a.ok(a.ErasePerson("ann", "admin", checkout.SourceCLI))
	b.send(a)
	b.tell(z)
	if err := z.EraseGone(); err == nil || !strings.Contains(err.Error(), "iPad") && !strings.Contains(err.Error(), "ipad") {
		t.Errorf("somebody with a device was erased: %v", err)
	}
	z.bump(1, 11)
	z.ok(z.EraseGone())
	if _, err := z.FindPerson("ann"); err == nil {
		t.Error("ann is still there")
	}
	for e, err := range z.History(books.HistoryFilter{}) {
		z.ok(err)
		if e.Person == "ann" || e.PersonName == "Ann" {
			t.Errorf("event %d names her", e.Seq)
		}
	}
	patches, err := z.LabPatches(0, 0)
	z.ok(err)
	want(t, "what z tells of it", len(patches), 0)
	z.ok(z.EraseGone())
	a.sound()
	z.sound()
}

// TestRevisionInLab: what the lab has heard of, and has said again, has not changed for whoever
// looks at it.
func TestRevisionInLab(t *testing.T) {
	b, a, z := labOfTwo(t)
	revision := func() string {
		d, err := a.FindDevice("ipad")
		a.ok(err)
		return d.Revision
	}
	a.bump(1, 11)
	name := "The iPad"
	a.ok(a.EditDevice("ipad", books.Edit{Name: &name}, "admin", checkout.SourceWeb))
	before := revision()
	b.send(a)
	want(t, "after the lab has heard of it", revision(), before)
	b.tell(a)
	want(t, "after the lab has said it again", revision(), before)
	b.tell(z)
	z.bump(1, 11)
	b.send(z)
	b.tell(a)
	if revision() == before {
		t.Error("what another station has changed is not seen")
	}
}

// TestChangedMeanwhile: what was changed again while the lab was told is told, too, also where
// it is as it was before.
func TestChangedMeanwhile(t *testing.T) {
	b, a, z := labOfTwo(t)
	for _, last := range []string{"", "scratched"} {
		broken, then := "broken", last
		a.ok(a.EditDevice("ipad", books.Edit{Condition: &broken}, "admin", checkout.SourceWeb))
		said, err := a.LabPatches(0, 0)
		a.ok(err)
		a.ok(a.EditDevice("ipad", books.Edit{Condition: &then}, "admin", checkout.SourceWeb))
		a.ok(a.LabTold(said))
		again, err := a.LabPatches(0, 0)
		a.ok(err)
		if len(again) != 1 || again[0].Fields["condition"] != last {
			t.Errorf("after %q it tells %+v", last, again)
		}
		b.send(a)
		b.tell(a)
		b.tell(z)
		for _, x := range []*tester{a, z} {
			d, err := x.FindDevice("ipad")
			x.ok(err)
			want(t, "its condition", d.Condition, last)
		}
	}
}

// TestUnsaid: rows that were changed without an event are patches once; of too many, all rows
// have to be compared.
func TestUnsaid(t *testing.T) {
	_, a, _ := labOfTwo(t)
	unsaid := func() string {
		all, many, err := a.LabUnsaid()
		a.ok(err)
		said := fmt.Sprint(many)
		for _, p := range all {
			said += fmt.Sprint(" ", p.Kind, " ", p.ID, " ", p.Fields["name"])
		}
		return said
	}
	unsaid()
	appended := a.Appended()
	a.ok(a.AddPerson(books.Person{ID: "zoe", Name: "Zoe"}, checkout.Tag{}, "admin", checkout.SourceWeb))
	select {
	case <-appended:
	default:
		t.Error("nobody is woken")
	}
	want(t, "somebody new", unsaid(), "false person zoe Zoe")
	want(t, "said once", unsaid(), "false")
	a.bump(1, 11)
	want(t, "after a bump", unsaid(), "false")
	rows := func(yield func(books.ImportRow, error) bool) {
		for i := range mostUnsaid + 1 {
			if !yield(books.ImportRow{ID: fmt.Sprint("p", i), Name: "P"}, nil) {
				return
			}
		}
	}
	_, err := a.Import(t.Context(), checkout.KindPerson, rows, books.ImportOptions{Actor: "admin", Source: checkout.SourceWeb})
	a.ok(err)
	a.settled()
	want(t, "an import", unsaid(), "true")
}

// TestDoubtOfTheLab: who probably brought a device back, and is said to have taken it, is in
// doubt at the station of the bump, too, until somebody bumps again.
func TestDoubtOfTheLab(t *testing.T) {
	b, a, z := labOfTwo(t)
	a.bump(1, 11)
	b.send(a)
	z.bump(1, 11) // z is away, and takes it for a check-out
	b.send(z)
	b.loans["ipad"].Doubtful = true
	b.tell(a)
	b.tell(z)
	for name, x := range map[string]*tester{"a": a, "z": z} {
		want(t, "in doubt at "+name, x.subject(11).Doubtful && collect(x, books.LoanFilter{})[0].Doubtful, true)
		x.sound()
	}
	z.bump(1, 11)
	b.meet(a, z)
	want(t, "in doubt after a bump", a.subject(11).Doubtful || z.subject(11).Doubtful, false)
	z.sound()
}

// TestTwoTagsOfADevice: a lab in which a device has two tags, since two stations gave it one
// at the same time, damages no ledger, and every station keeps the same.
func TestTwoTagsOfADevice(t *testing.T) {
	b, a, z := labOfTwo(t)
	a.ok(a.EditDevice("ipad", books.Edit{Tag: tag(21)}, "admin", checkout.SourceCLI))
	z.ok(z.EditDevice("ipad", books.Edit{Tag: tag(22)}, "admin", checkout.SourceCLI))
	b.send(a)
	b.send(z)
	want(t, "tags in the lab", len(labrow.TagsOf(b.rows["deviceipad"].Fields)), 2)
	b.meet(a, z)
	a.sound()
	z.sound()
	want(t, "the register", z.register(), a.register())
	want(t, "tags in the lab, later", len(labrow.TagsOf(b.rows["deviceipad"].Fields)), 1)
	want(t, "one of them works", (a.subject(21).ID == "ipad") != (a.subject(22).ID == "ipad"), true)
}
