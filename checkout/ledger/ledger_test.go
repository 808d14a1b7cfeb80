package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/sitekey"
	"stump/internal/testkit"
)

// testClock is a clock that the test moves.
type testClock struct {
	boot    uuid.UUID
	wall    time.Time
	mono    time.Duration
	trusted bool
}

func newTestClock() *testClock {
	return &testClock{
		boot: uuid.MustParse("11111111-1111-4111-8111-111111111111"),
		wall: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), trusted: true,
	}
}

func (c *testClock) stamp() checkout.Stamp {
	c.add(time.Millisecond)
	return checkout.Stamp{Wall: c.wall, Mono: c.mono, BootID: c.boot, Trusted: c.trusted}
}

func (c *testClock) add(d time.Duration) { c.wall, c.mono = c.wall.Add(d), c.mono+d }

var testKey = bytes.Repeat([]byte{7}, sitekey.Len)

func testOptions(c *testClock) Options {
	return Options{Station: "lab", SiteKey: testKey, Sinks: []string{"dir", "hook"}, Stamp: c.stamp, LockTimeout: 50 * time.Millisecond}
}

// tag returns the n-th test tag.
func tag(n int) checkout.Tag { return testkit.Tag(uint64(9_000_000+n), 34) }

type tester struct {
	*Ledger
	t     testing.TB
	clock *testClock
	path  string
	o     Options
}

// newLedger makes a ledger with people ann, ben, cem (tags 1-3) and devices
// ipad, pixel, nexus (tags 11-13).
func newLedger(t testing.TB) *tester {
	t.Helper()
	return newLedgerIn(t, t.TempDir())
}

func newLedgerIn(t testing.TB, dir string) *tester {
	t.Helper()
	x := newEmptyLedgerIn(t, dir)
	for i, id := range []string{"ann", "ben", "cem"} {
		x.ok(x.AddPerson(books.Person{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Email: id + "@example.org"}, tag(1+i), "admin", checkout.SourceCLI))
	}
	for i, id := range []string{"ipad", "pixel", "nexus"} {
		x.ok(x.AddDevice(books.Device{ID: id, Name: "The " + id, Kind: "phone"}, tag(11+i), "admin", checkout.SourceCLI))
	}
	return x
}

func newEmptyLedger(t testing.TB) *tester {
	t.Helper()
	return newEmptyLedgerIn(t, t.TempDir())
}

func newEmptyLedgerIn(t testing.TB, dir string) *tester {
	t.Helper()
	c := newTestClock()
	x := &tester{t: t, clock: c, path: filepath.Join(dir, "ledger.db"), o: testOptions(c)}
	l, err := Create(x.path, x.o)
	if err != nil {
		t.Fatal(err)
	}
	x.Ledger = l
	t.Cleanup(func() { x.Close() })
	return x
}

func (x *tester) ok(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *tester) RetirePerson(ref, actor string, source checkout.Source) error {
	s := checkout.Retired
	return x.EditPerson(ref, books.Edit{Status: &s}, actor, source)
}

func (x *tester) RetireDevice(ref, actor string, source checkout.Source) error {
	s := checkout.Retired
	return x.EditDevice(ref, books.Edit{Status: &s}, actor, source)
}

func (x *tester) subject(n int) checkout.Subject {
	x.t.Helper()
	s, err := x.Subject(tag(n))
	x.ok(err)
	return s
}

// bump completes the pair of two tags.
func (x *tester) bump(person, device int) checkout.Event {
	x.t.Helper()
	ev, err := x.Complete(checkout.Completion{Person: x.subject(person), Device: x.subject(device), Reader: "door"})
	x.ok(err)
	return ev
}

// who is who has what, as "device=person".
func (x *tester) who() string {
	x.t.Helper()
	var s []string
	for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
		x.ok(err)
		s = append(s, fmt.Sprintf("%s=%s%s", l.DeviceID, l.PersonID, strings.ReplaceAll(l.Note(), " ", "")))
	}
	return strings.Join(s, " ")
}

// history is the kinds of the events, as "seq:kind".
func (x *tester) history(f books.HistoryFilter) string {
	x.t.Helper()
	var s []string
	for e, err := range x.History(f) {
		x.ok(err)
		s = append(s, fmt.Sprintf("%d:%s", e.Seq, e.Kind))
	}
	return strings.Join(s, " ")
}

func (x *tester) reopen() {
	x.t.Helper()
	x.ok(x.Close())
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
}

func TestTapsBecomeLoans(t *testing.T) {
	x := newLedger(t)
	want(t, "first", x.bump(1, 11).Kind, checkout.Checkout)
	want(t, "who", x.who(), "ipad=ann")
	ev := x.bump(2, 11)
	want(t, "second", ev.Kind, checkout.Handover)
	want(t, "from", ev.From+ev.FromName, "annAnn")
	want(t, "actor", ev.Actor, "ben")
	x.reopen()
	want(t, "who after reopening", x.who(), "ipad=ben")
	want(t, "third", x.bump(2, 11).Kind, checkout.Return)
	want(t, "who at last", x.who(), "")
	want(t, "history", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout 8:handover 9:return")
	want(t, "ann", x.history(books.HistoryFilter{Person: "Ann"}), "1:enrol 7:checkout 8:handover")
	want(t, "ben and ipad", x.history(books.HistoryFilter{Person: "ben", Device: "ipad"}), "8:handover 9:return")
	want(t, "all", x.history(books.HistoryFilter{}), "1:enrol 2:enrol 3:enrol 4:enrol 5:enrol 6:enrol 7:checkout 8:handover 9:return")
}

func TestPolicies(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	pair := checkout.Completion{Person: x.subject(2), Device: x.subject(11), Policy: checkout.PolicyRefuse}
	if _, err := x.Complete(pair); !errors.Is(err, checkout.ErrRefused) {
		t.Fatal(err)
	}
	want(t, "after refusal", x.who(), "ipad=ann")
	pair.Policy = checkout.PolicyReturn
	ev, err := x.Complete(pair)
	x.ok(err)
	want(t, "return for another", string(ev.Kind)+" "+ev.Person+" "+ev.From, "return ben ann")
	want(t, "free", x.who(), "")
}

func TestLoanJSON(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length = time.Hour
	x.reopen()
	x.bump(1, 11)
	for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall.Add(2 * time.Hour)}) {
		x.ok(err)
		b, err := json.Marshal(l)
		x.ok(err)
		want(t, "json", string(b), `{"device":"The ipad","device_id":"ipad","person":"Ann","person_id":"ann","since":"2026-11-21T10:00:00Z","clock_trusted":true,"due":"2026-11-21T11:00:00Z","overdue":true,"pending":false,"doubtful":false,"station":"lab","note":null}`)
	}
}

func TestPendingIsResolvedInOrder(t *testing.T) {
	x := newLedger(t)
	p := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}
	d := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}
	_, err := x.Complete(checkout.Completion{Person: p, Device: x.subject(11)})
	x.ok(err)
	ev, err := x.Complete(checkout.Completion{Person: p, Device: d})
	x.ok(err)
	want(t, "tags", ev.PersonTag+ev.DeviceTag, "…901…902")
	want(t, "who", x.who(), "=device…902,badge…901 ipad=badge…901")
	for _, r := range rowsFor(t, x.Ledger, "dir") {
		want(t, "pending", r.Pending, true)
	}
	_, err = x.Resolve(tag(902), "nexus")
	x.ok(err)
	want(t, "who", x.who(), "ipad=badge…901 nexus=badge…901")
	x.ok(x.AddPerson(books.Person{ID: "dia", Name: "Dia"}, checkout.Tag{}, "directory", checkout.SourceSync))
	_, err = x.Resolve(tag(901), "dia")
	x.ok(err)
	want(t, "who", x.who(), "ipad=dia nexus=dia")
	want(t, "dia", x.history(books.HistoryFilter{Person: "dia"}), "7:checkout 8:checkout 10:resolve")
	want(t, "nexus", x.history(books.HistoryFilter{Device: "nexus"}), "6:enrol 8:checkout 9:resolve")
	due := rowsFor(t, x.Ledger, "dir")
	want(t, "rows", len(due), 4) // the two loans, and whose the tags are
	want(t, "person to be told", due[1].Event.Person+due[1].Event.PersonName+due[1].Event.Device, "diaDianexus")
	want(t, "the tag is enrolled", x.subject(901).ID, "dia")
}

// TestPendingOnceMore bumps tags that were pending and turned out to be somebody's. A
// device's tag that was replaced since is nobody's again, and its new history is not
// that of the first owner; the badge is the person's second.
func TestPendingOnceMore(t *testing.T) {
	x := newLedger(t)
	p := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(901), Pending: true}
	d := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(902), Pending: true}
	bump := func() {
		t.Helper()
		_, err := x.Complete(checkout.Completion{Person: p, Device: d})
		x.ok(err)
	}
	bump()
	_, err := x.Resolve(tag(901), "ann")
	x.ok(err)
	_, err = x.Resolve(tag(902), "nexus")
	x.ok(err)
	_, err = x.EnrolDevice("nexus", tag(13), "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "the badge", x.subject(901).ID, "ann")
	bump()
	want(t, "who", x.who(), "=anndevice…902 nexus=ann")
	want(t, "ann's history", x.history(books.HistoryFilter{Person: "ann"}), "1:enrol 7:checkout 8:resolve 11:checkout")
	want(t, "nexus' history", x.history(books.HistoryFilter{Device: "nexus"}), "6:enrol 7:checkout 9:resolve 10:enrol")
	x.verify()
	_, err = x.Resolve(tag(902), "pixel")
	x.ok(err)
	want(t, "who", x.who(), "nexus=ann pixel=ann")
	x.verify()
}
